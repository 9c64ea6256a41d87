#include "cli/kamailio/scanner.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/kamailio/characters.h"

namespace presence::cli {
namespace {

// Bounds on what a script may cost; a real one is far below each of them.
constexpr int kMaxFiles = 256;
constexpr std::size_t kMaxNesting = 10;  // of files, as in Kamailio
constexpr int kMaxExpansions = 50000;
constexpr std::size_t kMaxText = std::size_t{4} << 20;
constexpr std::size_t kMaxGrowth = std::size_t{1} << 20;  // of a file, by its defines

// The value of "10", "0x1f", "017" or "101b"; none for another word that begins with a digit.
std::optional<int64_t> NumberOf(std::string_view word) {
  int base = 10;
  if (word.size() > 2 && word.substr(0, 2) == "0x") {
    base = 16;
    word.remove_prefix(2);
  } else if (word.back() == 'b') {
    base = 2;
    word.remove_suffix(1);
  } else if (word.size() > 1 && word[0] == '0') {
    base = 8;
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

Scanner::Scanner(FileReader read, std::map<std::string, std::string> defines)
    : read_(std::move(read)), defines_(std::move(defines)) {}

absl::Status Scanner::Open(const std::string& path) {
  if (sources_.size() > kMaxNesting) return Fault("files include each other too deeply");
  if (++files_ > kMaxFiles) return Fault("too many files are included");
  absl::StatusOr<std::string> text = read_(path);
  if (!text.ok()) return text.status();
  if (text->size() > kMaxText) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":1: the file is too large"));
  }
  const std::size_t most = text->size() + kMaxGrowth;
  sources_.push_back({.name = path, .text = *std::move(text), .most = most});
  return absl::OkStatus();
}

ScriptPosition Scanner::Here() const { return {source().name, source().line}; }

absl::Status Scanner::Fault(std::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(Here().text(), ": ", std::string(what)));
}

char Scanner::Peek(std::size_t ahead) const {
  const std::size_t at = source().at + ahead;
  return at < source().text.size() ? source().text[at] : '\0';
}

bool Scanner::LooksAt(std::string_view text) const {
  return std::string_view(source().text).substr(source().at).substr(0, text.size()) == text;
}

char Scanner::Take() {
  const char c = source().text[source().at++];
  if (c == '\n') ++source().line;
  return c;
}

void Scanner::Skip(std::size_t count) {
  for (; count > 0 && !AtEnd(); --count) Take();
}

void Scanner::SkipLine() {
  while (!AtEnd() && Take() != '\n') {
  }
}

std::string Scanner::TakeName() {
  std::string name;
  while (!AtEnd() && IsNameCharacter(Peek())) name += Take();
  return name;
}

std::string Scanner::TakeRestOfLine() {
  std::string rest;
  while (!AtEnd() && Peek() != '\n') {
    if (LooksAt("\\\n")) {
      Skip(2);
    } else if (LooksAt("\\\r\n")) {
      Skip(3);
    } else {
      rest += Take();
    }
  }
  if (!AtEnd()) Take();
  if (!rest.empty() && rest.back() == '\r') rest.pop_back();
  return rest;
}

absl::StatusOr<bool> Scanner::SkipWhite() {
  bool is_white = false;
  while (!AtEnd()) {
    if (IsBlank(Peek()) || Peek() == '\n') {
      Take();
    } else if (LooksAt("\\\n")) {
      Skip(2);
    } else if (LooksAt("/*")) {
      if (absl::Status status = SkipBlockComment(); !status.ok()) return status;
    } else if (LooksAt("#!") || LooksAt("!!")) {
      absl::StatusOr<bool> obeyed = Directive();
      if (!obeyed.ok()) return obeyed.status();
      if (!*obeyed && Peek() == '!') return is_white;
      if (!*obeyed) SkipLine();
    } else if (Peek() == '#' || LooksAt("//")) {
      SkipLine();
    } else {
      return is_white;
    }
    is_white = true;
  }
  return is_white;
}

absl::Status Scanner::SkipBlockComment() {
  const ScriptPosition begin = Here();
  int depth = 0;
  do {
    if (AtEnd()) {
      return absl::InvalidArgumentError(
          absl::StrCat(begin.text(), ": the comment that begins here has no end"));
    }
    if (LooksAt("/*")) {
      ++depth;
      Skip(2);
    } else if (LooksAt("*/")) {
      --depth;
      Skip(2);
    } else {
      Take();
    }
  } while (depth > 0);
  return absl::OkStatus();
}

absl::Status Scanner::CloseSource() {
  if (sources_.size() > 1) {
    sources_.pop_back();
    // An #!ifdef of the file that ended may still leave out what follows.
    return SkipLeftOut();
  }
  if (conditions_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(conditions_.back().position.text(),
                                                 ": the #!ifdef or #!ifndef here has no #!endif"));
}

