#include "presence-core/storage/postgres/views.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/schema.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::HasSubstr;

// presence-create.sql of Kamailio 5.6. Texts there have small limits, which nobody minds to miss.
constexpr char kPresentity[] =
    "id integer, username text, domain text, event text, etag text, expires integer,"
    " received_time integer, body bytea, sender text, priority integer, ruid text";
constexpr char kActiveWatchers[] =
    "id integer, presentity_uri text, watcher_username text, watcher_domain text, to_user text,"
    " to_domain text, event text, event_id text, to_tag text, from_tag text, callid text,"
    " local_cseq integer, remote_cseq integer, contact text, record_route text, expires integer,"
    " status integer, reason text, version integer, socket_info text, local_contact text,"
    " from_user text, from_domain text, updated integer, updated_winfo integer, flags integer,"
    " user_agent text";
constexpr char kWatchers[] =
    "id integer, presentity_uri text, watcher_username text, watcher_domain text, event text,"
    " status integer, reason text, inserted_time integer";

class ViewsTest : public testing::Test {
 protected:
  absl::Status Place(const ViewNames& names) {
    return PlaceViews(database_.options(), names, clock_);
  }
  std::string ColumnsOf(const std::string& schema, const std::string& view) {
    return database_.Run(fmt::format(
        "SELECT string_agg(column_name || ' ' || replace(data_type, 'character varying', 'text'),"
        " ', ' ORDER BY ordinal_position) FROM information_schema.columns"
        " WHERE table_schema = '{}' AND table_name = '{}'",
        schema, view));
  }
  std::string ViewsInAll() {
    return database_.Run(
        "SELECT coalesce(string_agg(schemaname || '.' || viewname, ' ' ORDER BY schemaname, "
        "viewname), 'none')"
        " FROM pg_views WHERE schemaname IN ('presence', 'public')");
  }
  // What the database says against it; empty if nothing.
  std::string RefusalOf(const std::string& sql) {
    try {
      database_.Run(sql);
      return "";
    } catch (const pqxx::sql_error& error) {
      return error.what();
    }
  }

  SystemClock clock_;
  TestDatabase database_;
};

TEST_F(ViewsTest, HaveTheColumnsOfTheTablesInTheirOrder) {
  ASSERT_TRUE(Place({}).ok());

  EXPECT_EQ(ColumnsOf("presence", "presentity"), kPresentity);
  EXPECT_EQ(ColumnsOf("presence", "active_watchers"), kActiveWatchers);
  EXPECT_EQ(ColumnsOf("presence", "watchers"), kWatchers);
}

TEST_F(ViewsTest, ShowARowForEachPublication) {
  ASSERT_TRUE(Place({}).ok());
  database_.Run(
      "INSERT INTO publication VALUES (3, 'o@ffice@example.com', 'dialog', 7, 'tag', 'a/b',"
      " '<x/>', to_timestamp(1700000060.9), to_timestamp(1700000000.1), -2, 'sip:a@192.0.2.1', '',"
      " '', '', 0, true)");

  EXPECT_EQ(database_.Run("SELECT concat_ws(' ', username, domain, event, etag, expires,"
                          " received_time, convert_from(body, 'UTF8'), sender, priority)"
                          " FROM presentity WHERE id >= 0"),
            "o@ffice example.com dialog tag 1700000060 1700000000 <x/> sip:a@192.0.2.1 -2");
}

