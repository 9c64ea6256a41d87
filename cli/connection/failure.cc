#include "cli/connection/failure.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/shell_words.h"
#include "cli/command_line/suggestion.h"
#include "cli/connection/reason_table.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace presence::cli {
namespace {

constexpr absl::string_view kDomain = "presence";
constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

struct Details {
  google::rpc::ErrorInfo info;
  std::optional<absl::Duration> retry_after;
};

Details DecodeDetails(const grpc::Status& status) {
  Details details;
  google::rpc::Status wire;
  // Details are extra: a server or proxy that sends none, or garbage, still has its code and
  // message.
  if (!wire.ParseFromString(status.error_details())) return details;
  google::rpc::RetryInfo retry;
  google::rpc::ErrorInfo info;
  for (const auto& detail : wire.details()) {
    if (detail.UnpackTo(&info) && info.domain() == kDomain) details.info = info;
    if (detail.UnpackTo(&retry)) {
      details.retry_after = absl::Seconds(retry.retry_delay().seconds()) +
                            absl::Nanoseconds(retry.retry_delay().nanos());
    }
  }
  return details;
}

const ReasonRow* FindReason(absl::string_view name) {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  if (!v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, name), &reason)) return nullptr;
  const auto table = ReasonTable();
  const auto row = std::find_if(table.begin(), table.end(),
                                [reason](const ReasonRow& r) { return r.reason == reason; });
  return row == table.end() ? nullptr : &*row;
}

const CodeRow& FindCode(grpc::StatusCode code) {
  const auto table = CodeTable();
  const auto row =
      std::find_if(table.begin(), table.end(), [code](const CodeRow& r) { return r.code == code; });
  // A code outside the protocol: treated as UNKNOWN, as gRPC itself does.
  return row != table.end() ? *row
                            : *std::find_if(table.begin(), table.end(), [](const CodeRow& r) {
                                return r.code == grpc::UNKNOWN;
                              });
}

std::string Quoted(const std::string& value, absl::string_view if_empty) {
  return value.empty() ? std::string(if_empty) : ShellQuote(value);
}

// Commands print best without a trailing blank when there is no presentity to name.
std::string Fill(absl::string_view next, const Subject& subject) {
  if (next == "{repeat}" && subject.repeat.empty()) return "the same command again in a moment";
  return absl::StrReplaceAll(
      next, {{"{command}", subject.command},
             {"{server}", subject.server},
             {" {presentity}",
              subject.presentity.empty() ? "" : absl::StrCat(" ", ShellQuote(subject.presentity))},
             {"{event}", Quoted(subject.event, "EVENT")},
             {"{watcher}", Quoted(subject.watcher, "WATCHER")},
             {"{repeat}", subject.repeat}});
}

// What the metadata of some reasons adds to the server's words, where these do not say it already.
std::string Addition(const std::string& message, const Details& details, const Subject& subject) {
  std::string addition;
  const auto& metadata = details.info.metadata();
  auto value = [&metadata](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  auto add = [&](absl::string_view words, const std::string& what, absl::string_view unit) {
    if (!what.empty() && !absl::StrContains(message, what)) {
      absl::StrAppend(&addition, words, what, unit);
    }
  };
  if (const std::string events = value("allow_events"); !events.empty()) {
    std::vector<std::string> known;
    for (absl::string_view event : absl::StrSplit(events, ',')) {
      known.emplace_back(absl::StripAsciiWhitespace(event));
    }
    addition = DidYouMean(subject.event, known);
    if (addition.empty()) add("; served: ", events, "");
  }
  add("; accepted: ", value("accept"), "");
  add("; the minimum is ", value("min_expires"), "s");
  if (const std::string line = value("line"); !line.empty()) {
    absl::StrAppend(&addition, " (line ", line, ", column ", value("column"), ")");
  }
  if (details.retry_after) {
    absl::StrAppend(&addition, "; try again in ", DurationText(*details.retry_after));
  }
  return addition;
}

}  // namespace

Failure Explain(const grpc::Status& status, const Subject& subject) {
  const Details details = DecodeDetails(status);
  Failure failure;
  absl::string_view next;
  if (const ReasonRow* row = FindReason(details.info.reason()); row != nullptr) {
    failure = {row->exit_code, details.info.reason(), "", "", row->passes};
    next = row->next;
  } else {
    const CodeRow& code = FindCode(status.error_code());
    failure = {code.exit_code, std::string(code.name), "", "", code.passes};
    next = code.next;
  }
  failure.message =
      absl::StrCat(status.error_message(), Addition(status.error_message(), details, subject));
  if (failure.reason == "UNAVAILABLE") {
    failure.message = absl::StrCat("no answer from ", subject.server, ": ", status.error_message());
  }
  failure.next = Fill(next, subject);
  return failure;
}

}  // namespace presence::cli
