#include "sip-gateway/locating/dns_locator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sip-gateway/locating/cares_resolver.h"
#include "tests/unit/sip-gateway/locating/dns_server.h"
#include "tests/unit/sip-gateway/locating/poll_loop.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Messages = std::vector<std::string>;
using Texts = std::vector<std::string>;

// The whole room against a DNS server on loopback, on a clock that the test moves.
class DnsLocatorTest : public ::testing::Test {
 protected:
  DnsLocatorTest() { options_.deadline = absl::Seconds(8); }

  void Start() {
    auto resolver = CaresResolver::Create(
        {.servers = {server_.address()}, .query_timeout = absl::Minutes(10), .hosts_file = ""},
        loop_, clock_);
    ASSERT_TRUE(resolver.ok()) << resolver.status();
    locator_ = std::make_unique<DnsLocator>(options_, *std::move(resolver), loop_, clock_, random_);
  }

  // What a lookup that had to wait was told, when it was.
  struct Waiter {
    LookupId id = 0;
    std::optional<LocateResult> result;
  };

  // Starts a lookup that has to wait.
  std::shared_ptr<Waiter> Begin(const Destination& destination) {
    if (locator_ == nullptr) Start();
    auto waiter = std::make_shared<Waiter>();
    auto started = locator_->Locate(
        destination, [waiter](LocateResult result) { waiter->result = std::move(result); });
    if (const LookupId* id = std::get_if<LookupId>(&started)) {
      waiter->id = *id;
    } else {
      ADD_FAILURE() << "had nothing to wait for";
      waiter->result = std::get<LocateResult>(std::move(started));
    }
    EXPECT_FALSE(waiter->id != 0 && waiter->result) << "called back from inside Locate";
    return waiter;
  }

  // The result, after as much of the loop as it takes.
  LocateResult Locate(const Destination& destination) {
    if (locator_ == nullptr) Start();
    std::optional<LocateResult> result;
    auto started =
        locator_->Locate(destination, [&](LocateResult later) { result = std::move(later); });
    if (auto* now = std::get_if<LocateResult>(&started)) return *std::move(now);
    if (!loop_.RunUntil([&] { return result.has_value(); })) {
      return absl::InternalError("the test's own limit");
    }
    return *std::move(result);
  }

  Texts Targets(const Destination& destination) { return AsTexts(Locate(destination)); }

  static Texts AsTexts(const LocateResult& result) {
    if (!result.ok()) return {result.status().ToString()};
    Texts texts;
    for (const Target& target : *result) texts.push_back(ToString(target));
    return texts;
  }

  // A domain with two servers behind UDP, the second a backup; they have no AAAA records.
  void ServeExample(uint32_t ttl = 300) {
    server_.ServeSoa(Soa("example.com", 3600, 3600));
    server_.Serve(
        {Naptr("example.com", {.service = "SIP+D2U", .replacement = "_sip._udp.example.com"}, ttl),
         Srv("_sip._udp.example.com", 10, 0, 5062, "a.example.com", ttl),
         Srv("_sip._udp.example.com", 20, 0, 5060, "b.example.com", ttl),
         A("a.example.com", "192.0.2.1", ttl), A("b.example.com", "192.0.2.2", ttl)});
  }

  ManualClock clock_;
  PollLoop loop_{clock_};
  DnsServer server_{loop_};
  SeededRandom random_{3263};
  DnsLocator::Options options_;
  std::unique_ptr<DnsLocator> locator_;
};

TEST_F(DnsLocatorTest, FindsTheServersOfADomainByNaptrSrvAndAddress) {
  ServeExample();

  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.1:5062", "udp:192.0.2.2:5060"));
  EXPECT_THAT(
      server_.questions(),
      UnorderedElementsAre("NAPTR example.com", "SRV _sip._udp.example.com", "A a.example.com",
                           "AAAA a.example.com", "A b.example.com", "AAAA b.example.com"));
}

