#include <utility>

#include "cli/commands/migrate_tables.h"
#include "cli/kamailio_tables/rows.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"

namespace presence::cli {
namespace {

const char* WhyNot(int64_t doc_type) {
  switch (doc_type) {
    case kKamailioPresRules:
      return "this version evaluates no rules; presencectl watcher approve and block decide about "
             "each watcher";
    case kKamailioResourceLists:
      return "only rules and lists of others refer to them, and this version has neither";
    case kKamailioRlsServices:
      return "this version serves no subscriptions to lists";
    default:
      return "nothing here reads them";
  }
}

}  // namespace

const char* WordFor(Part part) {
  switch (part) {
    case Part::kDocuments:
      return "documents";
    case Part::kDecisions:
      return "decided";
    case Part::kPublications:
      return "publications";
    case Part::kDialogs:
      return "dialogs";
    case Part::kWaiting:
      return "waiting";
  }
  return "";
}

void PrintTables(const TablesOutcome& outcome, bool dry_run, std::ostream& out,
                 const Terminal& terminal) {
  constexpr auto kRight = Table::Align::kRight;
  const bool is_checked = outcome.was_checked_by_server;
  Table table({{"TABLE"},
               {"WHAT"},
               {"ROWS", kRight},
               {dry_run ? "WOULD BE IMPORTED" : "IMPORTED", kRight},
               {"BEFORE", kRight},
               {"SKIPPED", kRight},
               {"REFUSED", kRight}});
  for (const Part part : kParts) {
    const PartOutcome& counts = outcome.parts[Index(part)];
    if (!counts.is_there) {
      table.Add({outcome.names[Index(part)], WordFor(part), "no table", "-", "-", "-", "-"});
      continue;
    }
    table.Add({outcome.names[Index(part)], WordFor(part), std::to_string(counts.read),
               is_checked ? std::to_string(counts.imported) : "?",
               is_checked ? std::to_string(counts.before) : "?",
               is_checked ? std::to_string(counts.skipped) : "?", std::to_string(counts.refused)});
  }
  out << "tables\n";
  table.Print(out, terminal);
  for (const RefusedRow& row : outcome.refused) {
    out << "refused  " << Printable(row.table) << " id " << row.id << ": " << Printable(row.why)
        << '\n';
  }
  if (const uint64_t all = outcome.refused_rows(); all > outcome.refused.size()) {
    out << "refused  " << all - outcome.refused.size() << " more\n";
  }
  for (const XcapCount& count : outcome.xcap) {
    out << "needs you  " << Printable(outcome.names[Index(Part::kDocuments)]) << ": "
        << count.documents << " " << Printable(count.auid)
        << (count.documents == 1 ? " document stays" : " documents stay")
        << " where they are: " << WhyNot(count.doc_type) << '\n';
  }
  if (!outcome.is_complete) out << "not complete: what is counted here came before the end\n";
  if (!is_checked) out << "no server was asked what it would take: rows are only read\n";
}

google::protobuf::Struct ToStruct(const TablesOutcome& outcome) {
  google::protobuf::Struct shown;
  auto& fields = *shown.mutable_fields();
  fields["checked_by_server"].set_bool_value(outcome.was_checked_by_server);
  fields["is_complete"].set_bool_value(outcome.is_complete);
  auto& parts = *fields["parts"].mutable_list_value();
  for (const Part part : kParts) {
    const PartOutcome& counts = outcome.parts[Index(part)];
    auto& row = *parts.add_values()->mutable_struct_value()->mutable_fields();
    row["table"].set_string_value(Printable(outcome.names[Index(part)]));
    row["what"].set_string_value(WordFor(part));
    row["is_there"].set_bool_value(counts.is_there);
    row["rows"].set_number_value(static_cast<double>(counts.read));
    row["imported"].set_number_value(static_cast<double>(counts.imported));
    row["imported_before"].set_number_value(static_cast<double>(counts.before));
    row["skipped"].set_number_value(static_cast<double>(counts.skipped));
    row["refused"].set_number_value(static_cast<double>(counts.refused));
  }
  auto& refused = *fields["refused"].mutable_list_value();
  for (const RefusedRow& row : outcome.refused) {
    auto& out = *refused.add_values()->mutable_struct_value()->mutable_fields();
    out["table"].set_string_value(Printable(row.table));
    out["id"].set_number_value(static_cast<double>(row.id));
    out["why"].set_string_value(Printable(row.why));
  }
  auto& xcap = *fields["xcap"].mutable_list_value();
  for (const XcapCount& count : outcome.xcap) {
    auto& out = *xcap.add_values()->mutable_struct_value()->mutable_fields();
    out["auid"].set_string_value(Printable(count.auid));
    out["documents"].set_number_value(static_cast<double>(count.documents));
    out["why"].set_string_value(WhyNot(count.doc_type));
  }
  return shown;
}

}  // namespace presence::cli
