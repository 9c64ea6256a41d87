#include "tests/unit/cli/cli_test_base.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/presencectl.h"

namespace presence::cli {
namespace {

v1::Publication Source(const Clock& clock, const std::string& user, const std::string& event,
                       const std::string& etag, v1::Document document, absl::Duration left) {
  v1::Publication publication;
  publication.set_presentity(user);
  publication.set_event(event);
  publication.set_etag(etag);
  publication.set_sender("sip:desk@192.0.2.7");
  publication.set_priority(5);
  publication.set_ruid(absl::StrCat("ruid-", etag));
  publication.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock.WallNow() + left));
  publication.mutable_receive_time()->set_seconds(absl::ToUnixSeconds(clock.WallNow()));
  *publication.mutable_document() = std::move(document);
  return publication;
}

v1::Watcher WatcherOf(const std::string& who, const std::string& event, v1::SubscriptionState state,
                      v1::WatcherDecision decision) {
  v1::Watcher watcher;
  watcher.set_watcher(who);
  watcher.set_event(event);
  watcher.set_state(state);
  watcher.set_subscriptions(1);
  watcher.set_decision(decision);
  return watcher;
}

v1::Subscription SubscriptionOf(const Clock& clock, const std::string& who,
                                v1::SubscriptionState state, const std::string& gateway) {
  v1::Subscription subscription;
  subscription.set_id(absl::StrCat("tag-", who.substr(0, who.find('@'))));
  subscription.set_presentity("alice@example.com");
  subscription.set_event("presence");
  subscription.set_watcher(who);
  subscription.set_state(state);
  subscription.set_gateway(gateway);
  subscription.mutable_expire_time()->set_seconds(
      absl::ToUnixSeconds(clock.WallNow() + absl::Minutes(42)));
  if (state == v1::SUBSCRIPTION_STATE_ACTIVE) {
    subscription.mutable_notified()->set_epoch(1);
    subscription.mutable_notified()->set_seq(1);
    subscription.set_notify_in_flight(!gateway.empty());
  }
  return subscription;
}

}  // namespace

v1::Document Pidf(const std::string& basic, const std::string& note) {
  v1::Document document;
  document.set_content_type("application/pidf+xml");
  document.set_body(absl::StrCat(
      R"(<?xml version="1.0" encoding="UTF-8"?>)",
      R"(<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com">)",
      R"(<tuple id="t1"><status><basic>)", basic, "</basic></status><note>", note,
      "</note></tuple></presence>"));
  return document;
}

v1::WatchResponse StateItem(const std::string& token, const std::string& basic, uint64_t seq,
                            v1::NotifyCause cause) {
  v1::WatchResponse item;
  item.set_resume_token(token);
  item.mutable_state()->set_presentity("alice@example.com");
  item.mutable_state()->set_event("presence");
  item.mutable_state()->mutable_revision()->set_epoch(1);
  item.mutable_state()->mutable_revision()->set_seq(seq);
  item.mutable_state()->set_cause(cause);
  if (!basic.empty()) *item.mutable_state()->mutable_document() = Pidf(basic, "At my desk");
  return item;
}

v1::WatchResponse SnapshotDoneItem(const std::string& token) {
  v1::WatchResponse item;
  item.set_resume_token(token);
  item.mutable_snapshot_done();
  return item;
}

v1::WatchResponse StatusItem(const std::string& token, v1::SubscriptionState state,
                             v1::TerminationReason reason) {
  v1::WatchResponse item;
  item.set_resume_token(token);
  item.mutable_status()->set_presentity("alice@example.com");
  item.mutable_status()->set_event("presence");
  item.mutable_status()->set_state(state);
  item.mutable_status()->set_reason(reason);
  return item;
}

