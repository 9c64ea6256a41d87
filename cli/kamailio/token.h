#ifndef PRESENCE_CLI_KAMAILIO_TOKEN_H_
#define PRESENCE_CLI_KAMAILIO_TOKEN_H_

#include <cstdint>
#include <string>

namespace presence::cli {

// A line of a script: "kamailio.cfg:12".
struct ScriptPosition {
  std::string file;
  int line = 1;

  std::string text() const { return file + ":" + std::to_string(line); }
  friend bool operator==(const ScriptPosition&, const ScriptPosition&) = default;
};

// A word of a Kamailio script, after its preprocessor. A value.
struct Token {
  enum class Kind {
    kEnd,         // of the outermost file
    kIdentifier,  // text: the name
    kString,      // text: the value, with escapes resolved and substitutions made
    kNumber,      // text as written; number: the value, 1 and 0 for yes and no
    kVariable,    // text: all of it, "$subs(uri)"
    kSymbol,      // text: one character
  };

  bool Is(Kind other_kind, const std::string& other_text) const {
    return kind == other_kind && text == other_text;
  }
  bool IsSymbol(const char* symbol) const { return Is(Kind::kSymbol, symbol); }

  Kind kind = Kind::kEnd;
  std::string text;
  int64_t number = 0;
  // Whether white space or a comment came before it.
  bool is_apart = false;
  ScriptPosition position;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_TOKEN_H_
