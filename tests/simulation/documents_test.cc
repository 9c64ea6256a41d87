#include "tests/simulation/documents.h"

#include "gtest/gtest.h"
#include "presence-core/packages/winfo/winfo_writer.h"

namespace presence::simulation {
namespace {

WinfoDocument ADocument() {
  WinfoDocument document;
  document.resource = {*PresentityUri::Parse("sip:alice@example.com"),
                       *EventName::Parse("presence")};
  document.version = 3;
  document.is_full = false;
  WinfoEntry entry;
  entry.id = 7;
  entry.watcher = *WatcherUri::Parse("sip:bob@example.com");
  entry.status = SubscriptionState::kPending;
  document.watchers.push_back(entry);
  return document;
}

TEST(DocumentsTest, ReadsWatcherInformationOfBothKindsAlike) {
  const WinfoWriter xml;
  const WinfoText text;
  for (const WinfoFormat* format :
       {static_cast<const WinfoFormat*>(&xml), static_cast<const WinfoFormat*>(&text)}) {
    const Document document = format->Write(ADocument(), SIZE_MAX).document;

    const std::optional<ReadWinfo> read = WinfoOf(document.body());

    ASSERT_TRUE(read.has_value()) << document.body();
    EXPECT_EQ(read->version, 3u);
    EXPECT_FALSE(read->is_full);
    EXPECT_EQ(read->watchers, (std::map<uint64_t, std::string>{{7, "bob@example.com,pending"}}));
  }
}

TEST(DocumentsTest, IsNotTakenInByOtherDocuments) {
  EXPECT_FALSE(WinfoOf("open").has_value());
  EXPECT_FALSE(WinfoOf("").has_value());
  EXPECT_FALSE(WinfoOf(PidfOf("alice", "open")).has_value());
  EXPECT_EQ(StateOf(std::string(WinfoWriter().Write(ADocument(), SIZE_MAX).document.body())),
            "unreadable");
  EXPECT_EQ(StateOf("<presence"), "unreadable");
}

TEST(DocumentsTest, ReadsAStateOfBothKindsAlike) {
  EXPECT_EQ(StateOf("desk.1"), "desk.1");
  EXPECT_EQ(StateOf(PidfOf("alice", "desk.1")), "desk.1");
}

}  // namespace
}  // namespace presence::simulation