TEST_F(DnsLocatorTest, FindsServersBySrvWithoutNaptr) {
  server_.Serve({Srv("_sip._tcp.example.com", 1, 1, 5066, "a.example.com"),
                 Aaaa("a.example.com", "2001:db8::1"), A("a.example.com", "192.0.2.1")});

  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("tcp:[2001:db8::1]:5066", "tcp:192.0.2.1:5066"));
}

TEST_F(DnsLocatorTest, FallsBackToTheAddressOfTheName) {
  server_.Serve({A("phone.example.com", "192.0.2.5")});

  EXPECT_THAT(Targets({.host = "phone.example.com"}), ElementsAre("udp:192.0.2.5:5060"));
}

TEST_F(DnsLocatorTest, FollowsTheTransportParameter) {
  ServeExample();
  server_.Serve({Srv("_sip._tcp.example.com", 1, 1, 5066, "b.example.com")});

  EXPECT_THAT(Targets({.host = "example.com", .transport = "tcp"}),
              ElementsAre("tcp:192.0.2.2:5066"));
  EXPECT_EQ(server_.CountQuestions("NAPTR example.com"), 0u);
}

TEST_F(DnsLocatorTest, FollowsMaddr) {
  server_.Serve({A("edge.example.net", "198.51.100.1")});

  EXPECT_THAT(Targets({.host = "example.com", .port = 5070, .maddr = "edge.example.net"}),
              ElementsAre("udp:198.51.100.1:5070"));
}

TEST_F(DnsLocatorTest, ResolvesSipsToTlsOnly) {
  ServeExample();
  server_.Serve({Srv("_sips._tcp.example.com", 1, 1, 5061, "a.example.com")});

  EXPECT_EQ(Locate({.is_sips = true, .host = "example.com"}).status().code(),
            absl::StatusCode::kUnimplemented);

  options_.rules.protocols.push_back(TargetProtocol::kTls);
  Start();
  EXPECT_THAT(Targets({.is_sips = true, .host = "example.com"}), ElementsAre("tls:192.0.2.1:5061"));
}

TEST_F(DnsLocatorTest, AnswersAtOnceWhatNeedsNoDns) {
  Start();

  auto started = locator_->Locate({.host = "192.0.2.9", .port = 5070}, [](LocateResult) {});

  ASSERT_TRUE(std::holds_alternative<LocateResult>(started));
  EXPECT_THAT(AsTexts(std::get<LocateResult>(started)), ElementsAre("udp:192.0.2.9:5070"));
  EXPECT_THAT(server_.questions(), IsEmpty());
  EXPECT_EQ(locator_->counters().immediate, 1u);
}

TEST_F(DnsLocatorTest, AnswersAtOnceFromItsCacheUntilTheTtlEnds) {
  ServeExample(/*ttl=*/60);
  Targets({.host = "example.com"});
  const size_t asked = server_.questions().size();

  clock_.Advance(absl::Seconds(59));
  EXPECT_TRUE(std::holds_alternative<LocateResult>(
      locator_->Locate({.host = "example.com"}, [](LocateResult) {})));
  EXPECT_EQ(server_.questions().size(), asked);

  clock_.Advance(absl::Seconds(1));
  server_.Clear();
  server_.Serve({A("example.com", "192.0.2.77")});
  EXPECT_EQ(server_.questions().size(), asked);
  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("udp:192.0.2.77:5060"));
}

TEST_F(DnsLocatorTest, AsksAgainForTheRecordsThatExpiredOnly) {
  server_.Serve({Srv("_sip._udp.example.com", 1, 1, 5060, "a.example.com", 3000),
                 A("a.example.com", "192.0.2.1", 10), Aaaa("a.example.com", "2001:db8::1", 3000)});
  Targets({.host = "example.com", .transport = "udp"});
  const size_t asked = server_.questions().size();

  clock_.Advance(absl::Seconds(10));
  Targets({.host = "example.com", .transport = "udp"});

  EXPECT_EQ(server_.questions().size(), asked + 1);
  EXPECT_EQ(server_.questions().back(), "A a.example.com");
}

