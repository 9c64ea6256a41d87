#include "tests/simulation/history.h"

#include <fmt/format.h>

#include <optional>

#include "tests/simulation/documents.h"

namespace presence::simulation {
namespace {

// XML in a line of a log hides the rest of it.
std::string ShortOf(std::string_view body) {
  if (!body.starts_with('<')) return std::string(body);
  const std::optional<ReadWinfo> winfo = WinfoOf(body);
  if (!winfo.has_value()) return StateOf(body);
  std::string text = fmt::format("{} {}:", winfo->is_full ? "full" : "partial", winfo->version);
  for (const auto& [id, line] : winfo->watchers) text += fmt::format("{},{};", id, line);
  return text;
}

std::string Describe(std::string_view what, const RowChanges& rows) {
  std::string line = fmt::format("{:<9} {}", what, rows.key.presentity.text());
  if (rows.resource.has_value()) line += fmt::format(" seq {}", rows.resource->revision.seq);
  for (const auto& [id, row] : rows.publications) {
    line += row == nullptr ? fmt::format("; publication {} gone", id)
                           : fmt::format("; publication {} \"{}\" etag {}", id,
                                         ShortOf(row->document.body()), row->etag.text());
  }
  for (const auto& [id, row] : rows.subscriptions) {
    line += row == nullptr ? fmt::format("; subscription {} gone", id.text())
                           : fmt::format("; subscription {} of {} {} {} limit {}", id.text(),
                                         row->watcher.user(), row->event.text(),
                                         !row->is_live()      ? "terminating"
                                         : row->is_authorized ? "active"
                                                              : "pending",
                                         row->cseq_limit);
  }
  for (const auto& [watcher, row] : rows.watchers) {
    line += fmt::format("; watcher {}{}", watcher.text(),
                        row == nullptr      ? " gone"
                        : row->is_waiting() ? " waiting"
                                            : " decided");
  }
  for (const auto& [name, row] : rows.documents) {
    line += fmt::format("; document {}{}", name.name, row == nullptr ? " gone" : "");
  }
  if (!rows.answers.empty()) line += "; answers";
  return line;
}

struct Describer {
  std::string operator()(const CoreStarted& e) const {
    return fmt::format("{:<9} starts, {}, epoch {}", e.core, NameOf(e.mode), e.epoch);
  }
  std::string operator()(const CoreDied& e) const { return fmt::format("{:<9} dies", e.core); }
  std::string operator()(const Durable& e) const {
    const std::string line = Describe("durable", e.rows);
    if (!e.rows.is_claim) return line;
    return line + fmt::format("; version {} by {}", e.rows.resource->version, e.core);
  }
  std::string operator()(const GroupTaken& e) const {
    return fmt::format("database  {} is taken by {}, reign {}", e.group, e.core, e.reign);
  }
  std::string operator()(const Waiting& e) const { return Describe("waiting", e.rows); }
  std::string operator()(const Dropped& e) const {
    return fmt::format("dropped   {}", e.key.presentity.text());
  }
  std::string operator()(const Stored& e) const { return Describe("stored", e.rows); }
  std::string operator()(const Refused& e) const {
    return fmt::format("refused   {} publication {}", e.key.presentity.text(), e.publication);
  }
  std::string operator()(const DatabaseTrouble& e) const {
    return e.begins ? "database  is in trouble" : "database  is well";
  }
  std::string operator()(const TakenOver& e) const {
    return fmt::format("database  has another owner, epoch {}", e.epoch);
  }
  std::string operator()(const Held& e) const {
    return fmt::format("{:<9} holds {} \"{}\"", e.core, e.key.presentity.text(), e.state);
  }
  std::string operator()(const Instructed& e) const {
    const std::string by = e.reign == 0 ? "" : fmt::format(" by {} in reign {}", e.core, e.reign);
    return fmt::format("instruct  {} cseq {} epoch {}{} seq {} {}{} \"{}\"", e.tag, e.cseq, e.epoch,
                       by, e.seq, e.event, e.is_terminating ? " terminating" : "", ShortOf(e.body));
  }
  std::string operator()(const Shown& e) const {
    return fmt::format("notify    {} {} cseq {} {} \"{}\" -> {}", e.phone, e.tag, e.cseq, e.state,
                       ShortOf(e.body), e.status);
  }
  std::string operator()(const Forgotten& e) const {
    return fmt::format("forgets   {}", e.call_id);
  }
  std::string operator()(const Asked& e) const {
    return fmt::format("asks      {} {} {} cseq {}", e.phone, e.method, e.call_id, e.cseq);
  }
  std::string operator()(const Answered& e) const {
    return fmt::format("answer    {} {} {} cseq {} -> {} tag {} etag {} expires {}", e.phone,
                       e.method, e.call_id, e.cseq, e.status, e.tag, e.etag,
                       absl::ToInt64Seconds(e.expires));
  }
  std::string operator()(const WatchAsked& e) const {
    return fmt::format("watch     {} {} at {}", e.program, e.resumes ? "resumes" : "begins",
                       e.core);
  }
  std::string operator()(const Watched& e) const {
    static constexpr const char* kKind[] = {"", " status", " snapshot done", " reset"};
    std::string line = fmt::format("watched   {}{} {} {}", e.program,
                                   kKind[static_cast<int>(e.kind)], e.presentity, e.event);
    if (e.kind == Watched::Kind::kStatus) line += fmt::format(" {}", static_cast<int>(e.state));
    if (e.kind != Watched::Kind::kState) return line;
    return line + fmt::format(" epoch {} seq {} \"{}\"", e.revision.epoch, e.revision.seq,
                              ShortOf(e.body));
  }
  std::string operator()(const WatchForgotten& e) const {
    return fmt::format("watch     {} has forgotten all", e.program);
  }
  std::string operator()(const WatchEnded& e) const {
    return fmt::format("watch     {} ends, reason {}", e.program, static_cast<int>(e.reason));
  }
  std::string operator()(const Note& e) const { return "          " + e.text; }
};

}  // namespace

std::string_view NameOf(StorageMode mode) {
  switch (mode) {
    case StorageMode::kMemory:
      return "memory";
    case StorageMode::kScripted:
      return "scripted";
    case StorageMode::kWriteBack:
      return "write-back";
    case StorageMode::kWriteThrough:
      return "write-through";
    case StorageMode::kWriteBackWriteThrough:
      return "write-back/write-through";
    case StorageMode::kWriteThroughWriteBack:
      return "write-through/write-back";
    case StorageMode::kDbOnly:
      return "db-only";
  }
  return "?";
}

std::string ToString(const Event& event, absl::Time start) {
  return fmt::format("{:9.3f} {}", absl::ToDoubleSeconds(event.at - start),
                     std::visit(Describer(), event.what));
}

}  // namespace presence::simulation
