#include "sip-gateway/locating/location_procedure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// RFC 3263 with facts from a table, without a DNS and without waiting.
class LocationProcedureTest : public ::testing::Test {
 protected:
  // Each line is what one question is answered.
  void Naptr(const std::string& name, std::vector<NaptrRecord> records) {
    DnsReply reply = Records();
    reply.naptr = std::move(records);
    Know(RecordType::kNaptr, name, std::move(reply));
  }
  void Srv(const std::string& name, std::vector<SrvRecord> records) {
    DnsReply reply = Records();
    reply.srv = std::move(records);
    Know(RecordType::kSrv, name, std::move(reply));
  }
  // The addresses of a name, of both families.
  void Host(const std::string& name, const std::vector<std::string>& addresses) {
    DnsReply v4 = NoRecordsReply();
    DnsReply v6 = NoRecordsReply();
    for (const std::string& address : addresses) {
      const IpLiteral ip = *IpLiteral::Parse(address);
      DnsReply& reply = ip.is_v6() ? v6 : v4;
      reply.outcome = DnsReply::Outcome::kRecords;
      reply.addresses.push_back(ip);
    }
    Know(RecordType::kA, name, std::move(v4));
    Know(RecordType::kAaaa, name, std::move(v6));
  }
  void None(RecordType type, const std::string& name) { Know(type, name, NoRecordsReply()); }
  void Fails(RecordType type, const std::string& name) {
    Know(type, name, FailedReply("SERVFAIL"));
  }
  void NoSrv(const std::string& name) {
    for (const char* prefix : {"_sip._udp.", "_sip._tcp.", "_sips._tcp."}) {
      None(RecordType::kSrv, prefix + name);
    }
  }

  LocationStep Run(const Destination& destination) {
    return LocateFromFacts(destination, rules_, facts_, random_);
  }

  // The targets as text; the error as text; or the questions that are missing.
  std::vector<std::string> Targets(const Destination& destination) {
    const LocationStep step = Run(destination);
    std::vector<std::string> texts;
    for (const DnsQuestion& q : step.missing) texts.push_back("? " + ToString(q));
    if (!texts.empty()) return texts;
    if (!step.result.ok()) return {step.result.status().ToString()};
    for (const Target& target : *step.result) texts.push_back(ToString(target));
    return texts;
  }

  absl::Status Error(const Destination& destination) {
    const LocationStep step = Run(destination);
    EXPECT_THAT(step.missing, IsEmpty());
    return step.result.status();
  }

  void SupportTls() {
    rules_.protocols = {TargetProtocol::kUdp, TargetProtocol::kTcp, TargetProtocol::kTls};
  }

  static DnsReply Records() {
    DnsReply reply;
    reply.outcome = DnsReply::Outcome::kRecords;
    return reply;
  }

  LocationRules rules_;
  DnsFacts facts_;
  SeededRandom random_{3263};

 private:
  void Know(RecordType type, const std::string& name, DnsReply reply) {
    facts_[DnsQuestion{type, name}] = std::make_shared<const DnsReply>(std::move(reply));
  }
};

// The records of RFC 3263 §4.1's example.
std::vector<NaptrRecord> ExampleNaptr() {
  return {{50, 50, "SIPS+D2T", "_sips._tcp.example.com"},
          {90, 50, "SIP+D2T", "_sip._tcp.example.com"},
          {100, 50, "SIP+D2U", "_sip._udp.example.com"}};
}

TEST_F(LocationProcedureTest, AsksNothingForNumericAddresses) {
  EXPECT_THAT(Targets({.host = "192.0.2.1"}), ElementsAre("udp:192.0.2.1:5060"));
  EXPECT_THAT(Targets({.host = "192.0.2.1", .port = 5070}), ElementsAre("udp:192.0.2.1:5070"));
  EXPECT_THAT(Targets({.host = "192.0.2.1", .transport = "TCP"}),
              ElementsAre("tcp:192.0.2.1:5060"));
  EXPECT_THAT(Targets({.host = "[2001:DB8::1]", .port = 5070}),
              ElementsAre("udp:[2001:db8::1]:5070"));
}

TEST_F(LocationProcedureTest, TakesMaddrForTheHost) {
  Host("edge.example.net", {"198.51.100.7"});

  EXPECT_THAT(Targets({.host = "example.com", .maddr = "192.0.2.9"}),
              ElementsAre("udp:192.0.2.9:5060"));
  EXPECT_THAT(Targets({.host = "192.0.2.1", .port = 5062, .maddr = "edge.example.net"}),
              ElementsAre("udp:198.51.100.7:5062"));
}

