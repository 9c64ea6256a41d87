#include "presence-core/packages/presence/pidf_summary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace presence {
namespace {

using Basic = PidfSummary::Basic;

std::string Presence(std::string_view children) {
  return fmt::format(
      "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
      "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' entity='sip:a@h.org'>{}</presence>",
      children);
}

std::string Tuple(std::string_view id, std::string_view basic, std::string_view note = "") {
  return fmt::format("<tuple id='{}'><status><basic>{}</basic></status><note>{}</note></tuple>", id,
                     basic, note);
}

TEST(PidfSummaryTest, IsOpenIfAnyTupleIs) {
  EXPECT_EQ(Summarize(Presence(Tuple("a", "open"))).basic, Basic::kOpen);
  EXPECT_EQ(Summarize(Presence(Tuple("a", "closed"))).basic, Basic::kClosed);
  EXPECT_EQ(Summarize(Presence(Tuple("a", "closed") + Tuple("b", " open "))).basic, Basic::kOpen);
  EXPECT_EQ(Summarize(Presence(Tuple("a", "open") + Tuple("b", "closed"))).basic, Basic::kOpen);
  EXPECT_EQ(Summarize(Presence(Tuple("a", "open") + Tuple("b", "closed"))).tuples, 2);
}

TEST(PidfSummaryTest, IsUnknownWhenTheDocumentDoesNotSay) {
  EXPECT_EQ(Summarize(Presence("")).basic, Basic::kUnknown);
  EXPECT_EQ(Summarize(Presence("<dm:person id='p'/>")).basic, Basic::kUnknown);
  EXPECT_EQ(Summarize(Presence("<tuple id='t'><status/></tuple>")).basic, Basic::kUnknown);
}

TEST(PidfSummaryTest, ShowsTheNoteOfThePersonBeforeTheOthers) {
  const std::string tuple = Tuple("a", "open", "on the tuple");
  const std::string note = "<note> </note><note>on the\n  document</note>";
  const std::string person = "<dm:person id='p'><dm:note>on the person</dm:note></dm:person>";

  EXPECT_EQ(Summarize(Presence(tuple + note + person)).note, "on the person");
  EXPECT_EQ(Summarize(Presence(tuple + note)).note, "on the document");
  EXPECT_EQ(Summarize(Presence(tuple)).note, "on the tuple");
  EXPECT_EQ(Summarize(Presence("")).note, "");
}

TEST(PidfSummaryTest, KnowsNothingOfWhatIsNoPresenceDocument) {
  for (const char* body : {"", "hello", "<a/>", "<presence/>", "<!DOCTYPE a><a/>"}) {
    EXPECT_EQ(Summarize(body), PidfSummary()) << body;
  }
}

TEST(PidfSummaryTest, HasAWordForEachState) {
  EXPECT_EQ(BasicText(Basic::kOpen), "open");
  EXPECT_EQ(BasicText(Basic::kClosed), "closed");
  EXPECT_EQ(BasicText(Basic::kUnknown), "unknown");
}

}  // namespace
}  // namespace presence
