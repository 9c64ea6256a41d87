#ifndef PRESENCE_CLI_KAMAILIO_TABLES_TABLES_H_
#define PRESENCE_CLI_KAMAILIO_TABLES_TABLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/v1/records.pb.h"

namespace presence::cli {

// Names of Kamailio's tables, which its configuration may change; "schema.table" where they are in
// a schema that is not searched.
struct TableNames {
  std::string presentity = "presentity";
  std::string active_watchers = "active_watchers";
  std::string watchers = "watchers";
  std::string xcap = "xcap";
};

// The order in which tables are read: what was decided about watchers comes before the dialogs it
// is about, and those who wait after them, for whoever subscribes does not wait. Documents are
// those that are hard state.
enum class Part { kDecisions, kDocuments, kPublications, kDialogs, kWaiting };
inline constexpr Part kParts[] = {Part::kDecisions, Part::kDocuments, Part::kPublications,
                                  Part::kDialogs, Part::kWaiting};

// After which row: "active_watchers:4711". "" is before the first.
struct TablePosition {
  Part part = Part::kDecisions;
  int64_t id = 0;

  std::string Text() const;
  // Nothing for a text that is none.
  static std::optional<TablePosition> Parse(const std::string& text);
};

// A row and what is wrong with it.
struct RefusedRow {
  std::string table;
  int64_t id = 0;
  std::string why;
};

// Documents of the xcap table that stay there, of one AUID.
struct XcapCount {
  int64_t doc_type = 0;
  std::string auid;  // such as "pres-rules"
  int64_t documents = 0;
};

// A piece of one table.
struct TableBatch {
  Part part = Part::kDecisions;
  std::vector<v1::Record> records;
  std::vector<int64_t> ids;  // of the records
  std::vector<RefusedRow> refused;
  TablePosition after;
};

// Kamailio's presence tables in PostgreSQL, read as of one moment, a batch at a time, and never
// written. Used from one thread. Errors of all: Unavailable   the database, in its words; a
// password is never among them.
class KamailioTables {
 public:
  virtual ~KamailioTables() = default;

  // Rows to read of a part; nothing when the table is not there.
  virtual absl::StatusOr<std::optional<int64_t>> Count(Part part) = 0;
  virtual absl::StatusOr<std::vector<XcapCount>> CountXcap() = 0;
  // From `after` on, at most `most` rows; nothing after the last. A table that is not there is
  // empty.
  virtual absl::StatusOr<std::optional<TableBatch>> Read(const TablePosition& after,
                                                         size_t most) = 0;
  virtual std::string NameOf(Part part) const = 0;
};

// `dsn`: a connection string or URL of libpq. `gateway`: for ToRecord. Errors besides:
// InvalidArgument   `dsn` is none.
absl::StatusOr<std::unique_ptr<KamailioTables>> OpenKamailioTables(const std::string& dsn,
                                                                   TableNames names,
                                                                   std::string gateway);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_TABLES_TABLES_H_
