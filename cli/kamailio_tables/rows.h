#ifndef PRESENCE_CLI_KAMAILIO_TABLES_ROWS_H_
#define PRESENCE_CLI_KAMAILIO_TABLES_ROWS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "presence/v1/records.pb.h"

namespace presence::cli {

// Rows of Kamailio 5.6's presence tables as they are, NULL as an empty text. Times are seconds of
// the wall clock; texts are what phones sent, so anything.

struct PresentityRow {
  std::string username;
  std::string domain;
  std::string event;
  std::string etag;
  int64_t expires = 0;
  int64_t received_time = 0;
  std::string body;
  std::string sender;
  int64_t priority = 0;
};

struct ActiveWatcherRow {
  std::string presentity_uri;
  std::string watcher_username;
  std::string watcher_domain;
  std::string to_user;
  std::string to_domain;
  std::string event;
  std::string event_id;
  std::string to_tag;    // ours
  std::string from_tag;  // the watcher's
  std::string callid;
  int64_t local_cseq = 0;
  int64_t remote_cseq = 0;
  std::string contact;
  std::string record_route;
  int64_t expires = 0;
  int64_t status = 0;
  int64_t version = 0;
  std::string local_contact;
  std::string from_user;
  std::string from_domain;
  std::string user_agent;
};

struct WatcherRow {
  std::string presentity_uri;
  std::string watcher_username;
  std::string watcher_domain;
  std::string event;
  int64_t status = 0;
  std::string reason;
};

struct XcapRow {
  std::string username;
  std::string domain;
  std::string doc;
  std::string doc_uri;  // ".../pidf-manipulation/users/sip:alice@example.com/index"
};

// Of the column doc_type: its xcap_server files an application under a bit.
inline constexpr int64_t kKamailioPresRules = 1 << 1;
inline constexpr int64_t kKamailioResourceLists = 1 << 2;
inline constexpr int64_t kKamailioRlsServices = 1 << 3;
inline constexpr int64_t kKamailioPidfManipulation = 1 << 4;

// A publication that does not expire: hard state that refreshWatchers has loaded, with the name of
// the file as its entity-tag.
inline constexpr int64_t kKamailioHardState = -1;

// Statuses of both tables.
inline constexpr int64_t kKamailioActive = 1;
inline constexpr int64_t kKamailioPending = 2;
inline constexpr int64_t kKamailioTerminated = 3;
inline constexpr int64_t kKamailioWaiting = 4;

// A Kamailio that did not stop in good order has sent NOTIFYs that its table does not know of
// (db_update_period); a dialog goes on this far above what the table says. RFC 3261 §12.2.2 lets a
// CSeq jump, but never fall.
inline constexpr int64_t kUnwrittenNotifies = 256;

// What AdminService.Import is sent for a row. What is decided by the server is left to it: whether
// a URI, a document, a time is one. Errors: InvalidArgument   no record can be made of it, and why.
absl::StatusOr<v1::Record> ToRecord(const PresentityRow& row);
// `gateway`: the group that the phone will reach instead of Kamailio.
absl::StatusOr<v1::Record> ToRecord(const ActiveWatcherRow& row, std::string_view gateway);
absl::StatusOr<v1::Record> ToRecord(const WatcherRow& row);
// Of a row with kKamailioPidfManipulation.
absl::StatusOr<v1::Record> ToRecord(const XcapRow& row);

// The routes of a Record-Route header, each in its angle brackets. Errors: InvalidArgument.
absl::StatusOr<std::vector<std::string>> SplitRoutes(std::string_view header);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_TABLES_ROWS_H_