TEST_F(LocationProcedureTest, AsksForAddressesOnlyWhenThereIsAPort) {
  EXPECT_THAT(Targets({.host = "example.com", .port = 5060}),
              UnorderedElementsAre("? A example.com", "? AAAA example.com"));

  Host("example.com", {"192.0.2.1", "192.0.2.2"});

  EXPECT_THAT(Targets({.host = "Example.COM.", .port = 5060}),
              ElementsAre("udp:192.0.2.1:5060", "udp:192.0.2.2:5060"));
  EXPECT_THAT(Targets({.host = "example.com", .port = 7000, .transport = "tcp"}),
              ElementsAre("tcp:192.0.2.1:7000", "tcp:192.0.2.2:7000"));
}

TEST_F(LocationProcedureTest, AsksForTheSrvOfTheTransportInTheUri) {
  EXPECT_THAT(Targets({.host = "example.com", .transport = "tcp"}),
              ElementsAre("? SRV _sip._tcp.example.com"));

  Srv("_sip._tcp.example.com", {{0, 0, 5080, "a.example.com"}});
  Host("a.example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com", .transport = "tcp"}),
              ElementsAre("tcp:192.0.2.1:5080"));
}

TEST_F(LocationProcedureTest, FallsBackToTheNameWhenTheTransportHasNoSrv) {
  None(RecordType::kSrv, "_sip._tcp.example.com");
  Host("example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com", .transport = "tcp"}),
              ElementsAre("tcp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, FollowsTheMostPreferredNaptrRecordItSupports) {
  Naptr("example.com", ExampleNaptr());

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("? SRV _sip._tcp.example.com"))
      << "SIPS needs TLS, and D2U has a higher order than the match";

  Srv("_sip._tcp.example.com",
      {{0, 1, 5060, "server1.example.com"}, {0, 2, 5060, "server2.example.com"}});
  Host("server1.example.com", {"192.0.2.1"});
  Host("server2.example.com", {"192.0.2.2"});

  EXPECT_THAT(Targets({.host = "example.com"}),
              UnorderedElementsAre("tcp:192.0.2.1:5060", "tcp:192.0.2.2:5060"));
}

