#include "presence-core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// A batch of commands of one resource is one append; more wait for the next, and so do those
// behind commands that go through many rows.
constexpr size_t kLargestBatch = 256;
constexpr size_t kHeaviestBatch = kRowsPerSlice;

void AnswerAll(const std::vector<WorkPtr>& decided, const absl::Status& status) {
  for (const WorkPtr& work : decided) work->Answer(status);
}

}  // namespace

Engine::Impl::Impl(const EngineConfig& engine_config, const EventRegistry& event_registry,
                   std::shared_ptr<const PolicySnapshot> first_policy, Journal& engine_journal,
                   Executor& notify_executor, const Clock& engine_clock, Random& engine_random,
                   uint64_t owner_epoch, std::vector<Executor*> notify_executors,
                   DocumentCuts* document_cuts)
    : config(engine_config),
      registry(event_registry),
      journal(engine_journal),
      executor(notify_executor),
      notifiers(std::move(notify_executors)),
      clock(engine_clock),
      random(engine_random),
      epoch(owner_epoch),
      cuts(document_cuts),
      notifier(config, links, owner_epoch, engine_journal.is_shared()),
      policy(std::move(first_policy)) {
  for (int i = 0; i < config.stripes; ++i) {
    stripes.push_back(std::make_unique<Stripe>(i, clock.Now()));
  }
}

Engine::Engine(const EngineConfig& config, const EventRegistry& registry,
               std::shared_ptr<const PolicySnapshot> policy, Journal& journal, Executor& executor,
               const Clock& clock, Random& random, uint64_t epoch, std::vector<Executor*> notifiers,
               DocumentCuts* cuts)
    : impl_(std::make_unique<Impl>(config, registry, std::move(policy), journal, executor, clock,
                                   random, epoch, std::move(notifiers), cuts)) {}

Engine::~Engine() = default;

std::shared_ptr<const PolicySnapshot> Engine::Impl::Policy() const {
  absl::MutexLock lock(&policy_mu);
  return policy;
}

// --- The map of resources.

Cell* Engine::Impl::Find(Stripe& stripe, const ResourceKey& key) const {
  auto it = stripe.cells.find(key);
  return it == stripe.cells.end() ? nullptr : it->second.get();
}

Cell* Engine::Impl::FindOrCreate(Stripe& stripe, const ResourceKey& key) {
  if (Cell* cell = Find(stripe, key)) return cell;
  ResourceRow row;
  // Where a journal is shared it has the revision, if any, and that is found with the first look or
  // claim.
  row.revision = {epoch, journal.is_shared() ? 0 : stripe.forgotten_seq};
  row.version = journal.is_shared() ? 0 : 1;
  while (stripe.by_number.contains(stripe.next_number)) {
    stripe.next_number = (stripe.next_number + 1) & 0xFFFFFFF;
  }
  auto cell = std::make_unique<Cell>(key, row, registry.Find(key.event), stripe.next_number);
  Cell* raw = cell.get();
  stripe.next_number = (stripe.next_number + 1) & 0xFFFFFFF;
  stripe.by_number[raw->number] = raw;
  stripe.by_hash[key.StableHash()].push_back(raw);
  stripe.cells[key] = std::move(cell);
  return raw;
}

Cell* Engine::Impl::FindByTag(Stripe& stripe, const LocalTag& tag) const {
  auto it = stripe.by_hash.find(tag.resource_hash());
  if (it == stripe.by_hash.end()) return nullptr;
  for (Cell* cell : it->second) {
    if (cell->resource.FindSubscription(tag) != nullptr) return cell;
  }
  return nullptr;
}

void Engine::Impl::ForgetIfEmpty(Stripe& stripe, Cell& cell) {
  const bool has_work =
      cell.is_busy || cell.must_look || !cell.inbox.empty() || !cell.rereads.empty();
  if (!cell.resource.is_empty() || has_work || cell.notify.is_queued) {
    return;
  }
  stripe.forgotten_seq = std::max(stripe.forgotten_seq, cell.resource.row().revision.seq);
  notifier.OnForgotten(stripe, cell);
  for (const auto& [row, timer] : cell.row_timers) stripe.wheel.Cancel(timer);
  stripe.wheel.Cancel(cell.answers_timer);
  stripe.by_number.erase(cell.number);
  const ResourceKey key = cell.resource.key();
  auto hashed = stripe.by_hash.find(key.StableHash());
  hashed->second.erase(std::find(hashed->second.begin(), hashed->second.end(), &cell));
  if (hashed->second.empty()) stripe.by_hash.erase(hashed);
  auto it = stripe.cells.find(key);
  stripe.dropped.push_back(std::move(it->second));
  stripe.cells.erase(it);
}

// --- From command to durable rows.

