#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/documents/pidf.h"
#include "cli/documents/summary.h"
#include "cli/output/json.h"
#include "presence/v1/presence.pb.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Document DocumentOf(const std::string& type, const std::string& body) {
  v1::Document document;
  document.set_content_type(type);
  document.set_body(body);
  return document;
}

SimplePresence Say(std::optional<bool> is_open, const std::string& note) {
  return {is_open, note, "t1", absl::FromUnixSeconds(1'700'000'000)};
}

TEST(PidfTest, IsExactlyWhatRfc3863Wants) {
  EXPECT_EQ(BuildPidf("sip:alice@example.com", Say(true, "Here")).value(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:alice@example.com\">\n"
            "  <tuple id=\"t1\">\n"
            "    <status><basic>open</basic></status>\n"
            "    <note>Here</note>\n"
            "    <timestamp>2023-11-14T22:13:20Z</timestamp>\n"
            "  </tuple>\n"
            "</presence>\n");
}

TEST(PidfTest, ANoteAloneClaimsNoStatus) {
  const std::string pidf = BuildPidf("sip:a@b.org", Say(std::nullopt, "On holiday")).value();

  EXPECT_THAT(pidf, HasSubstr("  <note>On holiday</note>\n</presence>"));
  EXPECT_THAT(pidf, Not(HasSubstr("tuple")));
}

TEST(PidfTest, WhateverTheNoteSaysComesBackFromAReader) {
  for (const std::string& note : {std::string("<&>\"'"), std::string("]]>"), std::string("&amp;"),
                                  std::string("\xC3\xA9 \xE4\xBD\xA0 \xF0\x9F\x98\x80")}) {
    const auto pidf = BuildPidf("sip:<\"&>@b.org", Say(false, note));
    ASSERT_TRUE(pidf.ok()) << note;

    const DocumentSummary summary = Summarise(DocumentOf(kPidfType, *pidf));

    EXPECT_EQ(summary.state, "closed") << note;
    EXPECT_EQ(summary.note, note);
  }
}

TEST(PidfTest, RefusesWhatXmlCannotCarry) {
  for (const std::string& note :
       {std::string("a\0b", 3), std::string("\x1b[31m"), std::string("\xff"),
        std::string("\xED\xA0\x80"), std::string("\xEF\xBF\xBE")}) {
    EXPECT_FALSE(BuildPidf("sip:a@b.org", Say(true, note)).ok());
  }
}

TEST(PidfTest, TheEntityIsAUriInWhateverFormThePresentityIsGiven) {
  EXPECT_EQ(EntityOf("alice@example.com"), "sip:alice@example.com");
  EXPECT_EQ(EntityOf("sips:alice@example.com"), "sips:alice@example.com");
  EXPECT_EQ(EntityOf("tel:+12025550100"), "tel:+12025550100");
  EXPECT_EQ(EntityOf("domains/example.com/users/al~2Fice"), "sip:al/ice@example.com");
  EXPECT_EQ(EntityOf("domains/tel/users/+12025550100"), "tel:+12025550100");
}

TEST(SummaryTest, CountsTheWatchersOfAWatcherinfoDocument) {
  const std::string head =
      R"(<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state=")";
  const std::string tail =
      R"("><watcher-list resource="sip:a@b.org" package="presence">)"
      R"(<watcher id="1" status="active" event="approved">sip:bob@b.org</watcher>)"
      R"(<watcher id="2" status="pending" event="subscribe">sip:carol@b.org</watcher></watcher-list></watcherinfo>)";

  const DocumentSummary full =
      Summarise(DocumentOf("application/watcherinfo+xml", head + "full" + tail));
  const DocumentSummary partial =
      Summarise(DocumentOf("application/watcherinfo+xml", head + "partial" + tail));

  EXPECT_EQ(full.state, "2 watchers");
  EXPECT_EQ(full.note, "sip:bob@b.org active, sip:carol@b.org pending");
  EXPECT_EQ(partial.state, "2 changes");
}

TEST(SummaryTest, ABadDocumentDoesNotFail) {
  EXPECT_EQ(Summarise(DocumentOf(kPidfType, "<presence")).state, "-");
  EXPECT_EQ(Summarise(DocumentOf("application/watcherinfo+xml", "nonsense")).state, "-");
  EXPECT_EQ(Summarise(DocumentOf("text/plain", "hello")).note, "text/plain, 5 bytes");
}

TEST(JsonTest, ShowsTextAsTextAndBytesAsBase64) {
  v1::GetStateResponse text, binary;
  *text.mutable_document() = DocumentOf("text/plain", "h\xC3\xA9");
  *binary.mutable_document() = DocumentOf("application/octet-stream", std::string("\xff\x00", 2));

  EXPECT_THAT(ToJson(text, JsonLayout::kOneLine),
              HasSubstr("\"body\":\"\",\"text\":\"h\xC3\xA9\""));
  EXPECT_THAT(ToJson(binary, JsonLayout::kOneLine), HasSubstr("\"body\":\"/wA=\",\"text\":\"\""));
}

TEST(JsonTest, ShowsTextInsideLists) {
  v1::ListPresentitiesResponse list;
  *list.add_publications()->mutable_document() = DocumentOf("text/plain", "one");
  *list.add_publications()->mutable_document() = DocumentOf("text/plain", "two");

  EXPECT_THAT(ToJson(list, JsonLayout::kPretty), HasSubstr("\"text\": \"two\""));
}

}  // namespace
}  // namespace presence::cli
