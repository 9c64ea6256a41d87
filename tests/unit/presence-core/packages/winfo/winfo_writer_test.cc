#include "presence-core/packages/winfo/winfo_writer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "presence-core/packages/xml/xml_element.h"
#include "tests/unit/presence-core/packages/xml/golden.h"
#include "tests/unit/presence-core/packages/xml/schema_check.h"

namespace presence {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr XmlLimits kWide = {.max_bytes = 1 << 20};

class WinfoWriterTest : public ::testing::Test {
 protected:
  WinfoWriterTest() {
    document_.resource = {*PresentityUri::Parse("sip:professor@example.net"),
                          *EventName::Parse("presence")};
    document_.now = now_;
  }

  WinfoEntry& Add(uint64_t id, std::string_view watcher, SubscriptionState status,
                  WinfoEvent event) {
    WinfoEntry entry;
    entry.id = id;
    entry.watcher = *WatcherUri::Parse(watcher);
    entry.status = status;
    entry.event = event;
    entry.subscribed_at = now_ - absl::Seconds(509);
    document_.watchers.push_back(entry);
    return document_.watchers.back();
  }

  // The document, which is valid whatever else a test looks at.
  std::string Write() {
    const Document written = WinfoWriter().Write(document_, SIZE_MAX).document;
    EXPECT_EQ(written.content_type(), "application/watcherinfo+xml");
    EXPECT_TRUE(schema_.Check(written.body()).ok()) << schema_.Check(written.body());
    return std::string(written.body());
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  const SchemaCheck schema_{"tests/golden/schemas/watcherinfo.xsd"};
  WinfoDocument document_;
};

// W01: a full document, version 0, one element a subscription.
TEST_F(WinfoWriterTest, WritesTheFullState) {
  Add(1, "sip:userA@example.net", SubscriptionState::kActive, WinfoEvent::kApproved).expires_at =
      now_ + absl::Seconds(91);
  Add(2, "sip:userB@example.org", SubscriptionState::kPending, WinfoEvent::kSubscribe).expires_at =
      now_ + absl::Seconds(3600);
  Add(3, "tel:+12025550100", SubscriptionState::kWaiting, WinfoEvent::kTimeout);

  ExpectGolden("tests/golden/winfo/full.xml", Write());
}

// W03 - W05: what changed, as a partial document of the next version.
TEST_F(WinfoWriterTest, WritesChangesAsAPartialState) {
  document_.is_full = false;
  document_.version = 4294967295;
  Add(7, "sip:bob@example.com", SubscriptionState::kTerminated, WinfoEvent::kRejected);

  ExpectGolden("tests/golden/winfo/partial.xml", Write());
}

TEST_F(WinfoWriterTest, WritesAListWithoutWatchers) {
  ExpectGolden("tests/golden/winfo/empty.xml", Write());
}

TEST_F(WinfoWriterTest, EscapesUrisOfStrangers) {
  document_.resource.presentity = *PresentityUri::Parse("sip:a&b@example.net");
  document_.resource.event = *EventName::Parse("dialog;sla");
  Add(1, "sip:%3C%2Fwatcher%3E%22'&j%C3%B6rg@example.com", SubscriptionState::kActive,
      WinfoEvent::kSubscribe);

  ExpectGolden("tests/golden/winfo/escaped.xml", Write());
}

TEST_F(WinfoWriterTest, HasAWordForEveryStatusAndEvent) {
  for (SubscriptionState status : {SubscriptionState::kActive, SubscriptionState::kPending,
                                   SubscriptionState::kTerminated, SubscriptionState::kWaiting}) {
    for (int event = 0; event <= static_cast<int>(WinfoEvent::kNoresource); ++event) {
      Add(document_.watchers.size(), "sip:bob@example.com", status, static_cast<WinfoEvent>(event));
    }
  }
  const std::string written = Write();

  for (const char* word : {"active", "pending", "terminated", "waiting"}) {
    EXPECT_THAT(written, HasSubstr(fmt::format("status=\"{}\"", word)));
  }
  for (const char* word : {"subscribe", "approved", "deactivated", "probation", "rejected",
                           "timeout", "giveup", "noresource"}) {
    EXPECT_THAT(written, HasSubstr(fmt::format("event=\"{}\"", word)));
  }
}

TEST_F(WinfoWriterTest, SaysWhenASubscriptionExpiresOnlyIfItWill) {
  Add(1, "sip:a@h.org", SubscriptionState::kTerminated, WinfoEvent::kTimeout).expires_at = now_;
  Add(2, "sip:a@h.org", SubscriptionState::kWaiting, WinfoEvent::kTimeout).expires_at = now_;
  Add(3, "sip:a@h.org", SubscriptionState::kActive, WinfoEvent::kSubscribe).expires_at =
      absl::InfiniteFuture();
  EXPECT_THAT(Write(), Not(HasSubstr("expiration")));

  Add(4, "sip:a@h.org", SubscriptionState::kPending, WinfoEvent::kSubscribe).expires_at =
      now_ + absl::Milliseconds(59'900);
  EXPECT_THAT(Write(), HasSubstr("expiration=\"59\""));
}

TEST_F(WinfoWriterTest, NeverWritesNegativeSeconds) {
  WinfoEntry& entry = Add(1, "sip:a@h.org", SubscriptionState::kActive, WinfoEvent::kSubscribe);
  entry.subscribed_at = now_ + absl::Seconds(5);
  entry.expires_at = now_ - absl::Seconds(5);

  const std::string written = Write();

  EXPECT_THAT(written, HasSubstr("duration-subscribed=\"0\""));
  EXPECT_THAT(written, HasSubstr("expiration=\"0\""));
}

// N12, "a full state too big for one message": what kWinfoPart.watchers promises.
TEST_F(WinfoWriterTest, HoldsTheMostEntriesInSixtyFourKibibytes) {
  for (size_t i = 0; i < kWinfoPart.watchers; ++i) {
    Add(1'000'000 + i, fmt::format("sip:somebody.with.a.long.name.{}@subdomain.example.com", i),
        SubscriptionState::kActive, WinfoEvent::kSubscribe)
        .expires_at = now_ + absl::Hours(1);
  }

  const std::string written = Write();

  EXPECT_LT(written.size(), 64u * 1024);
  EXPECT_EQ(ParseXml(written, kWide)->Elements()[0]->Elements().size(), kWinfoPart.watchers);
}

// N12: the longest addresses there can be, of characters that are the longest as XML.
TEST_F(WinfoWriterTest, LeavesOutWhatDoesNotFitHoweverLongTheUrisAre) {
  const std::string longest = std::string(490, '&') + "@example.com";
  document_.resource.presentity = *PresentityUri::Parse("sip:" + longest);
  for (size_t i = 0; i < kWinfoOfOne.watchers; ++i) {
    Add(1'000'000 + i, "sip:" + longest, SubscriptionState::kActive, WinfoEvent::kSubscribe);
  }

  for (const WinfoLimits& limits : {kWinfoPart, kWinfoOfOne}) {
    const WinfoFormat::Written written = WinfoWriter().Write(document_, limits.bytes);

    EXPECT_LE(written.document.body().size(), limits.bytes);
    EXPECT_GE(written.document.body().size(), limits.bytes - 4096);
    EXPECT_LT(written.watchers, limits.watchers);
    EXPECT_TRUE(schema_.Check(written.document.body()).ok());
    constexpr XmlLimits kWider = {
        .max_bytes = 1 << 20, .max_depth = 64, .max_elements = 100'000, .max_attributes = 256};
    EXPECT_EQ(ParseXml(written.document.body(), kWider)->Elements()[0]->Elements().size(),
              written.watchers);
  }
}

TEST_F(WinfoWriterTest, AlwaysShowsTheFirstWatcher) {
  Add(1, "sip:bob@example.com", SubscriptionState::kActive, WinfoEvent::kSubscribe);
  Add(2, "sip:carol@example.com", SubscriptionState::kActive, WinfoEvent::kSubscribe);

  EXPECT_EQ(WinfoWriter().Write(document_, 1).watchers, 1u);
}

}  // namespace
}  // namespace presence