std::vector<std::string> ShellSplit(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote != 0 ? '\0' : c;
      in_word = true;
    } else if (c == ' ' && quote == 0) {
      if (in_word) words.push_back(std::exchange(word, ""));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

CliTest::CliTest() {
  variables_["PRESENCE_SERVER"] = fake_.address();
  Populate();
}

void CliTest::Populate() {
  fake_.AddPublication(Source(clock_, "alice@example.com", "presence", "pc1-7Q2M",
                              Pidf("open", "At my desk"), absl::Seconds(598)));
  fake_.AddPublication(Source(clock_, "bob@example.com", "presence", "pc2-AAAA",
                              Pidf("open", "Desk phone"), absl::Minutes(5)));
  fake_.AddPublication(Source(clock_, "bob@example.com", "presence", "pc2-BBBB",
                              Pidf("closed", "Away"), absl::Minutes(95)));
  using enum v1::SubscriptionState;
  fake_.AddWatcher("alice@example.com",
                   WatcherOf("bob@example.com", "presence", SUBSCRIPTION_STATE_ACTIVE,
                             v1::WATCHER_DECISION_ALLOW));
  fake_.AddWatcher("alice@example.com",
                   WatcherOf("carol@example.com", "presence", SUBSCRIPTION_STATE_ACTIVE,
                             v1::WATCHER_DECISION_UNSPECIFIED));
  fake_.AddWatcher("alice@example.com",
                   WatcherOf("carol@example.com", "dialog", SUBSCRIPTION_STATE_ACTIVE,
                             v1::WATCHER_DECISION_UNSPECIFIED));
  fake_.AddWatcher("alice@example.com",
                   WatcherOf("dave@example.com", "presence", SUBSCRIPTION_STATE_PENDING,
                             v1::WATCHER_DECISION_UNSPECIFIED));
  fake_.AddSubscription(
      SubscriptionOf(clock_, "bob@example.com", SUBSCRIPTION_STATE_ACTIVE, "gw1"));
  fake_.AddSubscription(SubscriptionOf(clock_, "carol@example.com", SUBSCRIPTION_STATE_ACTIVE, ""));
  fake_.AddSubscription(
      SubscriptionOf(clock_, "dave@example.com", SUBSCRIPTION_STATE_PENDING, "gw1"));
  v1::RulesDocument document;
  document.mutable_name()->set_owner("bob@example.com");
  document.mutable_name()->set_kind(v1::RULES_KIND_HARD_STATE);
  document.mutable_name()->set_name("index");
  *document.mutable_document() = Pidf("open", "At work");
  document.set_etag("doc-1");
  const int64_t now = absl::ToUnixSeconds(clock_.WallNow());
  document.mutable_create_time()->set_seconds(now - 7200);
  document.mutable_update_time()->set_seconds(now - 90);
  fake_.AddDocument(std::move(document));
}

Outcome CliTest::Presencectl(std::vector<std::string> args) {
  return RunIn([&args](Environment& environment) { return RunPresencectl(args, environment); });
}

Outcome CliTest::RunIn(const std::function<ExitCode(Environment&)>& run) {
  std::istringstream in(input_);
  std::ostringstream out, err;
  Environment environment{
      .in = in,
      .out = out,
      .err = err,
      .variable = [this](const std::string& name) -> std::optional<std::string> {
        const auto found = variables_.find(name);
        return found == variables_.end() ? std::nullopt : std::optional(found->second);
      },
      .clock = clock_,
      .random = random_,
      .interrupted = interrupt_.get_token(),
      .pause =
          [this](absl::Duration duration) {
            pauses_.push_back(duration);
            clock_.Advance(duration);
          },
      .time_zone = absl::UTCTimeZone(),
      .terminal = terminal_,
  };
  const ExitCode exit_code = run(environment);
  return {static_cast<int>(exit_code), out.str(), err.str()};
}

Outcome CliTest::Presencectl(absl::string_view command_line) {
  return Presencectl(ShellSplit(command_line));
}

std::map<std::string, std::string> CliTest::HelpPages() {
  std::map<std::string, std::string> pages;
  AddHelpPages("presencectl", pages);
  return pages;
}

void CliTest::AddHelpPages(const std::string& command, std::map<std::string, std::string>& pages) {
  std::vector<std::string> args = ShellSplit(command);
  args.erase(args.begin());
  args.push_back("--help");
  const Outcome run = Presencectl(args);
  EXPECT_EQ(run.exit_code, 0) << command;
  pages[command] = run.out;
  const std::size_t list = run.out.find("\nSubcommands:\n");
  if (list == std::string::npos) return;
  const std::string commands = run.out.substr(list + 14, run.out.find("\n\n", list) - list - 14);
  for (absl::string_view line : absl::StrSplit(commands, '\n')) {
    const std::vector<std::string> words = ShellSplit(line);
    if (!words.empty() && line.substr(0, 2) == "  " && line[2] != ' ') {
      AddHelpPages(absl::StrCat(command, " ", words.front()), pages);
    }
  }
}

void CliTest::ExpectGolden(const std::string& name, const std::string& command_line,
                           const Outcome& run) {
  const std::string shown =
      absl::StrReplaceAll(absl::StrCat("$ presencectl ", command_line, "\n", run.out,
                                       "--- stderr\n", run.err, "--- exit ", run.exit_code, "\n"),
                          {{fake_.address(), "SERVER"}});
  const std::string path = absl::StrCat(PRESENCE_SOURCE_DIR "/tests/golden/cli/", name, ".txt");
  if (std::getenv("PRESENCE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << shown;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing; run this test with PRESENCE_UPDATE_GOLDEN=1";
  const std::string golden((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  EXPECT_EQ(shown, golden) << path;
}

}  // namespace presence::cli
