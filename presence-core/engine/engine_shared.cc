#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "presence-core/engine/engine_impl.h"

namespace presence {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(200);
constexpr absl::Duration kAlignAgain = absl::Seconds(1);

}  // namespace

// Where a journal is shared, a cell is a copy of what all processes decide on, and it may be old.
// What follows from that, in one place:
//
//   - An append of an old copy ends as kMoved. Then the process looks, takes over what the others
//     have changed, and decides the same commands once more.
//   - What changes nothing is not appended. If somebody is told, as a publisher that its entity-tag
//     is unknown or a reader what the state is, the process looks before it answers: at a moment
//     after the command came, so whatever any process has answered before is seen.
//   - Others say what they have changed (Engine::OnChangedElsewhere), so watchers here hear of it.
//     That is a hint: one that is lost costs time, and whoever may have lost some looks at
//     everything (Engine::TakeOverAll).

bool Engine::Impl::IsTrue(Cell& cell, const PendingAppend& decided) const {
  const size_t looked_for = std::min(cell.looked_for, decided.works.size());
  cell.looked_for -= looked_for;
  if (looked_for > 0) return true;
  const bool is_told = std::any_of(decided.works.begin(), decided.works.end(),
                                   [](const WorkPtr& work) { return work->is_told(); });
  return !is_told || !decided.effects.JournalRows(journal.kept()).empty();
}

void Engine::Impl::PutBack(Cell& cell, std::vector<WorkPtr> works) {
  cell.inbox.insert(cell.inbox.begin(), std::make_move_iterator(works.begin()),
                    std::make_move_iterator(works.end()));
}

void Engine::Impl::Look(Stripe& stripe, Cell& cell) {
  cell.is_busy = true;
  cell.must_look = false;
  cell.looked_for = cell.inbox.size();
  journal.Look(cell.resource.key(), cell.resource.row().version,
               [this, &stripe, number = cell.number](auto rows) {
                 OnLooked(stripe, number, std::move(rows));
               });
}

void Engine::Impl::OnLooked(Stripe& stripe, uint32_t cell_number,
                            absl::StatusOr<std::optional<ResourceRows>> rows) {
  if (!rows.ok()) return OnNotLooked(stripe, cell_number, rows.status());
  TakeOver(stripe, cell_number, *std::move(rows));
  Drain(stripe, cell_number);
  SchedulePump(stripe);
}

void Engine::Impl::OnNotLooked(Stripe& stripe, uint32_t cell_number, const absl::Status& status) {
  std::list<WorkPtr> refused;
  bool has_more = false;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    Cell& cell = *stripe.by_number.at(cell_number);
    const auto end = std::next(cell.inbox.begin(), static_cast<std::ptrdiff_t>(cell.looked_for));
    refused.splice(refused.begin(), cell.inbox, cell.inbox.begin(), end);
    cell.looked_for = 0;
    cell.is_busy = false;
    // Watchers may have to be told of what was not seen.
    cell.must_look = true;
    SetRowTimer(stripe, cell, Alarm::kLook, 0, clock.Now() + kLookAgain);
    has_more = !cell.inbox.empty();
  }
  for (const WorkPtr& work : refused) work->Answer(status);
  if (has_more) Drain(stripe, cell_number);
}

void Engine::Impl::TakeOver(Stripe& stripe, uint32_t cell_number, std::optional<ResourceRows> found,
                            bool whatever_version) {
  const Cell* busy = nullptr;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    busy = stripe.by_number.at(cell_number);
  }
  const Resource& known = busy->resource;
  ResourceRows rows = std::move(found).value_or(ResourceRows());
  if (rows.resource.version == 0) {
    // The row itself is not there, or not any more; what is there somebody else may have put there.
    rows.resource = known.row();
    rows.resource.version = 0;
    for (const PublicationPtr& row : rows.publications) {
      rows.resource.next_ordinal = std::max(rows.resource.next_ordinal, row->id + 1);
    }
  }
  std::optional<RowChanges> changes;
  Effects::Due due;
  std::vector<WatcherUri> native;
  // Outside of the lock, for these may be the rows of ten thousand watchers.
  if (whatever_version || rows.resource.version != known.row().version) {
    changes = known.ChangesTo(std::move(rows));
    due = DueAfter(*changes, known);
    native = NativeAmong(*changes, known);
  }
  StripeLock lock(stripe, clock, Hold::kLoad);
  Cell& cell = *stripe.by_number.at(cell_number);
  const std::unique_ptr<RowChanges> in_doubt = std::move(cell.in_doubt);
  cell.is_busy = false;
  if (!changes.has_value()) return;
  stripe.rows_this_hold += changes->count();
  const Notifier::Limits limits = Notifier::LimitsOf(cell, in_doubt.get(), *changes);
  Apply(stripe, cell, *changes, due);
  notifier.OnTakenOver(stripe, cell, limits);
  // In their turn: this process may decide on the resource again.
  for (WatcherUri& watcher : native) {
    executor.Post(
        [this, key = cell.resource.key(), who = std::move(watcher)] { Realign(key, who); });
  }
}

