#include "cli/kamailio/conversions.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/kamailio/parameters.h"
#include "configuration/format.h"
#include "configuration/units.h"

namespace presence::cli {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kMonth = 30 * 24 * kHour;  // the longest lifetime here

std::string Seconds(int64_t seconds) { return PrintDuration(absl::Seconds(seconds)); }

// The number of a parameter that has one within these bounds. Otherwise somebody has to look.
std::optional<int64_t> NumberWithin(Conversion& conversion, int64_t least, int64_t most) {
  const std::optional<int64_t> number = conversion.number();
  if (!number) {
    conversion.NeedsYou("it is no number");
  } else if (*number < least || *number > most) {
    conversion.NeedsYou(absl::StrCat("allowed here is ", least, " to ", most));
    return std::nullopt;
  }
  return number;
}

void SetFlag(Conversion& conversion, const char* key) {
  if (const auto number = conversion.number()) {
    conversion.Set(Program::kCore, key, *number != 0 ? "true" : "false");
  } else {
    conversion.NeedsYou("it is no number");
  }
}

// Kamailio's notifier processes, and with them waitn_time, run in this mode alone.
bool HasNotifiers(const Conversion& conversion) {
  return conversion.NumberOf("subs_db_mode", 2) == 3 &&
         conversion.NumberOf("notifier_processes", 1) > 0;
}

// `text` as a part of a URL.
std::string Escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      escaped += static_cast<char>(c);
    } else {
      escaped += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return escaped;
}

// The parts of DRIVER://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE.
struct DatabaseUrl {
  std::string_view driver;
  std::string_view user;
  bool has_password = false;
  std::string_view host;  // with its port
  std::string_view database;
};

std::optional<DatabaseUrl> ParseDatabaseUrl(std::string_view text) {
  DatabaseUrl url;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  url.driver = text.substr(0, scheme);
  text.remove_prefix(scheme + 3);
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    url.user = text.substr(0, at);
    if (const std::size_t colon = url.user.find(':'); colon != std::string_view::npos) {
      url.has_password = true;
      url.user = url.user.substr(0, colon);
    }
    text.remove_prefix(at + 1);
  }
  const std::size_t slash = text.find('/');
  url.host = text.substr(0, slash);
  if (slash != std::string_view::npos) url.database = text.substr(slash + 1);
  return url;
}

std::string Dsn(const DatabaseUrl& url) {
  return absl::StrCat("postgres://", Escaped(url.user), url.user.empty() ? "" : "@",
                      std::string(url.host), "/", Escaped(url.database));
}

bool HasDatabase(const Conversion& conversion) {
  const ScriptValue* url = conversion.script().Find("presence", "db_url");
  return url != nullptr && !url->text.empty();
}

// Whether both kinds of state are in memory alone; then no database is needed.
bool IsAllInMemory(const Conversion& conversion) {
  return conversion.NumberOf("subs_db_mode", 2) == 0 && conversion.NumberOf("publ_cache", 1) == 2;
}

constexpr char kNoDatabase[] = "without db_url nothing is stored, so it has no effect";

}  // namespace

void ConvertDbUrl(Conversion& conversion) {
  const std::string& text = conversion.value()->text;
  if (text.empty()) {
    return conversion.NeedsYou("empty: the module is a library; here state is kept in memory");
  }
  const std::optional<DatabaseUrl> url = ParseDatabaseUrl(text);
  conversion.Set(Program::kCore, "storage.backend",
                 IsAllInMemory(conversion) ? "memory" : "postgres");
  if (IsAllInMemory(conversion)) {
    return conversion.Decide(Fate::kSuperseded,
                             "subs_db_mode 0 and publ_cache 2 keep all state in memory");
  }
  if (!url || url->driver != "postgres") {
    return conversion.NeedsYou(
        "presence-core stores in PostgreSQL alone: make a database and name it in storage.dsn");
  }
  if (url->host.empty() || url->database.empty()) {
    return conversion.NeedsYou("not postgres://USER:PASSWORD@HOST/DATABASE: write storage.dsn");
  }
  conversion.Set(Program::kCore, "storage.dsn", Dsn(*url));
  if (url->has_password) {
    conversion.NeedsYou(
        "the password is not copied: put the whole connection string into a file, name it in "
        "storage.dsn_file");
  }
}

void ConvertTableName(Conversion& conversion) {
  MigrationRow& row = conversion.row();
  const std::string table = row.subject.substr(0, row.subject.rfind('_'));
  if (row.was == table) return;  // as here
  if (!CheckFormat(v1::Setting::FORMAT_VIEW, row.was).ok() || row.was == "none") {
    return conversion.NeedsYou("no view can have this name here");
  }
  conversion.Set(Program::kCore, absl::StrCat("storage.views.", table), row.was);
}

void ConvertCleanPeriod(Conversion& conversion) {
  const auto number = conversion.number();
  if (!number) return conversion.NeedsYou("it is no number");
  if (*number <= 0) return conversion.Set(Program::kCore, "expiry.sweep_interval", "0s");
  conversion.Decide(Fate::kRenamed, "not copied: it would only make expiries late; here 100ms");
}

