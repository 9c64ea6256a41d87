#ifndef PRESENCE_CORE_RPC_CONVERT_H_
#define PRESENCE_CORE_RPC_CONVERT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "presence-core/engine/engine.h"
#include "presence/v1/gateway.pb.h"
#include "presence/v1/presence.pb.h"
#include "presence/v1/rules.pb.h"

namespace presence {

// Between the messages of the contract and the values of the engine. Checks what can be checked
// without a resource, in the order of RFC 3903 §6: whose state it is before which event it is. Safe
// to call from any thread.
class Converter {
 public:
  Converter(const Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  // Errors of all: INVALID_URI, USER_UNKNOWN, UNKNOWN_EVENT, INVALID_FIELD.
  absl::StatusOr<PublishCommand> ToCommand(const v1::PublishRequest& request) const;
  absl::StatusOr<SubscribeCommand> ToCommand(const v1::SubscribeRequest& request) const;
  absl::StatusOr<WatchCommand> ToCommand(const v1::WatchTarget& target,
                                         const std::string& watcher) const;
  absl::StatusOr<DecideWatcherCommand> ToDecision(const std::string& presentity,
                                                  const std::string& event,
                                                  const std::string& watcher,
                                                  const std::string& request_id,
                                                  WatcherDecision decision) const;
  absl::StatusOr<StateQuery> ToQuery(const v1::GetStateRequest& request) const;

  // Documents of owners; of kinds that are not served, NOT_SERVED_YET.
  absl::StatusOr<PutDocumentCommand> ToCommand(const v1::CreateRulesRequest& request) const;
  absl::StatusOr<PutDocumentCommand> ToCommand(const v1::UpdateRulesRequest& request) const;
  absl::StatusOr<RemoveDocumentCommand> ToCommand(const v1::DeleteRulesRequest& request) const;
  struct OwnedName {
    PresentityUri owner;
    DocumentName name;
  };
  absl::StatusOr<OwnedName> ToOwnedName(const v1::RulesName& name) const;

  absl::StatusOr<PresentityUri> ToPresentity(const std::string& text) const;
  absl::StatusOr<WatcherUri> ToWatcher(const std::string& text) const;
  // An empty text is `fallback`, where there is one.
  absl::StatusOr<EventName> ToEvent(const std::string& text, const char* fallback = nullptr) const;

  // --- Answers.

  v1::PublishResponse ToProto(const PublishOutcome& outcome) const;
  v1::SubscribeResponse ToProto(const SubscribeOutcome& outcome) const;
  v1::Publication ToProto(const PublicationView& view, bool is_full) const;
  v1::Subscription ToProto(const SubscriptionView& view) const;
  v1::Watcher ToProto(const WatcherView& view) const;
  v1::RulesDocument ToProto(const DocumentView& view, bool with_content) const;
  // `body_index` is what NotifyInstruction.body says.
  v1::NotifyInstruction ToProto(const Instruction& instruction, uint32_t body_index) const;
  static v1::Document ToProto(const Document& document);
  static absl::StatusOr<Document> FromProto(const v1::Document& document);
  static v1::Revision ToProto(const Revision& revision);
  static NotifyReport FromProto(const v1::NotifyResult& result);
  static google::protobuf::Duration ToProto(absl::Duration duration);
  // Deadlines are steady; people read wall time.
  google::protobuf::Timestamp ToWall(absl::Time steady) const;

 private:
  absl::Status CheckServed(const PresentityUri& presentity) const;
  absl::StatusOr<std::optional<Document>> ToDocument(const v1::PublishRequest& request) const;
  absl::StatusOr<PutDocumentCommand> ToPut(const v1::RulesDocument& rules,
                                           const std::string& request_id) const;

  const Engine& engine_;
  const Clock& clock_;
};

// Whether a text can go into a database, a log and a NOTIFY as it is; all that is kept of a request
// and not parsed goes through here. Errors: INVALID_FIELD   missing and required, longer than 8192
// bytes, with a control character, or not UTF-8.
absl::Status CheckText(std::string_view field, std::string_view text, bool is_required);

// `creates`: the parts that only a new dialog has are required. The tags are the caller's to take.
// Errors: INVALID_FIELD.
absl::StatusOr<DialogParts> ToDialog(const v1::Dialog& dialog, bool creates);
void FillDialog(const Subscription& row, v1::Dialog& out);
// In lower case, without parameters.
std::string MediaType(const std::string& content_type);

// A lifetime in whole seconds. Errors: INVALID_FIELD   negative, fractional or beyond 2^32-1 s.
absl::StatusOr<absl::Duration> ToLifetime(const google::protobuf::Duration& duration,
                                          std::string_view field);

absl::Status CheckRequestId(const std::string& request_id);
// Names a call with a request_id; empty without one.
RequestKey RequestIdKey(std::string_view method, const std::string& request_id);
// OK for a kind of document that is served. Errors: INVALID_FIELD, NOT_SERVED_YET.
absl::Status CheckKind(v1::RulesKind kind);
// Errors: INVALID_FIELD   of `field`.
absl::StatusOr<DocumentName> ToHardStateName(const std::string& name, std::string_view field);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_CONVERT_H_
