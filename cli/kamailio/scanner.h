#ifndef PRESENCE_CLI_KAMAILIO_SCANNER_H_
#define PRESENCE_CLI_KAMAILIO_SCANNER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/kamailio/substitution.h"
#include "cli/kamailio/token.h"

namespace presence::cli {

// The text of a file. Errors: NotFound when there is none of this name.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// The first step of reading a Kamailio 5.6 script: what its preprocessor and its lexer do. It
// follows the lexer of the server in what people stumble over: block comments nest; a define is
// replaced as text, outside strings; a substitution works inside strings; `#!endif` with anything
// behind it is none; in a part that is left out, directives count even in comments. What it cannot
// know (environment variables, expressions of later versions) stops it: never a guess.
// Used from one thread.
class Scanner final {
 public:
  // `defines` are those of the command line (kamailio -A), as name and value.
  Scanner(FileReader read, std::map<std::string, std::string> defines);

  // Starts with the file `path`.
  absl::Status Open(const std::string& path);

  // The next word, kEnd after the last.
  // Errors: InvalidArgument   "FILE:LINE: what is wrong"; nothing can be read after it
  absl::StatusOr<Token> Next();

 private:
  // A file that is being read.
  struct Source {
    std::string name;
    std::string text;
    std::size_t most = 0;  // what `text` may grow to by defines
    std::size_t at = 0;
    int line = 1;
  };

  ScriptPosition Here() const;
  absl::Status Fault(std::string_view what) const;
  bool AtEnd() const { return source().at >= source().text.size(); }
  char Peek(std::size_t ahead = 0) const;
  bool LooksAt(std::string_view text) const;
  char Take();
  void Skip(std::size_t count);
  void SkipLine();
  std::string TakeName();
  // What is left of this line, with lines that end in a backslash continued.
  std::string TakeRestOfLine();
  Source& source() { return sources_.back(); }
  const Source& source() const { return sources_.back(); }

  // Leaves white space, comments and directives behind; true when something was there.
  absl::StatusOr<bool> SkipWhite();
  absl::Status SkipBlockComment();
  // True when a directive stood here and was obeyed.
  absl::StatusOr<bool> Directive();
  absl::Status Obey(std::string_view directive);
  absl::Status Define(std::string_view directive);
  absl::Status Substitute(std::string_view directive);
  absl::Status IfDefined(bool wanted);
  absl::Status SkipLeftOut();
  absl::Status ElseOrEndif(bool is_else);
  absl::Status Include(bool must_exist);
  absl::Status CloseSource();

  absl::StatusOr<Token> Word();
  absl::StatusOr<std::string> DoubleQuoted();
  absl::StatusOr<std::string> SingleQuoted();
  void TakeEscape(std::string& to);
  std::string Variable();
  Token Number();
  // True when the name is a define, which now stands in the text instead.
  absl::StatusOr<bool> Expand(const std::string& name);
  std::string Substituted(std::string text) const;

  const FileReader read_;
  std::vector<Source> sources_;
  std::map<std::string, std::string> defines_;
  std::vector<Substitution> substitutions_;
  // One for each #!ifdef that is open: whether its part is read, and where it stands.
  struct Condition {
    bool holds = false;
    ScriptPosition position;
  };
  std::vector<Condition> conditions_;
  int expansions_ = 0;
  int files_ = 0;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_SCANNER_H_
