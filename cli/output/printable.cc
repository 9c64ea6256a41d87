#include "cli/output/printable.h"

#include <locale.h>
#include <wchar.h>
#include <wctype.h>

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace presence::cli {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr absl::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

// Switches the calling thread to UTF-8, whatever locale the user has: our output is always UTF-8.
class Utf8Scope {
 public:
  Utf8Scope()
      : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
        before_(utf8_ != nullptr ? uselocale(utf8_) : nullptr) {}
  ~Utf8Scope() {
    if (utf8_ == nullptr) return;
    uselocale(before_);
    freelocale(utf8_);
  }
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  const locale_t utf8_;
  const locale_t before_;
};

struct Character {
  absl::string_view bytes;
  wchar_t code = 0;
  bool valid = false;
};

// Takes the first character off `text`, which is not empty; a byte that starts none is a character
// of its own.
Character Take(absl::string_view& text) {
  mbstate_t state{};
  Character character;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the state is our own.
  const std::size_t length = mbrtowc(&character.code, text.data(), text.size(), &state);
  character.valid = length > 0 && length <= text.size();
  character.bytes = text.substr(0, character.valid ? length : 1);
  text.remove_prefix(character.bytes.size());
  return character;
}

bool ChangesDirection(wchar_t code) {
  return code == 0x061C || (code >= 0x200E && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

int WidthOf(const Character& character) {
  if (!character.valid) return 1;
  const int width = wcwidth(character.code);
  return width < 0 ? 1 : width;
}

}  // namespace

std::string Printable(absl::string_view text) {
  const Utf8Scope utf8;
  std::string printable;
  while (!text.empty()) {
    const Character character = Take(text);
    if (character.valid &&
        (character.code == L'\n' || character.code == L'\r' || character.code == L'\t')) {
      printable += ' ';
    } else if (!character.valid || !iswprint(static_cast<wint_t>(character.code)) ||
               ChangesDirection(character.code)) {
      absl::StrAppend(&printable, kReplacement);
    } else {
      absl::StrAppend(&printable, character.bytes);
    }
  }
  return printable;
}

bool IsUtf8(absl::string_view text) {
  const Utf8Scope utf8;
  while (!text.empty()) {
    if (!Take(text).valid) return false;
  }
  return true;
}

int DisplayWidth(absl::string_view text) {
  const Utf8Scope utf8;
  int width = 0;
  while (!text.empty()) width += WidthOf(Take(text));
  return width;
}

std::string CutToWidth(absl::string_view text, int columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  const Utf8Scope utf8;
  std::string cut;
  int left = columns - 1;
  while (!text.empty()) {
    const Character character = Take(text);
    left -= WidthOf(character);
    if (left < 0) break;
    absl::StrAppend(&cut, character.bytes);
  }
  return absl::StrCat(cut, kEllipsis);
}

}  // namespace presence::cli