void Engine::Impl::Realign(const ResourceKey& key, const WatcherUri& watcher) {
  ReauthorizeFrom(0, std::make_shared<Reauthorization>(Reauthorization{
                         key, watcher, {}, [this, key, watcher](const auto& aligned) {
                           if (!aligned.ok()) RealignSoon(key, watcher);
                         }}));
}

void Engine::Impl::RealignSoon(const ResourceKey& key, const WatcherUri& watcher) {
  executor.PostAt(clock.Now() + kAlignAgain, [this, key, watcher] { Realign(key, watcher); });
}

// Whoever decided about these has brought all subscriptions in line that it knows of; those of
// native watchers only their own process does.
std::vector<WatcherUri> Engine::Impl::NativeAmong(const RowChanges& changes,
                                                  const Resource& resource) {
  std::vector<WatcherUri> watchers;
  if (changes.watchers.empty()) return watchers;
  absl::flat_hash_set<std::string_view> native;
  for (const auto& [ordinal, row] : resource.subscriptions()) {
    if (!row->is_native() || !row->is_live()) continue;
    native.insert(row->watcher.text());
    if (row->alias != nullptr) native.insert(row->alias->text());
  }
  for (const auto& [watcher, row] : changes.watchers) {
    if (native.contains(watcher.text())) watchers.push_back(watcher);
  }
  return watchers;
}

void Engine::OnChangedElsewhere(const std::vector<ResourceKey>& keys) {
  for (const ResourceKey& key : keys) {
    Stripe& stripe = impl_->StripeOf(key.StableHash());
    uint32_t number = 0;
    {
      StripeLock lock(stripe, impl_->clock, Hold::kCommand);
      Cell& cell = *impl_->FindOrCreate(stripe, key);
      number = cell.number;
      cell.must_look = true;
    }
    impl_->Drain(stripe, number);
  }
}

absl::Status Engine::TakeOverAll() {
  return impl_->journal.LoadAll([this](ResourceRows rows) { impl_->TakeOverOne(std::move(rows)); });
}

void Engine::Impl::TakeOverOne(ResourceRows rows) {
  Stripe& stripe = StripeOf(rows.key.StableHash());
  uint32_t number = 0;
  bool is_newer = false;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    // Of some names only the revision is left.
    if (Find(stripe, rows.key) == nullptr && rows.is_empty()) return;
    Cell& cell = *FindOrCreate(stripe, rows.key);
    number = cell.number;
    const uint64_t known = cell.resource.row().version;
    is_newer = rows.resource.version > known && !cell.is_busy;
    // What was read may be older than what is here or on its way; another look tells.
    if (is_newer) {
      cell.is_busy = true;
    } else if (rows.resource.version != known) {
      cell.must_look = true;
    }
  }
  if (is_newer) TakeOver(stripe, number, std::move(rows));
  Drain(stripe, number);
  SchedulePump(stripe);
}

void Engine::Look(const ResourceKey& key, Done<bool> done) {
  if (!impl_->journal.is_shared()) return done(true);
  impl_->Submit(key, Impl::Answering<bool>([](const DecideContext&,
                                              Effects&) -> absl::StatusOr<bool> { return true; },
                                           std::move(done)));
}

void Engine::AdoptGroup(const std::string& group) {
  impl_->TakeGroupSoon(group, impl_->links.BeginTenure(group));
}

void Engine::ResumeGroup(const std::string& group) {
  impl_->TakeGroupSoon(group, impl_->links.ResumeTenure(group));
}

void Engine::LeaveGroup(const std::string& group) { impl_->links.EndTenure(group); }

void Engine::Impl::TakeGroupSoon(const std::string& group, uint32_t tenure) {
  executor.Post([this, group, tenure] { TakeGroup(group, tenure); });
}

void Engine::Impl::TakeGroup(const std::string& group, uint32_t tenure) {
  for (auto& stripe : stripes) {
    std::optional<ResourceKey> after;
    while (true) {
      const std::vector<ResourceKey> keys = KeysFrom(*stripe, after, kRowsPerSlice);
      if (keys.empty()) break;
      after = keys.back();
      for (const ResourceKey& key : keys) {
        for (std::optional<uint64_t> from = 0; from.has_value();) {
          StripeLock lock(*stripe, clock, Hold::kReconcile);
          Cell* cell = Find(*stripe, key);
          if (cell == nullptr) break;
          from = notifier.TakeGroupSlice(*stripe, *cell, group, tenure, *from);
        }
      }
    }
    SchedulePump(*stripe);
  }
  if (!is_resyncing) Resync(clock.Now());
}

}  // namespace presence