void ConvertCseqOffset(Conversion& conversion) {
  if (const auto number = NumberWithin(conversion, 0, 1001)) {
    // Kamailio takes what is above its last CSeq less the offset.
    conversion.Set(Program::kCore, "subscribe.cseq_tolerance",
                   absl::StrCat(std::max<int64_t>(0, *number - 1)));
  }
}

void ConvertDbUpdatePeriod(Conversion& conversion) {
  const ScriptValue* mode = conversion.script().Find("presence", "subs_db_mode");
  if (!HasDatabase(conversion) || mode == nullptr || conversion.NumberOf("subs_db_mode", 2) != 2) {
    return conversion.Decide(Fate::kSuperseded, "of use in mode write-back (subs_db_mode 2) only");
  }
  const auto number = conversion.number();
  if (number && *number <= 0) {
    return conversion.NeedsYou("writing cannot be turned off; storage.backend memory is meant?");
  }
  if (const auto seconds = NumberWithin(conversion, 1, 300)) {
    conversion.Set(Program::kCore, "storage.flush_interval", Seconds(*seconds));
  }
}

void ConvertWaitnTime(Conversion& conversion) {
  if (!HasNotifiers(conversion)) {
    return conversion.Decide(Fate::kSuperseded,
                             "of use with notifier processes in subs_db_mode 3 only");
  }
  if (const auto seconds = NumberWithin(conversion, 0, kHour)) {
    conversion.Set(Program::kCore, "notify.min_interval", Seconds(*seconds));
  }
}

void ConvertNotifierProcesses(Conversion& conversion) {
  const auto number = conversion.number();
  if (!number) return conversion.NeedsYou("it is no number");
  if (conversion.NumberOf("subs_db_mode", 2) != 3) {
    return conversion.Decide(Fate::kSuperseded, "of use in subs_db_mode 3 only");
  }
  if (*number <= 0) {
    return conversion.Decide(Fate::kSuperseded, "NOTIFYs are always sent at once and in order");
  }
  if (const auto workers = NumberWithin(conversion, 1, 64)) {
    conversion.Set(Program::kCore, "notify.workers", absl::StrCat(*workers));
  }
}

void ConvertForceDelete(Conversion& conversion) { SetFlag(conversion, "publish.expire_silently"); }

void ConvertExpiresOffset(Conversion& conversion) {
  if (const auto seconds = NumberWithin(conversion, 0, kHour)) {
    conversion.Set(Program::kCore, "publish.expires_margin", Seconds(*seconds));
    conversion.Set(Program::kCore, "subscribe.grace", Seconds(*seconds));
  }
}

void ConvertMaxExpires(Conversion& conversion) {
  const auto seconds = NumberWithin(conversion, 1, kMonth);
  if (!seconds) return;
  const int64_t min_expires = conversion.NumberOf("min_expires", 0);
  if (*seconds < min_expires) {
    return conversion.NeedsYou("below min_expires: Kamailio then grants max_expires to everybody");
  }
  for (const char* section : {"publish", "subscribe"}) {
    conversion.Set(Program::kCore, absl::StrCat(section, ".max_expires"), Seconds(*seconds));
    // Below our default minimum; as there is none at Kamailio, none is meant.
    if (*seconds < 60) {
      conversion.Set(Program::kCore, absl::StrCat(section, ".min_expires"), Seconds(min_expires));
    }
  }
}

void ConvertMinExpires(Conversion& conversion) {
  const auto seconds = NumberWithin(conversion, 0, kMonth);
  if (!seconds) return;
  if (*seconds > conversion.NumberOf("max_expires", 24 * kHour)) {
    return conversion.NeedsYou("above max_expires: write both keys");
  }
  for (const char* section : {"publish", "subscribe"}) {
    conversion.Set(Program::kCore, absl::StrCat(section, ".min_expires"), Seconds(*seconds));
  }
  conversion.Decide(Fate::kKept,
                    "Kamailio looks at SUBSCRIBE alone; here PUBLISH is held to it, too");
}

void ConvertMinExpiresAction(Conversion& conversion) {
  if (const auto action = NumberWithin(conversion, 1, 2)) {
    conversion.Set(Program::kCore, "min_expires_action", *action == 1 ? "reject" : "raise");
  }
}

void ConvertServerAddress(Conversion& conversion) {
  const std::string& text = conversion.value()->text;
  if (!CheckFormat(presence::v1::Setting::FORMAT_SIP_URI, text).ok()) {
    return conversion.NeedsYou("it is no sip: or sips: URI");
  }
  conversion.Set(Program::kGateway, "sip.contact", text);
}

void ConvertSubsDbMode(Conversion& conversion) {
  const auto mode = NumberWithin(conversion, 0, 3);
  if (!mode) return;
  if (!HasDatabase(conversion)) return conversion.Decide(Fate::kSuperseded, kNoDatabase);
  if (IsAllInMemory(conversion)) {
    return conversion.Decide(Fate::kSuperseded, "with publ_cache 2: storage.backend is memory");
  }
  constexpr const char* kModes[] = {"memory", "write-through", "write-back", "write-through"};
  conversion.Set(Program::kCore, "storage.subscriptions", kModes[*mode]);
  if (*mode == 3) {
    conversion.NeedsYou(
        "for several cores that serve at once: storage.mode db-only instead of both");
  }
}

