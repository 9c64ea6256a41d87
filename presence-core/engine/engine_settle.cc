#include <algorithm>
#include <utility>

#include "presence-core/engine/engine_impl.h"

namespace presence {
namespace {

// What the rate allows is given out in turns of this length.
constexpr absl::Duration kTurn = absl::Milliseconds(20);
// Looks at resources in one turn of a stripe.
constexpr size_t kLooksPerTurn = 64;
// When no gateway takes anything, this long until the next attempt.
constexpr absl::Duration kLookAgain = absl::Milliseconds(200);

}  // namespace

void Engine::Impl::SettleSome() {
  if (config.settle_rate == 0) return;
  const absl::Time now = clock.Now();
  const absl::Duration each = absl::Seconds(1) / config.settle_rate;
  // What was not used is not saved up.
  settled_until = std::max(settled_until, now - std::max(each, 5 * kTurn));
  absl::Duration rest;
  auto left = static_cast<size_t>(absl::IDivDuration(now - settled_until, each, &rest));
  for (size_t i = 0; i < stripes.size() && left > 0; ++i) {
    const size_t settled = SettleSome(*stripes[next_settled++ % stripes.size()], left);
    left -= settled;
    settled_until += settled * each;
  }
}

size_t Engine::Impl::SettleSome(Stripe& stripe, size_t most) {
  size_t chosen = 0;
  for (size_t looks = 0; looks < kLooksPerTurn && chosen < most; ++looks) {
    Stripe::Unsettled look;
    {
      StripeLock lock(stripe, clock, Hold::kSettle);
      if (stripe.unsettled.empty() || stripe.unsettled.front().look_at > clock.Now()) break;
      look = stripe.unsettled.front();
      stripe.unsettled.pop_front();
      auto it = stripe.by_number.find(look.cell);
      if (it == stripe.by_number.end()) continue;
      Cell& cell = *it->second;
      cell.notify.awaits_quiet = false;
      if (look.unsettlings != cell.notify.unsettlings) {
        notifier.AwaitQuiet(stripe, cell, clock);
        continue;
      }
      const Notifier::Quiet quiet = notifier.LookForQuiet(stripe, cell, look);
      if (quiet == Notifier::Quiet::kSoFar) {
        cell.notify.awaits_quiet = true;
        stripe.unsettled.push_front(look);
      }
      // Who owes something has it looked at again when that has been told.
      if (quiet != Notifier::Quiet::kAll) continue;
    }
    Submit(stripe, look.cell, Settling(stripe, look.cell, look.unsettlings));
    ++chosen;
  }
  return chosen;
}

WorkPtr Engine::Impl::Settling(Stripe& stripe, uint32_t cell_number, uint32_t unsettlings) {
  return AndThen(
      [&stripe, cell_number, unsettlings](const DecideContext&, Effects& effects)
          ABSL_NO_THREAD_SAFETY_ANALYSIS {
            const Cell& cell = *stripe.by_number.at(cell_number);
            // Whatever came between has it looked at again.
            if (cell.notify.unsettlings == unsettlings && effects.owes_nothing()) effects.Settle();
          },
      [this, &stripe, cell_number](const absl::Status& durable) {
        if (durable.ok()) return;
        StripeLock lock(stripe, clock, Hold::kSettle);
        auto it = stripe.by_number.find(cell_number);
        if (it != stripe.by_number.end()) notifier.AwaitQuiet(stripe, *it->second, clock);
      });
}

void Engine::Impl::Resync(absl::Time when) {
  is_resyncing = true;
  const double per_turn = config.resync_rate * absl::ToDoubleSeconds(kTurn);
  const size_t most = std::max<size_t>(1, static_cast<size_t>(per_turn));
  size_t made = 0;
  size_t done = 0;  // stripes in a row with nobody left
  const size_t most_looks = 2 * most + kLooksPerTurn * stripes.size();
  for (size_t looks = 0; made < most && done < stripes.size() && looks < most_looks; ++looks) {
    Stripe& stripe = *stripes[next_resynced++ % stripes.size()];
    const std::optional<size_t> slice = ResyncSlice(stripe, most - made);
    done = slice.has_value() ? 0 : done + 1;
    made += slice.value_or(0);
    if (slice.value_or(0) > 0) SchedulePump(stripe);
  }
  if (done == stripes.size()) {
    is_resyncing = false;
    return;
  }
  const absl::Duration pause =
      made == 0 ? kLookAgain : absl::Seconds(static_cast<double>(made) / config.resync_rate);
  const absl::Time next = std::max(when + pause, clock.Now());
  executor.PostAt(next, [this, next] { Resync(next); });
}

std::optional<size_t> Engine::Impl::ResyncSlice(Stripe& stripe, size_t most) {
  StripeLock lock(stripe, clock, Hold::kResync);
  if (stripe.resync.empty()) return std::nullopt;
  const uint32_t number = stripe.resync.front();
  stripe.resync.pop_front();
  auto it = stripe.by_number.find(number);
  if (it == stripe.by_number.end()) return 0;
  const size_t made = notifier.ResyncSlice(stripe, *it->second, most, clock.Now());
  if (it->second->notify.is_resyncing) stripe.resync.push_back(number);
  return made;
}

}  // namespace presence