TEST_F(ViewsTest, ShowARowForEachLiveSubscription) {
  ASSERT_TRUE(Place({}).ok());
  static constexpr char kInsert[] =
      "INSERT INTO subscription VALUES (0, 'office 1@example.com', 'presence', '{}', {}, {}, 'eid',"
      " 'bob@example.com', NULL, {}, 0, {}, to_timestamp(1700000000), 'call', 'theirs',"
      " 'sip:office%201:pw@example.com:5060;x=y', '\"Bob\" <sips:bob@[2001:db8::1]:5061>',"
      " 'sip:bob@192.0.2.7', E'<sip:p1;lr>\\n<sip:p2;lr>', 'edge', '7', '{}', 'sip:192.0.2.9', "
      "'ua',"
      " 5, 4294967295, true, false, '', 0)";
  database_.Run(fmt::format(kInsert, "ours", 1, "true", 2, "'infinity'", "edge-1"));
  database_.Run(fmt::format(kInsert, "other", 2, "false", 1, "to_timestamp(1700000060)", ""));
  database_.Run(fmt::format(kInsert, "ended", 3, "false", 3, "now()", ""));

  EXPECT_EQ(database_.Run("SELECT string_agg(to_tag, ' ' ORDER BY to_tag) FROM active_watchers"),
            "other ours");
  EXPECT_EQ(
      database_.Run("SELECT concat_ws(' ', presentity_uri, watcher_username, watcher_domain,"
                    " to_user, to_domain, event, event_id, from_tag, callid, local_cseq,"
                    " remote_cseq, contact, record_route, expires, status, socket_info,"
                    " local_contact, from_user, from_domain, user_agent)"
                    " FROM active_watchers WHERE to_tag = 'ours'"),
      "sip:office%201@example.com bob example.com office%201 example.com presence.winfo eid theirs"
      " call 2147483647 5 sip:bob@192.0.2.7 <sip:p1;lr>,<sip:p2;lr> 2147483647 2 edge-1"
      " sip:192.0.2.9 bob [2001:db8::1] ua");
  EXPECT_EQ(database_.Run("SELECT concat_ws(' ', event, expires, status, socket_info)"
                          " FROM active_watchers WHERE to_tag = 'other'"),
            "presence 1700000060 1 edge");
}

// As ListWatchers: what subscriptions of a watcher are, and for others what was decided.
TEST_F(ViewsTest, ShowARowForEachWatcherThatIsKnown) {
  ASSERT_TRUE(Place({}).ok());
  static constexpr char kSubscribe[] =
      "INSERT INTO subscription VALUES (0, '+12@tel', 'presence', '{0}', {0}, false, '',"
      " '{1}@x.org', NULL, {2}, 0, now(), to_timestamp(1700000{0}0), '', '', '', '', '', '', '',"
      " '', '', '', '', 0, 0, true, false, '', 0)";
  database_.Run(fmt::format(kSubscribe, 11, "bob", 2));
  database_.Run(fmt::format(kSubscribe, 12, "bob", 1));
  database_.Run(fmt::format(kSubscribe, 13, "carol", 2));
  database_.Run(
      "INSERT INTO watcher_decision VALUES (0, '+12@tel', 'presence', 'carol@x.org', 3,"
      " '-infinity', 4), (0, '+12@tel', 'presence', 'dave@x.org', 2, '-infinity', 5),"
      " (0, '+12@tel', 'presence', 'erin@x.org', 0, now(), 6),"
      " (0, '+12@tel', 'presence', 'frank@x.org', 1, '-infinity', 7)");

  EXPECT_EQ(database_.Run("SELECT string_agg(concat_ws(' ', presentity_uri, watcher_username,"
                          " status, reason, inserted_time), ', ' ORDER BY watcher_username)"
                          " FROM watchers WHERE watcher_domain = 'x.org' AND event = 'presence'"),
            "tel:+12 bob 1  1700000110, tel:+12 carol 2  1700000130, tel:+12 dave 3 rejected 0,"
            " tel:+12 erin 4  0, tel:+12 frank 1  0");
}

TEST_F(ViewsTest, AreForReading) {
  ASSERT_TRUE(Place({}).ok());

  for (const char* view : {"presentity", "active_watchers", "watchers"}) {
    for (const char* write : {"INSERT INTO {} (event) VALUES ('presence')",
                              "UPDATE {} SET event = 'dialog'", "DELETE FROM {} WHERE false"}) {
      const std::string refusal = RefusalOf(fmt::format(fmt::runtime(write), view));
      EXPECT_THAT(refusal, HasSubstr(fmt::format("the view {} is for reading", view)));
      EXPECT_THAT(refusal, HasSubstr("Publish, Subscribe"));
    }
  }
}

