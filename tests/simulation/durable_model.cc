#include "tests/simulation/durable_model.h"

#include <algorithm>
#include <vector>

#include "tests/simulation/documents.h"

namespace presence::simulation {
namespace {

template <typename Rows, typename Id, typename Row>
void Merge(Rows& into, const Id& id, const Row& row) {
  if (row == nullptr) {
    into.erase(id);
  } else {
    into[id] = row;
  }
}

}  // namespace

void DurableModel::Take(const RowChanges& changes) {
  if (changes.resource.has_value()) revision = changes.resource->revision;
  for (const auto& [id, row] : changes.publications) Merge(publications, id, row);
  for (const auto& [id, row] : changes.subscriptions) Merge(subscriptions, id, row);
  for (const auto& [id, row] : changes.watchers) Merge(watchers, id.text(), row);
  for (const auto& [name, row] : changes.documents) Merge(documents, name, row);
}

std::string DurableModel::State() const {
  std::vector<PublicationPtr> strongest_first;
  for (const auto& [id, row] : publications) strongest_first.push_back(row);
  std::sort(strongest_first.begin(), strongest_first.end(), [](const auto& a, const auto& b) {
    if (a->priority != b->priority) return a->priority > b->priority;
    if (a->received_at != b->received_at) return a->received_at > b->received_at;
    return a->id > b->id;
  });
  std::string state;
  for (const PublicationPtr& publication : strongest_first) {
    if (!state.empty()) state += "+";
    state += StateOf(publication->document.body());
  }
  for (const auto& [name, document] : documents) {  // beneath everything published
    if (!state.empty()) state += "+";
    state += StateOf(document->document.body());
  }
  return state.empty() ? "none" : state;
}

WatcherDecision DurableModel::DecisionOn(const std::string& watcher) const {
  const auto it = watchers.find(watcher);
  return it == watchers.end() ? WatcherDecision::kNone : it->second->decision;
}

bool IsObeyed(WatcherDecision decision, SubscriptionState state) {
  switch (decision) {
    case WatcherDecision::kAllow:
      return state == SubscriptionState::kActive;
    case WatcherDecision::kBlock:
      return state == SubscriptionState::kTerminated;
    case WatcherDecision::kConfirm:
      return state == SubscriptionState::kPending;
    case WatcherDecision::kNone:
      break;
  }
  return state != SubscriptionState::kTerminated;
}

}  // namespace presence::simulation