TEST_F(LocationProcedureTest, KeepsSipsRecordsForASipUriWhenItSpeaksTls) {
  SupportTls();
  Naptr("example.com", ExampleNaptr());
  Srv("_sips._tcp.example.com", {{0, 0, 5061, "s.example.com"}});
  Host("s.example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("tls:192.0.2.1:5061"));
}

TEST_F(LocationProcedureTest, OrdersNaptrRecordsOfOneOrderByPreference) {
  Naptr("example.com", {{10, 20, "SIP+D2U", "_sip._udp.example.com"},
                        {10, 10, "SIP+D2T", "_sip._tcp.example.net"}});
  Srv("_sip._udp.example.com", {{0, 0, 5060, "u.example.com"}});
  Srv("_sip._tcp.example.net", {{0, 0, 5060, "t.example.net"}});
  Host("u.example.com", {"192.0.2.1"});
  Host("t.example.net", {"192.0.2.2"});

  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("tcp:192.0.2.2:5060", "udp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, GoesToAHigherNaptrOrderOnlyWhenTheMatchLeadsNowhere) {
  Naptr("example.com", ExampleNaptr());
  None(RecordType::kSrv, "_sip._tcp.example.com");
  Srv("_sip._udp.example.com", {{0, 0, 5060, "u.example.com"}});
  Host("u.example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("udp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, UsesTheNameWithNaptrsTransportWhenNoSrvIsBehindIt) {
  Naptr("example.com", {{10, 10, "SIP+D2T", "_sip._tcp.example.com"}});
  None(RecordType::kSrv, "_sip._tcp.example.com");
  Host("example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("tcp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, IgnoresNaptrServicesOfOthers) {
  Naptr("example.com", {{1, 1, "E2U+SIP", "_sip._udp.trap.example"},
                        {2, 1, "SIP+D2S", "_sip._sctp.example.com"},
                        {3, 1, "SIPS+D2U", "_sips._udp.example.com"}});

  EXPECT_THAT(Targets({.host = "example.com"}),
              UnorderedElementsAre("? SRV _sip._udp.example.com", "? SRV _sip._tcp.example.com"));
}

TEST_F(LocationProcedureTest, AsksForTheSrvOfEveryTransportWithoutNaptr) {
  SupportTls();
  None(RecordType::kNaptr, "example.com");

  EXPECT_THAT(Targets({.host = "example.com"}),
              UnorderedElementsAre("? SRV _sip._udp.example.com", "? SRV _sip._tcp.example.com",
                                   "? SRV _sips._tcp.example.com"));
}

TEST_F(LocationProcedureTest, PrefersItsOwnOrderOfTransportsWithoutNaptr) {
  None(RecordType::kNaptr, "example.com");
  Srv("_sip._udp.example.com", {{9, 0, 5060, "u.example.com"}});
  Srv("_sip._tcp.example.com", {{1, 0, 5062, "t.example.com"}});
  Host("u.example.com", {"192.0.2.1"});
  Host("t.example.com", {"192.0.2.2"});

  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.1:5060", "tcp:192.0.2.2:5062"))
      << "priorities of different SRV sets are not compared";
}

TEST_F(LocationProcedureTest, FallsBackToUdpAndTheNameWithoutAnyRecord) {
  None(RecordType::kNaptr, "example.com");
  NoSrv("example.com");
  Host("example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("udp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, TriesTcpWhereThereIsNoUdpListener) {
  rules_.protocols = {TargetProtocol::kTcp};
  None(RecordType::kNaptr, "example.com");
  NoSrv("example.com");
  Host("example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("tcp:192.0.2.1:5060"));
  EXPECT_THAT(Targets({.host = "192.0.2.7"}), ElementsAre("tcp:192.0.2.7:5060"));
}

TEST_F(LocationProcedureTest, SendsSipsOverTlsOnly) {
  SupportTls();
  Naptr("example.com", ExampleNaptr());
  Srv("_sips._tcp.example.com", {{0, 0, 5061, "s.example.com"}});
  Host("s.example.com", {"192.0.2.1"});
  None(RecordType::kNaptr, "bare.example");
  NoSrv("bare.example");
  Host("bare.example", {"192.0.2.2"});

  EXPECT_THAT(Targets({.is_sips = true, .host = "example.com"}), ElementsAre("tls:192.0.2.1:5061"));
  EXPECT_THAT(Targets({.is_sips = true, .host = "bare.example"}),
              ElementsAre("tls:192.0.2.2:5061"));
  EXPECT_THAT(Targets({.is_sips = true, .host = "192.0.2.3"}), ElementsAre("tls:192.0.2.3:5061"));
  EXPECT_THAT(Targets({.is_sips = true, .host = "192.0.2.3", .transport = "tcp"}),
              ElementsAre("tls:192.0.2.3:5061"));
}

TEST_F(LocationProcedureTest, FindsNoWayForSipsWithoutTls) {
  for (const Destination& destination :
       {Destination{.is_sips = true, .host = "192.0.2.3"},
        Destination{.is_sips = true, .host = "example.com"},
        Destination{.is_sips = true, .host = "example.com", .port = 5061},
        Destination{.is_sips = true, .host = "example.com", .transport = "tcp"}}) {
    const absl::Status error = Error(destination);
    EXPECT_EQ(error.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(error.message()), HasSubstr("tls"));
  }
}

TEST_F(LocationProcedureTest, RefusesSipsOverUdp) {
  SupportTls();

  const absl::Status error = Error({.is_sips = true, .host = "example.com", .transport = "udp"});

  EXPECT_EQ(error.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(error.message()), HasSubstr("sips"));
}

TEST_F(LocationProcedureTest, NamesTheTransportItDoesNotSpeak) {
  for (const char* transport : {"tls", "ws", "sctp", "tls-sctp", "x\r\ny"}) {
    const absl::Status error = Error({.host = "192.0.2.1", .transport = transport});
    EXPECT_EQ(error.code(), absl::StatusCode::kUnimplemented) << transport;
    EXPECT_EQ(error.message().find('\r'), std::string::npos);
  }
}

TEST_F(LocationProcedureTest, KnowsTheDefaultPortsOfWebSocket) {
  rules_.protocols = {TargetProtocol::kWs, TargetProtocol::kWss};

  EXPECT_THAT(Targets({.host = "192.0.2.1", .transport = "ws"}), ElementsAre("ws:192.0.2.1:80"));
  EXPECT_THAT(Targets({.is_sips = true, .host = "192.0.2.1", .transport = "ws"}),
              ElementsAre("wss:192.0.2.1:443"));
}

TEST_F(LocationProcedureTest, ReadsADotTargetAsServiceNotAvailable) {
  None(RecordType::kNaptr, "example.com");
  Srv("_sip._udp.example.com", {{0, 0, 0, ""}});
  Srv("_sip._tcp.example.com", {{0, 0, 0, ""}});
  Host("example.com", {"192.0.2.1"});

  EXPECT_EQ(Error({.host = "example.com"}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Error({.host = "example.com", .transport = "tcp"}).code(), absl::StatusCode::kNotFound);
}

TEST_F(LocationProcedureTest, OrdersByPriorityAndListsAllServers) {
  None(RecordType::kNaptr, "example.com");
  None(RecordType::kSrv, "_sip._tcp.example.com");
  Srv("_sip._udp.example.com",
      {{20, 0, 5060, "backup.example.com"}, {10, 0, 5062, "a.example.com"}});
  Host("backup.example.com", {"192.0.2.9"});
  Host("a.example.com", {"192.0.2.1", "192.0.2.2"});

  EXPECT_THAT(Targets({.host = "example.com"}),
              ElementsAre("udp:192.0.2.1:5062", "udp:192.0.2.2:5062", "udp:192.0.2.9:5060"));
}

TEST_F(LocationProcedureTest, TriesIpv6FirstAtAHostWithBothFamilies) {
  Host("dual.example.com", {"192.0.2.1", "2001:db8::1"});

  EXPECT_THAT(Targets({.host = "dual.example.com", .port = 5060}),
              ElementsAre("udp:[2001:db8::1]:5060", "udp:192.0.2.1:5060"));

  rules_.is_ipv6_first = false;
  EXPECT_THAT(Targets({.host = "dual.example.com", .port = 5060}),
              ElementsAre("udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"));
}

TEST_F(LocationProcedureTest, AsksOnlyForFamiliesItHasListenersOf) {
  rules_.has_ipv6 = false;

  EXPECT_THAT(Targets({.host = "example.com", .port = 5060}), ElementsAre("? A example.com"));
  EXPECT_EQ(Error({.host = "2001:db8::1"}).code(), absl::StatusCode::kUnimplemented);

  rules_ = {.has_ipv4 = false};
  EXPECT_THAT(Targets({.host = "example.com", .port = 5060}), ElementsAre("? AAAA example.com"));
  EXPECT_EQ(Error({.host = "192.0.2.1"}).code(), absl::StatusCode::kUnimplemented);
}

TEST_F(LocationProcedureTest, SendsToNobodyButSingleHosts) {
  Host("evil.example", {"224.0.1.75", "255.255.255.255", "0.0.0.0", "ff02::1"});

  EXPECT_EQ(Error({.host = "224.0.1.75"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Error({.host = "a.example", .maddr = "239.255.255.1"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Error({.host = "evil.example", .port = 5060}).code(), absl::StatusCode::kNotFound);
}

TEST_F(LocationProcedureTest, RefusesWhatIsNoHost) {
  for (const char* host : {"", "a b", "1.2.3", "-", "a..b", "x\r\nVia: y"}) {
    const absl::Status error = Error({.host = host});
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument) << host;
    EXPECT_EQ(error.message().find('\n'), std::string::npos);
  }
}

TEST_F(LocationProcedureTest, TellsNoSuchNameFromNoAnswer) {
  Host("gone.example", {});
  Fails(RecordType::kA, "down.example");
  Fails(RecordType::kAaaa, "down.example");

  EXPECT_EQ(Error({.host = "gone.example", .port = 5060}).code(), absl::StatusCode::kNotFound);
  const absl::Status error = Error({.host = "down.example", .port = 5060});
  EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()), HasSubstr("SERVFAIL"));
}

TEST_F(LocationProcedureTest, UsesTheFamilyThatAnsweredWhenTheOtherFails) {
  Host("half.example", {"192.0.2.1"});
  Fails(RecordType::kAaaa, "half.example");

  EXPECT_THAT(Targets({.host = "half.example", .port = 5060}), ElementsAre("udp:192.0.2.1:5060"));
}

TEST_F(LocationProcedureTest, GoesOnWithoutNaptrWhereItsQueryFails) {
  Fails(RecordType::kNaptr, "example.com");
  None(RecordType::kSrv, "_sip._udp.example.com");
  Srv("_sip._tcp.example.com", {{0, 0, 5060, "t.example.com"}});
  Host("t.example.com", {"192.0.2.2"});

  EXPECT_THAT(Targets({.host = "example.com"}), ElementsAre("tcp:192.0.2.2:5060"));
}

TEST_F(LocationProcedureTest, DoesNotTakeAFailedSrvQueryForNoSrv) {
  None(RecordType::kNaptr, "example.com");
  Fails(RecordType::kSrv, "_sip._udp.example.com");
  None(RecordType::kSrv, "_sip._tcp.example.com");
  Host("example.com", {"192.0.2.80"});

  EXPECT_EQ(Error({.host = "example.com"}).code(), absl::StatusCode::kUnavailable);
}

TEST_F(LocationProcedureTest, ListsEachTargetOnce) {
  Srv("_sip._udp.example.com", {{1, 0, 5060, "a.example.com"},
                                {2, 0, 5060, "b.example.com"},
                                {3, 0, 5062, "a.example.com"}});
  Host("a.example.com", {"192.0.2.1"});
  Host("b.example.com", {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = "example.com", .transport = "udp"}),
              ElementsAre("udp:192.0.2.1:5060", "udp:192.0.2.1:5062"));
}

TEST_F(LocationProcedureTest, FollowsABoundedPartOfWhatTheDnsSays) {
  std::vector<SrvRecord> many;
  for (uint16_t i = 0; i < 60; ++i) {
    const std::string host = "h" + std::to_string(i) + ".example.com";
    // The most preferred ones come last in the answer.
    many.push_back({static_cast<uint16_t>(100 - i), 0, 5060, host});
    std::vector<std::string> addresses;
    for (int j = 1; j < 30; ++j) {
      addresses.push_back("10.0." + std::to_string(i) + "." + std::to_string(j));
    }
    Host(host, addresses);
  }
  Srv("_sip._udp.example.com", many);

  const auto targets = Targets({.host = "example.com", .transport = "udp"});

  ASSERT_EQ(targets.size(), rules_.max_targets);
  EXPECT_EQ(targets[0], "udp:10.0.59.1:5060");
  EXPECT_EQ(targets[rules_.max_addresses], "udp:10.0.58.1:5060");
}

TEST_F(LocationProcedureTest, AsksABoundedNumberOfQuestions) {
  rules_.max_questions = 5;
  Srv("_sip._udp.example.com", {{1, 0, 5060, "a.example.com"},
                                {2, 0, 5060, "b.example.com"},
                                {3, 0, 5060, "c.example.com"}});

  EXPECT_EQ(Run({.host = "example.com", .transport = "udp"}).missing.size(), 4u)
      << "one was the SRV question";

  Host("a.example.com", {"192.0.2.1"});
  Host("b.example.com", {"192.0.2.2"});
  EXPECT_THAT(Targets({.host = "example.com", .transport = "udp"}),
              ElementsAre("udp:192.0.2.1:5060", "udp:192.0.2.2:5060"));
}

TEST_F(LocationProcedureTest, MakesTheBestOfWhatIsKnownAtTheLastTry) {
  Srv("_sip._udp.example.com", {{1, 0, 5060, "slow.example.com"}, {2, 0, 5060, "b.example.com"}});
  Host("b.example.com", {"192.0.2.2"});

  const LocationStep step = LocateFromFacts({.host = "example.com", .transport = "udp"}, rules_,
                                            facts_, random_, /*is_last_try=*/true);

  EXPECT_THAT(step.missing, IsEmpty());
  ASSERT_TRUE(step.result.ok());
  EXPECT_THAT(*step.result, ElementsAre(Target{TargetProtocol::kUdp, "192.0.2.2", 5060}));
}

TEST_F(LocationProcedureTest, AsksNothingThatIsTooLongForAName) {
  std::string host;
  while (host.size() < 240) host += "abcdefghi.";
  host += "example";
  None(RecordType::kNaptr, host);
  Host(host, {"192.0.2.1"});

  EXPECT_THAT(Targets({.host = host}), ElementsAre("udp:192.0.2.1:5060"));
}

}  // namespace
}  // namespace presence::sip
