#include "presence-core/packages/presence/pidf_validator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::HasSubstr;

// A document with these children.
std::string Presence(std::string_view children) {
  return fmt::format(
      "<?xml version='1.0' encoding='UTF-8'?>\n<presence xmlns='urn:ietf:params:xml:ns:pidf' "
      "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:x='urn:example:x' "
      "entity='pres:alice@example.com'>\n{}</presence>",
      children);
}

// A document of one tuple with this content behind its status.
std::string Tuple(std::string_view content) {
  return Presence(
      fmt::format("<tuple id='t'><status><basic>open</basic></status>{}</tuple>", content));
}

absl::Status Check(std::string_view body) { return ValidatePidf(body, XmlLimits()); }

struct Case {
  std::string_view what;
  std::string body;
};

class AcceptedPidfTest : public ::testing::TestWithParam<Case> {};

TEST_P(AcceptedPidfTest, MayBePublished) {
  EXPECT_TRUE(Check(GetParam().body).ok()) << GetParam().what << ": " << Check(GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    All, AcceptedPidfTest,
    ::testing::Values(
        Case{"no tuple at all", Presence("")}, Case{"a plain tuple", Tuple("")},
        Case{"a closed tuple with all parts",
             Presence("<tuple id='t'><status><basic>closed</basic></status><x:y/><contact "
                      "priority='0.8'>sip:a@h.org</contact><note xml:lang='en'>Lunch</note>"
                      "<timestamp>2001-10-27T16:49:29Z</timestamp></tuple>")},
        Case{"a person alone (E07)", Presence("<dm:person id='p'><x:y/></dm:person>")},
        Case{"a device",
             Presence("<dm:device id='d'><dm:deviceID>urn:x:1</dm:deviceID></dm:device>")},
        Case{"no XML declaration",
             "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@h.org'/>"},
        Case{"a prefix for PIDF",
             "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity='e'><p:tuple id='t'>"
             "<p:status><p:basic>open</p:basic></p:status></p:tuple></p:presence>"},
        Case{"an entity that is no URI of ours",
             "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity=''/>"},
        Case{"a status without basic", Presence("<tuple id='t'><status><x:y/></status></tuple>")},
        Case{"an empty status", Presence("<tuple id='t'><status/></tuple>")},
        Case{"white space around a value",
             Presence("<tuple id='t'><status><basic>\n open\n </basic></status></tuple>")},
        Case{"persons before tuples, status last",
             Presence("<note>n</note><dm:person id='p'/><tuple id='t'><contact>c</contact>"
                      "<status><basic>open</basic></status></tuple>")},
        Case{"ids that begin with digits",
             Presence("<tuple id='0'><status/></tuple><tuple id='4f-2 3'><status/></tuple>")},
        Case{"a priority past one", Tuple("<contact priority='1.5'>c</contact>")},
        Case{"a priority with many digits", Tuple("<contact priority='0.12345'>c</contact>")},
        Case{"a negative priority", Tuple("<contact priority='-1'>c</contact>")},
        Case{"mustUnderstand on an extension (RFC 3863 4.3.3)",
             Presence("<tuple id='t' xmlns:p='urn:ietf:params:xml:ns:pidf'><status/><x:c><x:d "
                      "p:mustUnderstand='1'/></x:c></tuple>")},
        Case{"unknown PIDF elements with anything in them",
             Presence("<later><tuple/><basic>ajar</basic><timestamp>now</timestamp></later>")},
        Case{"unknown extensions with PIDF in them",
             Presence("<x:y id='t'><tuple id='t'/></x:y><tuple id='t'><status/></tuple>")},
        Case{"a timestamp of an extension", Tuple("<x:timestamp>now</x:timestamp>")},
        Case{"extensions of the person with their own timestamp",
             Presence("<dm:person id='p'><x:y><dm:timestamp>now</dm:timestamp></x:y>"
                      "<dm:timestamp>2001-10-27T16:49:29+02:00</dm:timestamp></dm:person>")}));

struct Fault {
  std::string body;
  std::string_view why;
};

class RefusedPidfTest : public ::testing::TestWithParam<Fault> {};

// P17: a document that is no PIDF is refused, and it says why and where.
TEST_P(RefusedPidfTest, SaysWhyAndWhere) {
  const absl::Status status = Check(GetParam().body);

  EXPECT_EQ(ReasonOf(status), ErrorReason::kBadDocument) << GetParam().body;
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(GetParam().why)));
  EXPECT_EQ(MetadataOf(status).count("line"), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedPidfTest,
    ::testing::Values(
        Fault{"<html/>", "the root is <html>"}, Fault{"<presence entity='e'/>", "namespace \"\""},
        Fault{"<presence xmlns='urn:ietf:params:xml:ns:pidf:' entity='e'/>", "not <presence> of"},
        Fault{"<tuple xmlns='urn:ietf:params:xml:ns:pidf' id='t'><status/></tuple>", "<tuple>"},
        Fault{"<presence xmlns='urn:ietf:params:xml:ns:pidf'/>", "no entity"},
        Fault{"<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:x='urn:x' x:entity='e'/>",
              "no entity"},
        Fault{Presence("<tuple><status/></tuple>"), "a <tuple> has no id"},
        Fault{Presence("<tuple id=' '><status/></tuple>"), "a <tuple> has no id"},
        Fault{Presence("<dm:person/>"), "a <person> has no id"},
        Fault{Presence("<dm:device/>"), "a <device> has no id"},
        Fault{Presence("<tuple id='t'><status/></tuple><tuple id='t '><status/></tuple>"),
              "\"t\" is there twice"},
        Fault{Presence("<tuple id='t'><status/></tuple><dm:person id='t'/>"), "twice"},
        Fault{Presence("<dm:device id='t'/><dm:person id='t'/>"), "twice"},
        Fault{Presence("<tuple id='t'/>"), "no <status>"},
        Fault{Presence("<tuple id='t'><x:status/></tuple>"), "no <status>"},
        Fault{Presence("<tuple id='t'><status/><status/></tuple>"), "more than one <status>"},
        Fault{Tuple("<contact>a</contact><contact>b</contact>"), "more than one <contact>"},
        Fault{Tuple("<timestamp>2001-10-27T16:49:29Z</timestamp>"
                    "<timestamp>2001-10-27T16:49:29Z</timestamp>"),
              "more than one <timestamp>"},
        Fault{Presence(
                  "<tuple id='t'><status><basic>open</basic><basic>open</basic></status></tuple>"),
              "more than one <basic>"},
        Fault{Presence("<tuple id='t'><status><basic>ajar</basic></status></tuple>"),
              "\"ajar\", not open or closed"},
        Fault{Presence("<tuple id='t'><status><basic>Open</basic></status></tuple>"), "\"Open\""},
        Fault{Presence("<tuple id='t'><status><basic/></status></tuple>"), "\"\", not open"},
        Fault{Tuple("<timestamp>yesterday</timestamp>"), "\"yesterday\" is none of RFC 3339"},
        Fault{Presence("<dm:person id='p'><dm:timestamp>12:00</dm:timestamp></dm:person>"),
              "\"12:00\""},
        Fault{Tuple("<contact priority='high'>c</contact>"), "\"high\" is no decimal"},
        Fault{Tuple("<contact priority=''>c</contact>"), "no decimal"},
        Fault{Tuple("<contact priority='.'>c</contact>"), "no decimal"},
        Fault{Tuple("<contact priority='0.5.5'>c</contact>"), "no decimal"},
        Fault{Presence("<tuple id='t' xmlns:p='urn:ietf:params:xml:ns:pidf'><status "
                       "p:mustUnderstand='1'/></tuple>"),
              "not for <status>"},
        Fault{Presence("<tuple id='t'><status/>"), "tag"}));

TEST(PidfValidatorTest, NamesTheLineOfTheFault) {
  const absl::Status status = Check(Presence("<tuple id='a'><status/></tuple>\n<tuple id='a'/>\n"));

  EXPECT_EQ(MetadataOf(status)["line"], "4");
  EXPECT_EQ(MetadataOf(status)["column"], "1");
}

TEST(PidfValidatorTest, KeepsToTheLimitsItIsGiven) {
  const std::string body = Tuple("");

  EXPECT_EQ(ReasonOf(ValidatePidf(body, {.max_bytes = body.size() - 1})),
            ErrorReason::kDocumentTooLarge);
  EXPECT_EQ(ReasonOf(ValidatePidf(body, {.max_depth = 3})), ErrorReason::kBadDocument);
  EXPECT_TRUE(ValidatePidf(body, {.max_bytes = body.size(), .max_depth = 4}).ok());
}

}  // namespace
}  // namespace presence
