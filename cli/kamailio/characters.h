#ifndef PRESENCE_CLI_KAMAILIO_CHARACTERS_H_
#define PRESENCE_CLI_KAMAILIO_CHARACTERS_H_

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace presence::cli {

// Characters and words as Kamailio's lexer has them: ASCII, whatever the locale.

inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\b'; }
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
inline bool IsNameCharacter(char c) { return IsLetter(c) || IsDigit(c); }

inline bool IsIn(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_CHARACTERS_H_
