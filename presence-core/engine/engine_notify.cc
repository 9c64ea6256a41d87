#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "presence-core/engine/engine_impl.h"

namespace presence {
namespace {

// One task of the executor takes so many slices, or so many instructions, before it lets others
// have their turn: commands of other resources wait behind one slice of a busy one, not behind
// many.
constexpr int kSlicesPerTask = 16;
constexpr size_t kInstructionsPerTask = 256;

}  // namespace

void SortForComposition(CompositionOrder order, std::vector<PublicationPtr>& publications) {
  const auto stronger = [order](const PublicationPtr& a, const PublicationPtr& b) {
    if (order != CompositionOrder::kReceived && a->priority != b->priority) {
      return a->priority > b->priority;
    }
    if (order != CompositionOrder::kPriority && a->received_at != b->received_at) {
      return a->received_at > b->received_at;
    }
    return a->id > b->id;
  };
  std::sort(publications.begin(), publications.end(), stronger);
}

std::optional<Document> Engine::Impl::ComposeState(const ResourceKey& key,
                                                   const EventPackage& package,
                                                   StateSources sources) const {
  std::vector<PublicationPtr>& publications = sources.publications;
  // With expiry swept by hand what has expired still stands there, but says nothing any more.
  if (config.sweep_interval == absl::ZeroDuration()) {
    const absl::Time now = clock.Now();
    std::erase_if(publications, [now](const PublicationPtr& p) { return p->expires_at <= now; });
  }
  SortForComposition(config.composition_order, publications);
  for (const StoredDocumentPtr& document : sources.hard_state) {
    auto beneath = std::make_shared<Publication>();
    beneath->document = document->document;
    publications.push_back(std::move(beneath));
  }
  if (publications.empty()) return package.NeutralState(key.presentity);
  // One is the state, byte for byte.
  if (publications.size() == 1) return publications.front()->document;
  EventPackage::Composed composed = package.Compose(key.presentity, publications);
  if (composed.left_out > 0) ReportCut(key, CutDocument::kState, composed.left_out);
  return std::move(composed.document);
}

void Engine::Impl::ReportCut(const ResourceKey& key, CutDocument of, size_t left_out) const {
  if (cuts != nullptr) cuts->OnCut(key, of, left_out);
}

Engine::Impl::WrittenWinfo Engine::Impl::WriteWinfo(WinfoDocument document,
                                                    const WinfoLimits& limits,
                                                    ReadWinfoSlice read) const {
  std::vector<WinfoItem> items;
  bool is_complete = false;
  while (!is_complete && items.size() < limits.watchers) is_complete = read(limits.watchers, items);
  for (WinfoItem& item : items) document.watchers.push_back(std::move(item.entry));
  WinfoFormat::Written written = registry.winfo_format().Write(document, limits.bytes);
  WrittenWinfo result{std::move(written.document), std::nullopt, is_complete, 0};
  if (written.watchers == items.size()) return result;
  result.go_on = items[written.watchers].before;
  result.is_complete = false;
  result.left_over = items.size() - written.watchers;
  return result;
}

void Engine::Impl::SchedulePump(Stripe& stripe) {
  {
    StripeLock lock(stripe, clock, Hold::kSchedule);
    if (stripe.is_pumping || stripe.queue.empty()) return;
    stripe.is_pumping = true;
  }
  NotifierOf(stripe).Post([this, &stripe] { Pump(stripe); });
}

void Engine::Impl::Pump(Stripe& stripe) {
  size_t instructions = 0;
  for (int i = 0; i < kSlicesPerTask && instructions < kInstructionsPerTask; ++i) {
    const std::optional<size_t> shipped = PumpOne(stripe);
    if (!shipped.has_value()) return;
    instructions += *shipped;
  }
  NotifierOf(stripe).Post([this, &stripe] { Pump(stripe); });
}

std::optional<size_t> Engine::Impl::PumpOne(Stripe& stripe) {
  Notifier::Slice slice;
  uint32_t number = 0;
  const EventPackage* package = nullptr;
  ResourceKey key;
  StateSources sources;
  uint64_t seq = 0;
  uint32_t voided = 0;
  {
    StripeLock lock(stripe, clock, Hold::kNotify);
    if (stripe.queue.empty()) {
      stripe.is_pumping = false;
      return std::nullopt;
    }
    Cell& cell = *stripe.queue.front();
    stripe.queue.pop_front();
    cell.notify.is_queued = false;
    number = cell.number;
    seq = cell.resource.row().revision.seq;
    const bool is_composed = cell.notify.composed_seq == seq;
    if (!is_composed) sources = StateSources::Of(cell.resource);
    if (is_composed || sources.size() < 2) {
      if (!is_composed) {
        cell.notify.composed = ComposeState(cell.resource.key(), *cell.package, sources);
        cell.notify.composed_seq = seq;
      }
      slice = notifier.TakeSlice(stripe, cell, clock.Now());
      notifier.AwaitQuiet(stripe, cell, clock);
      ForgetIfEmpty(stripe, cell);
    } else {
      package = cell.package;
      key = cell.resource.key();
      voided = cell.notify.compositions_voided;
      cell.notify.is_queued = true;  // nobody else queues or forgets it meanwhile
    }
  }
  if (package != nullptr) {
    std::optional<Document> composed = ComposeState(key, *package, std::move(sources));
    StripeLock lock(stripe, clock, Hold::kNotify);
    Cell& cell = *stripe.by_number.at(number);
    cell.notify.is_queued = false;
    // The state may have moved on: this one is durable, newer than any sent before, and those who
    // get it are due again at once. Waiting for a state that holds still could take for ever.
    cell.notify.composed = std::move(composed);
    cell.notify.composed_seq = seq;
    slice = notifier.TakeSlice(stripe, cell, clock.Now());
    if (cell.notify.compositions_voided != voided) cell.notify.composed_seq = UINT64_MAX;
    notifier.AwaitQuiet(stripe, cell, clock);
    ForgetIfEmpty(stripe, cell);
  }
  const size_t shipped = slice.shipments.size();
  Ship(std::move(slice), stripe, number);
  return shipped;
}

void Engine::Impl::AddWinfo(Stripe& stripe, uint32_t cell_number, Notifier::Shipment& shipment) {
  Instruction& instruction = shipment.instruction;
  const ResourceKey key = shipment.winfo->resource;
  const absl::Time now = shipment.winfo->now;
  // A dialog that ends gets no second document to go on in.
  const bool is_last = !instruction.subscription->is_live();
  const auto read = [&](size_t most, std::vector<WinfoItem>& items) {
    StripeLock lock(stripe, clock, Hold::kWinfo);
    auto it = stripe.by_number.find(cell_number);
    if (it == stripe.by_number.end()) return true;
    return notifier.TakeWinfo(stripe, *it->second, instruction, most, now, items);
  };
  WrittenWinfo written =
      WriteWinfo(*std::move(shipment.winfo), is_last ? kWinfoOfOne : kWinfoPart, read);
  instruction.document = std::move(written.document);
  if (written.is_complete) return;
  if (is_last) {
    ReportCut(key, CutDocument::kWinfo, written.left_over + CountRest(read));
  } else if (written.go_on.has_value()) {
    StripeLock lock(stripe, clock, Hold::kWinfo);
    auto it = stripe.by_number.find(cell_number);
    if (it != stripe.by_number.end()) {
      notifier.ReturnWinfo(stripe, *it->second, instruction, *written.go_on);
    }
  }
}

size_t Engine::Impl::CountRest(ReadWinfoSlice read) {
  size_t rest = 0;
  for (bool is_complete = false; !is_complete;) {
    std::vector<WinfoItem> items;
    is_complete = read(SIZE_MAX, items);
    rest += items.size();
  }
  return rest;
}

void Engine::Impl::Ship(Notifier::Slice slice, Stripe& stripe, uint32_t cell_number) {
  std::map<LinkTable::LinkId, std::vector<Instruction>> by_link;
  for (Notifier::Shipment& shipment : slice.shipments) {
    if (shipment.winfo.has_value()) AddWinfo(stripe, cell_number, shipment);
    by_link[shipment.link].push_back(std::move(shipment.instruction));
  }
  for (auto& [link, instructions] : by_link) links.Deliver(link, std::move(instructions));
  for (const auto& [id, cseq] : slice.raise) {
    Submit(stripe, cell_number,
           ForDialog(stripe, cell_number, id,
                     [tag = id, used = cseq](const DecideContext&, Effects& effects) {
                       DecideRaiseLimit(tag, used, effects);
                     }));
  }
}

void Engine::Impl::LookAgain(Stripe& stripe, uint32_t cell_number, const LocalTag& id) {
  StripeLock lock(stripe, clock, Hold::kReport);
  auto it = stripe.by_number.find(cell_number);
  if (it == stripe.by_number.end()) return;
  const SubscriptionPtr row = it->second->resource.FindSubscription(id);
  if (row != nullptr) notifier.OnNotStored(stripe, *it->second, row->ordinal, clock.Now());
}

void Engine::Impl::Wake(LinkTable::LinkId link, std::vector<LinkTable::Waiting> waiting) {
  while (!waiting.empty()) {
    size_t idle = 0;
    for (const LinkTable::Waiting& wait : waiting) {
      Stripe& stripe = *stripes[static_cast<size_t>(wait.stripe)];
      {
        StripeLock lock(stripe, clock, Hold::kCredit);
        auto it = stripe.by_number.find(wait.cell);
        const bool has_use =
            it != stripe.by_number.end() && notifier.OnCredit(stripe, *it->second, wait.line);
        idle += has_use ? 0 : 1;
      }
      SchedulePump(stripe);
    }
    // Who had no use for the credit any more passes it on to those who still wait.
    waiting = idle > 0 ? links.AddCredit(link, 0) : std::vector<LinkTable::Waiting>();
  }
}

Engine::LinkId Engine::AttachLink(LinkName name, WatcherLink& link, size_t credit) {
  auto [id, waiting] = impl_->links.Attach(std::move(name), link, credit);
  impl_->Wake(id, std::move(waiting));
  return id;
}

void Engine::AddCredit(LinkId link, size_t credit) {
  impl_->Wake(link, impl_->links.AddCredit(link, credit));
}

void Engine::DetachLink(LinkId link) { impl_->links.Detach(link, impl_->clock.Now()); }

void Engine::Report(std::vector<NotifyReport> reports) {
  for (const NotifyReport& report : reports) {
    Stripe& stripe = impl_->StripeOf(report.subscription.resource_hash());
    Notifier::Consequence consequence = Notifier::Consequence::kNone;
    uint32_t number = 0;
    bool has_work = false;
    SubscriptionPtr row;
    {
      StripeLock lock(stripe, impl_->clock, Hold::kReport);
      Cell* cell = impl_->FindByTag(stripe, report.subscription);
      if (cell == nullptr) continue;
      number = cell->number;
      row = cell->resource.FindSubscription(report.subscription);
      consequence = impl_->notifier.OnReport(stripe, *cell, *row, report, impl_->clock.Now());
      impl_->notifier.AwaitQuiet(stripe, *cell, impl_->clock);
      has_work = !stripe.queue.empty() && !stripe.is_pumping;
    }
    const LocalTag id = report.subscription;
    if (consequence == Notifier::Consequence::kRemove) {
      impl_->Submit(
          stripe, number,
          impl_->ForDialog(stripe, number, id,
                           [row = std::move(row)](const DecideContext& context, Effects& effects) {
                             DecideRemoveUnlessRefreshed(context, *row, effects);
                           }));
    } else if (consequence == Notifier::Consequence::kFinish) {
      impl_->Submit(stripe, number, Impl::Quietly([id](const DecideContext&, Effects& effects) {
                      DecideFinish(id, effects);
                    }));
    } else if (has_work) {
      impl_->SchedulePump(stripe);
    }
  }
}

void Engine::Reconcile(const LinkName& name, absl::flat_hash_set<InFlight> in_flight) {
  for (auto& stripe : impl_->stripes) {
    std::optional<ResourceKey> after;
    for (;;) {
      const std::vector<ResourceKey> keys = impl_->KeysFrom(*stripe, after, kRowsPerSlice);
      if (keys.empty()) break;
      after = keys.back();
      for (const ResourceKey& key : keys) {
        uint64_t from = 0;
        do {
          StripeLock lock(*stripe, impl_->clock, Hold::kReconcile);
          Cell* cell = impl_->Find(*stripe, key);
          if (cell == nullptr) break;
          const auto& rows = cell->resource.subscriptions();
          auto it = rows.lower_bound(from);
          size_t seen = 0;
          for (; it != rows.end() && seen < kRowsPerSlice; ++it, ++seen) {
            const Dialog& dialog = it->second->dialog;
            if (dialog.gateway() != name.group) continue;
            auto slot = cell->notify.slots.find(it->first);
            if (slot == cell->notify.slots.end()) continue;
            if (slot->second.is_parked && dialog.flow_gateway() == name.gateway) {
              impl_->notifier.Unpark(*stripe, *cell, it->first);
            }
            if (slot->second.in_flight == 0) continue;
            if (in_flight.contains({it->second->id, slot->second.in_flight})) continue;
            // Another gateway of the group may be the one that works on it.
            if (impl_->links.IsAttached(slot->second.link)) continue;
            impl_->notifier.OnLost(*stripe, *cell, it->first);
          }
          stripe->rows_this_hold += seen;
          from = it == rows.end() ? 0 : it->first;
        } while (from != 0);
      }
    }
    impl_->SchedulePump(*stripe);
  }
}

}  // namespace presence
