#ifndef PRESENCE_TESTS_SIMULATION_DURABLE_MODEL_H_
#define PRESENCE_TESTS_SIMULATION_DURABLE_MODEL_H_

#include <map>
#include <string>

#include "presence-core/storage/row_changes.h"

namespace presence::simulation {

// What is durable of one resource, made of RowChanges alone.
struct DurableModel {
  std::map<PublicationId, PublicationPtr> publications;
  std::map<LocalTag, SubscriptionPtr> subscriptions;
  std::map<std::string, WatcherRecordPtr> watchers;
  std::map<DocumentName, StoredDocumentPtr> documents;
  Revision revision;

  void Take(const RowChanges& changes);
  // As StateOf (documents.h) has it: strongest first.
  std::string State() const;
  WatcherDecision DecisionOn(const std::string& watcher) const;

  // The same rows, not rows that look the same.
  friend bool operator==(const DurableModel&, const DurableModel&) = default;
};

// Whether a watcher may stand like that after this decision; terminated says it is none.
bool IsObeyed(WatcherDecision decision, SubscriptionState state);

using DurableModels = std::map<ResourceKey, DurableModel>;

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_DURABLE_MODEL_H_
