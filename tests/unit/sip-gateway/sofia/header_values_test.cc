#include "sip-gateway/sofia/header_values.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;

TEST(ViaTest, ReadsEveryPart) {
  const absl::StatusOr<Via> via = ParseTopVia(
      "SIP/2.0/UDP pc33.example.com:5066;branch=z9hG4bK87;rport=1024;received=192.0.2.4;alias"
      ";maddr=239.1.1.1, SIP/2.0/TCP other.example.com");

  ASSERT_TRUE(via.ok());
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "pc33.example.com");
  EXPECT_EQ(via->port, 5066);
  EXPECT_EQ(via->branch, "z9hG4bK87");
  EXPECT_TRUE(via->has_magic_cookie());
  EXPECT_TRUE(via->has_rport);
  EXPECT_EQ(via->rport, 1024);
  EXPECT_EQ(via->received, "192.0.2.4");
  EXPECT_EQ(via->maddr, "239.1.1.1");
  EXPECT_TRUE(via->has_alias);
}

TEST(ViaTest, ReadsAnIpv6SentByWithoutItsBrackets) {
  const absl::StatusOr<Via> via = ParseTopVia("SIP/2.0/TCP [2001:db8::1]:5070;rport;branch=x");

  ASSERT_TRUE(via.ok());
  EXPECT_EQ(via->host, "2001:db8::1");
  EXPECT_EQ(via->port, 5070);
  EXPECT_TRUE(via->has_rport);
  EXPECT_EQ(via->rport, 0);
}

TEST(ViaTest, ReadsWhiteSpaceAndFoldsWhereTheGrammarHasThem) {
  const absl::StatusOr<Via> via = ParseTopVia(
      "SIP  / 2.0\r\n / TCP     spindle.example.com  : 5061 ;\r\n  branch  =   z9hG4bK9");

  ASSERT_TRUE(via.ok());
  EXPECT_EQ(via->host, "spindle.example.com");
  EXPECT_EQ(via->port, 5061);
  EXPECT_EQ(via->branch, "z9hG4bK9");
}

// RFC 4475 3.2.1
TEST(ViaTest, TakesTheCookieAloneForNoTransactionId) {
  EXPECT_FALSE(ParseTopVia("SIP/2.0/UDP a;branch=z9hG4bK")->has_magic_cookie());
  EXPECT_FALSE(ParseTopVia("SIP/2.0/UDP a;branch=1")->has_magic_cookie());
  EXPECT_FALSE(ParseTopVia("SIP/2.0/UDP a")->has_magic_cookie());
}

TEST(ViaTest, RefusesWhatIsNoVia) {
  for (const std::string text :
       {"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 host",
        "SIP/2.0/UDP host:", "SIP/2.0/UDP host:0", "SIP/2.0/UDP host:65536", "SIP/2.0/UDP host:x",
        "SIP/2.0/UDP [::1", "SIP/2.0/UDP []", "SIP/2.0/UDP ho st", "SIP/2.0/UDP host;rport=x",
        "SIP/2.0/UDP host;branch=\"x", ";", ","}) {
    EXPECT_FALSE(ParseTopVia(text).ok()) << text;
  }
}

// RFC 3261 7.3.1: two readers of such a message could take different transactions, dialogs or
// events for it.
TEST(ParametersTest, AreRefusedTwiceWhereTheyIdentifySomething) {
  for (const std::string parameters :
       {";branch=z9hG4bKa;branch=z9hG4bKb", ";rport=1;RPORT=2", ";rport;rport",
        ";received=192.0.2.1;received=192.0.2.2", ";maddr=a;maddr=b"}) {
    EXPECT_FALSE(ParseTopVia("SIP/2.0/UDP host" + parameters).ok()) << parameters;
  }
  EXPECT_FALSE(ParseNameAddr("<sip:a@b>;tag=1;Tag=2").ok());
  EXPECT_FALSE(ParseEvent("presence;id=1;id=2").ok());
  EXPECT_TRUE(ParseEvent("presence;x=1;x=2").ok());
}

TEST(NameAddrTest, ReadsNameUriAndParameters) {
  const absl::StatusOr<NameAddr> address =
      ParseNameAddr("\"A. \\\" <Bell>\" <sip:bell@example.com;x=1?y=2>;tag=abc;q=0.1");

  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->display, "\"A. \\\" <Bell>\"");
  EXPECT_EQ(address->uri, "sip:bell@example.com;x=1?y=2");
  EXPECT_EQ(address->parameters, ";tag=abc;q=0.1");
  EXPECT_EQ(address->tag, "abc");
}

// RFC 3261 20.10
TEST(NameAddrTest, TakesParametersAfterABareAddressForTheHeaders) {
  const absl::StatusOr<NameAddr> address = ParseNameAddr("sip:bell@example.com ; tag = 7;x");

  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->uri, "sip:bell@example.com");
  EXPECT_EQ(address->tag, "7");
  EXPECT_EQ(FindParameter(address->parameters, "X"), "");
  EXPECT_EQ(FindParameter(address->parameters, "y"), std::nullopt);
}

TEST(NameAddrTest, ReadsNamesOfSeveralTokensAndOfUtf8) {
  EXPECT_EQ(ParseNameAddr("A. Bell <sip:a@b>")->display, "A. Bell");
  EXPECT_EQ(ParseNameAddr("caller<sip:a@b>")->display, "caller");
  EXPECT_EQ(ParseNameAddr("Jos\xc3\xa9 <sip:a@b>")->display, "Jos\xc3\xa9");
}

TEST(NameAddrTest, KnowsTheStar) {
  EXPECT_TRUE(ParseNameAddr(" * ")->is_star);
  EXPECT_FALSE(ParseNameAddr("*;expires=0").ok());
}

