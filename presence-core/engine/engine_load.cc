#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "presence-core/engine/engine_impl.h"

namespace presence {
namespace {

constexpr absl::Duration kLoadAgain = absl::Milliseconds(200);

bool LooksTheSame(const Subscription& a, const Subscription& b) {
  return a.state == b.state && a.is_authorized == b.is_authorized && a.reason == b.reason &&
         a.expires_at == b.expires_at;
}

}  // namespace

Effects::Due Engine::Impl::DueAfter(const RowChanges& rows, const Resource& resource) {
  Effects::Due due;
  // Who watches may be others now, or in another way; which is not known.
  due.is_winfo_reset = !rows.watchers.empty();
  due.state_changed =
      rows.resource.has_value() && rows.resource->revision.seq > resource.row().revision.seq;
  for (const auto& [id, row] : rows.subscriptions) {
    const SubscriptionPtr known = resource.FindSubscription(id);
    if (known == nullptr || row == nullptr || !LooksTheSame(*known, *row)) {
      due.is_winfo_reset = true;
    }
    if (row == nullptr) continue;
    const bool is_refreshed = known != nullptr && (known->last_request != row->last_request ||
                                                   known->dialog != row->dialog);
    if (is_refreshed) {
      // A SUBSCRIBE in the dialog: it proves the dialog alive and is owed a NOTIFY, though whoever
      // sent it was not told that it was accepted.
      const NotifyCause cause = row->is_live() ? NotifyCause::kRefresh : NotifyCause::kTerminate;
      due.tell.push_back({id, cause, /*supersedes=*/true});
    } else if (known == nullptr || !LooksTheSame(*known, *row)) {
      // It may have been an approval or an end.
      const NotifyCause cause = row->is_live() ? NotifyCause::kResync : NotifyCause::kTerminate;
      due.tell.push_back({id, cause, /*supersedes=*/false});
    }
  }
  return due;
}

namespace {

bool IsObeyed(WatcherDecision decision, SubscriptionState state) {
  switch (decision) {
    case WatcherDecision::kAllow:
      return state == SubscriptionState::kActive;
    case WatcherDecision::kConfirm:
      return state == SubscriptionState::kPending;
    case WatcherDecision::kBlock:
      return false;
    case WatcherDecision::kNone:
      break;
  }
  return true;
}

// The watchers with live subscriptions that are not as the presentity decided. A decision and what
// follows from it are two changes: the life before may have ended between them, or have lost the
// second, which write-back promises where the first was stored.
std::vector<WatcherUri> Disobeyed(const ResourceRows& rows) {
  absl::flat_hash_map<std::string_view, WatcherDecision> decisions;
  for (const WatcherRecordPtr& record : rows.watchers) {
    decisions.emplace(record->watcher.text(), record->decision);
  }
  std::vector<WatcherUri> watchers;
  if (decisions.empty()) return watchers;
  for (const SubscriptionPtr& row : rows.subscriptions) {
    if (!row->is_live() || row->event.is_winfo()) continue;
    for (const WatcherUri* who : {&row->watcher, row->alias.get()}) {
      if (who == nullptr) continue;
      const auto it = decisions.find(who->text());
      if (it != decisions.end() && !IsObeyed(it->second, row->state)) watchers.push_back(*who);
    }
  }
  return watchers;
}

}  // namespace

void Engine::Impl::Load(Stripe& stripe, uint32_t cell_number, ResourceKey key) {
  journal.Load(key, [this, &stripe, cell_number](auto loaded) {
    OnLoaded(stripe, cell_number, std::move(loaded));
  });
}

void Engine::Impl::OnLoaded(Stripe& stripe, uint32_t cell_number,
                            absl::StatusOr<std::optional<ResourceRows>> loaded) {
  if (!loaded.ok()) {
    RefuseInbox(stripe, cell_number, loaded.status());
    return;
  }
  if (journal.is_shared()) {
    TakeOver(stripe, cell_number, *std::move(loaded));
    Drain(stripe, cell_number);
    SchedulePump(stripe);
    return;
  }
  const Cell* busy = nullptr;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    busy = stripe.by_number.at(cell_number);
  }
  // Outside of the lock, for these may be the rows of ten thousand watchers.
  ResourceRows all;
  if (loaded->has_value()) {
    all = **std::move(loaded);
  } else {
    all.resource = busy->resource.row();
  }
  const RowChanges rows = busy->resource.Settle(*busy->in_doubt, std::move(all));
  const Effects::Due due = DueAfter(rows, busy->resource);
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    Cell& cell = *stripe.by_number.at(cell_number);
    stripe.rows_this_hold += rows.count();
    Apply(stripe, cell, rows, due);
    cell.in_doubt.reset();
    cell.is_busy = false;
  }
  Drain(stripe, cell_number);
  SchedulePump(stripe);
}

