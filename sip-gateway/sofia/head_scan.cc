#include "sip-gateway/sofia/head_scan.h"

#include <cstring>

#include "absl/strings/ascii.h"
#include "sip-gateway/sofia/grammar.h"

namespace presence::sip {
namespace {

constexpr Fault kBareLf{400, "Bare LF in Head"};
constexpr Fault kBareCr{400, "Bare CR in Head"};
constexpr Fault kNul{400, "NUL in Head"};
constexpr Fault kUnterminatedHead{400, "Unterminated Head"};
constexpr Fault kMalformedStartLine{400, "Malformed Start Line"};
constexpr Fault kNotSip{400, "Not a SIP Message"};
constexpr Fault kVersion{505, "Version Not Supported"};
constexpr Fault kFoldedStartLine{400, "Folded Start Line"};
constexpr Fault kMalformedField{400, "Malformed Header Field Name"};
constexpr Fault kTooManyFields{400, "Too Many Header Fields"};
constexpr Fault kLineTooLong{513, "Header Field Too Large"};
constexpr Fault kHeadTooLong{513, "Message Head Too Large"};
constexpr Fault kMalformedLength{400, "Malformed Content-Length"};
constexpr Fault kRepeatedLength{400, "Multiple Content-Length"};

// One physical line. `text` is without its line end; `next` is where the following one starts.
struct Line {
  std::string_view text;
  size_t next = 0;
  const Fault* fault = nullptr;
};

// RFC 3261 7.1: the version is written in any case.
bool StartsWithSip(std::string_view text) { return EqualsIgnoreCase(text.substr(0, 4), "SIP/"); }

bool IsWhiteSpace(char c) { return c == ' ' || c == '\t'; }

class Scanner {
 public:
  Scanner(std::string_view bytes, const ScanLimits& limits) : bytes_(bytes), limits_(limits) {}

  HeadScan Run() {
    if (!ScanStartLine()) return std::move(scan_);
    while (!scan_.is_complete && ScanField()) {
    }
    return std::move(scan_);
  }

 private:
  // The first fault is the one reported; later ones are often its consequence.
  void Note(const Fault& fault) {
    if (!scan_.fault) scan_.fault = fault;
  }

  // The line at `position`, or nothing if no more complete line came within the limit on the head.
  std::optional<Line> LineAt(size_t position) {
    const std::string_view rest = bytes_.substr(position);
    const void* found = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    const size_t size =
        found == nullptr ? rest.size() : static_cast<const char*>(found) - rest.data();
    if (position + size >= limits_.max_head_bytes) {
      Note(kHeadTooLong);
      return std::nullopt;
    }
    if (found == nullptr) {
      Note(kUnterminatedHead);
      return std::nullopt;
    }
    Line line{rest.substr(0, size), position + size + 1, nullptr};
    const size_t cr = line.text.find('\r');
    if (cr == std::string_view::npos) {
      // Cut as if it were a line end, so that the sender can be told.
      line.fault = &kBareLf;
    } else if (cr + 1 != size) {
      line.fault = &kBareCr;
    } else {
      line.text.remove_suffix(1);
    }
    if (std::memchr(line.text.data(), '\0', line.text.size()) != nullptr) line.fault = &kNul;
    return line;
  }

  bool ScanStartLine() {
    const std::optional<Line> line = LineAt(0);
    if (!line) return false;
    if (line->fault != nullptr) Note(*line->fault);
    if (line->text.size() > limits_.max_line_bytes) Note(kLineTooLong);
    if (StartsWithSip(line->text)) {
      ParseStatusLine(line->text);
    } else {
      ParseRequestLine(line->text);
    }
    position_ = line->next;
    if (position_ < bytes_.size() && IsWhiteSpace(bytes_[position_])) Note(kFoldedStartLine);
    if (!scan_.is_sip) Note(kNotSip);
    return scan_.is_sip;
  }

  // RFC 3261 7.1: Method SP Request-URI SP SIP-Version, one space each and none after.
  void ParseRequestLine(std::string_view line) {
    const size_t first = line.find(' ');
    if (first == std::string_view::npos || !IsToken(line.substr(0, first))) return;
    const size_t last = line.rfind(' ');
    // Another case of `SIP` is the same version; a line without it is not our protocol.
    scan_.is_sip =
        (line.find(" SIP/") != std::string_view::npos) || StartsWithSip(line.substr(last + 1));
    if (!scan_.is_sip) return;
    scan_.message.method = line.substr(0, first);
    if (last == first) return Note(kMalformedStartLine);
    scan_.message.request_uri = line.substr(first + 1, last - first - 1);
    if (scan_.message.request_uri.empty() ||
        scan_.message.request_uri.find_first_of(" \t") != std::string_view::npos) {
      return Note(kMalformedStartLine);
    }
    CheckVersion(line.substr(last + 1));
  }

