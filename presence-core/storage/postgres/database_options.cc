#include "presence-core/storage/postgres/database_options.h"

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string_view>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using Settings = std::map<std::string, std::string>;

absl::StatusOr<Settings> Parse(const std::string& dsn) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(dsn.c_str(), &error), PQconninfoFree);
  PQfreemem(error);  // it quotes the text, and that may hold a password
  if (options == nullptr) {
    return InvalidField("storage.dsn",
                        "this is no PostgreSQL connection string; write \"host=/run/postgresql "
                        "dbname=presence\" or \"postgres://user@host/presence\"");
  }
  Settings settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

std::string Print(const Settings& settings) {
  std::string text;
  for (const auto& [key, value] : settings) {
    if (!text.empty()) text += ' ';
    text.append(key).append("='");
    for (const char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += '\'';
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> NormalizeDsn(const std::string& dsn) {
  auto settings = Parse(dsn);
  if (!settings.ok()) return settings.status();
  const Settings defaults{{"application_name", "presence-core"},
                          {"connect_timeout", "3"},
                          {"keepalives_idle", "10"},
                          {"keepalives_interval", "3"},
                          {"keepalives_count", "3"},
                          {"tcp_user_timeout", "5000"}};
  settings->insert(defaults.begin(), defaults.end());
  return Print(*settings);
}

std::string DescribeDsn(const std::string& dsn) {
  const auto settings = Parse(dsn);
  if (!settings.ok()) return "(no connection string)";
  Settings shown;
  for (const char* key : {"dbname", "host", "port", "user"}) {
    if (const auto it = settings->find(key); it != settings->end()) shown.insert(*it);
  }
  return Print(shown);
}

}  // namespace presence