absl::StatusOr<Token> Scanner::Next() {
  bool is_apart = false;
  while (true) {
    absl::StatusOr<bool> is_white = SkipWhite();
    if (!is_white.ok()) return is_white.status();
    is_apart = is_apart || *is_white;
    if (AtEnd()) {
      is_apart = true;
      const bool is_last = sources_.size() == 1;
      if (absl::Status status = CloseSource(); !status.ok()) return status;
      if (!is_last) continue;
      Token end;
      end.position = Here();
      return end;
    }
    if (IsLetter(Peek())) {
      const ScriptPosition position = Here();
      std::string name = TakeName();
      if (name == "include_file" || name == "import_file") {
        if (absl::Status status = Include(name == "include_file"); !status.ok()) return status;
        is_apart = true;
        continue;
      }
      absl::StatusOr<bool> expanded = Expand(name);
      if (!expanded.ok()) return expanded.status();
      if (*expanded) continue;
      Token token;
      token.kind = Token::Kind::kIdentifier;
      token.is_apart = is_apart;
      token.position = position;
      const bool is_yes = IsIn(name, {"yes", "true", "on", "enable"});
      if (is_yes || IsIn(name, {"no", "false", "off", "disable"})) {
        token.kind = Token::Kind::kNumber;
        token.number = is_yes ? 1 : 0;
      }
      token.text = std::move(name);
      return token;
    }
    absl::StatusOr<Token> token = Word();
    if (token.ok()) token->is_apart = is_apart;
    return token;
  }
}

absl::StatusOr<Token> Scanner::Word() {
  Token token;
  token.position = Here();
  const char c = Peek();
  if (c == '"' || c == '\'') {
    absl::StatusOr<std::string> text = c == '"' ? DoubleQuoted() : SingleQuoted();
    if (!text.ok()) return text.status();
    token.kind = Token::Kind::kString;
    token.text = Substituted(*std::move(text));
  } else if (c == '$' && (IsLetter(Peek(1)) || Peek(1) == '(')) {
    token.kind = Token::Kind::kVariable;
    token.text = Substituted(Variable());
  } else if (IsDigit(c)) {
    token.text = TakeName();
    const std::optional<int64_t> number = NumberOf(token.text);
    token.kind = number ? Token::Kind::kNumber : Token::Kind::kIdentifier;
    token.number = number.value_or(0);
  } else {
    token.kind = Token::Kind::kSymbol;
    token.text = Take();
  }
  return token;
}

// Strings in double quotes one after the other are one string.
absl::StatusOr<std::string> Scanner::DoubleQuoted() {
  const ScriptPosition begin = Here();
  std::string text;
  while (true) {
    Take();
    while (!AtEnd() && Peek() != '"') {
      if (Peek() == '\\') {
        TakeEscape(text);
      } else {
        text += Take();
      }
    }
    if (AtEnd()) {
      return absl::InvalidArgumentError(
          absl::StrCat(begin.text(), ": the string that begins here has no end"));
    }
    Take();
    std::size_t gap = 0;
    while (IsBlank(Peek(gap)) || Peek(gap) == '\n') ++gap;
    if (Peek(gap) != '"') return text;
    Skip(gap);
  }
}

// A backslash before anything but these stays, as a pattern in a string has it.
void Scanner::TakeEscape(std::string& to) {
  constexpr std::string_view kNames = "nrat\"\\";
  constexpr std::string_view kValues = "\n\r\a\t\"\\";
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  if (const std::size_t name = kNames.find(Peek(1));
      source().at + 1 < source().text.size() && name != std::string_view::npos) {
    Skip(2);
    to += kValues[name];
    return;
  }
  const bool is_hex = Peek(1) == 'x';
  std::size_t digits = 0;
  int value = 0;
  const std::string_view rest =
      std::string_view(source().text).substr(source().at + 1 + (is_hex ? 1 : 0)).substr(0, 3);
  if (is_hex) {
    const auto parsed = std::from_chars(
        rest.data(), rest.data() + std::min<std::size_t>(2, rest.size()), value, 16);
    digits = static_cast<std::size_t>(parsed.ptr - rest.data());
  } else {
    for (; digits < rest.size() && is_octal(rest[digits]); ++digits) {
      value = value * 8 + (rest[digits] - '0');
    }
    if (digits < 2) digits = 0;  // one digit refers back, in a pattern
  }
  if (digits > 0) {
    Skip(1 + (is_hex ? 1 : 0) + digits);
    to += static_cast<char>(value);
  } else if (Peek(1) == '\n') {
    Skip(2);
  } else {
    to += Take();
  }
}

absl::StatusOr<std::string> Scanner::SingleQuoted() {
  const ScriptPosition begin = Here();
  Take();
  std::string text;
  while (!AtEnd() && Peek() != '\'') text += Take();
  if (AtEnd()) {
    return absl::InvalidArgumentError(
        absl::StrCat(begin.text(), ": the string that begins here has no end"));
  }
  Take();
  return text;
}

// "$subs(uri)", "$(subs(uri){s.len})", "$ru": everything to the last parenthesis, or the name.
std::string Scanner::Variable() {
  std::string text(1, Take());
  text += TakeName();
  if (Peek() != '(') return text;
  int depth = 0;
  while (!AtEnd() && Peek() != '\n') {
    if (Peek() == '(') ++depth;
    if (Peek() == ')') --depth;
    text += Take();
    if (depth == 0) break;
  }
  return text;
}

absl::StatusOr<bool> Scanner::Expand(const std::string& name) {
  const auto define = defines_.find(name);
  if (define == defines_.end()) return false;
  if (++expansions_ > kMaxExpansions || source().text.size() > source().most) {
    return Fault(absl::StrCat("the define ", name, " leads back to itself"));
  }
  Source& now = source();
  const std::string& value = define->second;
  // The value stands where the name stood, or before it; its line ends were taken out.
  if (value.size() <= now.at) {
    now.at -= value.size();
    now.text.replace(now.at, value.size(), value);
  } else {
    now.text.replace(0, now.at, value);
    now.at = 0;
  }
  return true;
}

std::string Scanner::Substituted(std::string text) const {
  for (const Substitution& substitution : substitutions_) text = substitution.Apply(text);
  return text;
}

}  // namespace presence::cli
