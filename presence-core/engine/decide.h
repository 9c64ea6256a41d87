#ifndef PRESENCE_CORE_ENGINE_DECIDE_H_
#define PRESENCE_CORE_ENGINE_DECIDE_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/engine/command.h"
#include "presence-core/engine/effects.h"
#include "presence-core/engine/engine_config.h"
#include "presence-core/engine/import.h"
#include "presence-core/event/event_package.h"
#include "presence-core/policy/policy_snapshot.h"
#include "runtime/random.h"

namespace presence {

// Every rule of presence is one of these functions. They read a resource through Effects, and
// either fail and leave the effects as they were, or succeed and have added theirs. No I/O, no
// lock, no clock: the time and the chance they use come in the context, so the same context and
// command always decide the same.

struct DecideContext {
  absl::Time now;
  const EngineConfig& config;
  const PolicySnapshot& policy;
  const EventPackage& package;  // of the resource's event
  Random& random;
};

// RFC 3903 §6, steps 3 to 6; the steps before concern the request, not the resource.
// `document_check` is what validation said of the document, which step 5 answers with only after
// the entity-tag and the lifetime.
absl::StatusOr<PublishOutcome> DecidePublish(const DecideContext& context,
                                             const PublishCommand& command,
                                             const absl::Status& document_check, Effects& effects);

// RFC 6665 §4.2.1: a SUBSCRIBE outside a dialog, or in one.
absl::StatusOr<SubscribeOutcome> DecideSubscribe(const DecideContext& context,
                                                 const SubscribeCommand& command, Effects& effects);
absl::StatusOr<SubscribeOutcome> DecideInDialog(const DecideContext& context, const LocalTag& id,
                                                const SubscribeCommand& command, Effects& effects);

absl::StatusOr<WatchOutcome> DecideWatch(const DecideContext& context, const WatchCommand& command,
                                         Effects& effects);

// Ends a live subscription: it turns terminating and gets a last NOTIFY. Errors:
// SUBSCRIPTION_UNKNOWN.
absl::Status DecideEnd(const DecideContext& context, const LocalTag& id, TerminationReason reason,
                       Effects& effects);

// Removes a subscription without a word to its watcher: it does not answer, or does not know the
// dialog any more. One that is gone already is not an error.
void DecideRemove(const DecideContext& context, const LocalTag& id, Effects& effects);

// The same for what became of a NOTIFY in the dialog as `seen`: that says nothing any more once a
// SUBSCRIBE, another one or the same over a new connection, has proved the watcher alive.
void DecideRemoveUnlessRefreshed(const DecideContext& context, const Subscription& seen,
                                 Effects& effects);

// The last NOTIFY of a terminating subscription is done with.
void DecideFinish(const LocalTag& id, Effects& effects);

// Lets a dialog that has used `cseq` go on: raises what the row allows by 256 at half use.
void DecideRaiseLimit(const LocalTag& id, uint32_t cseq, Effects& effects);
inline constexpr uint32_t kCseqBlock = 256;

// Stores what the presentity decided; live subscriptions follow by DecideReauthorize.
absl::Status DecideAboutWatcher(const DecideContext& context, const DecideWatcherCommand& command,
                                Effects& effects);

// Asks the policy again about the subscriptions from `from` on, at most kRowsPerSlice of them and
// only those of `only` if given. Returns the ordinal to go on from, or 0 when all are done.
inline constexpr size_t kRowsPerSlice = 256;
uint64_t DecideReauthorize(const DecideContext& context, uint64_t from, const WatcherUri* only,
                           Effects& effects, RefreshOutcome& outcome);

// Takes over state that was held elsewhere. Errors: INVALID_FIELD, QUOTA_EXCEEDED,
// WATCHER_BLOCKED.
absl::StatusOr<ImportOutcome> DecideImport(const DecideContext& context,
                                           const ImportCommand& command, Effects& effects);

// Errors: ETAG_MISMATCH, QUOTA_EXCEEDED, REQUEST_ID_REUSED, and what `document_check` says once the
// entity-tag is right. The same content again changes nothing.
absl::StatusOr<StoredDocumentPtr> DecidePutDocument(const DecideContext& context,
                                                    const PutDocumentCommand& command,
                                                    const absl::Status& document_check,
                                                    Effects& effects);
// Errors: PUBLICATION_UNKNOWN, ETAG_MISMATCH, REQUEST_ID_REUSED.
absl::Status DecideRemoveDocument(const DecideContext& context,
                                  const RemoveDocumentCommand& command, Effects& effects);

// Takes over what the database has of publications and documents, where it is other than what is
// here, all of it valid. A document with another content under the old entity-tag gets a new one;
// a publication keeps its own, which its publisher holds.
void DecideTakeOver(const DecideContext& context, const ResourceRows& stored, Effects& effects);
// Tells the present state to every watcher, whatever they know.
RefreshOutcome DecideResend(bool is_shared, Effects& effects);

// Time has come; each is void when its row is gone or its deadline has moved.
bool DecideExpirePublication(const DecideContext& context, PublicationId id, Effects& effects);
bool DecideExpireSubscription(const DecideContext& context, const LocalTag& id, Effects& effects);
bool DecideExpireWaiting(const DecideContext& context, const WatcherUri& watcher, Effects& effects);
// Of the answers from `position` on, at most kRowsPerSlice; moves it to where to go on from, or to
// the end of time. Returns how many have expired.
using AnswerPosition = Resource::AnswersByTime::value_type;
inline const AnswerPosition kFirstAnswer = {absl::InfinitePast(), RequestKey()};
size_t DecideExpireAnswers(const DecideContext& context, AnswerPosition& position,
                           Effects& effects);

// --- Shared by the above.

// For how long a call with a request_id is recognized.
inline constexpr absl::Duration kRequestIdRemembered = absl::Minutes(10);

// The lifetime to grant for one that was asked for. Errors: INTERVAL_TOO_BRIEF (RFC 3903 §6 step 4,
// RFC 6665 §4.2.1.1; never for an hour or more in a SUBSCRIBE).
absl::StatusOr<absl::Duration> GrantLifetime(const Lifetimes& lifetimes, TooBrief too_brief,
                                             std::optional<absl::Duration> asked,
                                             bool is_subscription);

const PackageConfig& ConfigOf(const DecideContext& context);
const Lifetimes& PublicationLifetimes(const DecideContext& context);
const Lifetimes& SubscriptionLifetimes(const DecideContext& context);

// What policy and the presentity's decisions say about a watcher. Of two URIs of one watcher either
// may be the one a decision names (RFC 5025 §3.1.1.2); `alias` is null where there is one only.
Verdict Weigh(const DecideContext& context, const EventName& event, const WatcherUri& watcher,
              const WatcherUri* alias, const Effects& effects);

// Whether one more subscription of this watcher may be. Errors: QUOTA_EXCEEDED.
absl::Status CheckRoom(const DecideContext& context, const WatcherUri& watcher,
                       const Effects& effects);

// How a subscription shows in watcher information.
WinfoEntry EntryOf(const Subscription& row, WinfoEvent event);

// Ends `row` for `reason`, telling the watcher and those who watch the watchers.
void Terminate(const DecideContext& context, const Subscription& row, TerminationReason reason,
               Effects& effects);

// Remembers that this watcher asked and went undecided (RFC 3857 §4.7.1 "waiting"). False when it
// waits already, or when as many wait as may subscribe: strangers must not fill the memory.
bool RememberWaiting(const DecideContext& context, const WatcherUri& watcher, uint64_t winfo_id,
                     Effects& effects);

// RFC 3857 §4.7.1: who subscribes again is waiting no longer.
void ForgetWaiting(const DecideContext& context, const WatcherUri& watcher, Effects& effects);

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_DECIDE_H_
