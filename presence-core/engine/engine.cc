#include "presence-core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// A batch of commands of one resource is one append; more wait for the next.
constexpr size_t kLargestBatch = 256;
constexpr absl::Duration kLoadAgain = absl::Milliseconds(200);
constexpr absl::Duration kAskAgain = absl::Seconds(1);
constexpr absl::Duration kTick = absl::Milliseconds(20);

void AnswerAll(std::vector<Answer>& answers, const absl::Status& status) {
  for (Answer& answer : answers) answer(status);
}

// The SUBSCRIBEs in dialogs that `rows` have taken and `resource` has not: each proves its dialog
// alive and is owed a NOTIFY, though whoever sent it was not told that it was accepted.
Effects::Due RequestsIn(const RowChanges& rows, const Resource& resource) {
  Effects::Due due;
  for (const auto& [id, row] : rows.subscriptions) {
    const SubscriptionPtr known = resource.FindSubscription(id);
    if (known == nullptr || known->last_request == row->last_request) continue;
    const NotifyCause cause = row->is_live() ? NotifyCause::kRefresh : NotifyCause::kTerminate;
    due.tell.push_back({id, cause, /*supersedes=*/true});
  }
  return due;
}

// Keeps the stripe's row counts in step with one change of a resource. The stripe's lock is held.
class CountedRows {
 public:
  CountedRows(Stripe& stripe, const Cell& cell) ABSL_NO_THREAD_SAFETY_ANALYSIS : stripe_(stripe),
                                                                                 cell_(cell) {
    stripe_.publications -= cell_.resource.publications().size();
    stripe_.subscriptions -= cell_.resource.subscriptions().size();
  }
  ~CountedRows() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    stripe_.publications += cell_.resource.publications().size();
    stripe_.subscriptions += cell_.resource.subscriptions().size();
  }

 private:
  Stripe& stripe_;
  const Cell& cell_;
};

}  // namespace

Engine::Impl::Impl(const EngineConfig& engine_config, const EventRegistry& event_registry,
                   std::shared_ptr<const PolicySnapshot> first_policy, Journal& engine_journal,
                   Executor& notify_executor, const Clock& engine_clock, Random& engine_random,
                   uint64_t owner_epoch, std::vector<Executor*> notify_executors)
    : config(engine_config),
      registry(event_registry),
      journal(engine_journal),
      executor(notify_executor),
      notifiers(std::move(notify_executors)),
      clock(engine_clock),
      random(engine_random),
      epoch(owner_epoch),
      notifier(config, links, owner_epoch),
      policy(std::move(first_policy)) {
  for (int i = 0; i < config.stripes; ++i) {
    stripes.push_back(std::make_unique<Stripe>(i, clock.Now()));
  }
}

Engine::Engine(const EngineConfig& config, const EventRegistry& registry,
               std::shared_ptr<const PolicySnapshot> policy, Journal& journal, Executor& executor,
               const Clock& clock, Random& random, uint64_t epoch, std::vector<Executor*> notifiers)
    : impl_(std::make_unique<Impl>(config, registry, std::move(policy), journal, executor, clock,
                                   random, epoch, std::move(notifiers))) {}

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
  row.revision = {epoch, stripe.forgotten_seq};
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
  if (!cell.resource.is_empty() || cell.is_busy || !cell.inbox.empty() || cell.notify.is_queued) {
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
  stripe.cells.erase(key);
}

// --- From command to durable rows.

void Engine::Impl::Submit(const ResourceKey& key, Work work) {
  Stripe& stripe = StripeOf(key.StableHash());
  std::vector<Answer> answers;
  {
    StripeLock lock(stripe, clock);
    Cell* cell = FindOrCreate(stripe, key);
    cell->inbox.push_back(std::move(work));
    DrainInbox(stripe, *cell, answers);
  }
  AnswerAll(answers, absl::OkStatus());
  SchedulePump(stripe);
}

void Engine::Impl::Submit(Stripe& stripe, uint32_t cell_number, Work work) {
  std::vector<Answer> answers;
  {
    StripeLock lock(stripe, clock);
    auto it = stripe.by_number.find(cell_number);
    if (it == stripe.by_number.end()) return;
    it->second->inbox.push_back(std::move(work));
    DrainInbox(stripe, *it->second, answers);
  }
  AnswerAll(answers, absl::OkStatus());
  SchedulePump(stripe);
}

