#include "tests/simulation/flush_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace presence::simulation {
namespace {

// It takes a tick to see that a row is due and one to see that the database is back, an eighth of
// the interval each, and then come the commits that are under way or wait before it.
const absl::Duration kOldest = kFlushInterval + absl::Milliseconds(500);

}  // namespace

DurableModels FlushChecker::OnCoreStarted(absl::Time at, StateKinds stored_first) {
  is_core_alive_ = true;
  taken_over_at_ = absl::InfiniteFuture();
  DurableModels found;
  for (auto& [key, resource] : resources_) {
    CheckStoredFirst(key, resource);
    found[key] = resource.stored;
    resource.states = {State{resource.stored, at}};
    resource.waiting.reset();
    resource.in_pieces_until.reset();
  }
  stored_first_ = stored_first;
  troubles_.clear();
  return found;
}

// What the states since the stored one have more is lost with the life that ends.
void FlushChecker::CheckStoredFirst(const ResourceKey& key, const Resource& resource) {
  if (resource.in_pieces_until.has_value() || !resource.refused.empty()) return;
  const DurableModel& stored = resource.stored;
  if (resource.waiting == stored) return;  // it did not count yet, and all the rest is below it
  for (const State& lost : resource.states) {
    const bool is_kept =
        (!stored_first_.publications || lost.model.publications == stored.publications) &&
        (!stored_first_.subscriptions || lost.model.subscriptions == stored.subscriptions) &&
        (!stored_first_.decisions || lost.model.watchers == stored.watchers);
    if (is_kept) continue;
    violations_.push_back(
        {Invariant::kFlushed,
         fmt::format("a change of {} was to be stored before it counted", key.presentity.text())});
    return;
  }
}

// What it had asked for may still be stored.
void FlushChecker::OnCoreDied(absl::Time at) {
  CheckAges(at);
  is_core_alive_ = false;
}

void FlushChecker::On(const Durable& durable, absl::Time at) {
  if (durable.rows.empty()) return;
  Resource& resource = resources_[durable.rows.key];
  const bool has_waited = resource.waiting.has_value();
  resource.waiting.reset();
  State next = resource.states.back();
  next.model.Take(durable.rows);
  next.since = at;
  resource.states.push_back(std::move(next));
  if (has_waited) DropOlder(resource);  // it was stored before it counted
}

void FlushChecker::On(const Waiting& waiting) {
  Resource& resource = resources_[waiting.rows.key];
  resource.waiting = resource.states.back().model;
  resource.waiting->Take(waiting.rows);
}

void FlushChecker::On(const Stored& stored, absl::Time at) {
  for (const auto& [id, row] : stored.rows.publications) {
    if (row != nullptr) stored_etags_.insert(row->etag.text());
  }
  for (const auto& [key, row] : stored.rows.answers) {
    if (row != nullptr) stored_etags_.insert(row->etag.text());
  }
  for (const auto& [id, row] : stored.rows.subscriptions) {
    if (row == nullptr) continue;
    uint32_t& cseq = stored_cseqs_[id.text()];
    cseq = std::max(cseq, row->remote_cseq);
  }
  CheckAges(at);
  Resource& resource = resources_[stored.rows.key];
  resource.stored.Take(stored.rows);
  if (DropOlder(resource)) {
    const bool is_whole = resource.in_pieces_until <= resource.states.front().since;
    if (is_whole) resource.in_pieces_until.reset();
  } else if (resource.waiting.has_value() && IsStored(*resource.waiting, resource)) {
    // All that is promised is below it. Whether it counts itself is still to be said.
    resource.states.erase(resource.states.begin(), resource.states.end() - 1);
    resource.in_pieces_until.reset();
  } else if (!resource.in_pieces_until.has_value()) {
    violations_.push_back(
        {Invariant::kFlushed, fmt::format("the database holds a state that {} never had",
                                          stored.rows.key.presentity.text())});
    resource.in_pieces_until = at;  // it is said once
  }
}

void FlushChecker::On(const Refused& refused) {
  Resource& resource = resources_[refused.key];
  resource.refused.insert(refused.publication);
  resource.in_pieces_until = resource.states.back().since;
}

void FlushChecker::On(const DatabaseTrouble& trouble, absl::Time at) {
  if (trouble.begins) {
    troubles_.emplace_back(at, absl::InfiniteFuture());
  } else if (!troubles_.empty()) {
    troubles_.back().second = at;
  }
}

uint32_t FlushChecker::StoredCseq(const std::string& tag) const {
  const auto it = stored_cseqs_.find(tag);
  return it == stored_cseqs_.end() ? 0 : it->second;
}

// Of a publication that was refused the database may hold anything older.
bool FlushChecker::IsStored(const DurableModel& model, const Resource& resource) {
  if (resource.refused.empty()) return model == resource.stored;
  DurableModel wanted = model;
  DurableModel stored = resource.stored;
  for (const PublicationId id : resource.refused) {
    wanted.publications.erase(id);
    stored.publications.erase(id);
  }
  return wanted == stored;
}

// Forgets the states before the one that is stored; false when none is.
bool FlushChecker::DropOlder(Resource& resource) {
  auto& states = resource.states;
  const auto newest = std::find_if(states.rbegin(), states.rend(), [&](const State& state) {
    return IsStored(state.model, resource);
  });
  if (newest == states.rend()) return false;
  states.erase(states.begin(), newest.base() - 1);
  return true;
}

// By how much the database is too far behind.
absl::Duration FlushChecker::Overdue(const Resource& resource, absl::Time now) const {
  if (resource.in_pieces_until.has_value() || resource.states.size() < 2)
    return absl::ZeroDuration();
  const absl::Time since = resource.states[1].since;
  now = std::min(now, taken_over_at_);
  absl::Duration allowed = kOldest;
  for (const auto& [from, to] : troubles_) {
    const absl::Time begin = std::max(from, since);
    const absl::Time end = std::min(to, now);
    if (begin < end) allowed += end - begin;
  }
  return now - since - allowed;
}

void FlushChecker::CheckAges(absl::Time now) {
  if (is_core_alive_) FindUnsettled(now, violations_);
}

void FlushChecker::FindUnsettled(absl::Time now, std::vector<Violation>& unsettled) const {
  for (const auto& [key, resource] : resources_) {
    const absl::Duration overdue = Overdue(resource, now);
    if (overdue <= absl::ZeroDuration()) continue;
    unsettled.push_back(
        {Invariant::kFlushed, fmt::format("a change of {} should have been in the database {} ago",
                                          key.presentity.text(), absl::FormatDuration(overdue))});
  }
}

}  // namespace presence::simulation
