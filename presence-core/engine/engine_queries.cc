#include <algorithm>
#include <map>
#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

bool IsInDomain(const ResourceKey& key, const std::string& domain) {
  return domain.empty() || key.presentity.host() == domain;
}

}  // namespace

uint64_t Engine::epoch() const { return impl_->epoch; }
const EngineConfig& Engine::config() const { return impl_->config; }
const EventRegistry& Engine::registry() const { return impl_->registry; }

absl::StatusOr<StateView> Engine::GetState(const StateQuery& query) const {
  auto package = impl_->registry.Require(query.event);
  if (!package.ok()) return package.status();
  const std::shared_ptr<const PolicySnapshot> policy = impl_->Policy();
  Stripe& stripe = impl_->StripeOf(query.key.StableHash());
  StateView view;
  StateSources sources;
  WatcherDecision decision = WatcherDecision::kNone;
  {
    StripeLock lock(stripe, impl_->clock, Hold::kRead);
    Cell* cell = impl_->Find(stripe, query.key);
    view.revision = {impl_->epoch, stripe.forgotten_seq};
    if (cell != nullptr) {
      view.revision = cell->resource.row().revision;
      sources = StateSources::Of(cell->resource);
      stripe.rows_this_hold += sources.size();
      if (query.watcher.has_value()) {
        const WatcherRecordPtr record = cell->resource.FindWatcher(*query.watcher);
        if (record != nullptr) decision = record->decision;
      }
    }
  }
  if (query.watcher.has_value()) {
    const Verdict verdict =
        policy->Authorize(query.key, query.event, *query.watcher, decision, (*package)->traits());
    if (verdict.authorization == Authorization::kBlock) {
      return WatcherBlocked(query.watcher->text(), query.key.presentity.text());
    }
    if (verdict.authorization == Authorization::kConfirm) {
      view.state = SubscriptionState::kPending;
      return view;
    }
  }
  if (query.event.is_winfo()) {
    view.document = impl_->WinfoOf(query.key, impl_->clock.Now());
    return view;
  }
  std::vector<PublicationPtr>& publications = sources.publications;
  // Documents are no publications.
  if (!query.etag.empty() || !query.contact.empty()) sources.hard_state.clear();
  std::erase_if(publications, [&](const PublicationPtr& p) {
    return (!query.etag.empty() && p->etag != query.etag) ||
           (!query.contact.empty() && !(*package)->MentionsContact(p->document, query.contact));
  });
  if (publications.empty() && !query.etag.empty()) {
    return PublicationUnknown("entity-tag " + query.etag.text());
  }
  if (publications.empty() && !query.contact.empty()) {
    return PublicationUnknown("contact " + query.contact);
  }
  view.document = impl_->ComposeState(query.key, **package, std::move(sources));
  return view;
}

Document Engine::Impl::WinfoOf(const ResourceKey& key, absl::Time now) {
  Stripe& stripe = StripeOf(key.StableHash());
  WinfoPosition position;
  const auto read = [&](size_t most, std::vector<WinfoItem>& items) {
    StripeLock lock(stripe, clock, Hold::kWinfo);
    Cell* cell = Find(stripe, key);
    if (cell == nullptr) return true;
    stripe.rows_this_hold += ReadWinfo(cell->resource, nullptr, now, most, position, items);
    return position.part == WinfoPosition::Part::kChanges;
  };
  WrittenWinfo written = WriteWinfo(WinfoDocument{key, 0, true, now, {}}, kWinfoOfOne, read);
  if (!written.is_complete) {
    ReportCut(key, CutDocument::kWinfo, written.left_over + CountRest(read));
  }
  return std::move(written.document);
}

absl::StatusOr<AuthorizationView> Engine::GetAuthorization(const ResourceKey& key,
                                                           const EventName& event,
                                                           const WatcherUri& watcher) const {
  auto package = impl_->registry.Require(event);
  if (!package.ok()) return package.status();
  WatcherRecordPtr record;
  Stripe& stripe = impl_->StripeOf(key.StableHash());
  {
    StripeLock lock(stripe, impl_->clock, Hold::kRead);
    if (Cell* cell = impl_->Find(stripe, key)) record = cell->resource.FindWatcher(watcher);
  }
  const Verdict verdict = impl_->Policy()->Authorize(
      key, event, watcher, record ? record->decision : WatcherDecision::kNone,
      (*package)->traits());
  AuthorizationView view;
  view.because = verdict.because;
  switch (verdict.authorization) {
    case Authorization::kAllow:
      view.state = SubscriptionState::kActive;
      break;
    case Authorization::kBlock:
      view.state = SubscriptionState::kTerminated;
      break;
    case Authorization::kConfirm:
      view.state = record && record->is_waiting() ? SubscriptionState::kWaiting
                                                  : SubscriptionState::kPending;
      break;
  }
  return view;
}

