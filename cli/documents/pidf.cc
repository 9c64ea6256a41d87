#include "cli/documents/pidf.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

std::string EscapeXml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    // A reader normalizes a bare CR away (XML 1.0 section 2.11).
                                    {"\r", "&#13;"}});
}

// XML 1.0 section 2.2: of the characters below space only these three may appear, not even as
// references; U+FFFE and U+FFFF never.
bool IsXmlText(absl::string_view text) {
  if (!IsUtf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
  }
  return !absl::StrContains(text, "\xEF\xBF\xBE") && !absl::StrContains(text, "\xEF\xBF\xBF");
}

// Reads the ~HH escapes of a resource name; what is no escape stays.
std::string Unescape(absl::string_view segment) {
  std::string text;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == '~' && i + 2 < segment.size() && absl::ascii_isxdigit(segment[i + 1]) &&
        absl::ascii_isxdigit(segment[i + 2])) {
      text += absl::HexStringToBytes(segment.substr(i + 1, 2));
      i += 2;
    } else {
      text += segment[i];
    }
  }
  return text;
}

}  // namespace

std::string EntityOf(const std::string& presentity) {
  const std::vector<absl::string_view> parts = absl::StrSplit(presentity, '/');
  if (parts.size() == 4 && parts[0] == "domains" && parts[2] == "users") {
    const std::string user = Unescape(parts[3]);
    return parts[1] == "tel" ? absl::StrCat("tel:", user)
                             : absl::StrCat("sip:", user, "@", Unescape(parts[1]));
  }
  for (const absl::string_view scheme : {"sip:", "sips:", "tel:", "pres:"}) {
    if (absl::StartsWithIgnoreCase(presentity, scheme)) return presentity;
  }
  return absl::StrCat("sip:", presentity);
}

absl::StatusOr<std::string> BuildPidf(const std::string& entity, const SimplePresence& presence) {
  if (!IsXmlText(presence.note)) {
    return absl::InvalidArgumentError(
        "the note holds a control character or is not UTF-8; XML cannot carry it");
  }
  if (!IsXmlText(entity)) {
    return absl::InvalidArgumentError("the presentity holds a control character or is not UTF-8");
  }
  const std::string note =
      presence.note.empty() ? "" : absl::StrCat("<note>", EscapeXml(presence.note), "</note>\n");
  std::string content;
  if (presence.is_open) {
    // RFC 3863 section 4.1.2: status, then notes, then the timestamp.
    absl::StrAppend(&content, "  <tuple id=\"", EscapeXml(presence.tuple_id), "\">\n",
                    "    <status><basic>", *presence.is_open ? "open" : "closed",
                    "</basic></status>\n", note.empty() ? "" : absl::StrCat("    ", note),
                    "    <timestamp>",
                    absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", presence.time, absl::UTCTimeZone()),
                    "</timestamp>\n", "  </tuple>\n");
  } else {
    absl::StrAppend(&content, "  ", note);
  }
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                      "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"",
                      EscapeXml(entity), "\">\n", content, "</presence>\n");
}

}  // namespace presence::cli
