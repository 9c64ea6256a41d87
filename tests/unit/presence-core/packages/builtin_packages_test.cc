#include "presence-core/packages/builtin_packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// P02, P25: exactly these are served.
TEST(BuiltinPackagesTest, ServesPresenceAndItsWinfo) {
  const auto registry = MakeBuiltinRegistry(PackageOptions());

  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_THAT((*registry)->EventNames(), ElementsAre("presence", "presence.winfo"));
  EXPECT_THAT((*registry)->ContentTypes(), ElementsAre("application/pidf+xml"));
  WinfoDocument winfo;
  winfo.resource.event = *EventName::Parse("presence");
  EXPECT_EQ((*registry)->winfo_format().Write(winfo, SIZE_MAX).document.content_type(),
            kWinfoContentType);
}

TEST(BuiltinPackagesTest, PassesTheLimitsOn) {
  PackageOptions options;
  options.xml.max_bytes = 1024;
  const auto registry = MakeBuiltinRegistry(options);

  const EventPackage* presence = (*registry)->Find(*EventName::Parse("presence"));
  const Document large("application/pidf+xml", std::string(1025, ' '));

  EXPECT_EQ(ReasonOf(presence->ValidatePublication(PresentityUri(), large)),
            ErrorReason::kDocumentTooLarge);
}

TEST(BuiltinPackagesTest, RefusesAnOptionOutOfItsRangeByName) {
  for (const auto& [name, change] :
       std::initializer_list<std::pair<const char*, void (*)(PackageOptions&)>>{
           {"xml.max_bytes", [](PackageOptions& o) { o.xml.max_bytes = 1; }},
           {"xml.max_depth", [](PackageOptions& o) { o.xml.max_depth = 1000; }},
           {"xml.max_elements", [](PackageOptions& o) { o.xml.max_elements = 0; }},
           {"xml.max_attributes", [](PackageOptions& o) { o.xml.max_attributes = 0; }},
           {"max_composed_bytes", [](PackageOptions& o) { o.max_composed_bytes = 1 << 20; }}}) {
    PackageOptions options;
    change(options);

    const absl::Status status = MakeBuiltinRegistry(options).status();

    EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidField);
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

}  // namespace
}  // namespace presence
