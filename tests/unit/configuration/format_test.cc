#include "configuration/format.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using Setting = v1::Setting;

struct FormatCase {
  Setting::Format format;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

class FormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(FormatTest, TakesWhatIsOfTheForm) {
  for (const std::string& text : GetParam().good) {
    EXPECT_TRUE(CheckFormat(GetParam().format, text).ok()) << text;
  }
}

TEST_P(FormatTest, RefusesWhatIsNot) {
  for (const std::string& text : GetParam().bad) {
    EXPECT_FALSE(CheckFormat(GetParam().format, text).ok()) << text;
  }
  // No form allows these.
  for (const std::string& text : {std::string(), std::string("a\nb"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(CheckFormat(GetParam().format, text).ok());
  }
}

TEST_P(FormatTest, IsSaidInWords) { EXPECT_FALSE(FormatText(GetParam().format).empty()); }

INSTANTIATE_TEST_SUITE_P(
    EveryFormat, FormatTest,
    testing::Values(
        FormatCase{Setting::FORMAT_UNSPECIFIED, {"presence 1.0"}, {"caf\xc3\xa9"}},
        FormatCase{
            Setting::FORMAT_ADDRESS,
            {"127.0.0.1:7460", "[::1]:0", "localhost:65535", "a-b.example:1"},
            {"127.0.0.1", ":7460", "127.0.0.1:", "127.0.0.1:65536", "::1:7460", "[::1]",
             "127.0.0.1:+1", "127.0.0.1:1x", "300.1.1.1:1", "-a.example:1", "a b:1", "unix:/x"}},
        FormatCase{Setting::FORMAT_SIP_LISTENER,
                   {"udp:127.0.0.1:5060", "tcp:[2001:db8::1]:0", "udp:0.0.0.0:5060"},
                   {"127.0.0.1:5060", "udp:5060", "udp:localhost:5060", "tls:127.0.0.1:5061",
                    "ws:127.0.0.1:80", "sctp:127.0.0.1:5060", "udp:2001:db8::1:5060"}},
        FormatCase{Setting::FORMAT_CORE_ADDRESS,
                   {"127.0.0.1:7460", "core.example:7460", "unix:/run/core.sock", "unix:core.sock"},
                   {"unix:", "127.0.0.1", "/run/core.sock"}},
        FormatCase{Setting::FORMAT_DOMAIN,
                   {"example.com", "EXAMPLE.com.", "localhost", "192.0.2.1", "[2001:db8::1]",
                    Repeat("a", 63) + ".example"},
                   {"example..com", ".example", "sip:example.com", "alice@example.com",
                    "example.com:5060", "1.2.3", Repeat("a", 64) + ".example",
                    Repeat("abcdefg.", 33) + "example", "under_score.example"}},
        FormatCase{Setting::FORMAT_NETWORK,
                   {"192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::1/128"},
                   {"192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/-1", "192.0.2/24",
                    "example.com", "192.0.2.0/24/1"}},
        FormatCase{Setting::FORMAT_ADVERTISED,
                   {"sip.example.com", "sip.example.com:5062", "udp:192.0.2.1", "tcp:[2001:db8::1]",
                    "tcp:[2001:db8::1]:5062"},
                   {"tls:192.0.2.1", "udp:", "192.0.2.1:0", "192.0.2.1:", "2001:db8::1"}},
        FormatCase{Setting::FORMAT_SIP_URI,
                   {"sip:example.com", "sips:presence@example.com:5061;transport=tcp",
                    "sip:[2001:db8::1]:5060"},
                   {"example.com", "tel:+123", "sip:", "sip:@example.com", "<sip:example.com>",
                    "sip:a@b c", "sip:a@example.com?x=y", "sip:a@example.com:port"}},
        FormatCase{Setting::FORMAT_LOG_SINK,
                   {"stderr", "journal", "syslog:local3", "syslog:daemon"},
                   {"stdout", "syslog", "syslog:", "syslog:local8", "/var/log/x"}},
        FormatCase{Setting::FORMAT_PATH, {"/run/a.sock", "a b", "/tmp/\xc3\xa9"}, {}},
        FormatCase{Setting::FORMAT_NAME,
                   {"edge-1", "a", "a.b_c", Repeat("x", 64)},
                   {"a b", "a/b", Repeat("x", 65), "\xc3\xa9"}},
        FormatCase{Setting::FORMAT_IP_ADDRESS,
                   {"192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"},
                   {"dns.example", "192.0.2.53:0", "192.0.2.53:x", "[2001:db8::53]"}},
        FormatCase{
            Setting::FORMAT_VIEW,
            {"presentity", "public.presentity", "none", "_a1.b_2", Repeat("x", 63)},
            {"Presentity", "1a", "a.b.c", "a.", ".b", "a-b", "a b", "\"a\"", Repeat("x", 64)}}),
    [](const auto& test) { return Setting::Format_Name(test.param.format); });

TEST(FormatLoopbackTest, TellsAddressesThatOnlyThisHostReaches) {
  for (const char* address :
       {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "LOCALHOST:1"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:1", "192.0.2.1:1", "[::]:1", "127.example:1", "localhost.example:1"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

}  // namespace
}  // namespace presence
