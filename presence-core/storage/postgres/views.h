#ifndef PRESENCE_CORE_STORAGE_POSTGRES_VIEWS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_VIEWS_H_

#include <string>

#include "absl/status/status.h"
#include "presence-core/storage/postgres/database_options.h"
#include "runtime/clock.h"

namespace presence {

// What the views for readers of Kamailio's tables are called: "name" in the schema `presence`, or
// "schema.name". Empty: there is none. sql/ has the views.
struct ViewNames {
  std::string presentity = "presentity";
  std::string active_watchers = "active_watchers";
  std::string watchers = "watchers";
};

// Makes the views, renames them, or takes them away, so that these are their names; where they are,
// nothing is touched. The schema must be up to date. Errors: INVALID_FIELD   names the key under
// storage.views: something else has the name, or there is no such schema; STORAGE_UNAVAILABLE.
absl::Status PlaceViews(const DatabaseOptions& options, const ViewNames& names, const Clock& clock);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_VIEWS_H_