void Engine::Impl::Submit(const ResourceKey& key, WorkPtr work) {
  Stripe& stripe = StripeOf(key.StableHash());
  std::vector<WorkPtr> decided;
  std::optional<uint32_t> unfinished;
  {
    StripeLock lock(stripe, clock, Hold::kCommand);
    Cell* cell = FindOrCreate(stripe, key);
    cell->inbox.push_back(std::move(work));
    unfinished = DrainInbox(stripe, *cell, decided);
  }
  AnswerAll(decided, absl::OkStatus());
  if (unfinished.has_value()) Drain(stripe, *unfinished);
  SchedulePump(stripe);
}

void Engine::Impl::Submit(Stripe& stripe, uint32_t cell_number, WorkPtr work) {
  {
    StripeLock lock(stripe, clock, Hold::kCommand);
    auto it = stripe.by_number.find(cell_number);
    if (it == stripe.by_number.end()) return;
    it->second->inbox.push_back(std::move(work));
  }
  Drain(stripe, cell_number);
  SchedulePump(stripe);
}

void Engine::Impl::Drain(Stripe& stripe, uint32_t cell_number) {
  for (std::optional<uint32_t> unfinished = cell_number; unfinished.has_value();) {
    std::vector<WorkPtr> decided;
    {
      StripeLock lock(stripe, clock, Hold::kCommand);
      auto it = stripe.by_number.find(*unfinished);
      if (it == stripe.by_number.end()) return;
      unfinished = DrainInbox(stripe, *it->second, decided);
    }
    AnswerAll(decided, absl::OkStatus());
  }
}

std::optional<uint32_t> Engine::Impl::DrainInbox(Stripe& stripe, Cell& cell,
                                                 std::vector<WorkPtr>& decided) {
  if (!cell.is_busy && !cell.rereads.empty()) BeginReread(stripe, cell);
  // What was looked for comes first: others may change it faster than it can be looked at.
  if (!cell.is_busy && cell.must_look && cell.looked_for == 0) Look(stripe, cell);
  if (!cell.is_busy && !cell.inbox.empty()) decided = Decide(stripe, cell);
  if (!cell.is_busy && !cell.inbox.empty()) return cell.number;
  ForgetIfEmpty(stripe, cell);
  return std::nullopt;
}

std::vector<WorkPtr> Engine::Impl::Decide(Stripe& stripe, Cell& cell) {
  auto pending = std::make_unique<PendingAppend>(cell.resource);
  const std::shared_ptr<const PolicySnapshot> snapshot = Policy();
  const DecideContext context = ContextFor(*cell.package, *snapshot);
  const size_t most =
      cell.looked_for > 0 ? std::min(cell.looked_for, kLargestBatch) : kLargestBatch;
  while (!cell.inbox.empty() && pending->works.size() < most &&
         pending->effects.weight() < kHeaviestBatch) {
    cell.inbox.front()->Decide(context, pending->effects);
    pending->works.push_back(std::move(cell.inbox.front()));
    cell.inbox.pop_front();
  }
  if (!pending->effects.changes().empty() && pending->effects.owes_nothing() &&
      notifier.IsQuiet(stripe, cell)) {
    pending->effects.Settle();
  }
  stripe.rows_this_hold += pending->effects.weight() + pending->works.size();
  if (journal.is_shared() && !IsTrue(cell, *pending)) {
    PutBack(cell, std::move(pending->works));
    Look(stripe, cell);
    return {};
  }
  if (pending->effects.empty()) return std::move(pending->works);

  if (Append(stripe, cell, pending->effects) == Journal::Acceptance::kDurableNow) {
    Apply(stripe, cell, pending->effects.changes(), pending->effects.due());
    return std::move(pending->works);
  }
  cell.is_busy = true;
  cell.pending = std::move(pending);
  return {};
}

Journal::Acceptance Engine::Impl::Append(Stripe& stripe, const Cell& cell, Effects& effects) {
  if (journal.is_shared() && !effects.JournalRows(journal.kept()).empty()) effects.Claim();
  const RowChanges rows = effects.JournalRows(journal.kept());
  if (rows.empty()) return Journal::Acceptance::kDurableNow;
  return journal.Append(rows, [this, &stripe, number = cell.number](AppendOutcome outcome) {
    OnAppended(stripe, number, std::move(outcome));
  });
}

