#include "cli/command_line/suggestion.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace presence::cli {
namespace {

// Optimal string alignment: Levenshtein's distance with a swap of neighbours as one slip.
std::size_t Slips(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> Nearest(absl::string_view typed,
                                   const std::vector<std::string>& candidates) {
  // Longer than any word we have: not a typo, and not worth a quadratic comparison.
  if (typed.empty() || typed.size() > 64) return std::nullopt;
  const std::string wanted = absl::AsciiStrToLower(typed);
  std::optional<std::string> nearest;
  // One slip in three letters is still a typo; more is another word.
  std::size_t limit = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t slips = Slips(wanted, absl::AsciiStrToLower(candidate));
    if (slips < limit) {
      limit = slips;
      nearest = candidate;
    }
  }
  if (nearest) return nearest;
  for (const std::string& candidate : candidates) {
    if (wanted.size() >= 2 && absl::StartsWithIgnoreCase(candidate, wanted)) return candidate;
  }
  return std::nullopt;
}

std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& candidates) {
  const std::optional<std::string> nearest = Nearest(typed, candidates);
  return nearest ? absl::StrCat("; did you mean \"", *nearest, "\"?") : "";
}

}  // namespace presence::cli
