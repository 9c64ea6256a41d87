#include "cli/kamailio/parameters.h"

#include <charconv>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "cli/kamailio/conversions.h"

namespace presence::cli {
namespace {

SuccessorKey Core(const char* key) { return {Program::kCore, key}; }
SuccessorKey Gateway(const char* key) { return {Program::kGateway, key}; }

std::vector<Parameter> MakeParameters() {
  using enum Fate;
  return {
      {"db_url",
       "NULL",
       kRenamed,
       {Core("storage.dsn")},
       "PostgreSQL; the tables of presence live in a schema of their own, beside Kamailio's",
       "without a database Kamailio's module is a library; here state is kept in memory",
       ConvertDbUrl},
      {"presentity_table",
       "presentity",
       kRenamed,
       {Core("storage.views.presentity")},
       "a view with the table's columns, in the schema `presence`; who wrote there calls "
       "presence-core",
       "",
       ConvertTableName},
      {"active_watchers_table",
       "active_watchers",
       kRenamed,
       {Core("storage.views.active_watchers")},
       "a view with the table's columns, in the schema `presence`; who wrote there calls "
       "presence-core",
       "",
       ConvertTableName},
      {"watchers_table",
       "watchers",
       kRenamed,
       {Core("storage.views.watchers")},
       "a view with the table's columns, in the schema `presence`; who wrote there calls "
       "presence-core",
       "",
       ConvertTableName},
      {"clean_period",
       "100",
       kRenamed,
       {Core("expiry.sweep_interval")},
       "how late an expiry may be told; 0 turns the timers off, then presencectl cleanup does it",
       "watchers hear of an expiry within 100ms, not 100s",
       ConvertCleanPeriod},
      {"cseq_offset",
       "0",
       kRenamed,
       {Core("subscribe.cseq_tolerance")},
       "by how much a CSeq may be lower, one less than the offset",
       "",
       ConvertCseqOffset},
      {"db_update_period",
       "100",
       kRenamed,
       {Core("storage.flush_interval")},
       "mode write-back: how long a change may stay unwritten",
       "here 1s, so a crash costs less",
       ConvertDbUpdatePeriod},
      {"waitn_time",
       "5",
       kRenamed,
       {Core("notify.min_interval")},
       "shortest time between two NOTIFYs to a subscription, in every storage mode",
       "changes are told at once",
       ConvertWaitnTime},
      {"notifier_poll_rate",
       "10",
       kSuperseded,
       {},
       "nothing polls: what is due is sent",
       "",
       nullptr},
      {"notifier_processes",
       "1",
       kRenamed,
       {Core("notify.workers")},
       "threads that compose states; a watcher has one NOTIFY under way, so CSeq never repeats",
       "",
       ConvertNotifierProcesses},
      {"force_delete",
       "0",
       kRenamed,
       {Core("publish.expire_silently")},
       "drop an expired publication without telling watchers",
       "",
       ConvertForceDelete},
      {"startup_mode",
       "1",
       kSuperseded,
       {},
       "expiry is a point in time that is stored; a start changes none",
       "",
       nullptr},
      {"expires_offset",
       "0",
       kRenamed,
       {Core("publish.expires_margin"), Core("subscribe.grace")},
       "its two meanings are two keys: less in the 200 to PUBLISH, longer for a late SUBSCRIBE",
       "",
       ConvertExpiresOffset},
      {"max_expires",
       "3600",
       kKept,
       {Core("publish.max_expires"), Core("subscribe.max_expires")},
       "longest lifetime granted",
       "here up to 24h is granted",
       ConvertMaxExpires},
      {"min_expires",
       "0",
       kKept,
       {Core("publish.min_expires"), Core("subscribe.min_expires")},
       "shortest lifetime granted, for PUBLISH too",
       "here less than 60s is refused with 423",
       ConvertMinExpires},
      {"min_expires_action",
       "1",
       kKept,
       {Core("min_expires_action")},
       "1 is reject (423), 2 is raise",
       "",
       ConvertMinExpiresAction},
      {"server_address",
       "the socket",
       kRenamed,
       {Gateway("sip.contact")},
       "Contact of answers and NOTIFYs",
       "",
       ConvertServerAddress},
      {"subs_db_mode",
       "2 (write-back)",
       kRenamed,
       {Core("storage.subscriptions")},
       "0 is memory, 1 write-through, 2 write-back; 3 is storage.mode db-only",
       "with a database: write-through, which loses nothing",
       ConvertSubsDbMode},
      {"publ_cache",
       "1",
       kRenamed,
       {Core("storage.publications")},
       "0 and 1 are write-through, 2 is memory; states are always read from memory",
       "",
       ConvertPublCache},
      {"subs_htable_size", "9", kSuperseded, {}, "tables grow by themselves", "", nullptr},
      {"pres_htable_size", "9", kSuperseded, {}, "tables grow by themselves", "", nullptr},
      {"send_fast_notify",
       "1",
       kRenamed,
       {Core("initial_notify")},
       "1 is always, as RFC 6665 demands; 0 is never",
       "",
       ConvertSendFastNotify},
      {"enable_sphere_check",
       "0",
       kSuperseded,
       {},
       "rules of RFC 4745 with a sphere are not evaluated yet",
       "no rule asks for a sphere",
       ConvertSphereCheck},
      {"timeout_rm_subs",
       "1",
       kRenamed,
       {Core("notify.on_timeout")},
       "1 is remove, 0 is keep",
       "",
       ConvertTimeoutRmSubs},
      {"fetch_rows",
       "500",
       kRenamed,
       {Core("storage.batch_rows")},
       "rows read at once at the start",
       "here 2000",
       ConvertFetchRows},
      {"db_table_lock_type",
       "1",
       kSuperseded,
       {},
       "no table is locked; commits check a lease",
       "",
       nullptr},
      {"local_log_level",
       "2 (L_INFO)",
       kRenamed,
       {Core("log.level"), Gateway("log.level")},
       "it was the level of one line a NOTIFY, ours is a threshold: not copied",
       "",
       nullptr},
      {"local_log_facility",
       "log_facility",
       kRenamed,
       {Core("log.sink"), Gateway("log.sink")},
       "syslog:FACILITY, stderr or journal",
       "here stderr",
       ConvertLogFacility},
      {"subs_remove_match",
       "0",
       kSuperseded,
       {},
       "a dialog is known by Call-ID and both tags, as with 1",
       "",
       nullptr},
      {"xavp_cfg",
       "not set",
       kNeedsYou,
       {},
       "priority is a field of Publish over gRPC; delete_subscription has no successor yet",
       "nothing to carry over",
       ConvertXavpCfg},
      {"retrieve_order",
       "0",
       kRenamed,
       {Core("compose.order")},
       "which publication wins where they differ",
       "priority decides first; as before where nobody sets priorities",
       ConvertRetrieveOrder},
      {"retrieve_order_by",
       "priority",
       kRenamed,
       {Core("compose.order")},
       "received, priority, or priority,received; never SQL",
       "",
       ConvertRetrieveOrderBy},
      {"sip_uri_match",
       "0",
       kRenamed,
       {Core("uri.fold_user_case")},
       "1 treats Alice and alice as one user",
       "",
       ConvertSipUriMatch},
      {"enable_dmq",
       "0",
       kSuperseded,
       {},
       "cores share state through PostgreSQL, where a second one stands by",
       "",
       ConvertEnableDmq},
      {"pres_subs_mode",
       "1",
       kSuperseded,
       {},
       "it filled $subs for a script; see presencectl subscription list",
       "",
       nullptr},
      {"delete_same_subs",
       "0",
       kRenamed,
       {Core("subscribe.replace_same_call_id")},
       "a phone that restarts with its Call-ID leaves no second subscription",
       "",
       ConvertDeleteSameSubs},
      {"timer_mode",
       "1",
       kSuperseded,
       {},
       "there is a timer wheel, and no timer process",
       "",
       nullptr},
  };
}

}  // namespace

std::optional<int64_t> Conversion::number() const {
  if (value_ == nullptr) return std::nullopt;
  if (value_->is_number) return value_->number;
  const std::string& text = value_->text;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int64_t Conversion::NumberOf(const std::string& name, int64_t fallback) const {
  MigrationRow unused;
  Conversion other(script_, migration_, unused);
  other.set_value(script_.Find("presence", name));
  return other.number().value_or(fallback);
}

void Conversion::Set(Program program, const std::string& key, const std::string& value) {
  const SuccessorKey successor{program, key};
  if (migration_.Sets(successor)) return;
  const std::string where =
      row_.position ? absl::StrCat(" (", row_.position->text(), ")") : std::string();
  migration_.settings.push_back(
      {successor, {value}, absl::StrCat(row_.subject, " ", row_.was, where)});
}

void Conversion::Decide(Fate fate, const std::string& note) {
  row_.fate = fate;
  row_.note = note;
  row_.is_different = true;
}

absl::Span<const Parameter> AllParameters() {
  static const auto* const kAll = new std::vector<Parameter>(MakeParameters());
  return *kAll;
}

std::string ParametersAsMarkdown() {
  std::string text =
      "| parameter | Kamailio's default | | here | what it means |\n|---|---|---|---|---|\n";
  for (const Parameter& parameter : AllParameters()) {
    std::string keys;
    for (const SuccessorKey& key : parameter.keys) {
      absl::StrAppend(&keys, keys.empty() ? "" : ", ", ProgramName(key.program), " `", key.key,
                      "`");
    }
    const std::string_view unset = parameter.unset;
    absl::StrAppend(&text, "| ", parameter.name, " | ", parameter.kamailio_default, " | ",
                    FateName(parameter.fate), " | ", keys.empty() ? "-" : keys, " | ",
                    parameter.how, unset.empty() ? "" : ". Not set: ", parameter.unset, " |\n");
  }
  return text;
}

}  // namespace presence::cli
