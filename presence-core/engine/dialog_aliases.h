#ifndef PRESENCE_CORE_ENGINE_DIALOG_ALIASES_H_
#define PRESENCE_CORE_ENGINE_DIALOG_ALIASES_H_

#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/model/local_tag.h"
#include "presence-core/model/request_key.h"
#include "presence-core/model/subscription.h"

namespace presence {

// Which dialogs that another server began are which subscriptions here: a tag of ours says where
// its dialog is, a foreign one does not. Kept in step with the rows, and empty for all who never
// took anything over. Safe to call from any thread; its lock is a leaf.
class DialogAliases {
 public:
  // Names a dialog by all of its id (RFC 3261 §12).
  static RequestKey KeyOf(std::string_view call_id, std::string_view local_tag,
                          std::string_view remote_tag) {
    return RequestKey::Of({"dialog", call_id, local_tag, remote_tag});
  }

  // `row` is there now; of no concern unless its tag was adopted.
  void Add(const Subscription& row);
  // `row` is there no more. Its dialog is found for a while yet, since the request that ended it
  // may come again.
  void Remove(const Subscription& row, absl::Time now);

  std::optional<LocalTag> Find(std::string_view call_id, std::string_view local_tag,
                               std::string_view remote_tag) const;
  size_t size() const;

 private:
  mutable absl::Mutex mu_;
  absl::flat_hash_map<RequestKey, LocalTag> ids_ ABSL_GUARDED_BY(mu_);
  // Those that are gone, by when to forget them; void where the dialog has come back.
  absl::flat_hash_map<RequestKey, absl::Time> gone_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<absl::Time, RequestKey>> by_time_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_DIALOG_ALIASES_H_
