#include "cli/output/table.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

constexpr absl::string_view kGap = "  ";
// A column is never cut below this: less is no longer readable, then rather let the terminal wrap.
constexpr int kNarrowest = 6;

absl::string_view ColourOf(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kWaiting:
      return "\x1b[33m";
    case Tone::kPlain:
      break;
  }
  return "";
}

}  // namespace

std::string Toned(absl::string_view text, Tone tone, const Terminal& terminal) {
  if (!terminal.colour || tone == Tone::kPlain) return std::string(text);
  return absl::StrCat(ColourOf(tone), text, "\x1b[0m");
}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::Widths(const Terminal& terminal) const {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int width = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
    widths.push_back(width);
  }
  if (!terminal.columns || columns_.empty()) return widths;
  const int gaps = static_cast<int>(kGap.size() * (columns_.size() - 1));
  int over = std::accumulate(widths.begin(), widths.end(), gaps) - *terminal.columns;
  while (over > 0) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
    --over;
  }
  return widths;
}

void Table::Print(std::ostream& out, const Terminal& terminal) const {
  const std::vector<int> widths = Widths(terminal);
  auto print_row = [&](const std::vector<Cell>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = CutToWidth(row[i].text, widths[i]);
      const std::string padding(static_cast<std::size_t>(widths[i] - DisplayWidth(text)), ' ');
      const bool is_last = i + 1 == row.size();
      if (i > 0) out << kGap;
      if (columns_[i].align == Align::kRight) out << padding;
      out << Toned(text, row[i].tone, terminal);
      // No blanks at the end of a line: they wrap on narrow screens and show in pasted text.
      if (columns_[i].align == Align::kLeft && !is_last) out << padding;
    }
    out << '\n';
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title);
  print_row(titles);
  for (const auto& row : rows_) print_row(row);
}

}  // namespace presence::cli
