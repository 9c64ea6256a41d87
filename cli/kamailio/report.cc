#include "cli/kamailio/report.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "configuration/text.h"

namespace presence::cli {
namespace {

constexpr int kWidth = 100;

// "kamailio.cfg:12": without its folders, so that a table fits a screen.
std::string PositionText(const MigrationRow& row) {
  if (!row.position) return "-";
  const std::string text = row.position->text();
  return text.substr(text.rfind('/') + 1);
}

std::vector<const MigrationRow*> RowsOf(const Migration& migration, Fate fate) {
  std::vector<const MigrationRow*> rows;
  for (const MigrationRow& row : migration.rows) {
    if (row.fate == fate) rows.push_back(&row);
  }
  return rows;
}

std::size_t WidthOf(const Terminal& terminal) {
  return static_cast<std::size_t>(std::clamp(terminal.columns.value_or(kWidth), 40, kWidth));
}

void PrintSuperseded(const std::vector<const MigrationRow*>& rows, std::ostream& out,
                     const Terminal& terminal) {
  Table table({{"PARAMETER"}, {"WAS"}, {"BECAUSE"}});
  for (const MigrationRow* row : rows) table.Add({row->subject, row->was, row->note});
  table.Print(out, terminal);
}

// Keys and values as a table, and below it what behaves otherwise than at Kamailio.
void PrintSuccessors(const Migration& migration, const std::vector<const MigrationRow*>& rows,
                     std::ostream& out, const Terminal& terminal) {
  Table table({{"PARAMETER"}, {"WAS"}, {"AT"}, {"HERE"}});
  for (const MigrationRow* row : rows) {
    table.Add({row->subject, row->was, PositionText(*row), SettingsText(migration, *row)});
  }
  table.Print(out, terminal);
  for (const MigrationRow* row : rows) {
    if (!row->is_different) continue;
    out << Wrap(Printable(absl::StrCat(row->subject, ": ", row->note)), "  ", WidthOf(terminal));
  }
}

void PrintToDo(const std::vector<const MigrationRow*>& rows, std::ostream& out,
               const Terminal& terminal) {
  for (const MigrationRow* row : rows) {
    std::string head = row->subject;
    if (row->position) absl::StrAppend(&head, " (", row->position->text(), ")");
    if (!row->was.empty()) absl::StrAppend(&head, "  ", row->was);
    out << Printable(head) << '\n' << Wrap(Printable(row->note), "    ", WidthOf(terminal));
  }
}

}  // namespace

std::string SettingsText(const Migration& migration, const MigrationRow& row) {
  std::vector<std::string> texts;
  for (const SuccessorKey& key : row.keys) {
    std::string text = key.program == Program::kGateway ? KeyName(key) : key.key;
    const auto setting = std::find_if(migration.settings.begin(), migration.settings.end(),
                                      [&key](const NewSetting& other) { return other.key == key; });
    if (setting != migration.settings.end()) {
      absl::StrAppend(&text, ": ", absl::StrJoin(setting->values, ","));
    }
    texts.push_back(std::move(text));
  }
  return texts.empty() ? "-" : absl::StrJoin(texts, ", ");
}

void PrintReport(const Migration& migration, std::ostream& out, const Terminal& terminal) {
  for (const Fate fate : {Fate::kKept, Fate::kRenamed, Fate::kSuperseded, Fate::kNeedsYou}) {
    const std::vector<const MigrationRow*> rows = RowsOf(migration, fate);
    if (rows.empty()) continue;
    out << FateName(fate) << " (" << rows.size() << ")\n";
    if (fate == Fate::kNeedsYou) {
      PrintToDo(rows, out, terminal);
    } else if (fate == Fate::kSuperseded) {
      PrintSuperseded(rows, out, terminal);
    } else {
      PrintSuccessors(migration, rows, out, terminal);
    }
    out << '\n';
  }
}

}  // namespace presence::cli