  // RFC 3261 7.2: SIP-Version SP Status-Code SP Reason-Phrase. RFC 4475 3.1.1.13: the second space
  // may be missed by a liberal receiver.
  void ParseStatusLine(std::string_view line) {
    scan_.is_sip = true;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return Note(kMalformedStartLine);
    CheckVersion(line.substr(0, space));
    const std::string_view rest = line.substr(space + 1);
    if (rest.size() < 3 || rest[0] < '1' || rest[0] > '6' || !absl::ascii_isdigit(rest[1]) ||
        !absl::ascii_isdigit(rest[2]) || (rest.size() > 3 && rest[3] != ' ')) {
      return Note(kMalformedStartLine);
    }
    scan_.message.status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
    if (rest.size() > 4) scan_.message.phrase = rest.substr(4);
  }

  void CheckVersion(std::string_view version) {
    if (EqualsIgnoreCase(version, "SIP/2.0")) return;
    const std::string_view number = version.substr(version.find('/') + 1);
    const size_t dot = number.find('.');
    const auto is_number = [](std::string_view text) {
      return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const bool is_version = dot != std::string_view::npos && is_number(number.substr(0, dot)) &&
                            is_number(number.substr(dot + 1));
    Note(is_version ? kVersion : kMalformedStartLine);
  }

  // Takes one header field with its folds, or the empty line. False: no more can be read.
  bool ScanField() {
    const size_t begin = position_;
    std::optional<Line> line = LineAt(begin);
    if (!line) return false;
    if (line->text.empty()) {
      if (line->fault != nullptr) Note(*line->fault);
      scan_.is_complete = true;
      scan_.head_size = line->next;
      return true;
    }
    bool is_usable = true;
    size_t end = 0;
    while (true) {
      if (line->fault != nullptr) {
        Note(*line->fault);
        // A line that ends in a bare LF can still be read; one with CR or NUL inside is not
        // repeated.
        is_usable = is_usable && line->fault == &kBareLf;
      }
      end = static_cast<size_t>(line->text.data() - bytes_.data()) + line->text.size();
      position_ = line->next;
      if (end - begin > limits_.max_line_bytes) Note(kLineTooLong);
      if (position_ >= bytes_.size() || !IsWhiteSpace(bytes_[position_])) break;
      line = LineAt(position_);
      if (!line) return false;
    }
    if (is_usable) TakeField(bytes_.substr(begin, end - begin));
    return scan_.message.fields.size() <= limits_.max_fields;
  }

  // RFC 3261 7.3.1: field-name HCOLON field-value; white space may stand before the colon.
  void TakeField(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return Note(kMalformedField);
    std::string_view name = text.substr(0, colon);
    while (!name.empty() && IsWhiteSpace(name.back())) name.remove_suffix(1);
    if (!IsToken(name)) return Note(kMalformedField);
    if (scan_.message.fields.size() == limits_.max_fields) Note(kTooManyFields);
    const HeaderField field{FieldIdOf(name), name, TrimLws(text.substr(colon + 1))};
    if (field.id == FieldId::kContentLength) TakeContentLength(field.value);
    scan_.message.fields.push_back(field);
  }

  void TakeContentLength(std::string_view value) {
    // RFC 4475 3.3.9: two of them are as bad as none, even if they agree: another element may take
    // the other one.
    if (has_content_length_) return Note(kRepeatedLength);
    has_content_length_ = true;
    scan_.content_length = ParseUint32(value);
    if (!scan_.content_length) Note(kMalformedLength);
  }

  const std::string_view bytes_;
  const ScanLimits& limits_;
  HeadScan scan_;
  size_t position_ = 0;
  bool has_content_length_ = false;
};

}  // namespace

HeadScan ScanHead(std::string_view bytes, const ScanLimits& limits) {
  return Scanner(bytes, limits).Run();
}

Refusal RefusalOf(const HeadScan& scan, const Fault& fault) {
  Refusal refusal{fault.status, fault.phrase, std::nullopt};
  if (scan.is_sip) refusal.answerable = ExtractAnswerable(scan.message);
  return refusal;
}

}  // namespace presence::sip
