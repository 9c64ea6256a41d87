#include "presence-core/event/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PlainPackage final : public EventPackage {
 public:
  PlainPackage(std::string_view name, std::vector<std::string> content_types) {
    traits_.name = *EventName::Parse(name);
    traits_.content_types = std::move(content_types);
  }

  const EventTraits& traits() const override { return traits_; }
  absl::Status ValidatePublication(const PresentityUri&, const Document&) const override {
    return absl::OkStatus();
  }
  Composed Compose(const PresentityUri&, std::span<const PublicationPtr> all) const override {
    return {all.front()->document, 0};
  }
  std::optional<Document> NeutralState(const PresentityUri&) const override { return std::nullopt; }
  bool MentionsContact(const Document&, std::string_view) const override { return false; }

 private:
  EventTraits traits_;
};

class VersionOnly final : public WinfoFormat {
 public:
  Written Write(const WinfoDocument& document, size_t) const override {
    return {Document(std::string(kWinfoContentType), std::to_string(document.version)),
            document.watchers.size()};
  }
};

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() : registry_(std::make_unique<VersionOnly>()) {
    Add("presence", {"application/pidf+xml"});
    Add("dialog", {"application/dialog-info+xml", "application/pidf+xml"});
    Add("dialog;sla", {"application/dialog-info+xml"});
  }

  void Add(std::string_view name, std::vector<std::string> types) {
    ASSERT_TRUE(registry_.Add(std::make_unique<PlainPackage>(name, std::move(types))).ok());
  }

  EventRegistry registry_;
};

EventName Event(std::string_view text) { return *EventName::Parse(text); }

TEST_F(RegistryTest, FindsAPackageByItsNameAndByItsWinfo) {
  const EventPackage* presence = registry_.Find(Event("presence"));

  ASSERT_NE(presence, nullptr);
  EXPECT_EQ(presence->traits().name, Event("presence"));
  EXPECT_EQ(registry_.Find(Event("presence.winfo")), presence);
  EXPECT_NE(registry_.Find(Event("dialog;sla")), registry_.Find(Event("dialog")));
  EXPECT_EQ(registry_.Find(Event("reg")), nullptr);
}

// P02, S23: Allow-Events has exactly the packages that are served.
TEST_F(RegistryTest, RefusesAnUnknownEventWithTheListOfWhatIsServed) {
  const auto package = registry_.Require(Event("reg"));

  EXPECT_EQ(ReasonOf(package.status()), ErrorReason::kUnknownEvent);
  EXPECT_EQ(MetadataOf(package.status())["allow_events"],
            "dialog, dialog.winfo, dialog;sla, dialog;sla.winfo, presence, presence.winfo");
  EXPECT_TRUE(registry_.Require(Event("dialog.winfo")).ok());
}

// P25
TEST_F(RegistryTest, ListsNamesAndTypesInAlphabeticalOrderAndOnce) {
  EXPECT_THAT(registry_.EventNames(),
              ElementsAre("dialog", "dialog.winfo", "dialog;sla", "dialog;sla.winfo", "presence",
                          "presence.winfo"));
  EXPECT_THAT(registry_.ContentTypes(),
              ElementsAre("application/dialog-info+xml", "application/pidf+xml"));
}

TEST_F(RegistryTest, TakesOnePackageOfAName) {
  const absl::Status again =
      registry_.Add(std::make_unique<PlainPackage>("presence", std::vector<std::string>{"a/b"}));

  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(again.message()), HasSubstr("\"presence\""));
  EXPECT_THAT(registry_.Find(Event("presence"))->traits().content_types,
              ElementsAre("application/pidf+xml"));
}

TEST_F(RegistryTest, WritesWinfoInTheFormatItWasGiven) {
  WinfoDocument document;
  document.version = 7;

  EXPECT_EQ(registry_.winfo_format().Write(document, SIZE_MAX).document.body(), "7");
}

}  // namespace
}  // namespace presence
