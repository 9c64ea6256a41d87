// The directives of a script, which the scanner meets on its way.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/kamailio/characters.h"
#include "cli/kamailio/scanner.h"

namespace presence::cli {
namespace {

constexpr std::size_t kMaxSubstitutions = 256;

}  // namespace

absl::StatusOr<bool> Scanner::Directive() {
  std::size_t end = 2;
  while (IsNameCharacter(Peek(end))) ++end;
  const std::string directive = source().text.substr(source().at + 2, end - 2);
  if (IsIn(directive, {"subst", "substdef", "substdefs", "include_file", "import_file"}) ||
      (IsIn(directive,
            {"define", "def", "trydefine", "trydef", "redefine", "redef", "ifdef", "ifndef",
             "defenv", "defenvs", "trydefenv", "trydefenvs", "defexp", "defexps", "ifexp"}) &&
       IsBlank(Peek(end))) ||
      IsIn(directive, {"else", "endif"})) {
    Skip(end);
    if (absl::Status status = Obey(directive); !status.ok()) return status;
    return true;
  }
  return false;
}

absl::Status Scanner::Obey(std::string_view directive) {
  if (directive == "ifdef" || directive == "ifndef") return IfDefined(directive == "ifdef");
  if (directive == "else" || directive == "endif") {
    if (absl::Status status = ElseOrEndif(directive == "else"); !status.ok()) return status;
    return SkipLeftOut();
  }
  if (directive == "include_file" || directive == "import_file") {
    return Include(directive == "include_file");
  }
  if (directive.substr(0, 5) == "subst") return Substitute(directive);
  return Define(directive);
}

absl::Status Scanner::Define(std::string_view directive) {
  const ScriptPosition position = Here();
  while (IsBlank(Peek())) Take();
  const std::string name = TakeName();
  if (name.empty() || Peek() == '-') {
    return absl::InvalidArgumentError(
        absl::StrCat(position.text(), ": #!", std::string(directive), " is followed by no name"));
  }
  while (IsBlank(Peek())) Take();
  std::string value = TakeRestOfLine();
  const bool is_defined = defines_.contains(name);
  if (directive.find("env") != std::string_view::npos) {
    if (is_defined) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(position.text(), ": ", name,
                                                   " comes from the environment of Kamailio; say "
                                                   "what it is with --define ",
                                                   name, "=VALUE"));
  }
  if (directive.find("exp") != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(position.text(), ": #!", std::string(directive),
                                                   ", which Kamailio 5.6 does not have, is not "
                                                   "evaluated; write what it comes to"));
  }
  if (IsIn(directive, {"trydefine", "trydef"}) && is_defined) return absl::OkStatus();
  if (IsIn(directive, {"define", "def"}) && is_defined) {
    return absl::InvalidArgumentError(absl::StrCat(
        position.text(), ": ", name, " is defined already; #!redefine or #!trydefine is meant"));
  }
  defines_[name] = std::move(value);
  return absl::OkStatus();
}

absl::Status Scanner::Substitute(std::string_view directive) {
  const ScriptPosition position = Here();
  const auto fault = [&position](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(position.text(), ": ", std::string(what)));
  };
  while (IsBlank(Peek())) Take();
  if (Peek() != '"' && Peek() != '\'') return fault("a substitution stands in quotes");
  absl::StatusOr<std::string> text = Peek() == '"' ? DoubleQuoted() : SingleQuoted();
  if (!text.ok()) return text.status();
  if (substitutions_.size() >= kMaxSubstitutions) return fault("too many substitutions");
  absl::StatusOr<Substitution> substitution = Substitution::Parse(*text);
  if (!substitution.ok()) return fault(std::string(substitution.status().message()));
  if (directive != "subst") {
    const bool is_quoted = directive == "substdefs";
    const std::string& name = substitution->expression();
    if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) {
      return fault("a substitution that defines is of a name");
    }
    if (defines_.contains(name)) return fault(absl::StrCat(name, " is defined already"));
    defines_[name] = is_quoted ? absl::StrCat("\"", substitution->replacement(), "\"")
                               : substitution->replacement();
  }
  substitutions_.push_back(*std::move(substitution));
  return absl::OkStatus();
}

absl::Status Scanner::IfDefined(bool wanted) {
  const ScriptPosition position = Here();
  while (IsBlank(Peek())) Take();
  const std::string name = TakeName();
  if (name.empty() || Peek() == '-') return Fault("#!ifdef and #!ifndef are followed by a name");
  SkipLine();
  conditions_.push_back({defines_.contains(name) == wanted, position});
  return SkipLeftOut();
}

absl::Status Scanner::ElseOrEndif(bool is_else) {
  const ScriptPosition position = Here();
  while (IsBlank(Peek())) Take();
  const std::string_view name = is_else ? "#!else" : "#!endif";
  const auto fault = [&](std::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(position.text(), ": ", std::string(name), std::string(what)));
  };
  if (!AtEnd() && Peek() != '\n') return fault(" has text behind it, so Kamailio does not see it");
  if (conditions_.empty()) return fault(" without #!ifdef");
  if (!AtEnd()) Take();
  if (is_else) {
    conditions_.back().holds = !conditions_.back().holds;
  } else {
    conditions_.pop_back();
  }
  return absl::OkStatus();
}

absl::Status Scanner::SkipLeftOut() {
  const auto is_left_out = [this] {
    return std::any_of(conditions_.begin(), conditions_.end(),
                       [](const Condition& condition) { return !condition.holds; });
  };
  while (is_left_out() && !AtEnd()) {
    if (!LooksAt("#!") && !LooksAt("!!")) {
      Take();
      continue;
    }
    Skip(2);
    const std::string directive = TakeName();
    if (IsIn(directive, {"ifdef", "ifndef"}) && IsBlank(Peek())) {
      const ScriptPosition position = Here();
      while (IsBlank(Peek())) Take();
      const std::string name = TakeName();
      if (name.empty()) return Fault("#!ifdef and #!ifndef are followed by a name");
      SkipLine();
      conditions_.push_back({defines_.contains(name) == (directive == "ifdef"), position});
    } else if (directive == "ifexp") {
      return Fault("#!ifexp, which Kamailio 5.6 does not have, is not evaluated");
    } else if (IsIn(directive, {"else", "endif"})) {
      if (absl::Status status = ElseOrEndif(directive == "else"); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Scanner::Include(bool must_exist) {
  const ScriptPosition position = Here();
  while (IsBlank(Peek())) Take();
  if (Peek() != '"') return Fault("the name of a file to include stands in double quotes");
  absl::StatusOr<std::string> given = DoubleQuoted();
  if (!given.ok()) return given.status();
  std::string path = Substituted(*std::move(given));
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Fault("the name of the file to include is empty or has a NUL in it");
  }
  if (path[0] != '/') {
    const std::size_t slash = source().name.rfind('/');
    if (slash != std::string::npos) path = source().name.substr(0, slash + 1) + path;
  }
  absl::Status opened = Open(path);
  if (!absl::IsNotFound(opened)) return opened;
  if (!must_exist) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(position.text(), ": include_file: ", std::string(opened.message())));
}

}  // namespace presence::cli
