#include "presence-core/engine/notifier.h"

#include <algorithm>
#include <utility>

namespace presence {
namespace {

// An answer is overdue when the gateway's own Timer F must have told us long ago.
constexpr absl::Duration kGuardSlack = absl::Seconds(10);
constexpr absl::Duration kFirstBackOff = absl::Seconds(5);
constexpr absl::Duration kLongestBackOff = absl::Minutes(5);
constexpr absl::Duration kAskAgain = absl::Seconds(1);

// RFC 6665 §4.2.2 and RFC 5057 §5.1: answers that end the subscription, Retry-After or not.
bool EndsSubscription(int code) {
  switch (code) {
    case 404:
    case 405:
    case 410:
    case 416:
    case 489:
    case 501:
    case 502:
    case 604:
      return true;
    default:
      return code >= 480 && code <= 485;
  }
}

}  // namespace

absl::Time Notifier::SweepTime(absl::Time expires_at) const {
  const absl::Duration interval = config_.sweep_interval;
  if (expires_at == absl::InfiniteFuture() || interval <= absl::ZeroDuration()) {
    return absl::InfiniteFuture();
  }
  return absl::UnixEpoch() + absl::Ceil(expires_at - absl::UnixEpoch(), interval);
}

void Notifier::Enqueue(Stripe& stripe, Cell& cell) {
  if (cell.notify.is_queued || !cell.notify.has_work()) return;
  cell.notify.is_queued = true;
  stripe.queue.push_back(&cell);
}

void Notifier::MakeReady(Stripe& stripe, Cell& cell, uint64_t ordinal, NotifySlot& slot) {
  if (!slot.is_ready && !slot.is_starved) {
    slot.is_ready = true;
    cell.notify.ready.push_back(ordinal);
  }
  Enqueue(stripe, cell);
}

void Notifier::SetTimer(Stripe& stripe, const Cell& cell, uint64_t ordinal, NotifySlot& slot,
                        absl::Time when) {
  stripe.wheel.Cancel(slot.timer);
  slot.timer = stripe.wheel.Set(when, AlarmTarget{Alarm::kNotify, cell.number, ordinal});
}

void Notifier::OnRow(Stripe& stripe, Cell& cell, const SubscriptionPtr& row) {
  auto [it, is_new] = cell.notify.slots.try_emplace(row->ordinal);
  NotifySlot& slot = it->second;
  // A sweep counts dialogs: one more on its round, or the last of them would be left out.
  if (is_new && cell.notify.sweep_left > 0) ++cell.notify.sweep_left;
  // 0, but for a dialog that another server began: that goes on above what its watcher has seen.
  if (is_new && row->cseq_limit != UINT32_MAX) {
    slot.cseq = row->cseq_limit - std::min(row->cseq_limit, kCseqBlock);
  }
  if (is_new && row->event.is_winfo()) {
    slot.winfo = std::make_unique<WinfoProgress>();
    if (slot.cseq > 0) slot.winfo->version = slot.cseq + 1;
    if (cell.notify.winfo == nullptr) cell.notify.winfo = std::make_unique<WinfoState>();
    WinfoState& winfo = *cell.notify.winfo;
    winfo.dialogs.insert(row->ordinal);
    if (winfo.sweep_left > 0) ++winfo.sweep_left;
  }
  stripe.wheel.Cancel(slot.expiry);
  slot.expiry = kNoTimer;
  // A terminating row goes by its own deadline even where expiry is swept by hand.
  const absl::Time when = row->is_live() ? SweepTime(row->expires_at) : row->expires_at;
  if (when != absl::InfiniteFuture()) {
    slot.expiry =
        stripe.wheel.Set(when, AlarmTarget{Alarm::kSubscription, cell.number, row->ordinal});
  }
  if (is_shared_ && !row->is_native()) {
    const uint32_t tenure = links_.TenureOf(row->dialog.gateway());
    if (is_new) {
      slot.tenure = tenure;
    } else if (tenure != 0 && slot.tenure != tenure) {
      // A SUBSCRIBE brought it to a gateway of ours.
      Adopt(stripe, *row, slot, tenure);
      MakeReady(stripe, cell, row->ordinal, slot);
    }
  }
  if (slot.is_raising && slot.cseq < row->cseq_limit) {
    slot.is_raising = false;
    if (Owes(cell, *row, slot)) MakeReady(stripe, cell, row->ordinal, slot);
  }
}

void Notifier::DropSlot(Stripe& stripe, Cell& cell, uint64_t ordinal) {
  auto it = cell.notify.slots.find(ordinal);
  if (it == cell.notify.slots.end()) return;
  stripe.wheel.Cancel(it->second.timer);
  stripe.wheel.Cancel(it->second.expiry);
  Unstarve(cell, ordinal, it->second);
  if (it->second.winfo != nullptr) {
    WinfoState& winfo = *cell.notify.winfo;
    winfo.dialogs.erase(ordinal);
    if (winfo.dialogs.empty()) {
      stripe.rows_this_hold += winfo.log.changes().size();
      cell.notify.winfo.reset();
    }
  }
  cell.notify.slots.erase(it);
}

void Notifier::OnApplied(Stripe& stripe, Cell& cell, const RowChanges& changes,
                         const Effects::Due& due, const std::vector<uint64_t>& gone) {
  NotifyState& notify = cell.notify;
  for (uint64_t ordinal : gone) DropSlot(stripe, cell, ordinal);
  for (const auto& [id, row] : changes.subscriptions) {
    if (row != nullptr) OnRow(stripe, cell, row);
  }
  for (const auto& [id, seq] : due.told) {
    const SubscriptionPtr row = cell.resource.FindSubscription(id);
    if (row != nullptr) notify.slots.at(row->ordinal).notified_seq = seq;
  }
  for (const Effects::Due::Telling& telling : due.tell) Tell(stripe, cell, telling);
  ReportWatchers(stripe, cell, due);
  if (!due.tell.empty() || !due.winfo.empty() || due.state_changed || due.is_winfo_reset) {
    ++notify.unsettlings;
  }
  if (due.state_changed) notify.sweep_left = cell.resource.subscriptions().size();
  Enqueue(stripe, cell);
}

void Notifier::Tell(Stripe& stripe, Cell& cell, const Effects::Due::Telling& telling) {
  const SubscriptionPtr row = cell.resource.FindSubscription(telling.id);
  if (row == nullptr) return;
  NotifySlot& slot = cell.notify.slots.at(row->ordinal);
  slot.tell = telling.cause;
  if (telling.supersedes) {
    slot.supersedes = true;
    slot.is_parked = slot.is_removing = false;
    slot.failures = 0;
    // It may have come through another gateway than the one it waits for.
    Unstarve(cell, row->ordinal, slot);
    if (slot.winfo != nullptr) slot.winfo->needs_full = true;
  }
  // A decision of the presentity is no change of state: the throttle is not meant for it.
  slot.not_before = absl::InfinitePast();
  MakeReady(stripe, cell, row->ordinal, slot);
}

void Notifier::OnForgotten(Stripe& stripe, Cell& cell) {
  for (auto& [ordinal, slot] : cell.notify.slots) {
    stripe.wheel.Cancel(slot.timer);
    stripe.wheel.Cancel(slot.expiry);
  }
}

bool Notifier::Owes(const Cell& cell, const Subscription& row, const NotifySlot& slot) const {
  if (slot.tell != NotifyCause::kNone) return true;
  if (!row.is_live() || !row.is_authorized) return false;
  if (slot.winfo != nullptr) return slot.winfo->IsDue(cell.notify.winfo->log);
  return slot.notified_seq < cell.resource.row().revision.seq;
}

Notifier::Slice Notifier::TakeSlice(Stripe& stripe, Cell& cell, absl::Time now) {
  NotifyState& notify = cell.notify;
  Slice slice;
  // Each round has its part of a slice where others have work, too: watchers that answer fast must
  // not crowd out the others.
  size_t left = kRowsPerSlice;
  const bool has_others = notify.sweep_left > 0 || !notify.open.empty() ||
                          (notify.winfo != nullptr && notify.winfo->sweep_left > 0);
  left -= VisitReady(stripe, cell, has_others ? left / 2 : left, now, slice);
  left -= VisitStarved(stripe, cell, notify.sweep_left > 0 ? left / 2 : left, now, slice);
  left -= VisitWinfo(stripe, cell, left / 2, now, slice);
  VisitAll(stripe, cell, left, now, slice);
  Enqueue(stripe, cell);
  return slice;
}

void Notifier::VisitOrdinal(Stripe& stripe, Cell& cell, uint64_t ordinal, absl::Time now,
                            Slice& slice) {
  ++stripe.rows_this_hold;
  auto slot = cell.notify.slots.find(ordinal);
  if (slot == cell.notify.slots.end()) return;
  Visit(stripe, cell, cell.resource.subscriptions().at(ordinal), slot->second, now, slice);
}

size_t Notifier::VisitReady(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice) {
  NotifyState& notify = cell.notify;
  const size_t count = std::min(notify.ready.size(), most);
  const auto end = notify.ready.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<uint64_t> ready(notify.ready.begin(), end);
  notify.ready.erase(notify.ready.begin(), end);
  for (uint64_t ordinal : ready) {
    auto slot = notify.slots.find(ordinal);
    if (slot != notify.slots.end()) slot->second.is_ready = false;
    VisitOrdinal(stripe, cell, ordinal, now, slice);
  }
  return count;
}

size_t Notifier::VisitAll(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice) {
  NotifyState& notify = cell.notify;
  const auto& rows = cell.resource.subscriptions();
  if (rows.empty()) notify.sweep_left = 0;
  size_t count = 0;
  for (; count < most && notify.sweep_left > 0; ++count, --notify.sweep_left) {
    auto it = rows.lower_bound(notify.cursor);
    if (it == rows.end()) it = rows.begin();
    notify.cursor = it->first + 1;
    ++stripe.rows_this_hold;
    Visit(stripe, cell, it->second, notify.slots.at(it->first), now, slice);
  }
  return count;
}

bool Notifier::MayGo(Stripe& stripe, Cell& cell, const SubscriptionPtr& row, NotifySlot& slot,
                     absl::Time now, Slice& slice) {
  if (!Owes(cell, *row, slot) || !IsInstructedHere(*row, slot)) return false;
  // With expiry swept by hand it still stands there, but its time is over.
  const bool is_over = row->is_live() && row->expires_at <= now;
  if (is_over && slot.tell == NotifyCause::kNone) return false;
  if (!slot.supersedes) {
    if (slot.in_flight != 0 || slot.is_parked || slot.is_removing) return false;
    if (now < slot.not_before) {
      SetTimer(stripe, cell, row->ordinal, slot, slot.not_before);
      return false;
    }
  }
  const Revision& revision = cell.resource.row().revision;
  const std::string& sender = cell.resource.row().last_sender;
  if (slot.tell == NotifyCause::kNone && slot.winfo == nullptr && !sender.empty() &&
      slot.notified_seq + 1 == revision.seq && row->dialog.remote_target() == sender) {
    slot.notified_seq = revision.seq;  // it made this change itself
    return false;
  }
  if (slot.cseq + kCseqBlock / 2 >= row->cseq_limit && !slot.is_raising &&
      row->cseq_limit != UINT32_MAX) {
    slot.is_raising = true;
    slice.raise.emplace_back(row->id, slot.cseq);
  }
  return slot.cseq < row->cseq_limit;
}

void Notifier::Visit(Stripe& stripe, Cell& cell, const SubscriptionPtr& row, NotifySlot& slot,
                     absl::Time now, Slice& slice) {
  if (!MayGo(stripe, cell, row, slot, now, slice)) return;
  const auto is_remembered = [&lines = cell.notify.starved](LinkTable::Line name) {
    auto line = lines.find(name);
    return line != lines.end() && line->second.is_remembered;
  };
  const LinkTable::Taken taken =
      links_.Take(WantedBy(*row), stripe.index, cell.number, is_remembered, now);
  if (taken.link == LinkTable::kNone) {
    Starve(cell, *row, slot, taken.line);
    return;
  }
  Unstarve(cell, row->ordinal, slot);
  slot.link = taken.link;
  Shipment shipment = Instruct(stripe, cell, row, slot, now);
  shipment.link = taken.link;
  slice.shipments.push_back(std::move(shipment));
}

Notifier::Shipment Notifier::Instruct(Stripe& stripe, Cell& cell, const SubscriptionPtr& row,
                                      NotifySlot& slot, absl::Time now) {
  const ResourceRow& resource = cell.resource.row();
  Shipment shipment{};
  Instruction& out = shipment.instruction;
  out.subscription = row;
  out.cseq = ++slot.cseq;
  out.epoch = epoch_;
  out.state = row->state;
  out.reason = row->reason;
  if (row->is_live() && row->expires_at != absl::InfiniteFuture()) {
    // RFC 6665 §4.1.3: never above what was granted; the grace period is ours alone.
    const absl::Duration left = row->expires_at - config_.subscribe_grace - now;
    out.expiry = std::clamp(absl::Ceil(left, absl::Seconds(1)), absl::ZeroDuration(), row->granted);
  }
  out.cause = slot.tell != NotifyCause::kNone ? slot.tell
              : slot.winfo != nullptr         ? NotifyCause::kWinfo
                                              : resource.last_cause;
  out.revision = resource.revision;
  slot.told_seq = resource.revision.seq;
  if (slot.winfo != nullptr) {
    if (row->is_authorized) shipment.winfo = BeginWinfo(cell, *slot.winfo, now);
  } else if (row->is_authorized) {
    if (cell.notify.composed.has_value()) out.document = *cell.notify.composed;
    out.revision.seq = slot.told_seq = cell.notify.composed_seq;
    if (slot.told_seq > slot.notified_seq + 1 && slot.notified_seq > 0) {
      stripe.coalesced += slot.told_seq - slot.notified_seq - 1;
    }
  }
  slot.in_flight = slot.cseq;
  slot.in_flight_cause = out.cause;
  slot.tell = NotifyCause::kNone;
  slot.supersedes = false;
  slot.sent_at = now;
  slot.not_before = now + config_.package(cell.resource.key().event.text()).min_notify_interval;
  SetTimer(stripe, cell, row->ordinal, slot, now + 64 * config_.sip_t1 + kGuardSlack);
  ++stripe.instructions;
  return shipment;
}

Notifier::Consequence Notifier::OnReport(Stripe& stripe, Cell& cell, const Subscription& row,
                                         const NotifyReport& report, absl::Time now) {
  auto it = cell.notify.slots.find(row.ordinal);
  if (it == cell.notify.slots.end()) return Consequence::kNone;
  NotifySlot& slot = it->second;
  if (slot.in_flight == 0 || report.cseq != slot.in_flight || report.epoch != epoch_) {
    return Consequence::kNone;
  }
  slot.in_flight = 0;
  stripe.wheel.Cancel(slot.timer);
  slot.timer = kNoTimer;
  // Whatever became of it, a terminating dialog has had its last NOTIFY - unless another is owed by
  // now.
  if (!row.is_live() && slot.tell == NotifyCause::kNone) return Consequence::kFinish;

  const bool is_answered = report.outcome == NotifyOutcome::kAnswered;
  if (is_answered && report.code >= 200 && report.code < 300) {
    slot.notified_seq = std::max(slot.notified_seq, slot.told_seq);
    slot.failures = 0;
    if (slot.winfo != nullptr) TrimLog(stripe, cell);
    if (Owes(cell, row, slot)) MakeReady(stripe, cell, row.ordinal, slot);
    return Consequence::kNone;
  }
  if (report.outcome == NotifyOutcome::kSuperseded ||
      report.outcome == NotifyOutcome::kStaleEpoch) {
    OnLost(stripe, cell, row.ordinal);
    return Consequence::kNone;
  }
  ++stripe.notify_failures;
  if (slot.supersedes) {
    // A SUBSCRIBE came since, over another connection perhaps: what became of the NOTIFY before it
    // says nothing of the watcher any more.
    MakeReady(stripe, cell, row.ordinal, slot);
    return Consequence::kNone;
  }
  const bool is_timeout = report.outcome == NotifyOutcome::kTimeout || report.code == 408;
  const bool is_final = (is_answered && EndsSubscription(report.code)) ||
                        report.outcome == NotifyOutcome::kUnsendable ||
                        report.outcome == NotifyOutcome::kFlowLostRemove ||
                        (is_timeout && config_.on_notify_timeout == OnNotifyTimeout::kRemove);
  if (is_final && !row.is_live()) return Consequence::kFinish;
  if (is_final) {
    slot.is_removing = true;
    return Consequence::kRemove;
  }
  if (report.outcome == NotifyOutcome::kNoFlow) {
    slot.is_parked = true;
    slot.tell = slot.in_flight_cause;
    if (slot.winfo != nullptr) slot.winfo->needs_full = true;
  } else if (is_timeout && config_.on_notify_timeout == OnNotifyTimeout::kKeep) {
    slot.notified_seq = std::max(slot.notified_seq, slot.told_seq);
    // RFC 3858 §4: a partial document is of no use after a version that the watcher may not have.
    if (slot.winfo != nullptr) slot.winfo->has_gap = true;
    if (Owes(cell, row, slot)) MakeReady(stripe, cell, row.ordinal, slot);
  } else {
    BackOff(stripe, cell, row.ordinal, slot, report.retry_after, now);
  }
  return Consequence::kNone;
}

void Notifier::BackOff(Stripe& stripe, Cell& cell, uint64_t ordinal, NotifySlot& slot,
                       std::optional<absl::Duration> retry_after, absl::Time now) {
  const absl::Duration back_off =
      std::min(kFirstBackOff * (1 << std::min<int>(slot.failures, 6)), kLongestBackOff);
  if (slot.failures < 255) ++slot.failures;
  slot.not_before = now + retry_after.value_or(back_off);
  if (slot.tell == NotifyCause::kNone) slot.tell = slot.in_flight_cause;
  if (slot.winfo != nullptr) slot.winfo->needs_full = true;
  MakeReady(stripe, cell, ordinal, slot);
}

void Notifier::OnLost(Stripe& stripe, Cell& cell, uint64_t ordinal) {
  auto it = cell.notify.slots.find(ordinal);
  if (it == cell.notify.slots.end()) return;
  NotifySlot& slot = it->second;
  slot.in_flight = 0;
  stripe.wheel.Cancel(slot.timer);
  slot.timer = kNoTimer;
  if (slot.tell == NotifyCause::kNone) slot.tell = slot.in_flight_cause;
  slot.not_before = absl::InfinitePast();
  if (slot.winfo != nullptr) slot.winfo->needs_full = true;
  MakeReady(stripe, cell, ordinal, slot);
}

void Notifier::Unpark(Stripe& stripe, Cell& cell, uint64_t ordinal) {
  NotifySlot& slot = cell.notify.slots.at(ordinal);
  slot.is_parked = false;
  MakeReady(stripe, cell, ordinal, slot);
}

void Notifier::OnNotStored(Stripe& stripe, Cell& cell, uint64_t ordinal, absl::Time now) {
  auto it = cell.notify.slots.find(ordinal);
  if (it == cell.notify.slots.end()) return;
  NotifySlot& slot = it->second;
  const bool was_raising = std::exchange(slot.is_raising, false);
  if (slot.in_flight != 0) return;  // its answer, or the lack of one, has the dialog looked at
  if (!was_raising) {
    // The removal after a failed NOTIFY: its watcher is told anew, and may be there again by now.
    slot.is_removing = false;
    if (slot.tell == NotifyCause::kNone) slot.tell = slot.in_flight_cause;
    if (slot.winfo != nullptr) slot.winfo->needs_full = true;
  }
  SetTimer(stripe, cell, ordinal, slot, now + kAskAgain);
}

void Notifier::OnAlarm(Stripe& stripe, Cell& cell, uint64_t ordinal) {
  auto it = cell.notify.slots.find(ordinal);
  if (it == cell.notify.slots.end()) return;
  it->second.timer = kNoTimer;
  if (it->second.in_flight != 0) {
    OnLost(stripe, cell, ordinal);
  } else {
    MakeReady(stripe, cell, ordinal, it->second);
  }
}

}  // namespace presence
