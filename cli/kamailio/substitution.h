#ifndef PRESENCE_CLI_KAMAILIO_SUBSTITUTION_H_
#define PRESENCE_CLI_KAMAILIO_SUBSTITUTION_H_

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace presence::cli {

// A POSIX extended regular expression, as Kamailio's scripts have them. Those that can take a
// machine down (repetition counts, back references, great length) are refused: a script may come
// from anywhere. A value that is moved, not copied.
class Pattern final {
 public:
  // Errors: InvalidArgument   no such expression, or one that is refused
  static absl::StatusOr<Pattern> Compile(const std::string& expression, bool ignore_case);

  // Whether it matches somewhere in `text`.
  bool Matches(const std::string& text) const;
  // Finds the first match in `text`; false when there is none.
  bool Find(const char* text, bool is_begin, regmatch_t (&groups)[10]) const;

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  explicit Pattern(std::unique_ptr<regex_t, Free> compiled) : compiled_(std::move(compiled)) {}

  std::unique_ptr<regex_t, Free> compiled_;
};

// What `#!subst "/expression/replacement/flags"` does to every later string of a script.
class Substitution final {
 public:
  // `text` has any character in place of "/". Flags are g (all matches) and i (any case).
  // Errors: InvalidArgument   not of that form, a pattern that is refused, or a replacement with a
  //                           variable, whose value only a running Kamailio knows
  static absl::StatusOr<Substitution> Parse(const std::string& text);

  // What `#!substdef` defines beside: expression and replacement as they are written.
  const std::string& expression() const { return expression_; }
  const std::string& replacement() const { return replacement_; }

  // `text` with its first match, or all of them, replaced.
  std::string Apply(const std::string& text) const;

 private:
  Substitution(Pattern pattern, std::string expression, std::string replacement, bool is_global)
      : pattern_(std::move(pattern)),
        expression_(std::move(expression)),
        replacement_(std::move(replacement)),
        is_global_(is_global) {}

  void AppendReplacement(std::string_view matched_in, const regmatch_t (&groups)[10],
                         std::string& to) const;

  Pattern pattern_;
  std::string expression_;
  std::string replacement_;
  bool is_global_;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_SUBSTITUTION_H_
