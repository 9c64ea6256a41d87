// What presencectl tells the shell: a code for every reason and gRPC code.
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/unit/cli/cli_test_base.h"
#include "tests/unit/cli/contract_status.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ExitCodesTest : public CliTest {};

// Written down apart from the table under test: the numbers are a contract with scripts.
const std::map<std::string, int>& ExitCodeByReason() {
  static const auto* codes = new std::map<std::string, int>{
      {"INVALID_URI", 2},
      {"INVALID_FIELD", 2},
      {"BAD_DOCUMENT", 1},
      {"DOCUMENT_TOO_LARGE", 1},
      {"UNKNOWN_EVENT", 2},
      {"UNSUPPORTED_CONTENT", 2},
      {"NOT_ACCEPTABLE", 1},
      {"INTERVAL_TOO_BRIEF", 2},
      {"ETAG_MISMATCH", 6},
      {"SUBSCRIPTION_UNKNOWN", 3},
      {"USER_UNKNOWN", 3},
      {"CSEQ_TOO_OLD", 6},
      {"WATCHER_BLOCKED", 5},
      {"SCOPE_MISSING", 5},
      {"TOKEN_EXPIRED", 5},
      {"TOKEN_INVALID", 5},
      {"REQUEST_ID_REUSED", 6},
      {"QUOTA_EXCEEDED", 1},
      {"OVERLOADED", 1},
      {"STORAGE_UNAVAILABLE", 4},
      {"DRAINING", 4},
      {"NOT_SERVED_YET", 1},
      {"BAD_TOKEN", 1},
      {"PUBLICATION_UNKNOWN", 3},
      {"INTERNAL", 1},
      {"CORE_UNREACHABLE", 4},
      {"DIALOG_EVENT_MISMATCH", 6},
  };
  return *codes;
}

TEST_F(ExitCodesTest, EveryReasonOfTheContractHasItsCodeItsNameAndAdvice) {
  const auto* reasons = v1::ErrorReason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<v1::ErrorReason>(reasons->value(i)->number());
    if (reason == v1::ERROR_REASON_UNSPECIFIED) continue;
    const std::string name(absl::StripPrefix(reasons->value(i)->name(), "ERROR_REASON_"));
    fake_.FailWith(StatusFor(reason, "the server's words"));

    const Outcome run = Presencectl("state get alice@example.com");

    ASSERT_TRUE(ExitCodeByReason().contains(name)) << name << " is new: give it an exit code";
    EXPECT_EQ(run.exit_code, ExitCodeByReason().at(name)) << name;
    EXPECT_THAT(run.err, StartsWith(absl::StrCat("presencectl: ", name, ": the server's words")));
    EXPECT_THAT(run.err, HasSubstr("\n  try: ")) << name;
    EXPECT_EQ(run.out, "") << name;
  }
}

TEST_F(ExitCodesTest, GoesByTheGrpcCodeWhereTheServerGivesNoReason) {
  const std::map<grpc::StatusCode, int> codes = {
      {grpc::CANCELLED, 1},         {grpc::UNKNOWN, 1},       {grpc::INVALID_ARGUMENT, 2},
      {grpc::DEADLINE_EXCEEDED, 7}, {grpc::NOT_FOUND, 3},     {grpc::ALREADY_EXISTS, 6},
      {grpc::PERMISSION_DENIED, 5}, {grpc::ABORTED, 6},       {grpc::RESOURCE_EXHAUSTED, 1},
      {grpc::OUT_OF_RANGE, 2},      {grpc::UNIMPLEMENTED, 1}, {grpc::FAILED_PRECONDITION, 6},
      {grpc::INTERNAL, 1},          {grpc::UNAVAILABLE, 4},   {grpc::DATA_LOSS, 1},
      {grpc::UNAUTHENTICATED, 5}};
  for (const auto& [code, exit_code] : codes) {
    fake_.FailWith(grpc::Status(code, "words"));

    EXPECT_EQ(Presencectl("state get alice@example.com").exit_code, exit_code) << code;
  }
}

TEST_F(ExitCodesTest, GoesByTheGrpcCodeForAReasonOfANewerServer) {
  grpc::Status status = StatusFor(v1::ERROR_REASON_BAD_DOCUMENT, "words");
  std::string details = status.error_details();
  details.replace(details.find("BAD_DOCUMENT"), 12, "BAD_DOCUMENX");
  fake_.FailWith(grpc::Status(grpc::ABORTED, "words", details));

  EXPECT_EQ(Presencectl("state get alice@example.com").exit_code, 6);
}

