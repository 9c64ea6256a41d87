#include "configuration/text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace presence {

std::string Wrap(absl::string_view text, absl::string_view indent, size_t width) {
  std::string wrapped;
  std::string line;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > width) {
      absl::StrAppend(&wrapped, indent, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  if (!line.empty()) absl::StrAppend(&wrapped, indent, line, "\n");
  return wrapped;
}

}  // namespace presence
