#include "cli/kamailio_tables/rows.h"

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

// What each package publishes; the table does not say.
std::string ContentType(std::string_view event) {
  static constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {"presence", "application/pidf+xml"},
      {"dialog", "application/dialog-info+xml"},
      {"dialog;sla", "application/dialog-info+xml"},
      {"message-summary", "application/simple-message-summary"},
      {"conference", "application/conference-info+xml"},
      {"reg", "application/reginfo+xml"},
  };
  for (const auto& [name, type] : kTypes) {
    if (event == name) return type;
  }
  return "";
}

absl::Status Refuse(std::string_view column, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(absl::string_view(column.data(), column.size()),
                                                 " ", absl::string_view(why.data(), why.size())));
}

// A record is text throughout; PostgreSQL with SQL_ASCII keeps any bytes.
absl::Status CheckTexts(
    std::initializer_list<std::pair<std::string_view, const std::string*>> columns) {
  for (const auto& [name, text] : columns) {
    if (!IsUtf8(*text)) return Refuse(name, "is not UTF-8");
  }
  return absl::OkStatus();
}

// A URI as Kamailio took it apart; without a user where it had none.
std::string Uri(const std::string& user, const std::string& domain) {
  return user.empty() ? absl::StrCat("sip:", domain) : absl::StrCat("sip:", user, "@", domain);
}

v1::Record HardState(std::string owner, std::string name, const std::string& body) {
  v1::Record record;
  v1::RulesDocument& out = *record.mutable_rules();
  out.mutable_name()->set_owner(std::move(owner));
  out.mutable_name()->set_kind(v1::RULES_KIND_HARD_STATE);
  out.mutable_name()->set_name(std::move(name));
  out.mutable_document()->set_content_type(ContentType("presence"));
  out.mutable_document()->set_body(body);
  return record;
}

// The file below the user's folder, or the global one. What is deeper keeps its folders, which the
// server refuses: "index" there is another document.
std::string FileName(const std::string& doc_uri) {
  for (const char* tree : {"/users/", "/global/"}) {
    const size_t at = doc_uri.find(tree);
    if (at == std::string::npos) continue;
    std::string below = doc_uri.substr(at + std::string_view(tree).size());
    if (tree == std::string_view("/global/")) return below;
    const size_t slash = below.find('/');
    return slash == std::string::npos ? "" : below.substr(slash + 1);
  }
  return doc_uri.substr(doc_uri.rfind('/') + 1);
}

absl::Status CheckCseq(std::string_view column, int64_t number) {
  if (number < 0) return Refuse(column, "is negative");
  if (number > std::numeric_limits<int32_t>::max()) return Refuse(column, "is 2^31 or more");
  return absl::OkStatus();
}

