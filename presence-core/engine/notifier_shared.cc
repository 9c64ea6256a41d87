#include <algorithm>

#include "presence-core/engine/notifier.h"

namespace presence {

void Notifier::GoOnAbove(uint32_t cseq_limit, NotifySlot& slot) {
  slot.cseq = std::max(slot.cseq, cseq_limit);
  if (slot.winfo == nullptr) return;
  slot.winfo->version = std::max(slot.winfo->version, cseq_limit);
  slot.winfo->needs_full = true;
}

Notifier::Limits Notifier::LimitsOf(const Cell& cell, const RowChanges* doubted_rows,
                                    const RowChanges& changes) {
  const auto in_doubt = [doubted_rows](const LocalTag& id) -> const Subscription* {
    if (doubted_rows == nullptr) return nullptr;
    for (const auto& [doubted, row] : doubted_rows->subscriptions) {
      if (doubted == id) return row.get();
    }
    return nullptr;
  };
  Limits limits;
  for (const auto& [id, row] : changes.subscriptions) {
    if (row == nullptr) continue;
    const Subscription* ours = in_doubt(id);
    const SubscriptionPtr known = cell.resource.FindSubscription(id);
    std::optional<uint32_t> limit;
    if (known != nullptr) {
      limit = known->cseq_limit;
    } else if (ours != nullptr && ours->cseq_limit == row->cseq_limit) {
      limit = row->cseq_limit;
    }
    limits.emplace_back(row->ordinal, limit);
  }
  return limits;
}

void Notifier::OnTakenOver(Stripe& stripe, Cell& cell, const Limits& known) {
  for (const auto& [ordinal, limit] : known) {
    ++stripe.rows_this_hold;
    const SubscriptionPtr& row = cell.resource.subscriptions().at(ordinal);
    if (limit != row->cseq_limit) GoOnAbove(row->cseq_limit, cell.notify.slots.at(ordinal));
  }
}

std::optional<uint64_t> Notifier::TakeGroupSlice(Stripe& stripe, Cell& cell, std::string_view group,
                                                 uint32_t tenure, uint64_t from) {
  const auto& rows = cell.resource.subscriptions();
  auto it = rows.lower_bound(from);
  for (size_t seen = 0; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
    ++stripe.rows_this_hold;
    const Subscription& row = *it->second;
    if (row.is_native() || row.dialog.gateway() != group) continue;
    NotifySlot& slot = cell.notify.slots.at(it->first);
    if (slot.tenure != tenure) Adopt(stripe, row, slot, tenure);
    if (slot.tell == NotifyCause::kResync) {
      ResyncInTurn(stripe, cell, row.ordinal);
    } else if (Owes(cell, row, slot)) {
      // Whoever was due while the gateway was away has been passed by.
      MakeReady(stripe, cell, row.ordinal, slot);
    }
  }
  if (it == rows.end()) return std::nullopt;
  return it->first;
}

void Notifier::Adopt(Stripe& stripe, const Subscription& row, NotifySlot& slot, uint32_t tenure) {
  slot.tenure = tenure;
  GoOnAbove(row.cseq_limit, slot);
  slot.in_flight = 0;
  slot.is_parked = slot.is_removing = slot.is_raising = false;
  slot.failures = 0;
  slot.not_before = absl::InfinitePast();
  stripe.wheel.Cancel(slot.timer);
  slot.timer = kNoTimer;
  // Whoever instructed it before knows what it was told; here nobody does.
  if (!row.is_live()) {
    slot.tell = NotifyCause::kTerminate;
  } else if (slot.tell == NotifyCause::kNone) {
    slot.tell = NotifyCause::kResync;
  }
}

}  // namespace presence
