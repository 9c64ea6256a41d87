#ifndef PRESENCE_CLI_OUTPUT_TABLE_H_
#define PRESENCE_CLI_OUTPUT_TABLE_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/environment.h"

namespace presence::cli {

// Colour of a word, on terminals that take colours. The word itself says the same.
enum class Tone { kPlain, kGood, kBad, kWaiting };

// `text` in the colour of `tone` where `terminal` has colours.
std::string Toned(absl::string_view text, Tone tone, const Terminal& terminal);

// One cell. The text is made printable by the table. A text is a plain cell, so that a row reads as
// a list of texts.
struct Cell {
  // NOLINTBEGIN(google-explicit-constructor)
  Cell(std::string text_in, Tone tone_in = Tone::kPlain)
      : text(std::move(text_in)), tone(tone_in) {}
  Cell(const char* text_in) : text(text_in) {}
  // NOLINTEND(google-explicit-constructor)

  std::string text;
  Tone tone = Tone::kPlain;
};

// Rows under headings, in columns two spaces apart. On a terminal the widest columns shrink until a
// row fits one line, and cut cells end in "…"; pipes and files get full text.
class Table final {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Adds a row; `cells` has one cell a column.
  void Add(std::vector<Cell> cells);

  // Prints the headings and every row.
  void Print(std::ostream& out, const Terminal& terminal) const;

 private:
  std::vector<int> Widths(const Terminal& terminal) const;

  const std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_OUTPUT_TABLE_H_