void ConvertPublCache(Conversion& conversion) {
  const auto cache = NumberWithin(conversion, 0, 2);
  if (!cache) return;
  if (!HasDatabase(conversion)) return conversion.Decide(Fate::kSuperseded, kNoDatabase);
  if (IsAllInMemory(conversion)) {
    return conversion.Decide(Fate::kSuperseded, "with subs_db_mode 0: storage.backend is memory");
  }
  // Kamailio writes a publication before it answers, unless all of them are in memory.
  conversion.Set(Program::kCore, "storage.publications", *cache == 2 ? "memory" : "write-through");
  if (*cache == 0) {
    conversion.NeedsYou(
        "who else wrote into the table presentity, or shared it, now publishes through gRPC");
  }
}

void ConvertSendFastNotify(Conversion& conversion) {
  const auto number = conversion.number();
  if (!number) return conversion.NeedsYou("it is no number");
  conversion.Set(Program::kCore, "initial_notify", *number != 0 ? "always" : "never");
  if (*number == 0) {
    conversion.Decide(Fate::kRenamed, "when_state spares phones the empty NOTIFY only");
  }
}

void ConvertSphereCheck(Conversion& conversion) {
  if (conversion.number() == 0) return;
  conversion.NeedsYou("rules with a sphere are not evaluated in this version");
}

void ConvertTimeoutRmSubs(Conversion& conversion) {
  const auto number = conversion.number();
  if (!number) return conversion.NeedsYou("it is no number");
  conversion.Set(Program::kCore, "notify.on_timeout", *number != 0 ? "remove" : "keep");
}

void ConvertFetchRows(Conversion& conversion) {
  if (const auto rows = NumberWithin(conversion, 1, 100000)) {
    conversion.Set(Program::kCore, "storage.batch_rows", absl::StrCat(*rows));
  }
}

void ConvertLogFacility(Conversion& conversion) {
  std::string sink = "syslog:";
  std::string_view facility = conversion.value()->text;
  if (facility.substr(0, 4) == "LOG_") facility.remove_prefix(4);
  for (const unsigned char c : facility) sink += static_cast<char>(std::tolower(c));
  if (!CheckFormat(presence::v1::Setting::FORMAT_LOG_SINK, sink).ok()) {
    return conversion.NeedsYou("it is no facility that log.sink has");
  }
  conversion.Set(Program::kCore, "log.sink", sink);
  conversion.Set(Program::kGateway, "log.sink", sink);
}

void ConvertXavpCfg(Conversion& conversion) {
  if (conversion.value()->text.empty()) {
    return conversion.Decide(Fate::kSuperseded, "nothing to carry over");
  }
  conversion.NeedsYou(
      "a program gives a priority with Publish over gRPC; a script's own reason to delete a "
      "subscription has no successor yet");
}

void ConvertRetrieveOrder(Conversion& conversion) {
  const auto number = conversion.number();
  if (!number) return conversion.NeedsYou("it is no number");
  if (*number == 0) return conversion.Set(Program::kCore, "compose.order", "received");
  if (conversion.script().Find("presence", "retrieve_order_by") == nullptr) {
    return conversion.Set(Program::kCore, "compose.order", "priority");
  }
  conversion.Decide(Fate::kRenamed, "retrieve_order_by says which");
}

void ConvertRetrieveOrderBy(Conversion& conversion) {
  if (conversion.NumberOf("retrieve_order", 0) == 0) {
    return conversion.Decide(Fate::kSuperseded, "of use with retrieve_order 1 only");
  }
  std::string order;
  for (const unsigned char c : conversion.value()->text) {
    if (std::isspace(c) == 0) order += static_cast<char>(std::tolower(c));
  }
  if (order == "priority") {
    conversion.Set(Program::kCore, "compose.order", "priority");
  } else if (order == "priority,received_time") {
    conversion.Set(Program::kCore, "compose.order", "priority,received");
  } else if (order == "received_time") {
    conversion.Set(Program::kCore, "compose.order", "received");
  } else {
    conversion.NeedsYou("compose.order knows received, priority and priority,received only");
  }
}

void ConvertSipUriMatch(Conversion& conversion) { SetFlag(conversion, "uri.fold_user_case"); }

void ConvertEnableDmq(Conversion& conversion) {
  if (conversion.number() == 0) return;
  conversion.NeedsYou(
      HasDatabase(conversion)
          ? "nodes do not replicate to each other: point two cores at one PostgreSQL database"
          : "cores share state through PostgreSQL alone: make a database, see "
            "docs/operations/storage.md");
}

void ConvertDeleteSameSubs(Conversion& conversion) {
  SetFlag(conversion, "subscribe.replace_same_call_id");
}

}  // namespace presence::cli
