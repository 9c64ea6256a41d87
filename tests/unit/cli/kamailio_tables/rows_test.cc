#include "cli/kamailio_tables/rows.h"

#include <limits>
#include <random>
#include <string>

#include "cli/kamailio_tables/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PresentityRow Publication() {
  PresentityRow row;
  row.username = "alice";
  row.domain = "example.com";
  row.event = "presence";
  row.etag = "a.1448391234.5.1.0";
  row.expires = 1800000000;
  row.received_time = 1700000000;
  row.body = "<presence/>";
  row.sender = "sip:desk@192.0.2.1";
  row.priority = 7;
  return row;
}

ActiveWatcherRow Dialog() {
  ActiveWatcherRow row;
  row.presentity_uri = "sip:alice@example.com";
  row.watcher_username = "bob";
  row.watcher_domain = "example.com";
  row.to_user = "alice";
  row.to_domain = "example.com";
  row.event = "presence";
  row.event_id = "7";
  row.to_tag = "a6a1c5f60faecf035a1ae5b6e96e979a-5d83";
  row.from_tag = "9fxced76sl";
  row.callid = "3848276298220188511@192.0.2.1";
  row.local_cseq = 12;
  row.remote_cseq = 3;
  row.contact = "sip:bob@192.0.2.1:5060";
  row.record_route = "<sip:192.0.2.9;lr>,\"a, b\" <sip:192.0.2.8;lr;x=1>";
  row.expires = 1800000000;
  row.status = kKamailioActive;
  row.version = 5;
  row.local_contact = "sip:192.0.2.7:5060";
  row.from_user = "bob";
  row.from_domain = "example.org";
  row.user_agent = "Phone/1.0";
  return row;
}

WatcherRow Watcher(int64_t status, const std::string& reason = "") {
  return {"sip:alice@example.com", "bob", "example.com", "presence", status, reason};
}

std::string WhyOf(const absl::StatusOr<v1::Record>& record) {
  return std::string(record.status().message());
}

TEST(RowsTest, MakesADocumentOfARowOfXcap) {
  const auto record =
      ToRecord(XcapRow{"alice", "example.com", "<presence/>",
                       "/xcap-root/pidf-manipulation/users/sip:alice@example.com/index"});

  ASSERT_TRUE(record.ok()) << record.status();
  const v1::RulesDocument& made = record->rules();
  EXPECT_EQ(made.name().owner(), "sip:alice@example.com");
  EXPECT_EQ(made.name().kind(), v1::RULES_KIND_HARD_STATE);
  EXPECT_EQ(made.name().name(), "index");
  EXPECT_EQ(made.document().content_type(), "application/pidf+xml");
  EXPECT_EQ(made.document().body(), "<presence/>");
  EXPECT_EQ(made.file_uri(), "/xcap-root/pidf-manipulation/users/sip:alice@example.com/index");
}

TEST(RowsTest, TakesTheNameOfADocumentFromItsUri) {
  const auto name_of = [](const std::string& uri) {
    const auto record = ToRecord(XcapRow{"alice", "example.com", "x", uri});
    return record.ok() ? record->rules().name().name() : WhyOf(record);
  };

  EXPECT_EQ(name_of("pidf-manipulation/users/sip:a@b/hard.xml"), "hard.xml");
  EXPECT_EQ(name_of("/r/pidf-manipulation/global/index"), "index");
  EXPECT_EQ(name_of("/r/pidf-manipulation/users/sip:a@b/away/index"), "away/index");
  EXPECT_EQ(name_of("index"), "index");
  EXPECT_EQ(name_of("/r/pidf-manipulation/users/sip:a@b"), "doc_uri names no file");
  EXPECT_EQ(name_of("/r/pidf-manipulation/users/sip:a@b/"), "doc_uri names no file");
}

TEST(RowsTest, MakesADocumentOfAPublicationThatDoesNotExpire) {
  PresentityRow row = Publication();
  row.expires = kKamailioHardState;
  row.etag = "index";

  const auto record = ToRecord(row);

  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->rules().name().owner(), "sip:alice@example.com");
  EXPECT_EQ(record->rules().name().name(), "index");
  EXPECT_EQ(record->rules().document().body(), "<presence/>");
}

TEST(RowsTest, MakesAPublicationOfARow) {
  const auto record = ToRecord(Publication());

  ASSERT_TRUE(record.ok()) << record.status();
  const v1::Publication& made = record->publication();
  EXPECT_EQ(made.presentity(), "sip:alice@example.com");
  EXPECT_EQ(made.event(), "presence");
  EXPECT_EQ(made.etag(), "a.1448391234.5.1.0");
  EXPECT_EQ(made.expire_time().seconds(), 1800000000);
  EXPECT_EQ(made.receive_time().seconds(), 1700000000);
  EXPECT_EQ(made.document().content_type(), "application/pidf+xml");
  EXPECT_EQ(made.document().body(), "<presence/>");
  EXPECT_EQ(made.sender(), "sip:desk@192.0.2.1");
  EXPECT_EQ(made.priority(), 7);
}

