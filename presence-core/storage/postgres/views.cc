#include "presence-core/storage/postgres/views.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/schema.h"
#include "presence-core/storage/postgres/stall_guard.h"

namespace presence {
namespace {

constexpr char kPlace[] = "SELECT place_view($1, $2)";

// Why a view cannot have its name, or what is wrong with the database.
absl::Status StatusOfPlacing(const pqxx::sql_error& error, const std::string& kind,
                             const std::string& name) {
  const std::string& state = error.sqlstate();
  const auto refused = [&](std::string_view why) {
    return InvalidField(fmt::format("storage.views.{}", kind), fmt::format("{}: {}", name, why));
  };
  if (state == "42P07" || state == "42710") {
    return refused("the database has something else of this name; take another, or none");
  }
  if (state == "3F000") return refused("the database has no such schema");
  if (state == "42501") {
    return StorageUnavailable(
        fmt::format("the view {} cannot be made: run  presence-core migrate up  as who may: {}",
                    name, std::string(StatusOf(error).message())));
  }
  return StatusOf(error);
}

}  // namespace

absl::Status PlaceViews(const DatabaseOptions& options, const ViewNames& names,
                        const Clock& clock) {
  const std::pair<std::string, const std::string&> views[] = {
      {"presentity", names.presentity},
      {"active_watchers", names.active_watchers},
      {"watchers", names.watchers}};
  try {
    StallGuard guard(options, clock);
    const auto connection = Connect(options, &guard);
    const StallGuard::Call call(guard, *connection);
    pqxx::work transaction(*connection);
    transaction.exec(kOneAtATime);
    for (const auto& [kind, name] : views) {
      try {
        transaction.exec_params(kPlace, kind, name);
      } catch (const pqxx::sql_error& error) {
        return StatusOfPlacing(error, kind, name);
      }
    }
    transaction.commit();
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
}

}  // namespace presence