void Engine::Impl::DrainInbox(Stripe& stripe, Cell& cell, std::vector<Answer>& answers) {
  while (!cell.is_busy && !cell.inbox.empty()) {
    const size_t count = std::min(cell.inbox.size(), kLargestBatch);
    const auto end = cell.inbox.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Work> batch(std::make_move_iterator(cell.inbox.begin()),
                            std::make_move_iterator(end));
    cell.inbox.erase(cell.inbox.begin(), end);
    for (Answer& answer : Decide(stripe, cell, std::move(batch))) {
      answers.push_back(std::move(answer));
    }
  }
  ForgetIfEmpty(stripe, cell);
}

std::vector<Answer> Engine::Impl::Decide(Stripe& stripe, Cell& cell, std::vector<Work> batch) {
  auto pending = std::make_unique<PendingAppend>(cell.resource);
  const std::shared_ptr<const PolicySnapshot> snapshot = Policy();
  const DecideContext context = ContextFor(*cell.package, *snapshot);
  for (Work& work : batch) pending->answers.push_back(work(context, pending->effects));
  stripe.rows_this_hold += pending->effects.changes().subscriptions.size() + batch.size();
  if (pending->effects.empty()) return std::move(pending->answers);

  const RowChanges rows = pending->effects.JournalRows();
  const uint32_t number = cell.number;
  const Journal::Acceptance acceptance =
      journal.Append(rows, [this, &stripe, number](AppendOutcome outcome) {
        OnAppended(stripe, number, std::move(outcome));
      });
  if (acceptance == Journal::Acceptance::kDurableNow) {
    Apply(stripe, cell, pending->effects);
    return std::move(pending->answers);
  }
  cell.is_busy = true;
  cell.pending = std::move(pending);
  return {};
}

void Engine::Impl::OnAppended(Stripe& stripe, uint32_t cell_number, AppendOutcome outcome) {
  std::unique_ptr<PendingAppend> pending;
  std::vector<Answer> answers;
  std::optional<ResourceKey> in_doubt;
  {
    StripeLock lock(stripe, clock);
    Cell& cell = *stripe.by_number.at(cell_number);  // busy cells are not forgotten
    pending = std::move(cell.pending);
    if (outcome.result == AppendResult::kUnknown) {
      in_doubt = cell.resource.key();  // it stays busy until it has been read again
    } else {
      cell.is_busy = false;
      if (outcome.result == AppendResult::kDurable) Apply(stripe, cell, pending->effects);
      DrainInbox(stripe, cell, answers);
    }
  }
  AnswerAll(pending->answers,
            outcome.result == AppendResult::kDurable ? absl::OkStatus() : outcome.status);
  AnswerAll(answers, absl::OkStatus());
  if (in_doubt.has_value()) Load(stripe, cell_number, *std::move(in_doubt));
  SchedulePump(stripe);
}

void Engine::Impl::Load(Stripe& stripe, uint32_t cell_number, ResourceKey key) {
  journal.Load(key, [this, &stripe, cell_number](auto loaded) {
    OnLoaded(stripe, cell_number, std::move(loaded));
  });
}

void Engine::Impl::OnLoaded(Stripe& stripe, uint32_t cell_number,
                            absl::StatusOr<std::optional<ResourceRows>> loaded) {
  std::vector<Answer> answers;
  std::vector<Work> refused;
  absl::Status status;
  {
    StripeLock lock(stripe, clock);
    Cell& cell = *stripe.by_number.at(cell_number);
    const ResourceKey key = cell.resource.key();
    if (!loaded.ok()) {
      status = loaded.status();
      refused = std::exchange(cell.inbox, {});
      const auto snapshot = Policy();
      // Nobody may decide on what is in doubt: who waits is told so. A scratch copy takes the
      // decisions.
      Effects scratch(cell.resource);
      const DecideContext context = ContextFor(*cell.package, *snapshot);
      for (Work& work : refused) answers.push_back(work(context, scratch));
      executor.PostAt(clock.Now() + kLoadAgain,
                      [this, &stripe, cell_number, key] { Load(stripe, cell_number, key); });
    } else {
      RowChanges rows;
      if (loaded->has_value()) rows = Resource::ChangesToLoad(**std::move(loaded));
      rows.key = key;
      if (rows.resource.has_value()) {
        // The row may be of an earlier life: the step up at the start was told but never stored.
        Revision& revision = rows.resource->revision;
        revision = {epoch, std::max(revision.seq, cell.resource.row().revision.seq)};
      }
      {
        CountedRows counted(stripe, cell);
        const Effects::Due due = RequestsIn(rows, cell.resource);
        cell.resource.Replace(rows);
        cell.notify.composed_seq = UINT64_MAX;
        ++cell.notify.compositions_voided;
        SetRowTimers(stripe, cell, rows);
        notifier.OnLoaded(stripe, cell, rows, due, Notifier::LoadedFrom::kThisLife);
      }
      cell.is_busy = false;
      DrainInbox(stripe, cell, answers);  // may forget the cell
    }
  }
  AnswerAll(answers, status);
  SchedulePump(stripe);
}

