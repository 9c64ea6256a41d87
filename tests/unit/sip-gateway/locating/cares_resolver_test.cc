#include "sip-gateway/locating/cares_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/sip-gateway/locating/dns_server.h"
#include "tests/unit/sip-gateway/locating/poll_loop.h"
#include "tests/unit/sip-gateway/locating/temporary_file.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Outcome = DnsReply::Outcome;
using Messages = std::vector<std::string>;

// c-ares against a DNS server of its own on loopback. c-ares measures its time-outs itself, on the
// real clock; where a test is not about them they are too long to matter.
class CaresResolverTest : public ::testing::Test {
 protected:
  CaresResolver::Options Options() const {
    return {.servers = {server_.address()}, .query_timeout = absl::Minutes(1), .hosts_file = ""};
  }

  void Start(const CaresResolver::Options& options) {
    auto created = CaresResolver::Create(options, loop_, clock_);
    ASSERT_TRUE(created.ok()) << created.status();
    resolver_ = *std::move(created);
  }

  // The reply to a question, after as much of the loop as it takes.
  DnsReply Ask(RecordType type, const std::string& name) {
    if (resolver_ == nullptr) Start(Options());
    std::optional<DnsReply> reply;
    resolver_->Ask({type, name}, [&](DnsReply r) { reply = std::move(r); });
    EXPECT_FALSE(reply.has_value()) << "called back from inside Ask";
    EXPECT_TRUE(loop_.RunUntil([&] { return reply.has_value(); })) << ToString({type, name});
    return reply.value_or(FailedReply("no reply"));
  }

  static std::vector<std::string> Addresses(const DnsReply& reply) {
    std::vector<std::string> texts;
    for (const IpLiteral& ip : reply.addresses) texts.push_back(ip.text());
    return texts;
  }

  SystemClock clock_;
  PollLoop loop_{clock_};
  DnsServer server_{loop_};
  std::unique_ptr<CaresResolver> resolver_;
};

TEST_F(CaresResolverTest, AsksForEachTypeOfRecord) {
  server_.Serve({A("host.example", "192.0.2.1", 77), Aaaa("host.example", "2001:db8::1"),
                 Srv("_sip._udp.example", 1, 2, 5062, "host.example", 88),
                 Naptr("example", {.service = "SIP+D2U", .replacement = "_sip._udp.example"}, 99)});

  const DnsReply a = Ask(RecordType::kA, "host.example");
  const DnsReply srv = Ask(RecordType::kSrv, "_sip._udp.example");
  const DnsReply naptr = Ask(RecordType::kNaptr, "example");

  EXPECT_THAT(Addresses(a), ElementsAre("192.0.2.1"));
  EXPECT_EQ(a.ttl, absl::Seconds(77));
  EXPECT_THAT(Addresses(Ask(RecordType::kAaaa, "host.example")), ElementsAre("2001:db8::1"));
  EXPECT_THAT(srv.srv, ElementsAre(SrvRecord{1, 2, 5062, "host.example"}));
  EXPECT_EQ(srv.ttl, absl::Seconds(88));
  EXPECT_THAT(naptr.naptr, ElementsAre(NaptrRecord{10, 10, "SIP+D2U", "_sip._udp.example"}));
  EXPECT_EQ(naptr.ttl, absl::Seconds(99));
}

TEST_F(CaresResolverTest, FollowsAliases) {
  server_.Serve({Cname("www.example", "host.example", 20), A("host.example", "192.0.2.1", 300)});

  const DnsReply reply = Ask(RecordType::kA, "www.example");

  EXPECT_THAT(Addresses(reply), ElementsAre("192.0.2.1"));
  EXPECT_EQ(reply.ttl, absl::Seconds(20));
}

TEST_F(CaresResolverTest, EndsWhereAliasesGoInCircles) {
  server_.Serve({Cname("a.example", "b.example"), Cname("b.example", "a.example")});

  EXPECT_EQ(Ask(RecordType::kA, "a.example").outcome, Outcome::kNone);
}

TEST_F(CaresResolverTest, ReportsNoSuchNameAndNoSuchRecordWithTheirTtl) {
  server_.Serve({A("host.example", "192.0.2.1")});
  server_.ServeSoa(Soa("example", 900, 42));

  for (const DnsReply& reply :
       {Ask(RecordType::kA, "gone.example"), Ask(RecordType::kAaaa, "host.example"),
        Ask(RecordType::kSrv, "host.example"), Ask(RecordType::kNaptr, "gone.example")}) {
    EXPECT_EQ(reply.outcome, Outcome::kNone);
    EXPECT_EQ(reply.ttl, absl::Seconds(42));
  }
}

TEST_F(CaresResolverTest, ReportsAServerThatFailsOrRefuses) {
  for (const uint16_t rcode : {kServFail, kRefused}) {
    server_.Misbehave("bad.example", kTypeA,
                      [=](const Query& q) { return Messages{Encode(q, {.rcode = rcode})}; });

    const DnsReply reply = Ask(RecordType::kA, "bad.example");

    EXPECT_EQ(reply.outcome, Outcome::kFailed);
    EXPECT_FALSE(reply.failure.empty());
  }
}

