#include "cli/command_line/shell_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace presence::cli {
namespace {

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("@%+=:,./-_").find(c) != absl::string_view::npos;
}

}  // namespace

std::string ShellQuote(absl::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), IsPlain)) return std::string(word);
  // Inside double quotes only \ " ` $ are special; they read better than the '\'' of single quotes,
  // but `!` expands there in interactive shells.
  if (word.find('!') == absl::string_view::npos) {
    return absl::StrCat(
        "\"",
        absl::StrReplaceAll(word, {{"\\", "\\\\"}, {"\"", "\\\""}, {"`", "\\`"}, {"$", "\\$"}}),
        "\"");
  }
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

std::string ShellCommand(const std::vector<std::string>& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const std::string& word) {
    absl::StrAppend(out, ShellQuote(word));
  });
}

}  // namespace presence::cli
