#ifndef PRESENCE_CORE_MODEL_DIALOG_H_
#define PRESENCE_CORE_MODEL_DIALOG_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presence {

// The parts of a SIP dialog that a NOTIFY in it needs (RFC 3261 §12), as texts of the wire.
struct DialogParts {
  std::string call_id;
  std::string remote_tag;
  std::string local_uri;               // our side: the To URI of the SUBSCRIBE, scheme and all
  std::string remote_uri;              // the watcher's: its From URI
  std::string remote_target;           // its Contact: where requests go
  std::vector<std::string> route_set;  // first hop first, each in angle brackets
  std::string gateway;       // gateway group that sends for this dialog; empty for a native watcher
  std::string flow;          // connection the SUBSCRIBE came over; empty on UDP
  std::string flow_gateway;  // gateway of the group that holds the flow; empty without one
  std::string local_contact;  // the address of ours the watcher used
  std::string user_agent;
  // Our tag on the wire where another server chose it, and we took the dialog over; empty where it
  // is the id of the subscription.
  std::string adopted_tag;
};

// The same, packed into one allocation: a hundred thousand subscriptions keep one each. Immutable;
// a value.
class Dialog {
 public:
  Dialog() = default;
  explicit Dialog(const DialogParts& parts);

  std::string_view call_id() const { return Field(0); }
  std::string_view remote_tag() const { return Field(1); }
  std::string_view local_uri() const { return Field(2); }
  std::string_view remote_uri() const { return Field(3); }
  std::string_view remote_target() const { return Field(4); }
  std::string_view gateway() const { return Field(5); }
  std::string_view flow() const { return Field(6); }
  std::string_view flow_gateway() const { return Field(7); }
  std::string_view local_contact() const { return Field(8); }
  std::string_view user_agent() const { return Field(9); }
  std::string_view adopted_tag() const { return Field(10); }
  std::vector<std::string_view> route_set() const;
  DialogParts Unpack() const;

  // This dialog after a refresh: the remote target, flow, gateway, contact and user agent are the
  // new ones, the rest stays (RFC 3261 §12.2: a target refresh never changes the route set).
  Dialog Refreshed(const DialogParts& by) const;

  size_t packed_size() const { return packed_.size(); }

  friend bool operator==(const Dialog&, const Dialog&) = default;

 private:
  static constexpr int kFields = 11;
  std::string_view Field(int i) const;

  // The fields one after the other, then the routes; ends_[i] is where field i ends.
  std::string packed_;
  std::array<uint32_t, kFields> ends_{};
  std::vector<uint32_t> route_ends_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_DIALOG_H_
