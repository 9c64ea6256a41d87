#include "sip-gateway/sofia/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/ascii.h"

namespace presence::sip {
namespace {

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("-.!%*_+`'~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kTokenTable = MakeTokenTable();

// Length of the well-formed UTF-8 character at the start of `text`, 0 if there is none (RFC 3629
// section 4). `text` is not empty.
size_t Utf8Length(std::string_view text) {
  const auto is_between = [&](size_t i, unsigned low, unsigned high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low &&
           static_cast<unsigned char>(text[i]) <= high;
  };
  const auto is_tail = [&](size_t i) { return is_between(i, 0x80, 0xBF); };
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  if (is_between(0, 0xC2, 0xDF)) return is_tail(1) ? 2 : 0;
  if (is_between(0, 0xE0, 0xEF)) {
    // Neither more bytes than it takes, nor a surrogate.
    const bool is_second = is_between(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return is_second && is_tail(2) ? 3 : 0;
  }
  if (is_between(0, 0xF0, 0xF4)) {
    const bool is_second = is_between(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return is_second && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsTokenChar(char c) { return kTokenTable[static_cast<unsigned char>(c)]; }

bool IsLws(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view TrimLws(std::string_view text) {
  while (!text.empty() && IsLws(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsLws(text.back())) text.remove_suffix(1);
  return text;
}

void SkipLws(std::string_view& text) {
  while (!text.empty() && IsLws(text.front())) text.remove_prefix(1);
}

std::string_view TakeToken(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsTokenChar);
  const std::string_view token = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

bool TakeSeparator(std::string_view& text, char c) {
  SkipLws(text);
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  SkipLws(text);
  return true;
}

size_t QuotedSize(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

size_t FindTopLevel(std::string_view text, std::string_view stops, Brackets brackets) {
  bool is_inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_inside) {
      is_inside = c != '>';
    } else if (stops.find(c) != std::string_view::npos) {
      return i;
    } else if (c == '"') {
      const size_t size = QuotedSize(text.substr(i));
      if (size == std::string_view::npos) return size;
      i += size - 1;
    } else if (brackets == Brackets::kEnclose && c == '<') {
      is_inside = true;
    }
  }
  return is_inside ? std::string_view::npos : text.size();
}

std::optional<Parameter> TakeParameter(std::string_view& rest) {
  while (!rest.empty()) {
    const size_t end = std::min(FindTopLevel(rest, ";", Brackets::kPlain), rest.size());
    const std::string_view text = TrimLws(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.empty()) continue;
    const size_t equal = text.find('=');
    if (equal == std::string_view::npos) return Parameter{text, {}};
    return Parameter{TrimLws(text.substr(0, equal)), TrimLws(text.substr(equal + 1))};
  }
  return std::nullopt;
}

// generic-param: token [ "=" ( token / host / quoted-string ) ]. What else a value may be is left
// to those who use it; it must not run on after a space or into another element.
bool AreParameters(std::string_view text) {
  if (FindTopLevel(text, ",<>", Brackets::kPlain) != text.size()) return false;
  std::string_view rest = text;
  while (const std::optional<Parameter> parameter = TakeParameter(rest)) {
    if (!IsToken(parameter->name)) return false;
    const std::string_view value = parameter->value;
    if (!value.empty() && value.front() == '"') {
      if (QuotedSize(value) != value.size()) return false;
    } else if (std::any_of(value.begin(), value.end(),
                           [](char c) { return IsLws(c) || c == '"'; })) {
      return false;
    }
  }
  return true;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
                  absl::ascii_tolower(static_cast<unsigned char>(y));
         });
}

std::string Concat(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  std::string out;
  out.reserve(size);
  for (const std::string_view piece : pieces) out.append(piece);
  return out;
}

std::optional<uint32_t> ParseUint32(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

std::string Unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (size_t i = 0; i < value.size();) {
    const size_t line_end = std::min(value.find_first_of("\r\n", i), value.size());
    out.append(value, i, line_end - i);
    i = line_end;
    if (i == value.size()) break;
    while (!out.empty() && IsLws(out.back())) out.pop_back();
    while (i < value.size() && IsLws(value[i])) ++i;
    out.push_back(' ');
  }
  return out;
}

std::string CleanText(std::string_view value) {
  std::string text = Unfold(value);
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(std::string_view(text).substr(i));
    if (length == 0) text[i] = '?';
    if (length == 1 && (text[i] < 0x20 || text[i] == 0x7F)) text[i] = ' ';
    i += std::max<size_t>(length, 1);
  }
  return text;
}

std::optional<std::string_view> FindParameter(std::string_view parameters, std::string_view name) {
  while (const std::optional<Parameter> parameter = TakeParameter(parameters)) {
    if (EqualsIgnoreCase(parameter->name, name)) return parameter->value;
  }
  return std::nullopt;
}

bool IsRepeated(std::string_view parameters, std::string_view name) {
  int count = 0;
  while (const std::optional<Parameter> parameter = TakeParameter(parameters)) {
    count += EqualsIgnoreCase(parameter->name, name) ? 1 : 0;
  }
  return count > 1;
}

std::vector<std::string_view> SplitList(std::string_view value) {
  std::vector<std::string_view> elements;
  while (!value.empty()) {
    const size_t end = std::min(FindTopLevel(value, ",", Brackets::kEnclose), value.size());
    const std::string_view element = TrimLws(value.substr(0, end));
    if (!element.empty()) elements.push_back(element);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return elements;
}

}  // namespace presence::sip
