#include "cli/kamailio/substitution.h"

#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace presence::cli {
namespace {

constexpr std::size_t kMaxExpression = 512;
// A replacement may make a text longer, and several of them do so one after the other.
constexpr std::size_t kMaxResult = std::size_t{1} << 16;

absl::Status Refuse(const std::string& expression, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("the pattern \"", expression, "\" ", why));
}

absl::Status CheckHarmless(const std::string& expression) {
  if (expression.size() > kMaxExpression) return Refuse(expression.substr(0, 40), "is too long");
  if (expression.find('\0') != std::string::npos) return Refuse("", "has a NUL in it");
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '{')
      return Refuse(expression, "counts repetitions, which is not read here");
    if (expression[i] != '\\' || i + 1 == expression.size()) continue;
    if (std::isdigit(static_cast<unsigned char>(expression[++i])) != 0) {
      return Refuse(expression, "refers back, which is not read here");
    }
  }
  return absl::OkStatus();
}

// Whether `flags` are some of g and i; the others change what matches in ways not built here.
bool AreKnown(const std::string& flags) { return flags.find_first_not_of("gi") == flags.npos; }

}  // namespace

void Pattern::Free::operator()(regex_t* compiled) const {
  regfree(compiled);
  delete compiled;
}

absl::StatusOr<Pattern> Pattern::Compile(const std::string& expression, bool ignore_case) {
  if (absl::Status status = CheckHarmless(expression); !status.ok()) return status;
  auto compiled = std::make_unique<regex_t>();
  if (regcomp(compiled.get(), expression.c_str(), REG_EXTENDED | (ignore_case ? REG_ICASE : 0)) !=
      0) {
    return Refuse(expression, "is no regular expression");
  }
  return Pattern(std::unique_ptr<regex_t, Free>(compiled.release()));
}

bool Pattern::Matches(const std::string& text) const {
  return regexec(compiled_.get(), text.c_str(), 0, nullptr, 0) == 0;
}

bool Pattern::Find(const char* text, bool is_begin, regmatch_t (&groups)[10]) const {
  return regexec(compiled_.get(), text, 10, groups, is_begin ? 0 : REG_NOTBOL) == 0;
}

absl::StatusOr<Substitution> Substitution::Parse(const std::string& text) {
  const auto malformed = [] {
    return absl::InvalidArgumentError(
        "a substitution is written \"/pattern/replacement/flags\", with flags of g and i");
  };
  if (text.size() < 3) return malformed();
  // The separator ends a part unless a backslash stands before it.
  std::vector<std::string> parts(1);
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != text[0]) parts.back() += text[i];
      parts.back() += text[++i];
    } else if (text[i] == text[0]) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  if (parts.size() != 3 || parts[0].empty() || !AreKnown(parts[2])) return malformed();
  if (parts[1].find('$') != std::string::npos) {
    return absl::InvalidArgumentError(
        "the replacement has a variable ($), whose value only a running Kamailio knows");
  }
  const bool ignore_case = parts[2].find('i') != std::string::npos;
  const bool is_global = parts[2].find('g') != std::string::npos;
  absl::StatusOr<Pattern> pattern = Pattern::Compile(parts[0], ignore_case);
  if (!pattern.ok()) return pattern.status();
  return Substitution(*std::move(pattern), std::move(parts[0]), std::move(parts[1]), is_global);
}

void Substitution::AppendReplacement(std::string_view matched_in, const regmatch_t (&groups)[10],
                                     std::string& to) const {
  for (std::size_t i = 0; i < replacement_.size(); ++i) {
    if (replacement_[i] != '\\' || i + 1 == replacement_.size()) {
      to += replacement_[i];
      continue;
    }
    const char escaped = replacement_[++i];
    if (std::isdigit(static_cast<unsigned char>(escaped)) == 0) {
      to += escaped;
      continue;
    }
    const regmatch_t& group = groups[escaped - '0'];
    if (group.rm_so < 0) continue;
    to += matched_in.substr(static_cast<std::size_t>(group.rm_so),
                            static_cast<std::size_t>(group.rm_eo - group.rm_so));
  }
}

std::string Substitution::Apply(const std::string& text) const {
  std::string result;
  std::size_t from = 0;
  regmatch_t groups[10];
  while (from <= text.size() && result.size() < kMaxResult &&
         pattern_.Find(text.c_str() + from, from == 0, groups)) {
    const std::string_view rest = std::string_view(text).substr(from);
    const auto begin = static_cast<std::size_t>(groups[0].rm_so);
    const auto end = static_cast<std::size_t>(groups[0].rm_eo);
    result += rest.substr(0, begin);
    AppendReplacement(rest, groups, result);
    from += end;
    if (begin == end) {
      // An empty match: step over a character, or it would be found for ever.
      if (from < text.size()) result += text[from];
      ++from;
    }
    if (!is_global_) break;
  }
  if (from < text.size()) result += text.substr(from);
  return result;
}

}  // namespace presence::cli