void Engine::Impl::Apply(Stripe& stripe, Cell& cell, const Effects& effects) {
  CountedRows counted(stripe, cell);
  std::vector<uint64_t> gone;
  for (const auto& [id, row] : effects.changes().subscriptions) {
    if (row != nullptr) continue;
    if (SubscriptionPtr old = cell.resource.FindSubscription(id)) gone.push_back(old->ordinal);
  }
  cell.resource.Apply(effects.changes());
  if (!effects.changes().publications.empty()) {
    // Even where the revision stays, as when a publication expires silently, the state is another.
    cell.notify.composed_seq = UINT64_MAX;
    ++cell.notify.compositions_voided;
  }
  SetRowTimers(stripe, cell, effects.changes());
  notifier.OnApplied(stripe, cell, effects.changes(), effects.due(), gone);
}

void Engine::Impl::SetRowTimers(Stripe& stripe, Cell& cell, const RowChanges& changes) {
  const auto set = [&](Alarm alarm, uint64_t ordinal,
                       absl::Time when) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu) {
    const std::pair slot(alarm, ordinal);
    if (auto it = cell.row_timers.find(slot); it != cell.row_timers.end()) {
      stripe.wheel.Cancel(it->second);
      cell.row_timers.erase(it);
    }
    if (when == absl::InfiniteFuture()) return;
    cell.row_timers[slot] = stripe.wheel.Set(when, AlarmTarget{alarm, cell.number, ordinal});
  };
  for (const auto& [id, row] : changes.publications) {
    set(Alarm::kPublication, id,
        row == nullptr ? absl::InfiniteFuture() : notifier.SweepTime(row->expires_at));
  }
  for (const auto& [watcher, row] : changes.watchers) {
    if (row == nullptr || !row->is_waiting()) continue;
    set(Alarm::kWaiting, row->ordinal, notifier.SweepTime(row->waits_until));
  }
  if (changes.answers.empty() || cell.answers_timer != kNoTimer) return;
  // Answers are kept for minutes and looked at together: one alarm serves them all.
  absl::Time first = absl::InfiniteFuture();
  for (const auto& [key, row] : cell.resource.answers()) first = std::min(first, row->kept_until);
  if (first == absl::InfiniteFuture()) return;
  cell.answers_timer = stripe.wheel.Set(std::max(first, clock.Now() + absl::Seconds(1)),
                                        AlarmTarget{Alarm::kAnswers, cell.number, 0});
}

absl::Status Engine::Start() {
  absl::Status status = impl_->journal.LoadAll([this](ResourceRows rows) {
    Stripe& stripe = impl_->StripeOf(rows.key.StableHash());
    StripeLock lock(stripe, impl_->clock);
    Cell& cell = *impl_->FindOrCreate(stripe, rows.key);
    RowChanges changes = Resource::ChangesToLoad(std::move(rows));
    // A new life of the owner: what it says from now on comes after everything said before.
    changes.resource->revision = {impl_->epoch, changes.resource->revision.seq + 1};
    CountedRows counted(stripe, cell);
    cell.resource.Apply(changes);
    impl_->SetRowTimers(stripe, cell, changes);
    impl_->notifier.OnLoaded(stripe, cell, changes, {}, Notifier::LoadedFrom::kEarlierLife);
  });
  if (!status.ok()) return status;
  for (auto& stripe : impl_->stripes) impl_->SchedulePump(*stripe);
  impl_->ScheduleTick(impl_->clock.Now() + kTick);
  return absl::OkStatus();
}