void Engine::Impl::RefuseInbox(Stripe& stripe, uint32_t cell_number, const absl::Status& status) {
  std::list<WorkPtr> refused;
  std::deque<std::unique_ptr<RereadRequest>> rereads;
  ResourceKey key;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    Cell& cell = *stripe.by_number.at(cell_number);
    refused.swap(cell.inbox);
    rereads.swap(cell.rereads);
    cell.looked_for = 0;
    key = cell.resource.key();
  }
  for (const WorkPtr& work : refused) work->Answer(status);
  for (const auto& request : rereads) request->done(status);
  executor.PostAt(clock.Now() + kLoadAgain,
                  [this, &stripe, cell_number, key] { Load(stripe, cell_number, key); });
}

absl::StatusOr<Engine::Loaded> Engine::Impl::LoadAll(
    absl::FunctionRef<void(const Loaded&)> progress) {
  Loaded loaded;
  std::vector<std::pair<ResourceKey, WatcherUri>> disobeyed;
  const absl::Status status = journal.LoadAll([&](ResourceRows rows) {
    ++loaded.resources;
    loaded.publications += rows.publications.size();
    loaded.subscriptions += rows.subscriptions.size();
    loaded.others += rows.watchers.size() + rows.answers.size() + rows.documents.size();
    const bool is_settled = rows.resource.is_settled();
    if (!is_settled && !journal.is_shared()) loaded.to_resync += rows.subscriptions.size();
    for (WatcherUri& watcher : Disobeyed(rows)) {
      disobeyed.emplace_back(rows.key, std::move(watcher));
    }
    Stripe& stripe = StripeOf(rows.key.StableHash());
    if (!journal.is_shared()) {
      // A new life of the owner: what it says from now on comes after everything said before.
      rows.resource.revision = {epoch, rows.resource.revision.seq + 1};
      if (is_settled) rows.resource.settled_seq = rows.resource.revision.seq;
    }
    for (const RowChanges& slice : Resource::ChangesToLoad(std::move(rows), kRowsPerSlice)) {
      StripeLock lock(stripe, clock, Hold::kLoad);
      Cell& cell = *FindOrCreate(stripe, slice.key);
      const CountedRows counted(stripe, cell);
      stripe.rows_this_hold += slice.count();
      cell.resource.Apply(slice);
      for (const auto& [id, row] : slice.subscriptions) aliases.Add(*row);
      SetRowTimers(stripe, cell, slice);
      notifier.OnLoaded(stripe, cell, slice);
      // Of some names only the revision is left.
      ForgetIfEmpty(stripe, cell);
    }
    progress(loaded);
  });
  if (!status.ok()) return status;
  for (auto& [key, watcher] : disobeyed) {
    ReauthorizeFrom(0, std::make_shared<Reauthorization>(Reauthorization{
                           std::move(key), std::move(watcher), {}, [](const auto&) {}}));
  }
  return loaded;
}

}  // namespace presence