uint32_t Engine::CountSubscribers(const ResourceKey& key) const {
  Stripe& stripe = impl_->StripeOf(key.StableHash());
  const absl::Time now = impl_->clock.Now();
  uint32_t count = 0;
  uint64_t from = 0;
  do {
    StripeLock lock(stripe, impl_->clock, Hold::kRead);
    Cell* cell = impl_->Find(stripe, key);
    if (cell == nullptr) return count;
    const auto& rows = cell->resource.subscriptions();
    auto it = rows.lower_bound(from);
    size_t seen = 0;
    for (; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
      const Subscription& row = *it->second;
      count += row.is_live() && !row.event.is_winfo() && row.expires_at > now ? 1 : 0;
    }
    stripe.rows_this_hold += seen;
    from = it == rows.end() ? 0 : it->first;
  } while (from != 0);
  return count;
}

namespace {

// The resources of all stripes from `after` on, in one order, a few at a time: each stripe is
// sorted, and the merge keeps one batch of each.
class KeyWalk {
 public:
  using Fetch = absl::FunctionRef<std::vector<ResourceKey>(
      size_t stripe, const std::optional<ResourceKey>& after)>;
  KeyWalk(size_t stripes, std::optional<ResourceKey> after) : batches_(stripes) {
    for (Batch& batch : batches_) batch.after = after;
  }

  std::optional<ResourceKey> Next(Fetch fetch) {
    Batch* smallest = nullptr;
    for (size_t i = 0; i < batches_.size(); ++i) {
      Batch& batch = batches_[i];
      if (batch.next == batch.keys.size() && !batch.is_exhausted) {
        batch.keys = fetch(i, batch.after);
        batch.next = 0;
        batch.is_exhausted = batch.keys.empty();
        if (!batch.keys.empty()) batch.after = batch.keys.back();
      }
      if (batch.is_exhausted) continue;
      if (smallest == nullptr || batch.keys[batch.next] < smallest->keys[smallest->next]) {
        smallest = &batch;
      }
    }
    if (smallest == nullptr) return std::nullopt;
    return smallest->keys[smallest->next++];
  }

 private:
  struct Batch {
    std::vector<ResourceKey> keys;
    size_t next = 0;
    std::optional<ResourceKey> after;
    bool is_exhausted = false;
  };
  std::vector<Batch> batches_;
};

constexpr size_t kKeysPerBatch = 64;

// Calls `visit(key, from_row)` for the resources of a list in order until it returns false.
template <typename Visit>
void WalkResources(const std::optional<PresentityUri>& presentity, const std::string& event,
                   const std::optional<Cursor>& after, size_t stripes, KeyWalk::Fetch fetch,
                   Visit visit) {
  // The resource of the cursor itself comes first: it may have rows left.
  if (after.has_value() && !visit(after->key, after->row)) return;
  std::optional<ResourceKey> start;
  if (after.has_value()) {
    start = after->key;
  } else if (presentity.has_value()) {
    start = ResourceKey{*presentity, EventName()};  // sorts before every event of the presentity
  }
  KeyWalk walk(stripes, start);
  while (std::optional<ResourceKey> key = walk.Next(fetch)) {
    if (presentity.has_value() && key->presentity != *presentity) return;
    if (!event.empty() && key->event.text() != event) continue;
    if (!visit(*key, 0)) return;
  }
}

}  // namespace

Page<PublicationView> Engine::ListPublications(const PublicationFilter& filter) const {
  Page<PublicationView> page;
  const absl::Time now = impl_->clock.Now();
  const auto fetch = [this](size_t i, const std::optional<ResourceKey>& after) {
    return impl_->KeysFrom(*impl_->stripes[i], after, kKeysPerBatch);
  };
  WalkResources(
      filter.presentity, filter.event, filter.after, impl_->stripes.size(), fetch,
      [&](const ResourceKey& key, uint64_t from) {
        if (!IsInDomain(key, filter.domain)) return true;
        Stripe& stripe = impl_->StripeOf(key.StableHash());
        StripeLock lock(stripe, impl_->clock, Hold::kList);
        Cell* cell = impl_->Find(stripe, key);
        if (cell == nullptr) return true;
        stripe.rows_this_hold += cell->resource.publications().size();
        for (const PublicationPtr& row : cell->resource.publications()) {
          if (row->id <= from || row->expires_at <= now) continue;
          if (page.rows.size() == filter.limit) {
            page.next = Cursor{page.rows.back().key, page.rows.back().publication->id, ""};
            return false;
          }
          page.rows.push_back({key, row});
        }
        return true;
      });
  return page;
}

