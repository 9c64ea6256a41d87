#ifndef PRESENCE_SIP_GATEWAY_SOFIA_GRAMMAR_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_GRAMMAR_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sip {

// The lexical pieces of RFC 3261 25.1 that header values are made of. Pure functions; views point
// into their argument.

// Finds `name` (any case) in parameters written `;a=1;b;c="x"`; the leading `;` may be missing. A
// parameter without a value is found with an empty one. Quotes around a value are kept.
std::optional<std::string_view> FindParameter(std::string_view parameters, std::string_view name);

// Whether `name` (any case) stands among the parameters more than once, which RFC 3261 7.3.1
// forbids: two readers could each take another one.
bool IsRepeated(std::string_view parameters, std::string_view name);

// Cuts a list at its top-level commas: those inside quotes or angle brackets do not count. Elements
// come without outer white space; empty ones are left out (RFC 3261 7.3.1 lists have none, old
// phones send some).
std::vector<std::string_view> SplitList(std::string_view value);

// ASCII case folded. (Debian's abseil knows no std::string_view, so its own functions do not fit
// here.)
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

std::string Concat(std::initializer_list<std::string_view> pieces);

// 1*DIGIT up to 2^32-1, leading zeros allowed; no sign, no white space.
std::optional<uint32_t> ParseUint32(std::string_view text);

// RFC 3261 25.1 token: one or more of its characters.
bool IsToken(std::string_view text);

// Replaces each fold (CRLF and the white space after it) by one space: RFC 3261 7.3.1.
std::string Unfold(std::string_view value);

// A value that only people read, or that is only repeated, as clean text: unfolded, with spaces for
// control characters and a question mark for each byte that is not UTF-8 (RFC 3261 25.1). It is
// never longer. A phone that writes its name in another charset is no reason to refuse it, and the
// frames to the core take nothing but UTF-8.
std::string CleanText(std::string_view value);

// RFC 3261 25.1 LWS. The scan has seen to it that CR and LF stand in folds only.
bool IsLws(char c);
std::string_view TrimLws(std::string_view text);
void SkipLws(std::string_view& text);

bool IsTokenChar(char c);

// Takes the longest token (perhaps none) off the front of `text`.
std::string_view TakeToken(std::string_view& text);

// Takes `c` with the white space around it off the front (SLASH, COLON, ... of RFC 3261 25.1).
// False: it is not there; the white space is gone all the same.
bool TakeSeparator(std::string_view& text, char c);

// Bytes of the quoted-string at the start of `text`, quotes included; npos if it does not end.
size_t QuotedSize(std::string_view text);

enum class Brackets { kPlain, kEnclose };

// Where the first of `stops` stands outside quotes and, with kEnclose, outside <>; the size if
// nowhere, npos if quotes or brackets do not end.
size_t FindTopLevel(std::string_view text, std::string_view stops, Brackets brackets);

struct Parameter {
  std::string_view name;
  std::string_view value;  // quotes kept; empty when there is none
};

// Takes the next parameter off the front of `;name=value;name`; nothing when it is used up.
std::optional<Parameter> TakeParameter(std::string_view& rest);

// Whether `text` is parameters and nothing else: names are tokens, values end where they should.
bool AreParameters(std::string_view text);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_GRAMMAR_H_
