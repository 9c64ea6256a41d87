#include <utility>

#include "presence-core/engine/engine_impl.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// What a record brings that watchers will be shown; null where it brings none.
const Document* DocumentOf(const ImportCommand& command) {
  if (const auto* publication = std::get_if<ImportedPublication>(&command.item)) {
    return &publication->document;
  }
  const auto* stored = std::get_if<ImportedDocument>(&command.item);
  return stored == nullptr ? nullptr : &stored->document;
}

}  // namespace

void Engine::Import(ImportCommand command, Done<ImportOutcome> done) {
  auto package = impl_->registry.Require(command.key.event);
  if (!package.ok()) {
    done(package.status());
    return;
  }
  if (const Document* document = DocumentOf(command); document != nullptr) {
    const absl::Status check =
        CheckDocument(impl_->config, **package, command.key.presentity, *document);
    if (!check.ok()) {
      done(check);
      return;
    }
  }
  const ResourceKey key = command.key;
  std::shared_ptr<Impl::Reauthorization> sweep;
  const auto* watcher = std::get_if<ImportedWatcher>(&command.item);
  if (watcher != nullptr && watcher->decision != WatcherDecision::kNone && !command.is_dry_run) {
    sweep = std::make_shared<Impl::Reauthorization>(
        Impl::Reauthorization{key, watcher->watcher, {}, nullptr});
  }
  impl_->Submit(
      key,
      Impl::Answering<ImportOutcome>(
          [command = std::move(command)](const DecideContext& context, Effects& effects) {
            Effects scratch(effects.base());
            auto outcome = DecideImport(context, command, command.is_dry_run ? scratch : effects);
            if (command.is_dry_run) effects.CountRows(scratch.weight());
            return outcome;
          },
          [this, sweep, done = std::move(done)](absl::StatusOr<ImportOutcome> outcome) mutable {
            // Subscriptions that are here already follow a decision.
            if (sweep == nullptr || !outcome.ok() || *outcome != ImportOutcome::kTaken) {
              done(std::move(outcome));
              return;
            }
            sweep->done = [done = std::move(done)](absl::StatusOr<RefreshOutcome> swept) mutable {
              if (swept.ok()) {
                done(ImportOutcome::kTaken);
              } else {
                done(swept.status());
              }
            };
            impl_->ReauthorizeFrom(0, sweep);
          }));
}

}  // namespace presence
