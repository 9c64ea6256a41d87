#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// A native watcher that could not be forgotten is tried again after so long.
constexpr absl::Duration kForgetAgain = absl::Seconds(1);

ResourceKey KeyOf(const PresentityUri& presentity, const EventName& event) {
  return {presentity, event.base()};
}

}  // namespace

void Engine::Publish(PublishCommand command, Done<PublishOutcome> done) {
  if (command.event.is_winfo()) {
    // Watcher information follows from subscriptions; nobody publishes it (RFC 3857 §4.8).
    done(UnknownEvent(command.event.text(), ""));
    return;
  }
  auto package = impl_->registry.Require(command.event);
  if (!package.ok()) {
    done(package.status());
    return;
  }
  const ResourceKey key = KeyOf(command.presentity, command.event);
  // The decision answers with it in its turn.
  absl::Status check;
  if (command.document.has_value()) {
    check = CheckDocument(impl_->config, **package, command.presentity, *command.document);
  }
  Stripe& stripe = impl_->StripeOf(key.StableHash());
  impl_->Submit(
      key, Impl::Answering<PublishOutcome>(
               [command = std::move(command), check = std::move(check), &stripe](
                   const DecideContext& context, Effects& effects) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                 ++stripe.publishes;
                 return DecidePublish(context, command, check, effects);
               },
               std::move(done)));
}

void Engine::Subscribe(SubscribeCommand command, Done<SubscribeOutcome> done) {
  if (command.local_tag.empty()) {
    if (auto package = impl_->registry.Require(command.event); !package.ok()) {
      done(package.status());
      return;
    }
    const ResourceKey key = KeyOf(command.presentity, command.event);
    Stripe& stripe = impl_->StripeOf(key.StableHash());
    impl_->Submit(key, Impl::Answering<SubscribeOutcome>(
                           [command = std::move(command), &stripe](const DecideContext& context,
                                                                   Effects& effects)
                               ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                 ++stripe.subscribes;
                                 return DecideSubscribe(context, command, effects);
                               },
                           std::move(done)));
    return;
  }
  // In a dialog the tag says which resource is meant, whatever the request calls it.
  const std::string text = impl_->IdNamedBy(command);
  auto found = [this, command = std::move(command), done = std::move(done)](
                   absl::StatusOr<ResourceKey> key, const LocalTag& id) mutable {
    if (!key.ok()) return done(key.status());
    impl_->Submit(*key, Impl::Answering<SubscribeOutcome>(
                            [command = std::move(command), id](const DecideContext& context,
                                                               Effects& effects) {
                              return DecideInDialog(context, id, command, effects);
                            },
                            std::move(done)));
  };
  impl_->FindDialog(text, std::move(found));
}

std::string Engine::Impl::IdNamedBy(const SubscribeCommand& command) const {
  const DialogParts& dialog = command.dialog;
  // A foreign tag may look like ours, so a dialog that was taken over comes first.
  const std::optional<LocalTag> adopted =
      aliases.Find(dialog.call_id, command.local_tag, dialog.remote_tag);
  if (adopted.has_value()) return adopted->text();
  if (!journal.is_shared() || LocalTag::Parse(command.local_tag).has_value()) {
    return command.local_tag;
  }
  // Another core may have taken it over: the id follows from the dialog's own and the resource,
  // which the To header names as a rule.
  const auto presentity = PresentityUri::Parse(dialog.local_uri, config.addresses);
  if (!presentity.ok()) return command.local_tag;
  const ResourceKey key{*presentity, command.event.base()};
  return LocalTag::Adopt(key.StableHash(),
                         DialogAliases::KeyOf(dialog.call_id, command.local_tag, dialog.remote_tag))
      .text();
}

void Engine::Impl::FindDialog(const std::string& text, DialogFound found) {
  const std::optional<LocalTag> tag = LocalTag::Parse(text);
  if (!tag.has_value()) return found(SubscriptionUnknown(text), {});
  std::optional<ResourceKey> key;
  Stripe& stripe = StripeOf(tag->resource_hash());
  {
    StripeLock lock(stripe, clock, Hold::kRead);
    if (Cell* cell = FindByTag(stripe, *tag)) {
      key = cell->resource.key();
    } else if (auto it = stripe.by_hash.find(tag->resource_hash()); it != stripe.by_hash.end()) {
      // The dialog has gone, but its end may still be remembered for a repeated request.
      key = it->second.front()->resource.key();
    }
  }
  if (key.has_value()) return found(*key, *tag);
  if (!journal.is_shared()) return found(SubscriptionUnknown(text), *tag);
  journal.Find(*tag, [text, id = *tag, found = std::move(found)](auto stored) mutable {
    if (!stored.ok()) return found(stored.status(), id);
    if (!stored->has_value()) return found(SubscriptionUnknown(text), id);
    found(**stored, id);
  });
}

void Engine::Watch(WatchCommand command, Done<WatchOutcome> done) {
  if (auto package = impl_->registry.Require(command.event); !package.ok()) {
    done(package.status());
    return;
  }
  const ResourceKey key = KeyOf(command.presentity, command.event);
  impl_->Submit(key,
                Impl::Answering<WatchOutcome>(
                    [command = std::move(command)](const DecideContext& context, Effects& effects) {
                      return DecideWatch(context, command, effects);
                    },
                    std::move(done)));
}

