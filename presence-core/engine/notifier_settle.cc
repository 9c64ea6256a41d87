#include <algorithm>
#include <utility>

#include "presence-core/engine/notifier.h"

namespace presence {
namespace {

// More dialogs than that are not gone through along with a change of another kind.
constexpr size_t kFewDialogs = 16;

}  // namespace

void Notifier::OnLoaded(Stripe& stripe, Cell& cell, const RowChanges& changes) {
  const ResourceRow& resource = cell.resource.row();
  for (const auto& [id, row] : changes.subscriptions) {
    OnRow(stripe, cell, row);
    NotifySlot& slot = cell.notify.slots.at(row->ordinal);
    slot.cseq = row->cseq_limit;
    if (slot.winfo != nullptr) slot.winfo->version = row->cseq_limit;
    if (is_shared_) continue;  // told when a gateway of theirs comes here
    if (!row->is_live()) {
      slot.tell = NotifyCause::kTerminate;
      MakeReady(stripe, cell, row->ordinal, slot);
    } else if (!resource.is_settled()) {
      slot.tell = NotifyCause::kResync;
      ResyncInTurn(stripe, cell, row->ordinal);
    } else {
      slot.notified_seq = resource.revision.seq;
      if (slot.winfo == nullptr) continue;
      // It knows all watchers, but goes on with a jump of the version.
      slot.winfo->needs_full = false;
      slot.winfo->has_gap = true;
      slot.winfo->position = {WinfoPosition::Part::kChanges, 0, cell.notify.winfo->log.last()};
    }
  }
}

bool Notifier::IsToSettle(const Cell& cell) const {
  return config_.settle_rate > 0 && !cell.notify.slots.empty() && !cell.resource.row().is_settled();
}

bool Notifier::KnowsAll(const Cell& cell, const Subscription& row) const {
  if (!row.is_live()) return true;
  if (row.is_transient) return cell.notify.winfo == nullptr || row.event.is_winfo();
  const NotifySlot& slot = cell.notify.slots.at(row.ordinal);
  return slot.in_flight == 0 && !slot.is_removing && !Owes(cell, row, slot);
}

void Notifier::AwaitQuiet(Stripe& stripe, Cell& cell, const Clock& clock) {
  if (cell.notify.awaits_quiet || !IsToSettle(cell)) return;
  cell.notify.awaits_quiet = true;
  stripe.unsettled.push_back(
      {clock.Now() + config_.settle_delay, cell.number, cell.notify.unsettlings, 0, false});
}

bool Notifier::IsQuiet(Stripe& stripe, const Cell& cell) const {
  if (!IsToSettle(cell) || cell.notify.slots.size() > kFewDialogs) return false;
  Stripe::Unsettled look{{}, cell.number, cell.notify.unsettlings, 0, false};
  return LookForQuiet(stripe, cell, look) == Quiet::kAll;
}

Notifier::Quiet Notifier::LookForQuiet(Stripe& stripe, const Cell& cell,
                                       Stripe::Unsettled& look) const {
  const auto& rows = cell.resource.subscriptions();
  auto it = rows.lower_bound(look.ordinal);
  for (size_t seen = 0; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
    ++stripe.rows_this_hold;
    if (!KnowsAll(cell, *it->second)) return Quiet::kOwing;
    look.has_stored = look.has_stored || !it->second->is_transient;
  }
  if (it != rows.end()) {
    look.ordinal = it->first;
    return Quiet::kSoFar;
  }
  return look.has_stored ? Quiet::kAll : Quiet::kNobody;
}

void Notifier::ResyncInTurn(Stripe& stripe, Cell& cell, uint64_t ordinal) {
  NotifyState& notify = cell.notify;
  if (notify.is_resyncing) {
    notify.resync_cursor = std::min(notify.resync_cursor, ordinal);
    return;
  }
  notify.is_resyncing = true;
  notify.is_resync_passed_over = false;
  notify.resync_cursor = ordinal;
  stripe.resync.push_back(cell.number);
}

size_t Notifier::ResyncSlice(Stripe& stripe, Cell& cell, size_t most, absl::Time now) {
  NotifyState& notify = cell.notify;
  const auto& rows = cell.resource.subscriptions();
  auto it = rows.lower_bound(notify.resync_cursor);
  size_t made = 0;
  for (size_t seen = 0; it != rows.end() && seen < kRowsPerSlice && made < most; ++it, ++seen) {
    ++stripe.rows_this_hold;
    NotifySlot& slot = notify.slots.at(it->first);
    const bool is_waiting = slot.tell == NotifyCause::kResync && !slot.is_ready &&
                            !slot.is_starved && slot.in_flight == 0;
    // One that is instructed elsewhere is looked at again when its gateway comes here.
    if (!is_waiting || !IsInstructedHere(*it->second, slot)) continue;
    if (!links_.HasCredit(WantedBy(*it->second), now)) {
      notify.is_resync_passed_over = true;
      continue;
    }
    MakeReady(stripe, cell, it->first, slot);
    ++made;
  }
  stripe.resynced += made;
  if (it != rows.end()) {
    notify.resync_cursor = it->first;
  } else {
    notify.resync_cursor = 0;
    notify.is_resyncing = std::exchange(notify.is_resync_passed_over, false);
  }
  return made;
}

}  // namespace presence
