#include "sip-gateway/locating/hosts_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/sip-gateway/locating/temporary_file.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Addresses(const HostsFile& hosts, std::string_view name) {
  std::vector<std::string> texts;
  for (const IpLiteral& ip : hosts.Find(name)) texts.push_back(ip.text());
  return texts;
}

TEST(HostsFileTest, FindsAllAddressesOfANameAndItsAliases) {
  const TemporaryFile file(
      "192.0.2.1 pbx.example.com pbx\n"
      "\t2001:db8::1\tPBX.Example.com  # the same machine\n"
      "192.0.2.2 other\r\n");
  const HostsFile hosts(file.path());

  EXPECT_THAT(Addresses(hosts, "pbx.example.com"), ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(Addresses(hosts, "pbx"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(Addresses(hosts, "other"), ElementsAre("192.0.2.2"));
}

TEST(HostsFileTest, PassesOverCommentsAndLinesThatAreNoEntries) {
  const TemporaryFile file(
      "# 192.0.2.1 commented\n"
      "\n"
      "pbx 192.0.2.1\n"
      "192.0.2.300 pbx\n"
      "192.0.2.1\n"
      "192.0.2.9 real # not-this\n");
  const HostsFile hosts(file.path());

  for (const char* name : {"commented", "pbx", "192.0.2.1", "not-this", "#", ""}) {
    EXPECT_THAT(Addresses(hosts, name), IsEmpty()) << name;
  }
  EXPECT_THAT(Addresses(hosts, "real"), ElementsAre("192.0.2.9"));
}

TEST(HostsFileTest, KnowsNothingWithoutAFile) {
  const TemporaryFile file("192.0.2.1 pbx\n");

  EXPECT_THAT(Addresses(HostsFile(""), "pbx"), IsEmpty());
  EXPECT_THAT(Addresses(HostsFile(file.path() + ".gone"), "pbx"), IsEmpty());
}

}  // namespace
}  // namespace presence::sip