TEST_F(CaresResolverTest, AsksTheNextServerWhenOneFails) {
  DnsServer second(loop_);
  second.Serve({A("host.example", "192.0.2.2")});
  server_.Misbehave("host.example", kTypeA,
                    [](const Query& q) { return Messages{Encode(q, {.rcode = kServFail})}; });
  auto options = Options();
  options.servers.push_back(second.address());
  Start(options);

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "host.example")), ElementsAre("192.0.2.2"));
}

TEST_F(CaresResolverTest, AsksTheNextServerWhenNobodyListensAtOne) {
  std::string nobody;
  {
    DnsServer gone(loop_);
    nobody = gone.address();
  }
  server_.Serve({A("host.example", "192.0.2.1")});
  auto options = Options();
  options.servers = {nobody, server_.address()};
  Start(options);

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "host.example")), ElementsAre("192.0.2.1"));
}

TEST_F(CaresResolverTest, AsksAgainWhenADatagramIsLost) {
  server_.Serve({A("host.example", "192.0.2.1")});
  server_.Misbehave("host.example", kTypeA, [this](const Query& q) {
    const bool is_first = server_.CountQuestions("A host.example") == 1;
    return is_first ? Messages{} : Messages{server_.Answer(q)};
  });
  auto options = Options();
  options.query_timeout = absl::Milliseconds(20);
  options.tries = 10;
  Start(options);

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "host.example")), ElementsAre("192.0.2.1"));
  EXPECT_GE(server_.CountQuestions("A host.example"), 2u);
}

TEST_F(CaresResolverTest, GivesUpWhenNoServerEverAnswers) {
  server_.Misbehave("host.example", kTypeA, [](const Query&) { return Messages{}; });
  auto options = Options();
  options.query_timeout = absl::Milliseconds(20);
  Start(options);

  const DnsReply reply = Ask(RecordType::kA, "host.example");

  EXPECT_EQ(reply.outcome, Outcome::kFailed);
  EXPECT_EQ(server_.CountQuestions("A host.example"), 2u) << "options.tries";
  EXPECT_EQ(loop_.alarms(), 0u);
}

TEST_F(CaresResolverTest, TurnsToTcpWhenAnAnswerWasCut) {
  std::vector<Record> many;
  for (int i = 1; i <= 40; ++i) {
    many.push_back(Srv("_sip._udp.example", 1, 1, 5060,
                       "a-rather-long-host-name-" + std::to_string(i) + ".example"));
  }
  server_.Serve(many);
  server_.Misbehave("_sip._udp.example", kTypeSrv, [this](const Query& q) {
    return Messages{q.is_over_tcp ? server_.Answer(q) : Encode(q, {.is_truncated = true})};
  });

  const DnsReply reply = Ask(RecordType::kSrv, "_sip._udp.example");

  EXPECT_THAT(reply.srv, SizeIs(40));
  EXPECT_THAT(server_.questions(),
              ElementsAre("SRV _sip._udp.example", "tcp: SRV _sip._udp.example"));
}

TEST_F(CaresResolverTest, TakesLargeAnswersOverUdpWithEdns) {
  std::vector<Record> many;
  for (int i = 1; i <= 40; ++i) many.push_back(A("host.example", "10.0.0." + std::to_string(i)));
  server_.Serve(many);  // about 1,100 bytes

  EXPECT_THAT(Ask(RecordType::kA, "host.example").addresses, SizeIs(40));
  EXPECT_THAT(server_.questions(), ElementsAre("A host.example"));
}

TEST_F(CaresResolverTest, WaitsForTheTrueAnswerBehindForgedAndBrokenOnes) {
  server_.Serve({A("host.example", "192.0.2.1")});
  server_.Misbehave("host.example", kTypeA, [this](const Query& query) {
    Query wrong_id = query;
    wrong_id.id = static_cast<uint16_t>(wrong_id.id + 1);
    const Response forged{.answers = {A("host.example", "203.0.113.66")}};
    Query other_name = query;
    other_name.question = std::string("\4evil\7example\0\0\1\0\1", 18);
    return Messages{Encode(wrong_id, forged), Encode(other_name, forged), "", "x",
                    std::string(500, '\xff'), server_.Answer(query)};
  });

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "host.example")), ElementsAre("192.0.2.1"));
}

TEST_F(CaresResolverTest, FailsOnAnAnswerWithBrokenRecords) {
  server_.Misbehave("host.example", kTypeA, [](const Query& query) {
    Record cut = A("host.example", "192.0.2.1");
    std::string message = Encode(query, {.answers = {cut}});
    message.resize(message.size() - 3);
    return Messages{message};
  });

  EXPECT_EQ(Ask(RecordType::kA, "host.example").outcome, Outcome::kFailed);
}