TEST(RowsTest, KeepsABodyThatIsNoText) {
  PresentityRow row = Publication();
  row.body = std::string("\0\xff<", 3);

  const auto record = ToRecord(row);

  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->publication().document().body(), row.body) << "the server says what it is";
}

TEST(RowsTest, RefusesAPublicationThatIsNone) {
  PresentityRow bytes = Publication();
  bytes.username = "\xff\xfe";
  PresentityRow empty = Publication();
  empty.body.clear();
  PresentityRow unknown = Publication();
  unknown.event = "what\nis this";
  PresentityRow huge = Publication();
  huge.priority = std::numeric_limits<int64_t>::min();

  EXPECT_EQ(WhyOf(ToRecord(bytes)), "username is not UTF-8");
  EXPECT_EQ(WhyOf(ToRecord(empty)), "body is empty");
  EXPECT_EQ(WhyOf(ToRecord(unknown)), "event what is this is of no package that is known here");
  EXPECT_EQ(WhyOf(ToRecord(huge)), "priority does not fit 32 bits");
}

TEST(RowsTest, MakesADialogOfARow) {
  const auto record = ToRecord(Dialog(), "edge");

  ASSERT_TRUE(record.ok()) << record.status();
  const v1::SubscriptionRecord& made = record->subscription();
  EXPECT_EQ(made.subscription().presentity(), "sip:alice@example.com");
  EXPECT_EQ(made.subscription().watcher(), "sip:bob@example.com");
  EXPECT_EQ(made.subscription().event_id(), "7");
  EXPECT_EQ(made.subscription().state(), v1::SUBSCRIPTION_STATE_ACTIVE);
  EXPECT_EQ(made.subscription().local_cseq(), 12u + kUnwrittenNotifies);
  EXPECT_EQ(made.remote_cseq(), 3u);
  EXPECT_EQ(made.document_version(), 0u);
  EXPECT_EQ(made.dialog().call_id(), "3848276298220188511@192.0.2.1");
  EXPECT_EQ(made.dialog().local_tag(), "a6a1c5f60faecf035a1ae5b6e96e979a-5d83");
  EXPECT_EQ(made.dialog().remote_tag(), "9fxced76sl");
  EXPECT_EQ(made.dialog().local_uri(), "sip:alice@example.com");
  EXPECT_EQ(made.dialog().remote_uri(), "sip:bob@example.org");
  EXPECT_EQ(made.dialog().remote_target(), "sip:bob@192.0.2.1:5060");
  EXPECT_THAT(made.dialog().route_set(),
              ElementsAre("<sip:192.0.2.9;lr>", "\"a, b\" <sip:192.0.2.8;lr;x=1>"));
  EXPECT_EQ(made.dialog().gateway(), "edge");
  EXPECT_EQ(made.dialog().local_contact(), "sip:192.0.2.7:5060");
  EXPECT_EQ(made.dialog().user_agent(), "Phone/1.0");
}

TEST(RowsTest, GoesOnAboveTheVersionOfAWinfoDialog) {
  ActiveWatcherRow row = Dialog();
  row.event = "presence.winfo";

  EXPECT_EQ(ToRecord(row, "edge")->subscription().document_version(), 5u + kUnwrittenNotifies);
}

TEST(RowsTest, LeavesOutAContactThatIsNoUri) {
  ActiveWatcherRow row = Dialog();
  row.local_contact = "192.0.2.7";

  EXPECT_EQ(ToRecord(row, "edge")->subscription().dialog().local_contact(), "");
}

TEST(RowsTest, RefusesADialogThatIsNone) {
  ActiveWatcherRow negative = Dialog();
  negative.local_cseq = -1;
  ActiveWatcherRow high = Dialog();
  high.remote_cseq = INT64_C(1) << 31;
  ActiveWatcherRow waiting = Dialog();
  waiting.status = kKamailioWaiting;
  ActiveWatcherRow routes = Dialog();
  routes.record_route = "<sip:192.0.2.9;lr>,<sip:192.0";
  ActiveWatcherRow bytes = Dialog();
  bytes.user_agent = "\xff";

  EXPECT_EQ(WhyOf(ToRecord(negative, "edge")), "local_cseq is negative");
  EXPECT_EQ(WhyOf(ToRecord(high, "edge")), "remote_cseq is 2^31 or more");
  EXPECT_EQ(WhyOf(ToRecord(waiting, "edge")), "status 4 is none of a dialog");
  EXPECT_EQ(WhyOf(ToRecord(routes, "edge")), "record_route ends within a route");
  EXPECT_EQ(WhyOf(ToRecord(bytes, "edge")), "user_agent is not UTF-8");
}

