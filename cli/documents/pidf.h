#ifndef PRESENCE_CLI_DOCUMENTS_PIDF_H_
#define PRESENCE_CLI_DOCUMENTS_PIDF_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace presence::cli {

inline constexpr char kPidfType[] = "application/pidf+xml";

// What a person says about himself in one line.
struct SimplePresence {
  // Whether he can be reached; nothing when he only leaves a note.
  std::optional<bool> is_open;
  // Note for people. May be empty.
  std::string note;
  // Tells this tuple from those of his other devices: two publications with the same tuple id
  // compete.
  std::string tuple_id;
  // When it was so.
  absl::Time time;
};

// The `entity` of a PIDF for a presentity written in any of the forms of the contract: a URI stays
// as it is, an address of record or resource name becomes a sip: URI.
std::string EntityOf(const std::string& presentity);

// The PIDF document (RFC 3863) that says it. Errors: INVALID_ARGUMENT for a note that XML cannot
// carry: bytes that are not UTF-8 and control characters.
absl::StatusOr<std::string> BuildPidf(const std::string& entity, const SimplePresence& presence);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_DOCUMENTS_PIDF_H_
