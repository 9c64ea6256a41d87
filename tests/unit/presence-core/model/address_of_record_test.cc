#include "presence-core/model/address_of_record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "presence-core/model/error.h"
#include "runtime/random.h"

namespace presence {
namespace {

using ::testing::HasSubstr;

std::string TextOf(std::string_view uri, AddressRules rules = {}) {
  const auto address = AddressOfRecord::Parse(uri, "presentity", rules);
  return address.ok() ? address->text() : address.status().ToString();
}

absl::Status ErrorOf(std::string_view uri) {
  return AddressOfRecord::Parse(uri, "presentity").status();
}

TEST(AddressOfRecordTest, IsTheSameForAllFormsOfOneIdentity) {
  for (std::string_view form :
       {"sip:alice@example.com", "sips:alice@example.com", "pres:alice@example.com",
        "SIP:alice@EXAMPLE.com", "alice@example.com", "sip:alice@example.com.",
        "sip:alice@example.com:5070", "sip:alice:secret@example.com",
        "sip:alice@example.com;transport=tcp", "sip:alice@example.com?subject=hello",
        "sip:alice@example.com:5060;lr?a=b", "sip:%61lice@example.com",
        "domains/example.com/users/alice", "domains/example.com/users/~61lice"}) {
    EXPECT_EQ(TextOf(form), "alice@example.com") << form;
  }
}

TEST(AddressOfRecordTest, KeepsTheCaseOfTheUserUnlessToldToFoldIt) {
  EXPECT_EQ(TextOf("sip:Alice@Example.COM"), "Alice@example.com");
  EXPECT_EQ(TextOf("sip:Alice@Example.COM", {.fold_user_case = true}), "alice@example.com");
}

TEST(AddressOfRecordTest, SplitsIntoUserAndHostAtTheLastAt) {
  const auto address = AddressOfRecord::Parse("sip:a%40b@example.com", "presentity");

  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->user(), "a@b");
  EXPECT_EQ(address->host(), "example.com");
  EXPECT_EQ(address->Uri(), "sip:a%40b@example.com");
}

TEST(AddressOfRecordTest, AllowsInAUserWhatTheGrammarAllows) {
  // RFC 3261 §25.1, user-unreserved, and its example of §19.1.3.
  EXPECT_EQ(TextOf("sip:alice;day=tuesday@atlanta.com"), "alice;day=tuesday@atlanta.com");
  EXPECT_EQ(TextOf("sip:+1-212-555-1212:1234@gateway.com;user=phone"),
            "+1-212-555-1212@gateway.com");
  EXPECT_EQ(TextOf("sip:a&b=c+$,;?/d@h.org"), "a&b=c+$,;?/d@h.org");
}

TEST(AddressOfRecordTest, HasOneSpellingForAnIpv6Host) {
  for (std::string_view form : {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]:5060",
                                "a@[2001:0db8::0001];transport=tcp"}) {
    EXPECT_EQ(TextOf(form), "a@[2001:db8::1]") << form;
  }
  EXPECT_EQ(TextOf("sip:a@[::ffff:192.0.2.1]"), "a@[::ffff:192.0.2.1]");
}

TEST(AddressOfRecordTest, HasOneSpellingForATelephoneNumber) {
  for (std::string_view form :
       {"tel:+12025550100", "TEL:+1-202-555-0100", "tel:+1(202)555.0100", "tel:+12025550100;isub=1",
        "+12025550100@tel", "domains/tel/users/+1-202-555-0100"}) {
    EXPECT_EQ(TextOf(form), "+12025550100@tel") << form;
  }
  // RFC 3966 §4: digits of local numbers compare without case.
  EXPECT_EQ(TextOf("tel:7a*#;phone-context=example.com"), "7A*#@tel");
  EXPECT_EQ(AddressOfRecord::Parse("tel:+12025550100", "x")->Uri(), "tel:+12025550100");
}

TEST(AddressOfRecordTest, KeepsSipUrisApartFromTelephoneNumbers) {
  EXPECT_THAT(ErrorOf("sip:+12025550100@tel").message(), HasSubstr("for tel URIs only"));
  EXPECT_THAT(ErrorOf("sips:alice@TEL.").message(), HasSubstr("for tel URIs only"));
  EXPECT_THAT(ErrorOf("alice@tel").message(), HasSubstr("digits only"));
}

struct Refused {
  std::string_view uri;
  std::string_view why;
};

class RefusedAddressTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedAddressTest, SaysWhy) {
  const absl::Status error = ErrorOf(GetParam().uri);

