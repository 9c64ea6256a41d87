#include "presence-core/packages/xml/xml_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"

namespace presence {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kSpaces = " \t\r\n";

constexpr std::array<bool, 256> TagMarks() {
  std::array<bool, 256> marks{};
  for (unsigned char c : std::string_view("<>\"'=")) marks[c] = true;
  return marks;
}

// Where the next character is that has a meaning inside a tag, npos if there is none. A table,
// because find_first_of took half of the guard's time.
size_t NextTagMark(std::string_view text, size_t from) {
  static constexpr std::array<bool, 256> kMarks = TagMarks();
  for (size_t i = from; i < text.size(); ++i) {
    if (kMarks[static_cast<unsigned char>(text[i])]) return i;
  }
  return std::string_view::npos;
}

// One pass over a text. Stops at the first complaint and remembers where.
class Guard {
 public:
  Guard(std::string_view text, const XmlLimits& limits) : text_(text), limits_(limits) {}

  absl::Status Check() {
    if (text_.size() > limits_.max_bytes) return DocumentTooLarge(text_.size(), limits_.max_bytes);
    const size_t nul = text_.find('\0');
    if (text_.starts_with("\xFE\xFF") || text_.starts_with("\xFF\xFE")) {
      return BadXml(text_, 0, "the document is UTF-16; send UTF-8");
    }
    if (nul != std::string_view::npos) return BadXml(text_, nul, "a NUL byte is no character");
    if (!SkipDeclaration() || !SkipMarkup()) return BadXml(text_, at_, why_);
    return absl::OkStatus();
  }

 private:
  bool Refuse(size_t at, std::string why) {
    at_ = at;
    why_ = std::move(why);
    return false;
  }

  bool StartsWith(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  // <?xml version="1.0" encoding="UTF-8"?>, which is no processing instruction.
  bool SkipDeclaration() {
    if (StartsWith(kUtf8Mark)) at_ += kUtf8Mark.size();
    if (!StartsWith("<?xml") ||
        kSpaces.find(text_[std::min(at_ + 5, text_.size() - 1)]) == std::string_view::npos) {
      return true;
    }
    const size_t end = text_.find_first_of("<>", at_ + 1);
    if (end == std::string_view::npos || text_[end] != '>' || text_[end - 1] != '?') {
      return Refuse(at_, "the XML declaration does not end in ?>");
    }
    const std::string_view declaration = text_.substr(at_, end - at_);
    if (const auto encoding = EncodingOf(declaration); encoding.has_value()) {
      const std::string name = absl::AsciiStrToLower(std::string(*encoding));
      if (name != "utf-8" && name != "utf8" && name != "us-ascii" && name != "ascii") {
        return Refuse(at_, fmt::format("the encoding \"{}\" is not taken; send UTF-8",
                                       Printable(*encoding, 40)));
      }
    }
    at_ = end + 1;
    return true;
  }

  static std::optional<std::string_view> EncodingOf(std::string_view declaration) {
    const size_t key = declaration.find("encoding");
    if (key == std::string_view::npos) return std::nullopt;
    const size_t open = declaration.find_first_of("\"'", key);
    if (open == std::string_view::npos) return std::nullopt;
    const size_t close = declaration.find(declaration[open], open + 1);
    if (close == std::string_view::npos) return std::nullopt;
    return declaration.substr(open + 1, close - open - 1);
  }

  bool SkipMarkup() {
    while ((at_ = text_.find('<', at_)) != std::string_view::npos) {
      if (StartsWith("<!--")) {
        if (!SkipPast("-->", 4)) return true;
      } else if (StartsWith("<![CDATA[")) {
        if (!SkipPast("]]>", 9)) return true;
      } else if (StartsWith("<!")) {
        return Refuse(at_, "a document type declaration is not taken");
      } else if (StartsWith("<?")) {
        return Refuse(at_, "a processing instruction is not taken");
      } else if (StartsWith("</")) {
        if (!SkipEndTag()) return false;
      } else if (!SkipStartTag()) {
        return false;
      }
    }
    return true;
  }

  // False when there is no end: the parser says so better, and finds nothing else behind it.
  bool SkipPast(std::string_view end, size_t from) {
    const size_t found = text_.find(end, at_ + from);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }

  bool SkipEndTag() {
    const size_t end = NextTagMark(text_, at_ + 2);
    if (end == std::string_view::npos || text_[end] != '>') {
      return Refuse(at_, "the end tag does not end in >");
    }
    if (depth_ > 0) --depth_;
    at_ = end + 1;
    return true;
  }

  // Stricter than it need be for counting: after a lexical error the parser goes on in its own way,
  // and the two would no longer see the same tags.
  bool SkipStartTag() {
    const size_t start = at_;
    if (++elements_ > limits_.max_elements) {
      return Refuse(start, fmt::format("more than {} elements", limits_.max_elements));
    }
    size_t attributes = 0;
    for (size_t i = NextTagMark(text_, start + 1);; i = NextTagMark(text_, i)) {
      if (i == std::string_view::npos) return Refuse(start, "the tag does not end in >");
      if (text_[i] == '>') return EndStartTag(i);
      if (text_[i] != '=') return Refuse(i, fmt::format("a {} inside a tag", text_[i]));
      if (++attributes > limits_.max_attributes) {
        return Refuse(start, fmt::format("more than {} attributes and namespaces in one element",
                                         limits_.max_attributes));
      }
      if (!SkipValue(i)) return false;
    }
  }

  bool EndStartTag(size_t end) {
    if (depth_ + 1 > limits_.max_depth) {
      return Refuse(at_, fmt::format("elements more than {} deep", limits_.max_depth));
    }
    if (text_[end - 1] != '/') ++depth_;
    at_ = end + 1;
    return true;
  }

  // From the '=' of an attribute to behind its value.
  bool SkipValue(size_t& i) {
    const size_t open = text_.find_first_not_of(kSpaces, i + 1);
    if (open == std::string_view::npos || (text_[open] != '"' && text_[open] != '\'')) {
      return Refuse(i, "an attribute without a quoted value");
    }
    const size_t close = text_.find(text_[open], open + 1);
    if (close == std::string_view::npos) return Refuse(open, "an attribute value without its end");
    const size_t less = text_.substr(open, close - open).find('<');
    if (less != std::string_view::npos) {
      return Refuse(open + less, "a < inside an attribute value");
    }
    i = close + 1;
    return true;
  }

  const std::string_view text_;
  const XmlLimits& limits_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t elements_ = 0;
  std::string why_;
};

}  // namespace

absl::Status CheckXmlLimits(std::string_view text, const XmlLimits& limits) {
  return Guard(text, limits).Check();
}

absl::Status BadXml(std::string_view text, size_t offset, std::string_view why) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t newline = before.rfind('\n');
  const size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return BadDocument(why, static_cast<int>(line), static_cast<int>(column));
}

}  // namespace presence