void Engine::Impl::OnAppended(Stripe& stripe, uint32_t cell_number, AppendOutcome outcome) {
  std::unique_ptr<PendingAppend> pending;
  std::optional<ResourceKey> in_doubt;
  {
    StripeLock lock(stripe, clock, Hold::kAppended);
    Cell& cell = *stripe.by_number.at(cell_number);  // busy cells are not forgotten
    pending = std::move(cell.pending);
    if (outcome.result == AppendResult::kMoved) {
      PutBack(cell, std::move(pending->works));
      ++stripe.moved;
      Look(stripe, cell);
      return;
    }
    if (outcome.result == AppendResult::kUnknown) {
      in_doubt = cell.resource.key();  // it stays busy until it has been read again
      cell.in_doubt = std::make_unique<RowChanges>(pending->effects.JournalRows(journal.kept()));
    } else {
      cell.is_busy = false;
      if (outcome.result == AppendResult::kDurable) {
        stripe.rows_this_hold += pending->effects.weight();
        Apply(stripe, cell, pending->effects.changes(), pending->effects.due());
      }
    }
  }
  AnswerAll(pending->works,
            outcome.result == AppendResult::kDurable ? absl::OkStatus() : outcome.status);
  if (in_doubt.has_value()) {
    Load(stripe, cell_number, *std::move(in_doubt));
  } else {
    Drain(stripe, cell_number);
  }
  SchedulePump(stripe);
}

void Engine::Impl::Apply(Stripe& stripe, Cell& cell, const RowChanges& changes,
                         const Effects::Due& due) {
  const CountedRows counted(stripe, cell);
  std::vector<uint64_t> gone;
  for (const auto& [id, row] : changes.subscriptions) {
    const SubscriptionPtr old = cell.resource.FindSubscription(id);
    // One that was imported under its old tag, ended, and was imported again is another.
    if (old != nullptr && (row == nullptr || row->ordinal != old->ordinal)) {
      gone.push_back(old->ordinal);
    }
    if (row != nullptr) {
      aliases.Add(*row);
    } else if (old != nullptr) {
      aliases.Remove(*old, clock.Now());
    }
  }
  for (const auto& [watcher, row] : changes.watchers) {
    const WatcherRecordPtr old = cell.resource.FindWatcher(watcher);
    if (old != nullptr && old->is_waiting()) {
      SetRowTimer(stripe, cell, Alarm::kWaiting, old->ordinal, absl::InfiniteFuture());
    }
  }
  const bool settles = changes.resource.has_value() && changes.resource->is_settled();
  if (settles && !cell.resource.row().is_settled()) ++stripe.settled;
  cell.resource.Apply(changes);
  if (!changes.publications.empty() || !changes.documents.empty()) {
    // Even where the revision stays, as when a publication expires silently, the state is another.
    cell.notify.composed_seq = UINT64_MAX;
    ++cell.notify.compositions_voided;
  }
  SetRowTimers(stripe, cell, changes);
  notifier.OnApplied(stripe, cell, changes, due, gone);
  notifier.AwaitQuiet(stripe, cell, clock);
}

void Engine::Impl::SetRowTimer(Stripe& stripe, Cell& cell, Alarm alarm, uint64_t ordinal,
                               absl::Time when) {
  const std::pair slot(alarm, ordinal);
  if (auto it = cell.row_timers.find(slot); it != cell.row_timers.end()) {
    stripe.wheel.Cancel(it->second);
    cell.row_timers.erase(it);
  }
  if (when == absl::InfiniteFuture()) return;
  cell.row_timers[slot] = stripe.wheel.Set(when, AlarmTarget{alarm, cell.number, ordinal});
}

void Engine::Impl::SetRowTimers(Stripe& stripe, Cell& cell, const RowChanges& changes) {
  for (const auto& [id, row] : changes.publications) {
    SetRowTimer(stripe, cell, Alarm::kPublication, id,
                row == nullptr ? absl::InfiniteFuture() : notifier.SweepTime(row->expires_at));
  }
  for (const auto& [watcher, row] : changes.watchers) {
    if (row == nullptr || !row->is_waiting()) continue;
    SetRowTimer(stripe, cell, Alarm::kWaiting, row->ordinal, notifier.SweepTime(row->waits_until));
  }
  // Answers are looked at together: one alarm serves them all, and comes for the first. Most are
  // kept for minutes, those of an import for as long as what it took.
  const auto& answers = cell.resource.answers_by_time();
  if (changes.answers.empty() || answers.empty()) return;
  const bool is_first_new =
      std::any_of(changes.answers.begin(), changes.answers.end(),
                  [&](const auto& row) { return row.first == answers.begin()->second; });
  if (cell.answers_timer != kNoTimer && !is_first_new) return;
  stripe.wheel.Cancel(cell.answers_timer);
  const absl::Time when = std::max(answers.begin()->first, clock.Now() + kAnswersPause);
  cell.answers_timer = stripe.wheel.Set(when, AlarmTarget{Alarm::kAnswers, cell.number, 0});
}

void Engine::SetPolicy(std::shared_ptr<const PolicySnapshot> policy) {
  absl::MutexLock lock(&impl_->policy_mu);
  impl_->policy = std::move(policy);
}

}  // namespace presence