TEST_F(DnsLocatorTest, RemembersForABoundedTimeThatANameIsNotThere) {
  server_.ServeSoa(Soa("example.com", 86400, 86400));
  options_.cache.max_negative_ttl = absl::Minutes(5);
  EXPECT_EQ(Locate({.host = "gone.example.com"}).status().code(), absl::StatusCode::kNotFound);
  const size_t asked = server_.questions().size();

  EXPECT_EQ(Locate({.host = "gone.example.com"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(server_.questions().size(), asked);

  clock_.Advance(absl::Minutes(5));
  server_.Serve({A("gone.example.com", "192.0.2.1")});
  EXPECT_THAT(Targets({.host = "gone.example.com"}), ElementsAre("udp:192.0.2.1:5060"));
}

TEST_F(DnsLocatorTest, AsksOnceForManyLookupsOfOneName) {
  ServeExample();
  std::vector<std::shared_ptr<Waiter>> waiters;
  for (int i = 0; i < 50; ++i) waiters.push_back(Begin({.host = "example.com"}));

  ASSERT_TRUE(loop_.RunUntil([&] { return locator_->waiting() == 0; }));

  for (const auto& waiter : waiters) {
    ASSERT_TRUE(waiter->result.has_value());
    EXPECT_THAT(AsTexts(*waiter->result), ElementsAre("udp:192.0.2.1:5062", "udp:192.0.2.2:5060"));
  }
  EXPECT_EQ(server_.questions().size(), 6u);
}

TEST_F(DnsLocatorTest, SpreadsLookupsOverServersByWeight) {
  server_.Serve({Srv("_sip._udp.example.com", 1, 75, 5060, "big.example.com"),
                 Srv("_sip._udp.example.com", 1, 25, 5060, "small.example.com"),
                 A("big.example.com", "192.0.2.1"), A("small.example.com", "192.0.2.2")});
  std::map<std::string, int> first;
  constexpr int kLookups = 4'000;

  for (int i = 0; i < kLookups; ++i) {
    const Texts targets = Targets({.host = "example.com", .transport = "udp"});
    ASSERT_EQ(targets.size(), 2u);
    ++first[targets[0]];
  }

  EXPECT_NEAR(first["udp:192.0.2.1:5060"] / double{kLookups}, 0.75, 0.03);
  EXPECT_EQ(server_.questions().size(), 5u) << "one draw a lookup, one set of questions for all";
}

TEST_F(DnsLocatorTest, DoesNotStartAtATargetThatFailed) {
  ServeExample();
  const Target a{TargetProtocol::kUdp, "192.0.2.1", 5062};
  Targets({.host = "example.com"});

  locator_->MarkDead(a, absl::Seconds(120));
  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.2:5060", "udp:192.0.2.1:5062"));

  clock_.Advance(absl::Seconds(120));
  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.1:5062", "udp:192.0.2.2:5060"));

  locator_->MarkDead(a, absl::ZeroDuration());
  locator_->MarkAlive(a);
  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.1:5062", "udp:192.0.2.2:5060"));
}

TEST_F(DnsLocatorTest, DoesNotCallBackACancelledLookup) {
  ServeExample();
  const auto cancelled = Begin({.host = "example.com"});
  const auto other = Begin({.host = "example.com"});

  locator_->Cancel(cancelled->id);
  ASSERT_TRUE(loop_.RunUntil([&] { return other->result.has_value(); }));

  EXPECT_FALSE(cancelled->result.has_value());
  EXPECT_TRUE(other->result->ok());
  locator_->Cancel(cancelled->id);
  locator_->Cancel(other->id);
}

TEST_F(DnsLocatorTest, KeepsWhatACancelledLookupLearned) {
  server_.Serve({A("a.example.com", "192.0.2.1"), Aaaa("a.example.com", "2001:db8::1")});
  locator_ = nullptr;
  const auto cancelled = Begin({.host = "a.example.com", .port = 5060});

  locator_->Cancel(cancelled->id);
  loop_.RunUntilIdle();

  EXPECT_TRUE(std::holds_alternative<LocateResult>(
      locator_->Locate({.host = "a.example.com", .port = 5060}, [](LocateResult) {})));
}

TEST_F(DnsLocatorTest, EndsALookupAtItsDeadline) {
  server_.Misbehave("example.com", kTypeNaptr, [](const Query&) { return Messages{}; });
  const auto waiter = Begin({.host = "example.com"});
  loop_.RunUntilIdle();

  clock_.Advance(absl::Seconds(8) - absl::Milliseconds(1));
  loop_.RunUntilIdle();
  EXPECT_FALSE(waiter->result.has_value());

  clock_.Advance(absl::Milliseconds(1));
  loop_.RunUntilIdle();
  ASSERT_TRUE(waiter->result.has_value());
  EXPECT_EQ(waiter->result->status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(locator_->counters().timed_out, 1u);
}

TEST_F(DnsLocatorTest, GivesEachLookupItsOwnDeadline) {
  server_.Misbehave("example.com", kTypeNaptr, [](const Query&) { return Messages{}; });
  const auto first = Begin({.host = "example.com"});
  clock_.Advance(absl::Seconds(3));
  const auto second = Begin({.host = "example.com"});
  locator_->Cancel(Begin({.host = "example.com"})->id);

  clock_.Advance(absl::Seconds(5));
  loop_.RunUntilIdle();
  EXPECT_TRUE(first->result.has_value());
  EXPECT_FALSE(second->result.has_value());

  clock_.Advance(absl::Seconds(3));
  loop_.RunUntilIdle();
  EXPECT_TRUE(second->result.has_value());
}

TEST_F(DnsLocatorTest, GivesTheTargetsItHasAtTheDeadline) {
  ServeExample();
  for (const uint16_t type : {kTypeA, kTypeAaaa}) {
    server_.Misbehave("a.example.com", type, [](const Query&) { return Messages{}; });
  }
  const auto waiter = Begin({.host = "example.com"});
  loop_.RunUntilIdle();
  EXPECT_FALSE(waiter->result.has_value());

  clock_.Advance(absl::Seconds(8));
  loop_.RunUntilIdle();

  ASSERT_TRUE(waiter->result.has_value());
  EXPECT_THAT(AsTexts(*waiter->result), ElementsAre("udp:192.0.2.2:5060"));
}

TEST_F(DnsLocatorTest, AnswerAfterTheDeadlineServesTheNextLookup) {
  server_.Serve({A("slow.example.com", "192.0.2.1")});
  server_.Hold();
  const auto waiter = Begin({.host = "slow.example.com", .port = 5060});
  loop_.RunUntilIdle();
  clock_.Advance(absl::Seconds(8));
  loop_.RunUntilIdle();
  ASSERT_TRUE(waiter->result.has_value());
  EXPECT_FALSE(waiter->result->ok());

  server_.Release();
  loop_.RunUntilIdle();

  EXPECT_THAT(Targets({.host = "slow.example.com", .port = 5060}),
              ElementsAre("udp:192.0.2.1:5060"));
  EXPECT_EQ(server_.CountQuestions("A slow.example.com"), 1u);
}

TEST_F(DnsLocatorTest, GoesOnWithKnownServersWhileTheDnsIsDown) {
  server_.Serve({A("a.example.com", "192.0.2.1", 60)});
  options_.rules.has_ipv6 = false;
  EXPECT_THAT(Targets({.host = "a.example.com", .port = 5060}), ElementsAre("udp:192.0.2.1:5060"));

  server_.Misbehave("a.example.com", kTypeA,
                    [](const Query& q) { return Messages{Encode(q, {.rcode = kServFail})}; });
  clock_.Advance(absl::Minutes(30));
  EXPECT_THAT(Targets({.host = "a.example.com", .port = 5060}), ElementsAre("udp:192.0.2.1:5060"));

  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Locate({.host = "a.example.com", .port = 5060}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(DnsLocatorTest, RefusesMoreLookupsThanMayWait) {
  server_.Hold();
  options_.max_waiting = 3;
  Start();
  for (int i = 0; i < 3; ++i) Begin({.host = "h" + std::to_string(i) + ".example.com"});

  auto refused = locator_->Locate({.host = "h4.example.com"}, [](LocateResult) {});
  ASSERT_TRUE(std::holds_alternative<LocateResult>(refused));
  EXPECT_EQ(std::get<LocateResult>(refused).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Targets({.host = "192.0.2.1"}), ElementsAre("udp:192.0.2.1:5060"))
      << "what needs no DNS is not affected";
  EXPECT_EQ(locator_->counters().refused, 1u);
}

TEST_F(DnsLocatorTest, ForgetsQueuedQuestionsOfLookupsThatAreOver) {
  server_.Hold();
  options_.cache.max_outstanding = 1;
  options_.rules.has_ipv6 = false;
  Begin({.host = "first.example.com", .port = 5060});
  for (int i = 0; i < 100; ++i) {
    locator_->Cancel(Begin({.host = "x" + std::to_string(i) + ".example.com", .port = 5060})->id);
    Begin({.host = "y" + std::to_string(i) + ".example.com", .port = 5060});
  }
  clock_.Advance(absl::Seconds(8));
  loop_.RunUntilIdle();

  server_.Release();
  loop_.RunUntilIdle();

  EXPECT_THAT(server_.questions(), ElementsAre("A first.example.com"));
  EXPECT_EQ(locator_->waiting(), 0u);
}

TEST_F(DnsLocatorTest, LetsACallbackStartTheNextLookup) {
  server_.Serve({A("one.example.com", "192.0.2.1"), A("two.example.com", "192.0.2.2")});
  Start();
  std::optional<LocateResult> second;

  locator_->Locate({.host = "one.example.com", .port = 5060}, [&](LocateResult) {
    locator_->Locate({.host = "two.example.com", .port = 5060},
                     [&](LocateResult result) { second = std::move(result); });
  });

  ASSERT_TRUE(loop_.RunUntil([&] { return second.has_value(); }));
  EXPECT_THAT(AsTexts(*second), ElementsAre("udp:192.0.2.2:5060"));
}

TEST_F(DnsLocatorTest, LetsACallbackCancelALookupThatEndsWithIt) {
  server_.Serve({A("one.example.com", "192.0.2.1")});
  Start();
  std::optional<LookupId> other;
  bool is_other_called = false;
  bool is_called = false;

  locator_->Locate({.host = "one.example.com", .port = 5060}, [&](LocateResult) {
    is_called = true;
    locator_->Cancel(*other);
  });
  other = std::get<LookupId>(locator_->Locate({.host = "one.example.com", .port = 5060},
                                              [&](LocateResult) { is_other_called = true; }));

  ASSERT_TRUE(loop_.RunUntil([&] { return is_called; }));
  loop_.RunUntilIdle();
  EXPECT_FALSE(is_other_called);
}

TEST_F(DnsLocatorTest, CallsNothingAfterItsEnd) {
  ServeExample();
  server_.Hold();
  const auto waiter = Begin({.host = "example.com"});
  loop_.RunUntilIdle();

  locator_.reset();
  server_.Release();
  clock_.Advance(absl::Hours(1));
  loop_.RunUntilIdle();

  EXPECT_FALSE(waiter->result.has_value());
  EXPECT_EQ(loop_.alarms(), 0u);
}

}  // namespace
}  // namespace presence::sip
