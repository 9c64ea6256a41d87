#include "sip-gateway/locating/reply_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/sip-gateway/locating/dns_message.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Outcome = DnsReply::Outcome;

// The answer to a question for "a.example" of the type of its first record.
DnsReply Read(RecordType type, uint16_t dns_type, const std::vector<Record>& answers) {
  std::string question("\1a\7example\0\0\0\0\1", 15);
  question[12] = static_cast<char>(dns_type);
  const Query query{.id = 1, .name = "a.example", .type = dns_type, .question = question};
  const std::string message = Encode(query, {.answers = answers});
  return ReadReply(type, {reinterpret_cast<const uint8_t*>(message.data()), message.size()});
}

TEST(ReplyReaderTest, ReadsAddressesOfBothFamilies) {
  const DnsReply v4 = Read(RecordType::kA, kTypeA,
                           {A("a.example", "192.0.2.1", 60), A("a.example", "192.0.2.2", 50)});
  const DnsReply v6 = Read(RecordType::kAaaa, kTypeAaaa, {Aaaa("a.example", "2001:db8::1", 60)});

  EXPECT_THAT(v4.addresses,
              ElementsAre(*IpLiteral::Parse("192.0.2.1"), *IpLiteral::Parse("192.0.2.2")));
  EXPECT_EQ(v4.ttl, absl::Seconds(50));
  EXPECT_THAT(v6.addresses, ElementsAre(*IpLiteral::Parse("2001:db8::1")));
}

TEST(ReplyReaderTest, ReadsAddressesBehindAnAlias) {
  const DnsReply reply =
      Read(RecordType::kA, kTypeA, {Cname("a.example", "b.example"), A("b.example", "192.0.2.7")});

  EXPECT_THAT(reply.addresses, ElementsAre(*IpLiteral::Parse("192.0.2.7")));
}

TEST(ReplyReaderTest, ReadsSrvRecordsInOrderOfPriority) {
  const DnsReply reply = Read(RecordType::kSrv, kTypeSrv,
                              {Srv("a.example", 20, 1, 5060, "B.Example", 60),
                               Srv("a.example", 10, 2, 5062, "c.example", 60)});

  EXPECT_EQ(reply.outcome, Outcome::kRecords);
  EXPECT_THAT(reply.srv, ElementsAre(SrvRecord{10, 2, 5062, "c.example"},
                                     SrvRecord{20, 1, 5060, "b.example"}));
  EXPECT_EQ(reply.ttl, absl::Seconds(60));
}

TEST(ReplyReaderTest, KeepsTheRootAsServiceNotAvailable) {
  const DnsReply reply = Read(RecordType::kSrv, kTypeSrv, {Srv("a.example", 0, 0, 0, ".")});

  EXPECT_EQ(reply.outcome, Outcome::kRecords);
  EXPECT_THAT(reply.srv, ElementsAre(SrvRecord{}));
}

TEST(ReplyReaderTest, LeavesOutSrvHostsThatAreNoHostNames) {
  const DnsReply reply = Read(
      RecordType::kSrv, kTypeSrv,
      {Srv("a.example", 0, 0, 5060, "10.0.0.1"), Srv("a.example", 0, 0, 5060, "a\r\nb.example"),
       Srv("a.example", 0, 0, 5060, "good.example")});

  EXPECT_THAT(reply.srv, ElementsAre(SrvRecord{0, 0, 5060, "good.example"}));
}

TEST(ReplyReaderTest, KeepsTheNaptrRecordsThatLeadToSrv) {
  const DnsReply reply = Read(
      RecordType::kNaptr, kTypeNaptr,
      {Naptr(
           "a.example",
           {.order = 20, .flags = "S", .service = "sip+d2u", .replacement = "_sip._UDP.a.example"}),
       Naptr("a.example", {.order = 10,
                           .preference = 5,
                           .service = "SIPS+D2T",
                           .replacement = "_sips._tcp.a.example"}),
       Naptr("a.example", {.flags = "u", .service = "E2U+sip", .regexp = "!^.*$!sip:x@y!"}),
       Naptr("a.example", {.flags = "", .service = "SIP+D2T", .replacement = "more.example"}),
       Naptr("a.example", {.service = "SIP+D2T", .regexp = "!a!b!", .replacement = "z.example"}),
       Naptr("a.example", {.service = "SIP+D2T", .replacement = "."})});

  EXPECT_THAT(reply.naptr, ElementsAre(NaptrRecord{10, 5, "SIPS+D2T", "_sips._tcp.a.example"},
                                       NaptrRecord{20, 10, "SIP+D2U", "_sip._udp.a.example"}));
}

TEST(ReplyReaderTest, SaysNoneWhenNothingUsableIsThere) {
  const DnsReply reply = Read(RecordType::kNaptr, kTypeNaptr,
                              {Naptr("a.example", {.flags = "u", .service = "E2U+sip"})});

  EXPECT_EQ(reply.outcome, Outcome::kNone);
  EXPECT_EQ(reply.ttl, absl::Seconds(300));
}

TEST(ReplyReaderTest, KeepsABoundedNumberOfRecordsAndTheMostPreferred) {
  std::vector<Record> srv, addresses;
  for (uint16_t i = 0; i < 300; ++i) {
    srv.push_back(Srv("a.example", static_cast<uint16_t>(1000 - i), 0, 5060, "b.example"));
    addresses.push_back(A("a.example", "10.0." + std::to_string(i % 200) + ".1"));
  }

  const DnsReply reply = Read(RecordType::kSrv, kTypeSrv, srv);

  EXPECT_THAT(reply.srv, SizeIs(64));
  EXPECT_EQ(reply.srv.front().priority, 701);
  EXPECT_THAT(Read(RecordType::kA, kTypeA, addresses).addresses, SizeIs(64));
}

TEST(ReplyReaderTest, TakesNothingFromRecordsThatAreTooShort) {
  Record srv = Srv("a.example", 0, 0, 5060, "b.example");
  srv.data.resize(4);
  Record naptr = Naptr("a.example", {.service = "SIP+D2U", .replacement = "b.example"});
  naptr.data.resize(7);
  Record address = A("a.example", "192.0.2.1");
  address.data.resize(3);

  EXPECT_EQ(Read(RecordType::kSrv, kTypeSrv, {srv}).outcome, Outcome::kFailed);
  EXPECT_EQ(Read(RecordType::kNaptr, kTypeNaptr, {naptr}).outcome, Outcome::kFailed);
  EXPECT_EQ(Read(RecordType::kA, kTypeA, {address}).outcome, Outcome::kNone) << "no address";
}

TEST(ReplyReaderTest, FailsOnGarbage) {
  const std::string garbage = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(garbage.data()),
                                       garbage.size());

  for (const RecordType type :
       {RecordType::kA, RecordType::kAaaa, RecordType::kSrv, RecordType::kNaptr}) {
    EXPECT_EQ(ReadReply(type, bytes).outcome, Outcome::kFailed);
    EXPECT_EQ(ReadReply(type, {}).outcome, Outcome::kFailed);
  }
  EXPECT_EQ(ReadNegativeReply(bytes).ttl, absl::ZeroDuration());
}

}  // namespace
}  // namespace presence::sip
