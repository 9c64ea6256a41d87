#include "cli/documents/summary.h"

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/output/wording.h"
#include "presence-core/packages/presence/pidf_summary.h"
#include "presence-core/packages/xml/xml_element.h"

namespace presence::cli {
namespace {

constexpr char kPidf[] = "application/pidf+xml";
constexpr char kWinfo[] = "application/watcherinfo+xml";
constexpr char kWinfoNamespace[] = "urn:ietf:params:xml:ns:watcherinfo";
// Generous: it comes from the server we asked, and a popular presentity has many watchers.
constexpr XmlLimits kWinfoLimits = {
    .max_bytes = 16 << 20, .max_depth = 16, .max_elements = 200'000, .max_attributes = 64};

DocumentSummary SummarisePidf(const std::string& body) {
  PidfSummary pidf = Summarize(body);
  switch (pidf.basic) {
    case PidfSummary::Basic::kOpen:
      return {"open", std::move(pidf.note), Tone::kGood};
    case PidfSummary::Basic::kClosed:
      return {"closed", std::move(pidf.note), Tone::kBad};
    case PidfSummary::Basic::kUnknown:
      break;
  }
  return {"-", std::move(pidf.note), Tone::kPlain};
}

// RFC 3858 section 3: watcherinfo holds watcher-lists, which hold watchers; each says its status.
DocumentSummary SummariseWinfo(const std::string& body) {
  const absl::StatusOr<XmlElement> root = ParseXml(body, kWinfoLimits);
  if (!root.ok() || !root->Is(kWinfoNamespace, "watcherinfo")) return {};
  uint64_t watchers = 0;
  std::string who;
  for (const XmlElement* list : root->Elements()) {
    for (const XmlElement* watcher : list->Elements()) {
      ++watchers;
      const std::string* status = watcher->Find("", "status");
      absl::StrAppend(&who, who.empty() ? "" : ", ", watcher->Text(), " ", status ? *status : "?");
    }
  }
  const std::string* state = root->Find("", "state");
  const bool is_partial = state != nullptr && *state == "partial";
  return {Count(watchers, is_partial ? "change" : "watcher"), who, Tone::kPlain};
}

}  // namespace

const std::string& BodyOf(const v1::Document& document) {
  return document.body().empty() ? document.text() : document.body();
}

DocumentSummary Summarise(const v1::Document& document) {
  if (document.content_type() == kPidf) return SummarisePidf(BodyOf(document));
  if (document.content_type() == kWinfo) return SummariseWinfo(BodyOf(document));
  return {"-", absl::StrCat(document.content_type(), ", ", BodyOf(document).size(), " bytes"),
          Tone::kPlain};
}

}  // namespace presence::cli
