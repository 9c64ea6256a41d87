#include <algorithm>
#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// Hard state is a presentity's presence (RFC 4827), so it belongs to that resource.
constexpr char kEvent[] = "presence";

ResourceKey KeyOf(const PresentityUri& owner) { return {owner, *EventName::Parse(kEvent)}; }

}  // namespace

absl::Status CheckDocument(const EngineConfig& config, const EventPackage& package,
                           const PresentityUri& presentity, const Document& document) {
  const std::vector<std::string>& types = package.traits().content_types;
  if (std::find(types.begin(), types.end(), document.content_type()) == types.end()) {
    std::string accept;
    for (const std::string& type : types) accept += accept.empty() ? type : ", " + type;
    return UnsupportedContent(document.content_type(), accept);
  }
  if (document.body().size() > config.max_document_bytes) {
    return DocumentTooLarge(document.body().size(), config.max_document_bytes);
  }
  return package.ValidatePublication(presentity, document);
}

absl::Status Engine::CheckHardState(const PresentityUri& owner, const Document& document) const {
  auto package = impl_->registry.Require(KeyOf(owner).event);
  if (!package.ok()) return package.status();
  return CheckDocument(impl_->config, **package, owner, document);
}

void Engine::PutDocument(PutDocumentCommand command, Done<DocumentView> done) {
  const ResourceKey key = KeyOf(command.owner);
  if (auto package = impl_->registry.Require(key.event); !package.ok()) {
    done(package.status());
    return;
  }
  absl::Status check = CheckHardState(command.owner, command.document);
  impl_->Submit(
      key, Impl::Answering<DocumentView>(
               [command = std::move(command), check = std::move(check)](
                   const DecideContext& context, Effects& effects) -> absl::StatusOr<DocumentView> {
                 auto stored = DecidePutDocument(context, command, check, effects);
                 if (!stored.ok()) return stored.status();
                 return DocumentView{command.owner, *std::move(stored)};
               },
               std::move(done)));
}

void Engine::RemoveDocument(RemoveDocumentCommand command, Done<bool> done) {
  const ResourceKey key = KeyOf(command.owner);
  if (auto package = impl_->registry.Require(key.event); !package.ok()) {
    done(package.status());
    return;
  }
  impl_->Submit(key, Impl::Answering<bool>(
                         [command = std::move(command)](const DecideContext& context,
                                                        Effects& effects) -> absl::StatusOr<bool> {
                           absl::Status status = DecideRemoveDocument(context, command, effects);
                           if (!status.ok()) return status;
                           return true;
                         },
                         std::move(done)));
}

void Engine::GetDocument(const PresentityUri& owner, const DocumentName& name,
                         Done<DocumentView> done) {
  const ResourceKey key = KeyOf(owner);
  Look(key, [this, key, name, done = std::move(done)](const absl::StatusOr<bool>& seen) mutable {
    if (!seen.ok()) return done(seen.status());
    StoredDocumentPtr found;
    {
      Stripe& stripe = impl_->StripeOf(key.StableHash());
      StripeLock lock(stripe, impl_->clock, Hold::kRead);
      const Cell* cell = impl_->Find(stripe, key);
      if (cell != nullptr) found = cell->resource.FindDocument(name);
    }
    if (found == nullptr) return done(DocumentUnknown(name.name));
    done(DocumentView{key.presentity, std::move(found)});
  });
}

// --- Reading again what somebody else may have changed in the database.

void Engine::ReloadState(const ResourceKey& key, std::optional<NamedDocument> named,
                         Done<RefreshOutcome> done) {
  impl_->Reread(
      std::make_unique<RereadRequest>(RereadRequest{key, std::move(named), std::move(done)}));
}

void Engine::Impl::Reread(std::unique_ptr<RereadRequest> request) {
  const ResourceKey key = request->key;
  if (!journal.kept().publications) {
    // What is here is all there is.
    Submit(key, TakingOver(std::move(request), std::nullopt));
    return;
  }
  Stripe& stripe = StripeOf(key.StableHash());
  uint32_t number = 0;
  {
    StripeLock lock(stripe, clock, Hold::kCommand);
    Cell& cell = *FindOrCreate(stripe, key);
    number = cell.number;
    cell.rereads.push_back(std::move(request));
  }
  Drain(stripe, number);
}

void Engine::Impl::BeginReread(Stripe& stripe, Cell& cell) {
  cell.is_busy = true;
  journal.Load(cell.resource.key(), [this, &stripe, number = cell.number](auto loaded) {
    OnReread(stripe, number, std::move(loaded));
  });
}

void Engine::Impl::OnReread(Stripe& stripe, uint32_t cell_number,
                            absl::StatusOr<std::optional<ResourceRows>> loaded) {
  std::unique_ptr<RereadRequest> request;
  const EventPackage* package = nullptr;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    Cell& cell = *stripe.by_number.at(cell_number);  // busy cells are not forgotten
    request = std::move(cell.rereads.front());
    cell.rereads.pop_front();
    package = cell.package;
  }
  absl::Status status = loaded.status();
  const bool is_found = loaded.ok() && loaded->has_value();
  ResourceRows stored;
  if (is_found) stored = **std::move(loaded);
  // Whoever changed rows did not ask the package, and watchers get them as they stand.
  for (const PublicationPtr& row : stored.publications) {
    if (!status.ok()) break;
    status = CheckDocument(config, *package, request->key.presentity, row->document);
  }
  for (const StoredDocumentPtr& row : stored.documents) {
    if (!status.ok()) break;
    status = CheckDocument(config, *package, request->key.presentity, row->document);
  }
  if (status.ok() && journal.is_shared()) {
    // What was read is as old as this by the time it is decided on, so it is taken over at once.
    TakeOver(stripe, cell_number, is_found ? std::optional(std::move(stored)) : std::nullopt,
             /*whatever_version=*/true);
    const ResourceKey key = request->key;
    Submit(key, TakingOver(std::move(request), std::nullopt));
    return;
  }
  Engine::Done<RefreshOutcome> refused;
  {
    StripeLock lock(stripe, clock, Hold::kLoad);
    Cell& cell = *stripe.by_number.at(cell_number);
    cell.is_busy = false;
    if (status.ok()) {
      // Before all that waits: nothing may come between what was read and what is made of it.
      cell.inbox.push_front(TakingOver(std::move(request), std::move(stored)));
    } else {
      refused = std::move(request->done);
    }
  }
  if (refused != nullptr) refused(status);
  Drain(stripe, cell_number);
  SchedulePump(stripe);
}

WorkPtr Engine::Impl::TakingOver(std::unique_ptr<RereadRequest> request,
                                 std::optional<ResourceRows> stored) const {
  auto decide = [named = std::move(request->named), stored = std::move(stored),
                 is_shared = journal.is_shared()](
                    const DecideContext& context,
                    Effects& effects) -> absl::StatusOr<RefreshOutcome> {
    if (stored.has_value()) DecideTakeOver(context, *stored, effects);
    const StoredDocumentPtr present = named ? effects.FindDocument(named->name) : nullptr;
    if (present != nullptr && present->file_uri != named->file_uri) {
      auto renamed = std::make_shared<StoredDocument>(*present);
      renamed->file_uri = named->file_uri;
      effects.Put(StoredDocumentPtr(std::move(renamed)));
    }
    return DecideResend(is_shared, effects);
  };
  return Answering<RefreshOutcome>(std::move(decide), std::move(request->done));
}

}  // namespace presence
