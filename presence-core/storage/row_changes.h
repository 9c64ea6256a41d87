#ifndef PRESENCE_CORE_STORAGE_ROW_CHANGES_H_
#define PRESENCE_CORE_STORAGE_ROW_CHANGES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/model/answer_record.h"
#include "presence-core/model/local_tag.h"
#include "presence-core/model/publication.h"
#include "presence-core/model/request_key.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/revision.h"
#include "presence-core/model/state_kind.h"
#include "presence-core/model/stored_document.h"
#include "presence-core/model/subscription.h"
#include "presence-core/model/watcher.h"

namespace presence {

// What is stored of a resource besides its parts.
struct ResourceRow {
  Revision revision;
  uint64_t next_ordinal = 1;
  // The last visible change: why it happened, and whose Contact need not hear of it.
  NotifyCause last_cause = NotifyCause::kNone;
  std::string last_sender;
  // The seq at which every stored dialog knew all it was owed and no NOTIFY was unanswered; none
  // since something else than a change of state was owed. See engine/notifier.h, "After a start".
  std::optional<uint64_t> settled_seq = std::nullopt;

  // Rises by one with every claim (RowChanges); 0 where the row is not stored, 1 where it was
  // stored without a claim. So whoever does not know of a row that is there claims in vain.
  uint64_t version = 0;

  bool is_settled() const { return settled_seq == revision.seq; }
};

// The rows of one resource that change together: all become durable or none. A null row is a
// deletion. A key appears once in each list.
struct RowChanges {
  ResourceKey key;
  std::optional<ResourceRow> resource;
  std::vector<std::pair<PublicationId, PublicationPtr>> publications;
  std::vector<std::pair<LocalTag, SubscriptionPtr>> subscriptions;
  std::vector<std::pair<WatcherUri, WatcherRecordPtr>> watchers;
  std::vector<std::pair<RequestKey, AnswerRecordPtr>> answers;
  std::vector<std::pair<DocumentName, StoredDocumentPtr>> documents;
  // Where several processes write: `resource` is of the version after the one that this was decided
  // on, and nothing is written unless the stored one is still that.
  bool is_claim = false;
  // The cseq_limit of a row that was told before rises. CSeqs up to it outlive this process in
  // the phones, so the row must be stored before they are used, whatever the mode promises.
  bool raises_cseq_limit = false;

  // Rows, deletions included.
  size_t size() const { return (resource.has_value() ? 1 : 0) + count(); }
  // Rows, that of the resource itself not counted.
  size_t count() const {
    return publications.size() + subscriptions.size() + watchers.size() + answers.size() +
           documents.size();
  }
  bool empty() const { return size() == 0; }
  // Whether something of these kinds changes. An answer that is forgotten is no change: its time
  // was over.
  bool Concerns(StateKinds kinds) const {
    return (kinds.publications && !(publications.empty() && documents.empty())) ||
           (kinds.subscriptions && !subscriptions.empty()) ||
           (kinds.decisions && !watchers.empty()) ||
           std::any_of(answers.begin(), answers.end(), [kinds](const auto& answer) {
             return answer.second != nullptr && answer.second->about.has_value() &&
                    kinds.contains(*answer.second->about);
           });
  }
};

// All rows of one resource, as a journal gives them back.
struct ResourceRows {
  ResourceKey key;
  ResourceRow resource;
  std::vector<PublicationPtr> publications;
  std::vector<SubscriptionPtr> subscriptions;
  std::vector<WatcherRecordPtr> watchers;
  std::vector<AnswerRecordPtr> answers;
  std::vector<StoredDocumentPtr> documents;

  // True when there is nothing to remember but the revision.
  bool is_empty() const {
    return publications.empty() && subscriptions.empty() && watchers.empty() && answers.empty() &&
           documents.empty();
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_ROW_CHANGES_H_