TEST(NameAddrTest, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"", "<>", "alice", "<sip:a@b", "sip:a@b>", "\"A <sip:a@b>", "Bell, A <sip:a@b>",
        "< sip:a@b>", "<sip:a@b >", "<sip:a b@c>", "<sip:a@b> x", "<sip:a@b>,<sip:c@d>",
        "sip:a@b?x=y", "sip:a,b@c", "<sip:a@b>;tag=", "<sip:a@b>;tag=\"x\"", "<sip:a@b>;tag=a b",
        "<<sip:a@b>>", "<sip:>"}) {
    EXPECT_FALSE(ParseNameAddr(text).ok()) << text;
  }
}

TEST(EventTest, ReadsTypeIdAndParameters) {
  const absl::StatusOr<EventField> event = ParseEvent("dialog.winfo ;id=7; max-rate=0.1");

  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->type, "dialog.winfo");
  EXPECT_EQ(event->id, "7");
  EXPECT_EQ(FindParameter(event->parameters, "max-rate"), "0.1");
  EXPECT_EQ(ParseEvent("presence")->id, std::nullopt);
}

TEST(EventTest, RefusesListsAndNonsense) {
  for (const std::string text :
       {"presence, dialog", "", "presence dialog", "\"presence\"", "presence;id=1,dialog", "a/b",
        ";id=1", ".winfo", "presence.", "a..b", "presence;id=\"x", "presence;id=\"x\"",
        "presence;id=\xE9", "presence;id"}) {
    EXPECT_FALSE(ParseEvent(text).ok()) << text;
  }
}

// P14
TEST(ExpiresTest, TakesDigitsUpTo32BitsOnly) {
  EXPECT_EQ(*ParseExpires("0"), 0u);
  EXPECT_EQ(*ParseExpires("0003600"), 3600u);
  EXPECT_EQ(*ParseExpires("4294967295"), 4294967295u);
  for (const std::string text : {"4294967296", "99999999999", "", "-1", "+1", "1.5", "1 2", "soon",
                                 "3600;x", "Thu, 01 Dec 1994 16:00:00 GMT"}) {
    EXPECT_FALSE(ParseExpires(text).ok()) << text;
  }
}

// P08
TEST(SipIfMatchTest, TakesExactlyOneToken) {
  EXPECT_EQ(*ParseSipIfMatch("dx200xyz"), "dx200xyz");
  EXPECT_EQ(*ParseSipIfMatch("a.!%*_+`'~-1"), "a.!%*_+`'~-1");
  for (const std::string text : {"", "a b", "a,b", "\"a\"", "a;b", "a\r\n b", "*\"", "W/a"}) {
    EXPECT_FALSE(ParseSipIfMatch(text).ok()) << text;
  }
}

TEST(MediaTypeTest, IsLowerCaseWithoutWhiteSpace) {
  const absl::StatusOr<MediaType> type = ParseMediaType("Application / PIDF+xml ; charset=utf-8");

  ASSERT_TRUE(type.ok());
  EXPECT_EQ(type->type, "application/pidf+xml");
  EXPECT_EQ(FindParameter(type->parameters, "charset"), "utf-8");
  EXPECT_EQ(ParseMediaType("*/*")->type, "*/*");
}

TEST(MediaTypeTest, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "text", "text/", "/plain", "text/plain/x", "text/plain x", "a/b,c/d"}) {
    EXPECT_FALSE(ParseMediaType(text).ok()) << text;
  }
}

TEST(GrammarTest, SplitsListsAtTopLevelCommasOnly) {
  EXPECT_THAT(SplitList("\"a,b\" <sip:a,b@c>;x=\",\" , ,<sip:d@e>,"),
              ElementsAre("\"a,b\" <sip:a,b@c>;x=\",\"", "<sip:d@e>"));
  EXPECT_THAT(SplitList(" "), ElementsAre());
  EXPECT_THAT(SplitList("\"open, quote"), ElementsAre("\"open, quote"));
}

TEST(GrammarTest, FindsParametersPastQuotedSemicolons) {
  EXPECT_EQ(FindParameter(";a=\"x;b=1\";B = 2", "b"), "2");
  EXPECT_EQ(FindParameter("a;b", "a"), "");
  EXPECT_EQ(FindParameter("", "a"), std::nullopt);
}

// RFC 3629 section 4 has the ends of what is well-formed.
TEST(GrammarTest, MakesCleanTextOfWhatIsNotUtf8) {
  for (const char* text : {"Phone 1", "Caf\xC3\xA9", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", ""}) {
    EXPECT_EQ(CleanText(text), text);
  }
  EXPECT_EQ(CleanText("Caf\xE9/1.0"), "Caf?/1.0");
  EXPECT_EQ(CleanText("\xC3"), "?");
  EXPECT_EQ(CleanText("\xC0\x80"), "??");
  EXPECT_EQ(CleanText("\xE0\x9F\xBF"), "???");
  EXPECT_EQ(CleanText("\xED\xA0\x80"), "???");
  EXPECT_EQ(CleanText("\xF4\x90\x80\x80"), "????");
  EXPECT_EQ(CleanText("a\tb\x7F\x01"
                      "c"),
            "a b  c");
  EXPECT_EQ(CleanText("one \r\n two"), "one two");
}

TEST(GrammarTest, UnfoldsToOneSpace) {
  EXPECT_EQ(Unfold("one \r\n\t two\r\n three"), "one two three");
  EXPECT_EQ(Unfold("none"), "none");
}

}  // namespace
}  // namespace presence::sip
