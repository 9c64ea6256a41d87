#include <algorithm>
#include <iterator>
#include <utility>

#include "presence-core/engine/engine_impl.h"

namespace presence {
namespace {

constexpr absl::Duration kAskAgain = absl::Seconds(1);
constexpr absl::Duration kTick = absl::Milliseconds(20);

}  // namespace

absl::StatusOr<Engine::Loaded> Engine::Start(absl::FunctionRef<void(const Loaded&)> progress) {
  absl::StatusOr<Loaded> loaded = impl_->LoadAll(progress);
  if (!loaded.ok()) return loaded;
  for (auto& stripe : impl_->stripes) impl_->SchedulePump(*stripe);
  const absl::Time now = impl_->clock.Now();
  impl_->settled_until = now;
  impl_->ScheduleTick(now + kTick);
  if (loaded->to_resync > 0) {
    impl_->executor.PostAt(now, [impl = impl_.get(), now] { impl->Resync(now); });
  }
  return loaded;
}

void Engine::Impl::ScheduleTick(absl::Time when) {
  executor.PostAt(when, [this] {
    bool has_more = false;
    for (auto& stripe : stripes) has_more |= Tick(*stripe);
    std::vector<LinkTable::Waiting> given_up = links.GiveUpFlows(clock.Now(), kRowsPerSlice);
    has_more |= given_up.size() == kRowsPerSlice;
    Wake(LinkTable::kNone, std::move(given_up));
    SettleSome();
    // A million alarms of one second are rung in turn with what else the executor has to do.
    ScheduleTick(clock.Now() + (has_more ? absl::ZeroDuration() : kTick));
  });
}

bool Engine::Impl::Tick(Stripe& stripe) {
  std::vector<AlarmTarget> due;
  size_t touched = 0;
  {
    StripeLock lock(stripe, clock, Hold::kAlarm);
    touched = stripe.wheel.AdvanceSome(clock.Now(), due, kRowsPerSlice);
    stripe.rows_this_hold += touched;
  }
  std::vector<uint32_t> unfinished;
  for (size_t next = 0; next < due.size();) {
    std::vector<WorkPtr> decided;
    {
      StripeLock lock(stripe, clock, Hold::kAlarm);
      while (next < due.size() && stripe.rows_this_hold < kRowsPerSlice) {
        const std::optional<uint32_t> cell = Ring(stripe, due[next++], decided);
        if (cell.has_value()) unfinished.push_back(*cell);
      }
    }
    for (const WorkPtr& work : decided) work->Answer(absl::OkStatus());
  }
  for (uint32_t cell : unfinished) Drain(stripe, cell);
  SchedulePump(stripe);
  return touched == kRowsPerSlice;
}

void Engine::Impl::RingAgain(Stripe& stripe, const AlarmTarget& target) {
  StripeLock lock(stripe, clock, Hold::kAlarm);
  // Void, as any alarm, when its row has gone or moved meanwhile.
  stripe.wheel.Set(clock.Now() + kAskAgain, target);
}

std::optional<uint32_t> Engine::Impl::Ring(Stripe& stripe, const AlarmTarget& target,
                                           std::vector<WorkPtr>& decided) {
  ++stripe.rows_this_hold;
  auto it = stripe.by_number.find(target.cell);
  if (it == stripe.by_number.end()) return std::nullopt;
  Cell& cell = *it->second;
  if (target.alarm == Alarm::kNotify) {
    notifier.OnAlarm(stripe, cell, target.ordinal);
    return std::nullopt;
  }
  cell.row_timers.erase({target.alarm, target.ordinal});
  WorkPtr work = WorkOf(stripe, cell, target);
  if (work == nullptr && target.alarm != Alarm::kLook) return std::nullopt;
  if (work != nullptr) cell.inbox.push_back(std::move(work));
  // With what waited there before.
  std::vector<WorkPtr> first;
  const std::optional<uint32_t> unfinished = DrainInbox(stripe, cell, first);
  std::move(first.begin(), first.end(), std::back_inserter(decided));
  return unfinished;
}

WorkPtr Engine::Impl::WorkOf(Stripe& stripe, Cell& cell, const AlarmTarget& target) {
  const Resource& resource = cell.resource;
  switch (target.alarm) {
    case Alarm::kNotify:
    case Alarm::kLook:
      return nullptr;
    case Alarm::kPublication:
      return Insisting(
          stripe, target,
          [id = target.ordinal, &stripe](const DecideContext& context, Effects& effects)
              ABSL_NO_THREAD_SAFETY_ANALYSIS {
                if (DecideExpirePublication(context, id, effects)) ++stripe.expired_publications;
              });
    case Alarm::kSubscription: {
      auto row = resource.subscriptions().find(target.ordinal);
      if (row == resource.subscriptions().end()) return nullptr;
      return Insisting(
          stripe, target,
          [id = row->second->id, &stripe](const DecideContext& context, Effects& effects)
              ABSL_NO_THREAD_SAFETY_ANALYSIS {
                if (DecideExpireSubscription(context, id, effects)) ++stripe.expired_subscriptions;
              });
    }
    case Alarm::kWaiting: {
      auto record = resource.waiting().find(target.ordinal);
      if (record == resource.waiting().end()) return nullptr;
      return Insisting(
          stripe, target,
          [uri = record->second->watcher](const DecideContext& context, Effects& effects) {
            DecideExpireWaiting(context, uri, effects);
          });
    }
    case Alarm::kAnswers:
      return ExpireAnswers(stripe, cell, target);
  }
  return nullptr;
}

WorkPtr Engine::Impl::ExpireAnswers(Stripe& stripe, Cell& cell, const AlarmTarget& target) {
  const auto& answers = cell.resource.answers_by_time();
  stripe.wheel.Cancel(cell.answers_timer);  // where this is not it but one that rings again
  cell.answers_timer = kNoTimer;
  if (answers.empty()) return nullptr;
  // Set again at once: the journal may not take what is decided now, and a slice may not be all.
  const absl::Time first = answers.begin()->first;
  cell.answers_timer = stripe.wheel.Set(std::max(first, clock.Now() + kAnswersPause), target);
  if (first > clock.Now()) return nullptr;
  return Quietly([](const DecideContext& context, Effects& effects) {
    AnswerPosition position = kFirstAnswer;
    DecideExpireAnswers(context, position, effects);
  });
}

}  // namespace presence
