#ifndef PRESENCE_SIP_GATEWAY_DIALOGS_LOCAL_CONTACTS_H_
#define PRESENCE_SIP_GATEWAY_DIALOGS_LOCAL_CONTACTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// Our Contact URIs, one a listener and scheme. A dialog keeps the one its watcher was given, and by
// it the NOTIFYs leave from the address the watcher knows, through which alone a NAT lets them in.
// A value.
class LocalContacts {
 public:
  // `configured` takes the place of every made one (`sip.contact`); empty: they are made of the
  // listeners.
  explicit LocalContacts(absl::Span<const Listener> listeners, std::string_view configured = {});

  // The Contact for a request that came in by `listener`; any listener's for an unknown one.
  const std::string& Of(ListenerId listener, bool is_sips) const;

  // The listener whose Contact this is, kAnyListener if it is no listener's or of more than one.
  ListenerId ListenerOf(std::string_view contact) const;

  // Hosts that mean this gateway, in lower case and without brackets.
  const absl::flat_hash_set<std::string>& own_hosts() const { return own_hosts_; }

 private:
  struct Pair {
    std::string sip;
    std::string sips;
  };
  void Add(const Listener& listener, Pair contacts);

  std::vector<Pair> contacts_;  // by listener
  absl::flat_hash_map<std::string, ListenerId> listeners_;
  absl::flat_hash_set<std::string> own_hosts_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_DIALOGS_LOCAL_CONTACTS_H_