void Engine::SetPolicy(std::shared_ptr<const PolicySnapshot> policy) {
  absl::MutexLock lock(&impl_->policy_mu);
  impl_->policy = std::move(policy);
}

// --- Time.

void Engine::Impl::ScheduleTick(absl::Time when) {
  executor.PostAt(when, [this] {
    bool has_more = false;
    for (auto& stripe : stripes) has_more |= Tick(*stripe);
    std::vector<LinkTable::Waiting> given_up = links.GiveUpFlows(clock.Now(), kRowsPerSlice);
    has_more |= given_up.size() == kRowsPerSlice;
    Wake(LinkTable::kNone, std::move(given_up));
    // A million alarms of one second are rung in turn with what else the executor has to do.
    ScheduleTick(clock.Now() + (has_more ? absl::ZeroDuration() : kTick));
  });
}

bool Engine::Impl::Tick(Stripe& stripe) {
  std::vector<AlarmTarget> due;
  size_t touched = 0;
  {
    StripeLock lock(stripe, clock);
    touched = stripe.wheel.AdvanceSome(clock.Now(), due, kRowsPerSlice);
    stripe.rows_this_hold += touched;
  }
  if (!due.empty()) {
    StripeLock lock(stripe, clock);
    for (const AlarmTarget& target : due) Ring(stripe, target);
  }
  SchedulePump(stripe);
  return touched == kRowsPerSlice;
}

void Engine::Impl::RingAgain(Stripe& stripe, const AlarmTarget& target) {
  StripeLock lock(stripe, clock);
  // Void, as any alarm, when its row has gone or moved meanwhile.
  stripe.wheel.Set(clock.Now() + kAskAgain, target);
}

void Engine::Impl::Ring(Stripe& stripe, const AlarmTarget& target) {
  auto it = stripe.by_number.find(target.cell);
  if (it == stripe.by_number.end()) return;
  Cell& cell = *it->second;
  const auto& rows = cell.resource.subscriptions();
  ++stripe.rows_this_hold;
  cell.row_timers.erase({target.alarm, target.ordinal});
  Work work;
  switch (target.alarm) {
    case Alarm::kNotify:
      notifier.OnAlarm(stripe, cell, target.ordinal);
      return;
    case Alarm::kPublication:
      work =
          Insisting(stripe, target,
                    [id = target.ordinal, &stripe](const DecideContext& context, Effects& effects)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS {
                          if (DecideExpirePublication(context, id, effects)) {
                            ++stripe.expired_publications;
                          }
                        });
      break;
    case Alarm::kSubscription: {
      auto row = rows.find(target.ordinal);
      if (row == rows.end()) return;
      work =
          Insisting(stripe, target,
                    [id = row->second->id, &stripe](const DecideContext& context, Effects& effects)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS {
                          if (DecideExpireSubscription(context, id, effects)) {
                            ++stripe.expired_subscriptions;
                          }
                        });
      break;
    }
    case Alarm::kWaiting:
      for (const auto& [watcher, record] : cell.resource.watchers()) {
        if (record->ordinal != target.ordinal) continue;
        work = Insisting(stripe, target,
                         [uri = watcher](const DecideContext& context, Effects& effects) {
                           DecideExpireWaiting(context, uri, effects);
                         });
        break;
      }
      if (work == nullptr) return;
      break;
    case Alarm::kAnswers:
      if (cell.resource.answers().empty()) {
        cell.answers_timer = kNoTimer;
        return;
      }
      // Set again at once: what is found may be nothing, and then nothing else would.
      cell.answers_timer = stripe.wheel.Set(clock.Now() + absl::Minutes(1), target);
      work = Insisting(stripe, target, [](const DecideContext& context, Effects& effects) {
        DecideExpireAnswers(context, effects);
      });
      break;
  }
  cell.inbox.push_back(std::move(work));
  std::vector<Answer> answers;  // only of what was durable at once: alarms answer nobody then
  DrainInbox(stripe, cell, answers);
}

}  // namespace presence