absl::Status CheckNumbers(const ActiveWatcherRow& row) {
  for (const auto& [column, number] :
       {std::pair("local_cseq", row.local_cseq), std::pair("remote_cseq", row.remote_cseq),
        std::pair("version", row.version)}) {
    if (absl::Status status = CheckCseq(column, number); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::SubscriptionState> StateOf(int64_t status) {
  switch (status) {
    case kKamailioActive:
      return v1::SUBSCRIPTION_STATE_ACTIVE;
    case kKamailioPending:
      return v1::SUBSCRIPTION_STATE_PENDING;
    case kKamailioTerminated:
      return v1::SUBSCRIPTION_STATE_TERMINATED;
    default:
      return absl::InvalidArgumentError(absl::StrCat("status ", status, " is none of a dialog"));
  }
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitRoutes(std::string_view header) {
  std::vector<std::string> routes;
  std::string route;
  bool is_quoted = false;
  bool is_in_brackets = false;
  const auto end_route = [&]() -> absl::Status {
    const size_t first = route.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return Refuse("record_route", "has an empty route");
    route = route.substr(first, route.find_last_not_of(" \t\r\n") - first + 1);
    if (route.find('<') == std::string::npos) route = absl::StrCat("<", route, ">");
    routes.push_back(std::exchange(route, ""));
    return absl::OkStatus();
  };
  for (size_t i = 0; i < header.size(); ++i) {
    const char c = header[i];
    if (is_quoted && c == '\\' && i + 1 < header.size()) {
      route += c;
      route += header[++i];
      continue;
    }
    if (c == '"' && !is_in_brackets) is_quoted = !is_quoted;
    if (!is_quoted && (c == '<') == !is_in_brackets && (c == '<' || c == '>')) {
      is_in_brackets = c == '<';
    }
    if (c == ',' && !is_quoted && !is_in_brackets) {
      if (absl::Status status = end_route(); !status.ok()) return status;
    } else {
      route += c;
    }
  }
  if (is_quoted || is_in_brackets) return Refuse("record_route", "ends within a route");
  if (routes.empty() && route.find_first_not_of(" \t\r\n") == std::string::npos) return routes;
  if (absl::Status status = end_route(); !status.ok()) return status;
  return routes;
}

absl::StatusOr<v1::Record> ToRecord(const PresentityRow& row) {
  if (absl::Status status = CheckTexts({{"username", &row.username},
                                        {"domain", &row.domain},
                                        {"event", &row.event},
                                        {"etag", &row.etag},
                                        {"sender", &row.sender}});
      !status.ok()) {
    return status;
  }
  const std::string content_type = ContentType(row.event);
  if (content_type.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("event ", Printable(row.event), " is of no package that is known here"));
  }
  if (row.body.empty()) return Refuse("body", "is empty");
  if (row.expires == kKamailioHardState && row.event == "presence") {
    return HardState(Uri(row.username, row.domain), row.etag, row.body);
  }
  if (row.priority < std::numeric_limits<int32_t>::min() ||
      row.priority > std::numeric_limits<int32_t>::max()) {
    return Refuse("priority", "does not fit 32 bits");
  }
  v1::Record record;
  v1::Publication& out = *record.mutable_publication();
  out.set_presentity(Uri(row.username, row.domain));
  out.set_event(row.event);
  out.set_etag(row.etag);
  out.set_sender(row.sender);
  out.set_priority(static_cast<int32_t>(row.priority));
  out.mutable_expire_time()->set_seconds(row.expires);
  out.mutable_receive_time()->set_seconds(row.received_time);
  out.mutable_document()->set_content_type(content_type);
  out.mutable_document()->set_body(row.body);
  return record;
}

absl::StatusOr<v1::Record> ToRecord(const ActiveWatcherRow& row, std::string_view gateway) {
  if (absl::Status status = CheckTexts({{"presentity_uri", &row.presentity_uri},
                                        {"watcher_username", &row.watcher_username},
                                        {"watcher_domain", &row.watcher_domain},
                                        {"to_user", &row.to_user},
                                        {"to_domain", &row.to_domain},
                                        {"event", &row.event},
                                        {"event_id", &row.event_id},
                                        {"to_tag", &row.to_tag},
                                        {"from_tag", &row.from_tag},
                                        {"callid", &row.callid},
                                        {"contact", &row.contact},
                                        {"record_route", &row.record_route},
                                        {"local_contact", &row.local_contact},
                                        {"from_user", &row.from_user},
                                        {"from_domain", &row.from_domain},
                                        {"user_agent", &row.user_agent}});
      !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckNumbers(row); !status.ok()) return status;
  absl::StatusOr<v1::SubscriptionState> state = StateOf(row.status);
  if (!state.ok()) return state.status();
  absl::StatusOr<std::vector<std::string>> routes = SplitRoutes(row.record_route);
  if (!routes.ok()) return routes.status();
  v1::Record record;
  v1::SubscriptionRecord& out = *record.mutable_subscription();
  v1::Subscription& subscription = *out.mutable_subscription();
  subscription.set_presentity(row.presentity_uri);
  subscription.set_event(row.event);
  subscription.set_event_id(row.event_id);
  subscription.set_watcher(Uri(row.watcher_username, row.watcher_domain));
  subscription.set_state(*state);
  subscription.mutable_expire_time()->set_seconds(row.expires);
  subscription.set_local_cseq(static_cast<uint32_t>(row.local_cseq + kUnwrittenNotifies));
  out.set_remote_cseq(static_cast<uint32_t>(row.remote_cseq));
  if (absl::EndsWith(row.event, ".winfo")) {
    out.set_document_version(static_cast<uint32_t>(row.version + kUnwrittenNotifies));
  }
  v1::Dialog& dialog = *out.mutable_dialog();
  dialog.set_call_id(row.callid);
  dialog.set_local_tag(row.to_tag);
  dialog.set_remote_tag(row.from_tag);
  dialog.set_local_uri(Uri(row.to_user, row.to_domain));
  dialog.set_remote_uri(Uri(row.from_user, row.from_domain));
  dialog.set_remote_target(row.contact);
  for (std::string& route : *routes) dialog.add_route_set(std::move(route));
  dialog.set_gateway(std::string(gateway));
  // A connection does not outlive Kamailio (socket_info), but the address may be ours by then.
  if (absl::StartsWith(row.local_contact, "sip:") || absl::StartsWith(row.local_contact, "sips:")) {
    dialog.set_local_contact(row.local_contact);
  }
  dialog.set_user_agent(row.user_agent);
  return record;
}

absl::StatusOr<v1::Record> ToRecord(const XcapRow& row) {
  if (absl::Status status = CheckTexts(
          {{"username", &row.username}, {"domain", &row.domain}, {"doc_uri", &row.doc_uri}});
      !status.ok()) {
    return status;
  }
  if (row.doc.empty()) return Refuse("doc", "is empty");
  std::string name = FileName(row.doc_uri);
  if (name.empty()) return Refuse("doc_uri", "names no file");
  v1::Record record = HardState(Uri(row.username, row.domain), std::move(name), row.doc);
  record.mutable_rules()->set_file_uri(row.doc_uri);
  return record;
}

absl::StatusOr<v1::Record> ToRecord(const WatcherRow& row) {
  if (absl::Status status = CheckTexts({{"presentity_uri", &row.presentity_uri},
                                        {"watcher_username", &row.watcher_username},
                                        {"watcher_domain", &row.watcher_domain},
                                        {"event", &row.event}});
      !status.ok()) {
    return status;
  }
  v1::Record record;
  v1::WatcherRecord& out = *record.mutable_watcher();
  out.set_presentity(row.presentity_uri);
  v1::Watcher& watcher = *out.mutable_watcher();
  watcher.set_watcher(Uri(row.watcher_username, row.watcher_domain));
  watcher.set_event(row.event);
  switch (row.status) {
    case kKamailioActive:
      watcher.set_decision(v1::WATCHER_DECISION_ALLOW);
      return record;
    case kKamailioPending:
    case kKamailioWaiting:
      watcher.set_state(v1::SUBSCRIPTION_STATE_WAITING);
      return record;
    case kKamailioTerminated:
      // Other reasons tell how a subscription ended, not what the presentity wants.
      if (row.reason == "rejected") {
        watcher.set_decision(v1::WATCHER_DECISION_BLOCK);
        return record;
      }
      return absl::InvalidArgumentError(
          absl::StrCat("status 3 for the reason '", Printable(row.reason), "' is no decision"));
    default:
      return absl::InvalidArgumentError(absl::StrCat("status ", row.status, " is unknown"));
  }
}

}  // namespace presence::cli