TEST_F(ExitCodesTest, UnreachableIsFourAndNamesTheServer) {
  variables_["PRESENCE_SERVER"] = "unix:/nowhere/at/all";

  const Outcome run = Presencectl("presentity list");

  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, HasSubstr("no answer from unix:/nowhere/at/all"));
  EXPECT_THAT(run.err, HasSubstr("try: presence-core dev"));
}

TEST_F(ExitCodesTest, ADeadlineThatPassesIsSevenAndTellsHowToRepeatSafely) {
  fake_.Stall();

  const Outcome run =
      Presencectl("publish alice@example.com --open --note \"it's $me\" --timeout 20ms");

  EXPECT_EQ(run.exit_code, 7);
  EXPECT_THAT(run.err, HasSubstr("presencectl publish alice@example.com --open --note "
                                 "\"it's \\$me\" --timeout 20ms --request-id pc-"));
}

TEST_F(ExitCodesTest, TheRepetitionItAdvisesMakesNoSecondPublication) {
  const Outcome first = Presencectl("publish erin@example.com --open --request-id r1");
  const Outcome second = Presencectl("publish erin@example.com --open --request-id r1");

  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(second.out, first.out);
}

TEST_F(ExitCodesTest, AnInterruptedCallIs130) {
  fake_.OnCall([this] { interrupt_.request_stop(); });

  const Outcome run = Presencectl("state get alice@example.com");

  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.err, "presencectl: interrupted\n");
}

TEST_F(ExitCodesTest, AWrongServerOnTheCommandLineIsUsage) {
  const Outcome run = Presencectl("presentity list --server http://127.0.0.1:7460/");

  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("write host:port without a scheme"));
}

TEST_F(ExitCodesTest, AWrongServerInTheEnvironmentIsABadConfiguration) {
  variables_["PRESENCE_SERVER"] = "127.0.0.1:99999";

  const Outcome run = Presencectl("presentity list");

  EXPECT_EQ(run.exit_code, 8);
  EXPECT_THAT(run.err, HasSubstr("PRESENCE_SERVER: \"127.0.0.1:99999\""));
}

TEST_F(ExitCodesTest, TheFlagGoesBeforeTheEnvironment) {
  variables_["PRESENCE_SERVER"] = "unix:/nowhere/at/all";

  EXPECT_EQ(Presencectl({"--server", fake_.address(), "presentity", "list"}).exit_code, 0);
}

TEST_F(ExitCodesTest, ANoIsThree) {
  EXPECT_EQ(Presencectl("authorization alice@example.com dave@example.com").exit_code, 3);
  EXPECT_EQ(Presencectl("state get carol@example.com").exit_code, 3);
  EXPECT_EQ(Presencectl("unpublish carol@example.com").exit_code, 3);
  EXPECT_EQ(Presencectl("publish carol@example.com --file /nowhere/at/all.xml").exit_code, 3);
}

TEST_F(ExitCodesTest, AnAmbiguousRemovalIsAConflict) {
  const Outcome run = Presencectl("unpublish bob@example.com");

  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, HasSubstr("try: presencectl presentity list bob@example.com --full"));
}

TEST_F(ExitCodesTest, AMistypedEventGetsTheNearestThatIsServed) {
  fake_.FailWith(StatusFor(v1::ERROR_REASON_UNKNOWN_EVENT, "no event package \"presense\"",
                           {{"allow_events", "dialog, presence, presence.winfo"}}));

  const Outcome run = Presencectl("state get alice@example.com --event presense");

  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("no event package \"presense\"; did you mean \"presence\"?"));
}

TEST_F(ExitCodesTest, TellsWhatElseTheErrorDetailsSay) {
  fake_.FailWith(StatusFor(v1::ERROR_REASON_OVERLOADED, "busy", {}, absl::Seconds(2)));
  EXPECT_THAT(Presencectl("presentity list").err, HasSubstr("busy; try again in 2s"));

  fake_.FailWith(
      StatusFor(v1::ERROR_REASON_INTERVAL_TOO_BRIEF, "too brief", {{"min_expires", "60"}}));
  EXPECT_THAT(Presencectl("publish a@b.org --open").err,
              HasSubstr("too brief; the minimum is 60s"));

  fake_.FailWith(
      StatusFor(v1::ERROR_REASON_INTERVAL_TOO_BRIEF, "ask for 60 s", {{"min_expires", "60"}}));
  EXPECT_THAT(Presencectl("publish a@b.org --open").err, HasSubstr("ask for 60 s\n"));

  fake_.FailWith(StatusFor(v1::ERROR_REASON_BAD_DOCUMENT, "bad", {{"line", "3"}, {"column", "9"}}));
  EXPECT_THAT(Presencectl("publish a@b.org --open").err, HasSubstr("bad (line 3, column 9)"));
}

}  // namespace
}  // namespace presence::cli
