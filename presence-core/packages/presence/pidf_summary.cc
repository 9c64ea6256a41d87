#include "presence-core/packages/presence/pidf_summary.h"

#include <algorithm>

#include "presence-core/packages/presence/pidf_names.h"
#include "presence-core/packages/xml/xml_element.h"

namespace presence {
namespace {

// Generous: what is summarized was accepted by a server already, and may be composed of many.
constexpr XmlLimits kSummaryLimits = {
    .max_bytes = 4 * 1024 * 1024, .max_depth = 64, .max_elements = 400'000, .max_attributes = 256};

// The text on one line, each run of white space one blank.
std::string OneLine(std::string_view text) {
  std::string line;
  for (char c : TrimXmlSpace(text)) {
    const bool is_space = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
    if (is_space && line.ends_with(' ')) continue;
    line.push_back(is_space ? ' ' : c);
  }
  return line;
}

std::string FirstNoteIn(const XmlElement& element) {
  for (const XmlElement* child : element.Elements()) {
    if (child->local != "note") continue;
    if (std::string note = OneLine(child->Text()); !note.empty()) return note;
  }
  return {};
}

PidfSummary::Basic BasicOf(const XmlElement& tuple) {
  for (const XmlElement* status : tuple.Elements()) {
    if (!status->Is(kPidfUri, "status")) continue;
    for (const XmlElement* basic : status->Elements()) {
      if (!basic->Is(kPidfUri, "basic")) continue;
      const std::string value = basic->Text();
      if (TrimXmlSpace(value) == "open") return PidfSummary::Basic::kOpen;
      if (TrimXmlSpace(value) == "closed") return PidfSummary::Basic::kClosed;
    }
  }
  return PidfSummary::Basic::kUnknown;
}

}  // namespace

std::string_view BasicText(PidfSummary::Basic basic) {
  switch (basic) {
    case PidfSummary::Basic::kOpen:
      return "open";
    case PidfSummary::Basic::kClosed:
      return "closed";
    case PidfSummary::Basic::kUnknown:
      break;
  }
  return "unknown";
}

PidfSummary Summarize(std::string_view body) {
  PidfSummary summary;
  const absl::StatusOr<XmlElement> root = ParseXml(body, kSummaryLimits);
  if (!root.ok() || !root->Is(kPidfUri, "presence")) return summary;
  std::string person_note;
  std::string tuple_note;
  for (const XmlElement* child : root->Elements()) {
    if (child->Is(kPidfUri, "tuple")) {
      ++summary.tuples;
      const PidfSummary::Basic basic = BasicOf(*child);
      if (summary.basic != PidfSummary::Basic::kOpen && basic != PidfSummary::Basic::kUnknown) {
        summary.basic = basic;
      }
      if (tuple_note.empty()) tuple_note = FirstNoteIn(*child);
    } else if (child->Is(kDataModelUri, "person") && person_note.empty()) {
      person_note = FirstNoteIn(*child);
    }
  }
  summary.note = !person_note.empty() ? person_note : FirstNoteIn(*root);
  if (summary.note.empty()) summary.note = tuple_note;
  return summary;
}

}  // namespace presence
