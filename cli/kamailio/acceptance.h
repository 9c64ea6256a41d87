#ifndef PRESENCE_CLI_KAMAILIO_ACCEPTANCE_H_
#define PRESENCE_CLI_KAMAILIO_ACCEPTANCE_H_

#include "absl/status/status.h"
#include "cli/kamailio/migration.h"

namespace presence::cli {

// Whether our programs would take what `migration` sets. Domains may be missing still.
// Errors: InvalidArgument   what a program would say at its start
absl::Status CheckAccepted(const Migration& migration);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_ACCEPTANCE_H_