Page<DocumentView> Engine::ListDocuments(const DocumentFilter& filter) const {
  Page<DocumentView> page;
  const auto is_listed = [&](const ResourceKey& key, const DocumentName& name) {
    const std::optional<Cursor>& after = filter.after;
    return !after.has_value() || key != after->key ||
           name > DocumentName{static_cast<DocumentKind>(after->row), after->name};
  };
  const auto fetch = [this](size_t i, const std::optional<ResourceKey>& after) {
    return impl_->KeysFrom(*impl_->stripes[i], after, kKeysPerBatch);
  };
  WalkResources(filter.owner, "", filter.after, impl_->stripes.size(), fetch,
                [&](const ResourceKey& key, uint64_t) {
                  if (!IsInDomain(key, filter.domain)) return true;
                  Stripe& stripe = impl_->StripeOf(key.StableHash());
                  StripeLock lock(stripe, impl_->clock, Hold::kList);
                  Cell* cell = impl_->Find(stripe, key);
                  if (cell == nullptr) return true;
                  stripe.rows_this_hold += cell->resource.documents().size();
                  for (const StoredDocumentPtr& row : cell->resource.documents()) {
                    if (!is_listed(key, row->name)) continue;
                    if (page.rows.size() == filter.limit) {
                      const DocumentView& last = page.rows.back();
                      page.next = Cursor{{last.owner, key.event},
                                         static_cast<uint64_t>(last.document->name.kind),
                                         last.document->name.name};
                      return false;
                    }
                    page.rows.push_back({key.presentity, row});
                  }
                  return true;
                });
  return page;
}

Page<SubscriptionView> Engine::ListSubscriptions(const SubscriptionFilter& filter) const {
  Page<SubscriptionView> page;
  const auto is_wanted = [&](const Subscription& row) {
    return row.is_live() && (filter.event.empty() || row.event.text() == filter.event) &&
           (!filter.watcher.has_value() || row.is_of(*filter.watcher)) &&
           (!filter.state.has_value() || row.state == *filter.state);
  };
  std::string base_event = filter.event;
  if (auto name = EventName::Parse(filter.event); name.ok()) base_event = name->base().text();
  const auto fetch = [this](size_t i, const std::optional<ResourceKey>& after) {
    return impl_->KeysFrom(*impl_->stripes[i], after, kKeysPerBatch);
  };
  WalkResources(
      filter.presentity, base_event, filter.after, impl_->stripes.size(), fetch,
      [&](const ResourceKey& key, uint64_t from) {
        if (!IsInDomain(key, filter.domain)) return true;
        Stripe& stripe = impl_->StripeOf(key.StableHash());
        for (;;) {
          StripeLock lock(stripe, impl_->clock, Hold::kList);
          Cell* cell = impl_->Find(stripe, key);
          if (cell == nullptr) return true;
          const auto& rows = cell->resource.subscriptions();
          auto it = rows.upper_bound(from);
          size_t seen = 0;
          for (; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
            from = it->first;
            if (!is_wanted(*it->second)) continue;
            if (page.rows.size() == filter.limit) {
              page.next = Cursor{page.rows.back().key, page.rows.back().subscription->ordinal, ""};
              return false;
            }
            const NotifySlot& slot = cell->notify.slots.at(it->first);
            page.rows.push_back({key,
                                 it->second,
                                 slot.cseq,
                                 {impl_->epoch, slot.notified_seq},
                                 slot.in_flight != 0});
          }
          stripe.rows_this_hold += seen;
          if (it == rows.end()) return true;
        }
      });
  return page;
}

namespace {

using WatcherViews = std::map<std::string, WatcherView>;

void AddRecord(const WatcherFilter& filter, const WatcherRecord& record, WatcherViews& watchers) {
  WatcherView& view = watchers[record.watcher.text()];
  view = {record.watcher, filter.key.event, SubscriptionState::kWaiting, 0, record.decision};
  if (record.decision == WatcherDecision::kBlock) view.state = SubscriptionState::kTerminated;
  if (record.decision == WatcherDecision::kAllow) view.state = SubscriptionState::kActive;
}

void AddSubscription(const WatcherFilter& filter, const Subscription& row, WatcherViews& watchers) {
  if (!row.is_live() || row.event.is_winfo()) return;
  if (filter.watcher.has_value() && !row.is_of(*filter.watcher)) return;
  // Whoever is asked for by the other URI is listed by it, beside the decision about it.
  const WatcherUri& name = filter.watcher.has_value() ? *filter.watcher : row.watcher;
  WatcherView& view = watchers[name.text()];
  const bool is_known = view.subscriptions > 0;
  view.watcher = name;
  view.event = filter.key.event;
  view.state = is_known ? std::min(view.state, row.state) : row.state;
  ++view.subscriptions;
}

}  // namespace

