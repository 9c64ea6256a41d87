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
      if (std::exchange(cell.notify.is_resyncing, true)) continue;
      stripe.resync.push_back({cell.number, row->ordinal, /*is_passed_over=*/false});
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

size_t Notifier::ResyncSlice(Stripe& stripe, Cell& cell, size_t most, absl::Time now,
                             std::optional<Stripe::Resync>& resync) {
  const auto& rows = cell.resource.subscriptions();
  auto it = rows.lower_bound(resync->ordinal);
  size_t made = 0;
  for (size_t seen = 0; it != rows.end() && seen < kRowsPerSlice && made < most; ++it, ++seen) {
    ++stripe.rows_this_hold;
    NotifySlot& slot = cell.notify.slots.at(it->first);
    const bool is_waiting = slot.tell == NotifyCause::kResync && !slot.is_ready &&
                            !slot.is_starved && slot.in_flight == 0;
    if (!is_waiting) continue;
    if (!links_.HasCredit(WantedBy(*it->second), now)) {
      resync->is_passed_over = true;
      continue;
    }
    MakeReady(stripe, cell, it->first, slot);
    ++made;
  }
  stripe.resynced += made;
  if (it != rows.end()) {
    resync->ordinal = it->first;
  } else if (resync->is_passed_over) {
    *resync = {cell.number, 0, /*is_passed_over=*/false};
  } else {
    resync.reset();
    cell.notify.is_resyncing = false;
  }
  return made;
}

}  // namespace presence