TEST(RowsTest, MakesDecisionsOfWatchers) {
  EXPECT_EQ(ToRecord(Watcher(kKamailioActive))->watcher().watcher().decision(),
            v1::WATCHER_DECISION_ALLOW);
  EXPECT_EQ(ToRecord(Watcher(kKamailioTerminated, "rejected"))->watcher().watcher().decision(),
            v1::WATCHER_DECISION_BLOCK);
  for (const int64_t status : {kKamailioPending, kKamailioWaiting}) {
    const auto record = ToRecord(Watcher(status));
    EXPECT_EQ(record->watcher().watcher().decision(), v1::WATCHER_DECISION_UNSPECIFIED);
    EXPECT_EQ(record->watcher().watcher().state(), v1::SUBSCRIPTION_STATE_WAITING);
  }
}

TEST(RowsTest, TakesNoEndForADecision) {
  EXPECT_EQ(WhyOf(ToRecord(Watcher(kKamailioTerminated, "timeout"))),
            "status 3 for the reason 'timeout' is no decision");
  EXPECT_EQ(WhyOf(ToRecord(Watcher(77))), "status 77 is unknown");
}

TEST(RoutesTest, TakesRecordRoutesApart) {
  EXPECT_THAT(*SplitRoutes(""), IsEmpty());
  EXPECT_THAT(*SplitRoutes(" \r\n"), IsEmpty());
  EXPECT_THAT(*SplitRoutes("<sip:a;lr>"), ElementsAre("<sip:a;lr>"));
  EXPECT_THAT(*SplitRoutes(" <sip:a;lr> ,\r\n <sip:b,c;lr>"),
              ElementsAre("<sip:a;lr>", "<sip:b,c;lr>"));
  EXPECT_THAT(*SplitRoutes(R"("\",<" <sip:a>;x,<sip:b>)"),
              ElementsAre(R"("\",<" <sip:a>;x)", "<sip:b>"));
  EXPECT_THAT(*SplitRoutes("sip:a;lr"), ElementsAre("<sip:a;lr>"));
}

TEST(RoutesTest, RefusesWhatIsNoList) {
  for (const char* header : {",", "<sip:a>,", "<sip:a>,,<sip:b>", "<sip:a", "\"<sip:a>", "\"\\"}) {
    EXPECT_FALSE(SplitRoutes(header).ok()) << header;
  }
}

// Whatever stands in a row: a record or a reason, and a record is text throughout.
TEST(RowsTest, MakesSomethingOfAnything) {
  std::mt19937_64 random(5);
  const auto text = [&] {
    static const std::string kPieces[] = {
        "<", ">", "\"", ",", "\\", "sip:", "\xff", "\xc3\xa4", "\r\n", "a", std::string(1, '\0')};
    std::string made;
    for (auto left = random() % 8; left > 0; --left) made += kPieces[random() % std::size(kPieces)];
    return made;
  };
  const auto number = [&] {
    static const int64_t kNumbers[] = {0, 1, 2, 3, 4, -1, INT32_MAX, INT64_MAX, INT64_MIN};
    return kNumbers[random() % std::size(kNumbers)];
  };
  int made = 0;
  for (int i = 0; i < 2000; ++i) {
    ActiveWatcherRow row = Dialog();
    std::string* const texts[] = {&row.record_route, &row.contact, &row.to_user, &row.event_id};
    *texts[random() % std::size(texts)] = text();
    int64_t* const numbers[] = {&row.local_cseq, &row.remote_cseq, &row.expires, &row.status};
    *numbers[random() % std::size(numbers)] = number();
    const auto record = ToRecord(row, "edge");
    if (!record.ok()) {
      EXPECT_FALSE(record.status().message().empty());
      continue;
    }
    ++made;
    v1::Record read_back;
    EXPECT_TRUE(read_back.ParseFromString(record->SerializeAsString()));
  }
  EXPECT_GT(made, 100);
}

TEST(TablePositionTest, ReadsWhatItWrote) {
  for (const Part part : kParts) {
    const auto read = TablePosition::Parse(TablePosition{part, 4711}.Text());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->part, part);
    EXPECT_EQ(read->id, 4711);
  }
  for (const char* text : {"", "dialogs", "dialogs:", "dialogs:-1", "dialogs:1x", "calls:1"}) {
    EXPECT_FALSE(TablePosition::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace presence::cli