TEST_F(CaresResolverTest, AsksAServerOverIpv6) {
  DnsServer v6(loop_, DnsServer::Family::kIpv6);
  v6.Serve({A("host.example", "192.0.2.6")});
  auto options = Options();
  options.servers = {v6.address()};
  Start(options);

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "host.example")), ElementsAre("192.0.2.6"));
}

TEST_F(CaresResolverTest, KnowsLocalhostWithoutAsking) {
  EXPECT_THAT(Addresses(Ask(RecordType::kA, "localhost")), ElementsAre("127.0.0.1"));
  EXPECT_THAT(Addresses(Ask(RecordType::kAaaa, "phone.localhost")), ElementsAre("::1"));
  EXPECT_EQ(Ask(RecordType::kNaptr, "localhost").outcome, Outcome::kNone);
  EXPECT_EQ(Ask(RecordType::kSrv, "_sip._udp.localhost").outcome, Outcome::kNone);
  EXPECT_THAT(server_.questions(), IsEmpty());
}

TEST_F(CaresResolverTest, LooksIntoTheHostsFileFirst) {
  const TemporaryFile hosts("192.0.2.44 pbx.example\n192.0.2.45 pbx.example\n");
  server_.Serve({A("pbx.example", "203.0.113.1"), Aaaa("pbx.example", "2001:db8::1"),
                 A("other.example", "192.0.2.1")});
  auto options = Options();
  options.hosts_file = hosts.path();
  Start(options);

  EXPECT_THAT(Addresses(Ask(RecordType::kA, "pbx.example")),
              ElementsAre("192.0.2.44", "192.0.2.45"));
  EXPECT_EQ(Ask(RecordType::kAaaa, "pbx.example").outcome, Outcome::kNone);
  EXPECT_THAT(Addresses(Ask(RecordType::kA, "other.example")), ElementsAre("192.0.2.1"));
  EXPECT_THAT(server_.questions(), ElementsAre("A other.example"));
}

TEST_F(CaresResolverTest, AsksTheDnsForServicesOfNamesInTheHostsFile) {
  const TemporaryFile hosts("192.0.2.44 pbx.example\n");
  auto options = Options();
  options.hosts_file = hosts.path();
  Start(options);

  EXPECT_EQ(Ask(RecordType::kNaptr, "pbx.example").outcome, Outcome::kNone);
  EXPECT_THAT(server_.questions(), ElementsAre("NAPTR pbx.example"));
}

TEST_F(CaresResolverTest, RefusesServersThatAreNoAddresses) {
  for (const char* server : {"dns.example", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                             "192.0.2.1:53x", "2001:db8::1:12345", "[2001:db8::1", ""}) {
    const auto created = CaresResolver::Create({.servers = {server}}, loop_, clock_);
    EXPECT_EQ(created.status().code(), absl::StatusCode::kInvalidArgument) << server;
  }
  for (const char* server : {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"}) {
    EXPECT_TRUE(CaresResolver::Create({.servers = {server}}, loop_, clock_).ok()) << server;
  }
}

TEST_F(CaresResolverTest, StartsWithTheServersOfTheSystem) {
  EXPECT_TRUE(CaresResolver::Create({}, loop_, clock_).ok());
}

TEST_F(CaresResolverTest, LetsACallbackAskTheNextQuestion) {
  server_.Serve({A("one.example", "192.0.2.1"), A("two.example", "192.0.2.2")});
  Start(Options());
  std::optional<DnsReply> second;

  resolver_->Ask({RecordType::kA, "one.example"}, [&](DnsReply) {
    resolver_->Ask({RecordType::kA, "two.example"}, [&](DnsReply r) { second = std::move(r); });
  });

  ASSERT_TRUE(loop_.RunUntil([&] { return second.has_value(); }));
  EXPECT_THAT(Addresses(*second), ElementsAre("192.0.2.2"));
}

TEST_F(CaresResolverTest, LetsGoOfSocketsAndAlarmsWhenAllIsAnswered) {
  server_.Serve({A("host.example", "192.0.2.1")});
  const size_t of_the_server = loop_.watched();

  Ask(RecordType::kA, "host.example");

  EXPECT_EQ(loop_.watched(), of_the_server);
}

TEST_F(CaresResolverTest, CallsNothingAfterItsEnd) {
  server_.Serve({A("host.example", "192.0.2.1")});
  server_.Hold();
  Start(Options());
  const size_t of_the_server = loop_.watched();
  bool is_called = false;
  resolver_->Ask({RecordType::kA, "host.example"}, [&](DnsReply) { is_called = true; });
  resolver_->Ask({RecordType::kA, "localhost"}, [&](DnsReply) { is_called = true; });

  resolver_.reset();
  server_.Release();
  loop_.RunUntilIdle();

  EXPECT_FALSE(is_called);
  EXPECT_EQ(loop_.watched(), of_the_server);
  EXPECT_EQ(loop_.alarms(), 0u);
}

}  // namespace
}  // namespace presence::sip
