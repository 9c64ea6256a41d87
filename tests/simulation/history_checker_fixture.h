#ifndef PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_FIXTURE_H_
#define PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_FIXTURE_H_

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/history_checker.h"

namespace presence::simulation {

inline void PrintTo(const Violation& violation, std::ostream* out) {
  *out << NameOf(violation.invariant) << ": " << violation.what;
}

inline auto Breaks(Invariant invariant) {
  return testing::ElementsAre(testing::Field(&Violation::invariant, invariant));
}

// Histories written by hand: each invariant has one that keeps it and one that just does not.
class HistoryCheckerTest : public testing::Test {
 protected:
  HistoryCheckerTest() { Happens(CoreStarted{1}); }

  template <typename What>
  void Happens(What what) {
    checker_.OnEvent({now_, std::move(what)});
  }
  void Pass(absl::Duration time) { now_ += time; }

  static ResourceKey Alice() {
    return {*PresentityUri::Parse("sip:alice@example.com"), *EventName::Parse("presence")};
  }
  static LocalTag Tag(int number) {
    return *LocalTag::Parse("00000001" + std::string(22, '0') + std::to_string(10 + number));
  }
  static WatcherUri Uri(const std::string& user) {
    return *WatcherUri::Parse("sip:" + user + "@example.com");
  }

  void BecomesDurable(PublicationId id, const std::string& text, const std::string& etag) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->document = Document("text/plain", text);
    row->etag = Etag(etag);
    row->expires_at = now_ + absl::Hours(1);
    row->received_at = now_;
    RowChanges rows;
    rows.key = Alice();
    rows.publications.emplace_back(id, std::move(row));
    Happens(Durable{std::move(rows)});
  }
  void PublicationGoes(PublicationId id) {
    RowChanges rows;
    rows.key = Alice();
    rows.publications.emplace_back(id, nullptr);
    Happens(Durable{std::move(rows)});
  }

  std::shared_ptr<Subscription> Row(int number, const std::string& event = "presence",
                                    SubscriptionState state = SubscriptionState::kActive) {
    auto row = std::make_shared<Subscription>();
    row->id = Tag(number);
    row->ordinal = static_cast<uint64_t>(number);
    row->event = *EventName::Parse(event);
    row->watcher = Uri("bob");
    row->state = state;
    row->is_authorized = state == SubscriptionState::kActive;
    row->expires_at = now_ + absl::Hours(1);
    DialogParts parts;
    parts.call_id = "call-" + std::to_string(number);
    parts.remote_tag = "remote";
    row->dialog = Dialog(parts);
    row->remote_cseq = 1;
    return row;
  }
  void BecomesDurable(std::shared_ptr<Subscription> row) {
    RowChanges rows;
    rows.key = Alice();
    const LocalTag id = row->id;
    rows.subscriptions.emplace_back(id, std::move(row));
    Happens(Durable{std::move(rows)});
  }
  void IsDecided(WatcherDecision decision) {
    auto record = std::make_shared<WatcherRecord>();
    record->watcher = Uri("bob");
    record->decision = decision;
    RowChanges rows;
    rows.key = Alice();
    rows.watchers.emplace_back(record->watcher, record);
    Happens(Durable{std::move(rows)});
  }

  static Instructed Instruction(uint32_t cseq, uint64_t epoch, uint64_t seq,
                                const std::string& body) {
    Instructed instructed;
    instructed.tag = Tag(1).text();
    instructed.cseq = cseq;
    instructed.epoch = epoch;
    instructed.seq = seq;
    instructed.body = body;
    return instructed;
  }
  static Instructed End(uint32_t cseq) {
    Instructed instructed = Instruction(cseq, 1, 1, "open");
    instructed.is_terminating = true;
    return instructed;
  }
  static Shown Notify(uint32_t cseq, const std::string& body, const std::string& state = "active") {
    Shown shown;
    shown.phone = "bob";
    shown.call_id = "call-1";
    shown.tag = Tag(1).text();
    shown.cseq = cseq;
    shown.state = state;
    shown.body = body;
    return shown;
  }
  static Answered Answer(const std::string& method, const std::string& tag,
                         const std::string& etag) {
    Answered answered;
    answered.phone = "bob";
    answered.method = method;
    answered.call_id = "call-1";
    answered.cseq = 1;
    answered.status = 200;
    answered.tag = tag;
    answered.etag = etag;
    answered.expires = absl::Hours(1);
    return answered;
  }

  const std::vector<Violation>& Broken() const { return checker_.violations(); }
  std::vector<Violation> Unsettled() const { return checker_.Unsettled(now_); }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  HistoryChecker checker_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_FIXTURE_H_
