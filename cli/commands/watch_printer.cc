#include "cli/commands/watch_printer.h"

#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/documents/summary.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

// Said only where it is news: a change is published, unless something else is said.
std::string CauseNote(const v1::WatchedState& state) {
  switch (state.cause()) {
    case v1::NOTIFY_CAUSE_EXPIRY:
    case v1::NOTIFY_CAUSE_RULES:
    case v1::NOTIFY_CAUSE_ADMIN:
    case v1::NOTIFY_CAUSE_RESYNC:
      return absl::StrCat("  (",
                          absl::AsciiStrToLower(absl::StripPrefix(
                              v1::NotifyCause_Name(state.cause()), "NOTIFY_CAUSE_")),
                          ")");
    default:
      return "";
  }
}

}  // namespace

std::string WatchPrinter::Beginning(const std::string& presentity, const std::string& event) const {
  const Environment& environment = session_.environment();
  const std::string when =
      in_snapshot_
          ? "snapshot    "
          : absl::FormatTime("%H:%M:%E3S", environment.clock.WallNow(), environment.time_zone);
  return absl::StrCat(when, "  ", Printable(presentity), "  ", Printable(event), "  ");
}

void WatchPrinter::PrintState(const v1::WatchedState& state) {
  const Environment& environment = session_.environment();
  std::string what = "no publication";
  if (state.has_document()) {
    const DocumentSummary summary = Summarise(state.document());
    what = Toned(Printable(summary.state), summary.tone, environment.terminal);
    if (!summary.note.empty()) absl::StrAppend(&what, " \"", Printable(summary.note), "\"");
  }
  environment.out << Beginning(state.presentity(), state.event()) << what << "  "
                  << Words(state.revision()) << (in_snapshot_ ? "" : CauseNote(state)) << std::endl;
}

void WatchPrinter::PrintStatus(const v1::WatchedStatus& status) {
  const Environment& environment = session_.environment();
  const std::pair target(status.presentity(), status.event());
  const bool was_undecided = undecided_.erase(target) > 0;
  if (status.state() == v1::SUBSCRIPTION_STATE_PENDING) undecided_.insert(target);
  // That an allowed watcher is active goes without saying.
  if (status.state() == v1::SUBSCRIPTION_STATE_ACTIVE && !was_undecided) return;
  const Cell state = StateCell(status.state());
  std::string what = Toned(state.text, state.tone, environment.terminal);
  if (status.state() == v1::SUBSCRIPTION_STATE_PENDING) {
    absl::StrAppend(&what, ": no state until ", Printable(status.presentity()), " decides");
  } else if (const std::string reason = Words(status.reason()); !reason.empty()) {
    absl::StrAppend(&what, " (", reason, ")");
  }
  environment.out << Beginning(status.presentity(), status.event()) << what << std::endl;
}

void WatchPrinter::Print(const v1::WatchResponse& item) {
  if (item.item_case() == v1::WatchResponse::kHeartbeat) return;
  if (!session_.wants_table()) session_.ShowJson(item);
  switch (item.item_case()) {
    case v1::WatchResponse::kState:
      ++states_;
      if (session_.wants_table()) PrintState(item.state());
      break;
    case v1::WatchResponse::kStatus:
      if (item.status().state() == v1::SUBSCRIPTION_STATE_TERMINATED &&
          terminated_.emplace(item.status().presentity(), item.status().event()).second &&
          item.status().reason() == v1::TERMINATION_REASON_REJECTED) {
        ++rejected_;
      }
      if (session_.wants_table()) PrintStatus(item.status());
      break;
    case v1::WatchResponse::kSnapshotDone:
      in_snapshot_ = false;
      break;
    case v1::WatchResponse::kReset:
      in_snapshot_ = true;
      session_.Note("the server has started anew; full states follow");
      break;
    default:
      break;
  }
}

}  // namespace presence::cli