Page<WatcherView> Engine::ListWatchers(const WatcherFilter& filter) const {
  WatcherViews watchers;
  Stripe& stripe = impl_->StripeOf(filter.key.StableHash());
  // Both in slices: first what is remembered of watchers, then who subscribes.
  std::optional<WatcherUri> after;
  bool is_complete = false;
  while (!is_complete) {
    StripeLock lock(stripe, impl_->clock, Hold::kList);
    Cell* cell = impl_->Find(stripe, filter.key);
    if (cell == nullptr) break;
    if (filter.watcher.has_value()) {
      const WatcherRecordPtr record = cell->resource.FindWatcher(*filter.watcher);
      if (record != nullptr) AddRecord(filter, *record, watchers);
      break;
    }
    const auto& records = cell->resource.watchers();
    auto it = after.has_value() ? records.upper_bound(*after) : records.begin();
    size_t seen = 0;
    for (; it != records.end() && seen < kRowsPerSlice; ++it, ++seen) {
      AddRecord(filter, *it->second, watchers);
      after = it->first;
    }
    stripe.rows_this_hold += seen;
    is_complete = it == records.end();
  }
  uint64_t from = 0;
  do {
    StripeLock lock(stripe, impl_->clock, Hold::kList);
    Cell* cell = impl_->Find(stripe, filter.key);
    if (cell == nullptr) break;
    const auto& rows = cell->resource.subscriptions();
    auto it = rows.lower_bound(from);
    size_t seen = 0;
    for (; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
      AddSubscription(filter, *it->second, watchers);
    }
    stripe.rows_this_hold += seen;
    from = it == rows.end() ? 0 : it->first;
  } while (from != 0);

  Page<WatcherView> page;
  auto it = filter.after.has_value() ? watchers.upper_bound(filter.after->name) : watchers.begin();
  for (; it != watchers.end(); ++it) {
    if (filter.state.has_value() && it->second.state != *filter.state) continue;
    if (page.rows.size() == filter.limit) {
      page.next = Cursor{filter.key, 0, page.rows.back().watcher.text()};
      break;
    }
    page.rows.push_back(it->second);
  }
  return page;
}

Page<WatcherRecordView> Engine::ListWatcherRecords(const WatcherRecordFilter& filter) const {
  Page<WatcherRecordView> page;
  // Within the resource of the cursor by watcher, not by ordinal.
  std::optional<WatcherUri> after;
  if (filter.after.has_value()) after = WatcherUri::FromText(filter.after->name);
  const auto fetch = [this](size_t i, const std::optional<ResourceKey>& start) {
    return impl_->KeysFrom(*impl_->stripes[i], start, kKeysPerBatch);
  };
  WalkResources(std::nullopt, "", filter.after, impl_->stripes.size(), fetch,
                [&](const ResourceKey& key, uint64_t) {
                  std::optional<WatcherUri> from = std::exchange(after, std::nullopt);
                  if (!IsInDomain(key, filter.domain)) return true;
                  Stripe& stripe = impl_->StripeOf(key.StableHash());
                  for (;;) {
                    StripeLock lock(stripe, impl_->clock, Hold::kList);
                    Cell* cell = impl_->Find(stripe, key);
                    if (cell == nullptr) return true;
                    const auto& records = cell->resource.watchers();
                    auto it = from.has_value() ? records.upper_bound(*from) : records.begin();
                    size_t seen = 0;
                    for (; it != records.end() && seen < kRowsPerSlice; ++it, ++seen) {
                      if (page.rows.size() == filter.limit) {
                        const WatcherRecordView& last = page.rows.back();
                        page.next = Cursor{last.key, 0, last.record->watcher.text()};
                        return false;
                      }
                      from = it->first;
                      page.rows.push_back({key, it->second});
                    }
                    stripe.rows_this_hold += seen;
                    if (it == records.end()) return true;
                  }
                });
  return page;
}

EngineCounters Engine::counters() const {
  EngineCounters sum;
  for (auto& stripe : impl_->stripes) {
    StripeLock lock(*stripe, impl_->clock, Hold::kRead);
    sum.publishes += stripe->publishes;
    sum.subscribes += stripe->subscribes;
    sum.instructions += stripe->instructions;
    sum.notify_failures += stripe->notify_failures;
    sum.coalesced += stripe->coalesced;
    sum.resynced += stripe->resynced;
    sum.moved += stripe->moved;
    sum.settled += stripe->settled;
    sum.resync_resources_now += stripe->resync.size();
    sum.expired_publications += stripe->expired_publications;
    sum.expired_subscriptions += stripe->expired_subscriptions;
    sum.resources_now += stripe->cells.size();
    sum.publications_now += stripe->publications;
    sum.subscriptions_now += stripe->subscriptions;
    for (size_t i = 0; i < kHoldKinds; ++i) sum.lock_holds[i].Add(stripe->holds[i]);
  }
  return sum;
}

}  // namespace presence