void Engine::EndSubscription(std::string_view id, TerminationReason reason, Done<bool> done) {
  auto found = [this, reason, done = std::move(done)](absl::StatusOr<ResourceKey> key,
                                                      const LocalTag& tag) mutable {
    if (!key.ok()) return done(key.status());
    impl_->Submit(*key, Impl::Answering<bool>(
                            [tag, reason](const DecideContext& context,
                                          Effects& effects) -> absl::StatusOr<bool> {
                              absl::Status status = DecideEnd(context, tag, reason, effects);
                              if (!status.ok()) return status;
                              return true;
                            },
                            std::move(done)));
  };
  impl_->FindDialog(std::string(id), std::move(found));
}

void Engine::ForgetWatch(LocalTag id) {
  Stripe& stripe = impl_->StripeOf(id.resource_hash());
  uint32_t number = 0;
  {
    StripeLock lock(stripe, impl_->clock, Hold::kRead);
    Cell* cell = impl_->FindByTag(stripe, id);
    if (cell == nullptr) return;
    number = cell->number;
  }
  // Nobody else would ask: a watcher who is pending leaves a row behind, and when the journal does
  // not take that, the watcher would stay for ever.
  impl_->Submit(stripe, number,
                Impl::AndThen([id](const DecideContext& context,
                                   Effects& effects) { DecideRemove(context, id, effects); },
                              [this, id](const absl::Status& durable) {
                                if (durable.ok()) return;
                                impl_->executor.PostAt(impl_->clock.Now() + kForgetAgain,
                                                       [this, id] { ForgetWatch(id); });
                              }));
}

// --- Watchers.

void Engine::Impl::ReauthorizeFrom(uint64_t ordinal, std::shared_ptr<Reauthorization> sweep) {
  struct Slice {
    uint64_t next = 0;
    RefreshOutcome outcome;
  };
  auto slice = std::make_shared<Slice>();
  Submit(sweep->key, Answering<bool>(
                         [sweep, ordinal, slice](const DecideContext& context,
                                                 Effects& effects) -> absl::StatusOr<bool> {
                           slice->outcome = {};
                           slice->next = DecideReauthorize(context, ordinal,
                                                           sweep->only ? &*sweep->only : nullptr,
                                                           effects, slice->outcome);
                           return true;
                         },
                         [this, sweep, slice](const absl::StatusOr<bool>& durable) {
                           if (!durable.ok()) {
                             sweep->done(durable.status());
                             return;
                           }
                           sweep->outcome.examined += slice->outcome.examined;
                           sweep->outcome.notified += slice->outcome.notified;
                           sweep->outcome.terminated += slice->outcome.terminated;
                           if (slice->next != 0) {
                             ReauthorizeFrom(slice->next, sweep);
                           } else {
                             sweep->done(sweep->outcome);
                           }
                         }));
}

void Engine::Reauthorize(const ResourceKey& key, Done<RefreshOutcome> done) {
  impl_->ReauthorizeFrom(0, std::make_shared<Impl::Reauthorization>(
                                Impl::Reauthorization{key, std::nullopt, {}, std::move(done)}));
}

void Engine::DecideWatcher(DecideWatcherCommand command, Done<RefreshOutcome> done) {
  auto package = impl_->registry.Require(command.event);
  if (!package.ok()) {
    done(package.status());
    return;
  }
  const ResourceKey key = KeyOf(command.presentity, command.event);
  // Where others serve, who asks again may ask another, and that knows nothing of the native
  // watchers here: these are brought in line whatever becomes of the answer.
  auto told = [impl = impl_.get(), key, watcher = command.watcher,
               done = std::move(done)](absl::StatusOr<RefreshOutcome> outcome) mutable {
    if (!outcome.ok() && impl->journal.is_shared()) impl->RealignSoon(key, watcher);
    done(std::move(outcome));
  };
  auto sweep = std::make_shared<Impl::Reauthorization>(
      Impl::Reauthorization{key, command.watcher, {}, std::move(told)});
  // First the decision, then the subscriptions: one that comes in between already obeys it.
  impl_->Submit(key, Impl::Answering<bool>(
                         [command = std::move(command)](const DecideContext& context,
                                                        Effects& effects) -> absl::StatusOr<bool> {
                           absl::Status status = DecideAboutWatcher(context, command, effects);
                           if (!status.ok()) return status;
                           return true;
                         },
                         [this, sweep](const absl::StatusOr<bool>& decided) {
                           if (decided.ok()) {
                             impl_->ReauthorizeFrom(0, sweep);
                           } else {
                             sweep->done(decided.status());
                           }
                         }));
}

// --- Cleanup.

