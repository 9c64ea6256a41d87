#include "cli/output/wording.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/command_line/durations.h"

namespace presence::cli {
namespace {

// Enum values are open: one that is newer than this program shows as its number.
template <typename Enum>
std::string EnumWord(const std::string& name, absl::string_view prefix, Enum value) {
  if (name.empty()) return absl::StrCat("unknown(", static_cast<int>(value), ")");
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

std::string Count(uint64_t number, absl::string_view noun) {
  return absl::StrCat(number, " ", noun, number == 1 ? "" : "s");
}

std::string Words(const v1::Revision& revision) {
  return absl::StrCat(revision.epoch(), ":", revision.seq());
}

std::string Words(v1::SubscriptionState state) {
  return EnumWord(v1::SubscriptionState_Name(state), "SUBSCRIPTION_STATE_", state);
}

Cell StateCell(v1::SubscriptionState state) {
  switch (state) {
    case v1::SUBSCRIPTION_STATE_ACTIVE:
      return {Words(state), Tone::kGood};
    case v1::SUBSCRIPTION_STATE_PENDING:
    case v1::SUBSCRIPTION_STATE_WAITING:
      return {Words(state), Tone::kWaiting};
    case v1::SUBSCRIPTION_STATE_TERMINATED:
      return {Words(state), Tone::kBad};
    default:
      return {Words(state)};
  }
}

std::string Words(v1::TerminationReason reason) {
  if (reason == v1::TERMINATION_REASON_UNSPECIFIED) return "";
  return EnumWord(v1::TerminationReason_Name(reason), "TERMINATION_REASON_", reason);
}

std::string Words(v1::WatcherDecision decision) {
  if (decision == v1::WATCHER_DECISION_UNSPECIFIED) return "default";
  return EnumWord(v1::WatcherDecision_Name(decision), "WATCHER_DECISION_", decision);
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

std::string Until(const google::protobuf::Timestamp& time, absl::Time now) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  const absl::Duration left = FromProto(time) - now;
  return left <= absl::ZeroDuration() ? "expired" : DurationText(left);
}

}  // namespace presence::cli
