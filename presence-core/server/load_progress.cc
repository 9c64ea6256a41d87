#include "presence-core/server/load_progress.h"

#include <fmt/format.h>

namespace presence {
namespace {

// A start that is over sooner shows nothing.
constexpr absl::Duration kShowAfter = absl::Milliseconds(200);
constexpr absl::Duration kShowEvery = absl::Milliseconds(100);
constexpr char kToBeginOfLine[] = "\r\033[K";

}  // namespace

LoadProgress::LoadProgress(const Clock& clock, std::ostream* terminal)
    : clock_(clock), terminal_(terminal), start_(clock.Now()), show_at_(start_ + kShowAfter) {}

void LoadProgress::OnLoaded(const Engine::Loaded& loaded) {
  if (terminal_ == nullptr) return;
  const absl::Time now = clock_.Now();
  if (now < show_at_) return;
  show_at_ = now + kShowEvery;
  is_shown_ = true;
  *terminal_ << kToBeginOfLine
             << fmt::format("loading: {} publications, {} subscriptions of {} resources, {:.1f} s",
                            loaded.publications, loaded.subscriptions, loaded.resources,
                            absl::ToDoubleSeconds(now - start_))
             << std::flush;
}

std::string LoadProgress::Finish(const Engine::Loaded& loaded) {
  if (is_shown_) *terminal_ << kToBeginOfLine << std::flush;
  return fmt::format(
      "loaded {} resources ({} publications, {} subscriptions, {} decisions and answers) in {:.1f} "
      "s; {} subscriptions may have missed a NOTIFY and are told again",
      loaded.resources, loaded.publications, loaded.subscriptions, loaded.others,
      absl::ToDoubleSeconds(clock_.Now() - start_), loaded.to_resync);
}

}  // namespace presence