namespace {

// How far the cleaning of one resource has come.
struct CleanPosition {
  bool is_begun = false;
  uint64_t subscription = 0;  // to go on from
  uint64_t waiting = 0;
  AnswerPosition answer = kFirstAnswer;
  bool is_complete = false;
};

// Passes over the rows of `rows` from `position` on while there is room in the slice; true when it
// has come to the end.
template <typename Rows, typename Visit>
bool PassOver(const Rows& rows, uint64_t& position, size_t& room, Visit visit) {
  auto it = rows.lower_bound(position);
  for (; it != rows.end() && room > 0; ++it, --room) visit(*it->second);
  position = it == rows.end() ? UINT64_MAX : it->first;
  return it == rows.end();
}

// One slice of a resource, from `position` on.
void CleanSlice(const DecideContext& context, const CleanupScope& scope, Effects& effects,
                CleanPosition& position, CleanupOutcome& outcome) {
  if (!std::exchange(position.is_begun, true)) {
    for (const PublicationPtr& row : effects.Publications()) {
      if (!scope.publications) break;
      effects.CountRows(1);
      outcome.publications += DecideExpirePublication(context, row->id, effects) ? 1 : 0;
    }
  }
  size_t room = kRowsPerSlice;
  bool is_complete = true;
  if (scope.subscriptions) {
    const auto expire = [&](const Subscription& row) {
      if (!row.is_live()) return;
      outcome.subscriptions += DecideExpireSubscription(context, row.id, effects) ? 1 : 0;
    };
    is_complete = PassOver(effects.base().subscriptions(), position.subscription, room, expire);
  }
  if (scope.waiting_watchers && is_complete) {
    const auto expire = [&](const WatcherRecord& record) {
      outcome.waiting_watchers += DecideExpireWaiting(context, record.watcher, effects) ? 1 : 0;
    };
    is_complete = PassOver(effects.base().waiting(), position.waiting, room, expire);
  }
  effects.CountRows(kRowsPerSlice - room);
  // In a slice of their own where anything came before.
  if (scope.answers && is_complete && position.answer.first != absl::InfiniteFuture()) {
    is_complete = false;
    if (room == kRowsPerSlice) {
      outcome.answers += DecideExpireAnswers(context, position.answer, effects);
      is_complete = position.answer.first == absl::InfiniteFuture();
    }
  }
  position.is_complete = is_complete;
}

}  // namespace

struct Engine::Impl::CleanupSweep {
  CleanupScope scope;
  size_t stripe = 0;
  std::optional<ResourceKey> after;
  std::vector<ResourceKey> keys;
  size_t next_key = 0;
  CleanPosition position;  // in that resource
  CleanupOutcome outcome;
  Engine::Done<CleanupOutcome> done;
};

std::vector<ResourceKey> Engine::Impl::KeysFrom(Stripe& stripe,
                                                const std::optional<ResourceKey>& after,
                                                size_t limit) {
  std::vector<ResourceKey> keys;
  StripeLock lock(stripe, clock, Hold::kList);
  auto it = after.has_value() ? stripe.cells.upper_bound(*after) : stripe.cells.begin();
  for (; it != stripe.cells.end() && keys.size() < limit; ++it) keys.push_back(it->first);
  stripe.rows_this_hold += keys.size();
  return keys;
}

void Engine::Impl::CleanupNext(std::shared_ptr<CleanupSweep> sweep) {
  while (sweep->next_key == sweep->keys.size()) {
    if (sweep->stripe == stripes.size()) {
      sweep->done(sweep->outcome);
      return;
    }
    sweep->keys = KeysFrom(*stripes[sweep->stripe], sweep->after, kRowsPerSlice);
    sweep->next_key = 0;
    sweep->after.reset();
    if (sweep->keys.empty()) {
      ++sweep->stripe;
    } else {
      sweep->after = sweep->keys.back();
    }
  }
  struct Slice {
    CleanPosition position;
    CleanupOutcome outcome;
  };
  auto slice = std::make_shared<Slice>();
  Submit(
      sweep->keys[sweep->next_key],
      Answering<bool>(
          [sweep, slice](const DecideContext& context, Effects& effects) -> absl::StatusOr<bool> {
            *slice = {sweep->position, sweep->outcome};
            Effects scratch(effects.base());
            CleanSlice(context, sweep->scope, sweep->scope.dry_run ? scratch : effects,
                       slice->position, slice->outcome);
            if (sweep->scope.dry_run) effects.CountRows(scratch.weight());
            return true;
          },
          [this, sweep, slice](const absl::StatusOr<bool>& durable) {
            if (!durable.ok()) {
              sweep->done(durable.status());
              return;
            }
            sweep->position = slice->position;
            sweep->outcome = slice->outcome;
            if (sweep->position.is_complete) {
              ++sweep->next_key;
              sweep->position = {};
            }
            // By way of the executor: a sweep over a million resources must not nest a million
            // calls.
            executor.Post([this, sweep] { CleanupNext(sweep); });
          }));
}

void Engine::Cleanup(CleanupScope scope, Done<CleanupOutcome> done) {
  auto sweep = std::make_shared<Impl::CleanupSweep>();
  sweep->scope = scope;
  sweep->done = std::move(done);
  impl_->CleanupNext(std::move(sweep));
}

}  // namespace presence