TEST_F(ViewsTest, CanBeReadByThoseToWhomTheyAreGranted) {
  ASSERT_TRUE(Place({.presentity = "public.presentity"}).ok());
  const std::string reader = "reader_of_" + database_.name();
  database_.Run("CREATE ROLE " + reader);
  database_.Run("GRANT SELECT ON public.presentity TO " + reader);
  database_.Run(
      "INSERT INTO publication VALUES (3, 'alice@example.com', 'presence', 7, 'tag', 'a/b', '',"
      " now(), now(), 0, '', '', '', '', 0, true)");
  const std::string as_reader = "SET search_path = public; SET ROLE " + reader + "; ";

  EXPECT_EQ(database_.Run(as_reader + "SELECT username FROM presentity"), "alice");
  EXPECT_THAT(RefusalOf(as_reader + "SELECT * FROM presence.publication"),
              HasSubstr("permission denied"));

  database_.Run("DROP OWNED BY " + reader + "; DROP ROLE " + reader);
}

TEST_F(ViewsTest, AreRenamedAndKeepTheirGrants) {
  ASSERT_TRUE(Place({}).ok());
  database_.Run("GRANT SELECT ON presentity TO PUBLIC");

  // Through names that are taken on the way: there, `watchers` is still another view's.
  ASSERT_TRUE(Place({.presentity = "public.watchers", .active_watchers = "aw"}).ok());

  EXPECT_EQ(ViewsInAll(), "presence.aw presence.watchers public.watchers");
  EXPECT_EQ(ColumnsOf("public", "watchers"), kPresentity);
  EXPECT_EQ(database_.Run("SELECT has_table_privilege('public', 'public.watchers', 'SELECT')"),
            "t");
}

TEST_F(ViewsTest, AreTakenAwayAndMadeAgain) {
  ASSERT_TRUE(Place({}).ok());

  ASSERT_TRUE(Place({.presentity = "", .active_watchers = "", .watchers = ""}).ok());
  EXPECT_EQ(ViewsInAll(), "none");
  ASSERT_TRUE(Place({.presentity = "", .active_watchers = "", .watchers = "w"}).ok());
  EXPECT_EQ(ViewsInAll(), "presence.w");
}

// Those of Kamailio, for one.
TEST_F(ViewsTest, NeverTakeTheNameOfAnother) {
  database_.Run("CREATE TABLE public.presentity (id integer)");

  const absl::Status status = Place({.presentity = "public.presentity"});

  EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidField);
  EXPECT_THAT(std::string(status.message()), HasSubstr("public.presentity"));
  EXPECT_EQ(ViewsInAll(), "none") << "all or nothing";
  const absl::Status nowhere = Place({.watchers = "nowhere.watchers"});
  EXPECT_EQ(ReasonOf(nowhere), ErrorReason::kInvalidField);
  EXPECT_THAT(std::string(nowhere.message()), HasSubstr("no such schema"));
}

// A core that starts again must not wait for whoever reads just then.
TEST_F(ViewsTest, AreNotTouchedWhereTheyAre) {
  ASSERT_TRUE(Place({}).ok());
  pqxx::connection reader(database_.options().dsn);
  pqxx::work reading(reader);
  reading.exec("SELECT * FROM presence.presentity");
  DatabaseOptions impatient = database_.options();
  impatient.statement_timeout = absl::Milliseconds(200);

  EXPECT_TRUE(PlaceViews(impatient, {}, clock_).ok());
  EXPECT_FALSE(PlaceViews(impatient, {.presentity = "elsewhere"}, clock_).ok());
}

TEST_F(ViewsTest, GoWithTheirMigration) {
  ASSERT_TRUE(Place({.presentity = "public.p"}).ok());

  ASSERT_TRUE(
      MigrateDown(database_.options(), 0, /*dry_run=*/false, clock_, [](const Migration&, bool) {
      }).ok());

  EXPECT_EQ(ViewsInAll(), "none");
}

}  // namespace
}  // namespace presence