  EXPECT_EQ(ReasonOf(error), ErrorReason::kInvalidUri) << GetParam().uri;
  EXPECT_THAT(std::string(error.message()), HasSubstr(std::string(GetParam().why)));
  EXPECT_EQ(MetadataOf(error)["field"], "presentity");
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedAddressTest,
    ::testing::Values(
        Refused{"", "empty"}, Refused{"sip:", "names no user"},
        Refused{"sip:example.com", "names no user"}, Refused{"sip:@example.com", "names no user"},
        Refused{"sip::secret@example.com", "names no user"}, Refused{"example.com", "no user"},
        Refused{"http://alice@example.com/", "scheme"}, Refused{"urn:service:sos", "scheme"},
        Refused{"mailto:alice@example.com", "scheme"}, Refused{"sip:a@", "host"},
        Refused{"sip:a@b@c", "host"}, Refused{"sip:a@ex ample.com", "host"},
        Refused{"sip:a@-example.com", "host"}, Refused{"sip:a@example..com", "host"},
        Refused{"sip:a@.", "host"}, Refused{"sip:a@h.org..", "host"},
        Refused{"sip:a@b\xC3\xBC.example", "host"}, Refused{"sip:a@[::1", "port"},
        Refused{"sip:a@[::1]x", "host"}, Refused{"sip:a@[::::]", "host"},
        Refused{"sip:a@[1.2.3.4]", "host"}, Refused{"sip:a@[]", "host"},
        Refused{"sip:a@example.com:", "port"}, Refused{"sip:a@example.com:50x0", "port"},
        Refused{"sip:a@example.com:123456", "port"}, Refused{"sip:a%4@example.com", "hexadecimal"},
        Refused{"sip:a%@example.com", "hexadecimal"},
        Refused{"sip:a%zz@example.com", "hexadecimal"}, Refused{"sip:a%00b@h.org", "control"},
        Refused{"sip:a%0d%0ab@h.org", "control"}, Refused{"sip:a%7fb@h.org", "control"},
        Refused{"sip:a\nb@h.org", "control"}, Refused{"sip:%ff@h.org", "UTF-8"},
        Refused{"sip:%c3@h.org", "UTF-8"}, Refused{"sip:%c0%af@h.org", "UTF-8"},
        Refused{"sip:%ed%a0%80@h.org", "UTF-8"}, Refused{"sip:%f4%90%80%80@h.org", "UTF-8"},
        Refused{"tel:", "no user"}, Refused{"tel:+", "digits"}, Refused{"tel:alice", "digits"},
        Refused{"tel:++1", "digits"}, Refused{"tel:+1a", "digits"}, Refused{"tel:1+2", "digits"},
        Refused{"domains/example.com", "domains/<host>/users/<user>"},
        Refused{"domains/example.com/users/", "no user"},
        Refused{"domains/example.com/users/a~4", "domains/<host>/users/<user>"},
        Refused{"domains//users/alice", "host"}, Refused{"domains/[::1~00]/users/alice", "host"}));

TEST(AddressOfRecordTest, TakesFiveHundredAndTwelveBytesAndNoMore) {
  const std::string tail = "@example.com";
  const std::string longest = "sip:" + std::string(512 - 4 - tail.size(), 'a') + tail;

  EXPECT_TRUE(ErrorOf(longest).ok());
  EXPECT_THAT(ErrorOf(longest + "x").message(), HasSubstr("512 bytes"));
}

TEST(AddressOfRecordTest, KeepsUtf8AndEscapesItInAUri) {
  const auto address = AddressOfRecord::Parse("sip:j%C3%B6rg@example.de", "presentity");

  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->user(), "j\xC3\xB6rg");
  EXPECT_EQ(address->Uri(), "sip:j%C3%B6rg@example.de");
  EXPECT_EQ(TextOf("j\xC3\xB6rg@example.de"), address->text());
}

TEST(AddressOfRecordTest, ComesBackFromItsOwnUri) {
  SeededRandom random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string user;
    for (uint64_t i = 0, n = 1 + random.Below(12); i < n; ++i) {
      user.push_back(static_cast<char>(0x20 + random.Below(0x5F)));
    }
    std::string name = "domains/example.com/users/";
    for (char c : user) name += fmt::format("~{:02x}", c);

    const auto address = AddressOfRecord::Parse(name, "presentity");
    ASSERT_TRUE(address.ok()) << name;
    EXPECT_EQ(address->user(), user);
    const auto again = AddressOfRecord::Parse(address->Uri(), "presentity");
    ASSERT_TRUE(again.ok()) << address->Uri();
    EXPECT_EQ(*again, *address) << address->Uri();
  }
}

TEST(AddressOfRecordTest, ComparesAndHashesByItsText) {
  absl::flat_hash_set<PresentityUri> addresses;

  EXPECT_TRUE(addresses.insert(*PresentityUri::Parse("sip:alice@example.com")).second);
  EXPECT_FALSE(addresses.insert(*PresentityUri::Parse("alice@EXAMPLE.com")).second);
  EXPECT_TRUE(addresses.insert(*PresentityUri::Parse("sip:Alice@example.com")).second);
  EXPECT_LT(*WatcherUri::Parse("a@h.org"), *WatcherUri::Parse("b@h.org"));
}

TEST(AddressOfRecordTest, NamesTheFieldAndQuotesTheValueCleanly) {
  const absl::Status error = WatcherUri::Parse("sip:a\r\nb\xFF@h.org").status();

  EXPECT_THAT(std::string(error.message()), HasSubstr(R"(watcher "sip:a\x0d\x0ab\xff@h.org")"));
  EXPECT_EQ(MetadataOf(PresentityUri::Parse("").status())["field"], "presentity");
}

TEST(AddressOfRecordTest, IsEmptyWhenMadeOfNothing) {
  EXPECT_TRUE(PresentityUri().empty());
  EXPECT_EQ(PresentityUri().user(), "");
  EXPECT_EQ(PresentityUri().host(), "");
  EXPECT_EQ(PresentityUri().Uri(), "");
}

}  // namespace
}  // namespace presence
