// The messages of RFC 4475, bit by bit from its appendix, and what becomes of each here.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sip-gateway/sofia/printer.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::Field;

std::string Golden(const std::string& name) {
  std::ifstream in(std::string(PRESENCE_GOLDEN_DIR) + "/sip/rfc4475/" + name + ".dat",
                   std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // The archive's file ends one line early; the RFC's text does not.
  if (name == "baddn") text += "\r\n";
  return text;
}

// "" for a message that is taken; else the status and phrase it is refused with, "drop" for no
// answer.
std::string Fate(const std::string& text) {
  ScanResult result = PreScan(text);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    if (!refusal->answerable) return "drop";
    return std::to_string(refusal->status) + " " + std::string(refusal->phrase);
  }
  const auto& scanned = std::get<ScannedMessage>(result);
  const absl::StatusOr<std::unique_ptr<Message>> message = Message::Parse(scanned);
  if (message.ok()) return "";
  if (!ExtractAnswerable(scanned)) return "drop";
  return "400 " + std::string(message.status().message());
}

const std::map<std::string, std::string>& Fates() {
  static const auto* const fates = new std::map<std::string, std::string>{
      // 3.1.1 valid. intmeth holds a NUL inside a quoted string: legal, and refused here on
      // purpose,
      // since too much software ends strings there; To cannot be repeated, so there is no answer.
      {"wsinv", ""},
      {"intmeth", "drop"},
      {"esc01", ""},
      {"escnull", ""},
      {"esc02", ""},
      {"lwsdisp", ""},
      {"longreq", ""},
      {"dblreq", ""},
      {"semiuri", ""},
      {"transports", ""},
      {"mpart01", ""},
      {"unreason", ""},
      {"noreason", ""},
      // 3.1.2 invalid.
      {"badinv01", "400 Malformed Via"},
      {"clerr", "400 Content-Length Longer Than Message"},
      {"ncl", "400 Malformed Content-Length"},
      {"scalar02", "400 Malformed CSeq"},
      {"scalarlg", "drop"},
      {"quotbal", "400 Malformed To"},
      {"ltgtruri", "400 Malformed Request-URI"},
      {"lwsruri", "400 Malformed Start Line"},
      {"lwsstart", "400 Malformed Start Line"},
      {"trws", "400 Malformed Start Line"},
      {"escruri", "400 Headers in Request-URI"},
      {"baddate", ""},   // nobody here needs a Date
      {"regbadct", ""},  // nor the Contact of a REGISTER, which is a 405
      {"badaspec", "400 Malformed To"},
      {"baddn", "400 Malformed From"},
      {"badvers", "505 Version Not Supported"},
      {"mismatch01", "400 CSeq Method Mismatch"},
      {"mismatch02", "400 CSeq Method Mismatch"},
      {"bigcode", "drop"},
      // 3.2 and 3.3: sound messages for the layers above, but for missing and repeated headers.
      {"badbranch", ""},
      {"insuf", "drop"},  // without From, To and Call-ID there is nothing to make an answer of
      {"unkscm", ""},
      {"novelsc", ""},
      {"unksm2", ""},
      {"bext01", ""},
      {"invut", ""},
      {"regaut01", ""},
      {"multi01", "400 Multiple From"},
      {"mcl01", "400 Multiple Content-Length"},
      {"bcast", ""},
      {"zeromf", ""},
      {"cparam01", ""},
      {"cparam02", ""},
      {"regescrt", ""},
      {"sdp01", ""},
      // 3.4
      {"inv2543", ""},
  };
  return *fates;
}

TEST(TortureTest, EveryMessageMeetsItsFate) {
  for (const auto& [name, fate] : Fates()) EXPECT_EQ(Fate(Golden(name)), fate) << name;
}

TEST(TortureTest, NoGoldenFileIsForgotten) {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(PRESENCE_GOLDEN_DIR) + "/sip/rfc4475")) {
    EXPECT_TRUE(Fates().contains(entry.path().stem().string())) << entry.path();
  }
}

TEST(TortureTest, EveryRequestWithAnAnswerGetsOneThatParses) {
  for (const auto& [name, fate] : Fates()) {
    const std::string text = Golden(name);
    ScanResult result = PreScan(text);
    const auto* scanned = std::get_if<ScannedMessage>(&result);
    const std::optional<AnswerableRequest> answerable =
        scanned != nullptr ? ExtractAnswerable(*scanned) : std::get<Refusal>(result).answerable;
    if (!answerable) continue;
    ResponseSpec spec;
    spec.status = 400;
    spec.to_tag = "srv";
    spec.via_received = "192.0.2.200";
    const std::string response = PrintResponse(*answerable, spec);
    const ScannedMessage scan = Scan(response);
    EXPECT_EQ(scan.status, 400) << name;
    EXPECT_EQ(scan.bytes.size(), response.size()) << name;
    if (fate.empty()) {
      EXPECT_TRUE(Message::Parse(scan).ok()) << name << "\n" << response;
    }
  }
}

// 3.1.1.1
TEST(TortureTest, ReadsTheShortTortuousInvite) {
  const std::unique_ptr<Message> message = Parse(Golden("wsinv"));

  EXPECT_EQ(message->to().uri, "sip:vivekg@chair-dnrc.example.com");
  EXPECT_EQ(message->to().tag, "1918181833n");
  EXPECT_EQ(message->from().display, "\"J Rosenberg \\\\\\\"\"");
  EXPECT_EQ(message->from().tag, "98asjd8");
  EXPECT_EQ(message->max_forwards(), 68u);
  EXPECT_EQ(message->cseq(), 9u);
  EXPECT_EQ(message->via_count(), 3u);
  EXPECT_EQ(message->top_via().host, "192.0.2.2");
  EXPECT_EQ(message->top_via().branch, "390skdjuw");
  EXPECT_FALSE(message->top_via().has_magic_cookie());
  EXPECT_THAT(message->routes(),
              ElementsAre("<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"));
  EXPECT_EQ(message->header("Subject"), "");
  ASSERT_EQ(message->contacts()->size(), 1u);
  EXPECT_EQ(message->contacts()->front().uri, "sip:jdrosen@example.com");
  EXPECT_EQ(FindParameter(message->contacts()->front().parameters, "q"), "0.33");
  EXPECT_EQ(Unfold(*message->header("NewFangledHeader")),
            "newfangled value continued newfangled value");
  EXPECT_EQ(message->body().size(), 150u);
}

// 3.1.1.2 without its NUL.
TEST(TortureTest, ReadsTheWideRangeOfValidCharacters) {
  std::string text = Golden("intmeth");
  text.replace(text.find('\0'), 1, "0");
  const std::unique_ptr<Message> message = Parse(text);

  EXPECT_EQ(message->method(), "!interesting-Method0123456789_*+`.%indeed'~");
  EXPECT_EQ(message->from().tag, "_token~1'+`*%!-.");
  EXPECT_EQ(message->call_id(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
  EXPECT_EQ(message->top_via().branch, "z9hG4bK-.!%66*_+`'~");
}

// 3.1.1.5
TEST(TortureTest, TakesPercentForAnEscapeInUrisOnly) {
  const std::unique_ptr<Message> message = Parse(Golden("esc02"));

  EXPECT_EQ(message->method(), "RE%47IST%45R");
  EXPECT_EQ(message->to().display, "\"%Z%45\"");
  EXPECT_THAT(*message->contacts(),
              ElementsAre(Field(&NameAddr::uri, "sip:alias1@host1.example.com"),
                          Field(&NameAddr::uri, "sip:alias3@host3.example.com")));
}

// 3.1.1.7
TEST(TortureTest, ReadsLongValues) {
  const std::unique_ptr<Message> message = Parse(Golden("longreq"));

  EXPECT_EQ(message->via_count(), 34u);
  EXPECT_GT(message->from().tag.size(), 150u);
  EXPECT_EQ(message->body().size(), 150u);
}

// 3.1.1.8, P18
TEST(TortureTest, DropsTheInviteBehindTheRegister) {
  const std::unique_ptr<Message> message = Parse(Golden("dblreq"));

  EXPECT_EQ(message->method(), "REGISTER");
  EXPECT_EQ(message->body(), "");
  EXPECT_THAT(std::string(message->bytes()), testing::Not(testing::HasSubstr("INVITE")));
}

// 3.1.1.9
TEST(TortureTest, ReadsSemicolonsInTheUserPart) {
  EXPECT_EQ(Parse(Golden("semiuri"))->request_uri()->user(), "user;par=u%40example.net");
}

// 3.1.1.10
TEST(TortureTest, ReadsUnknownTransports) {
  const std::unique_ptr<Message> message = Parse(Golden("transports"));

  EXPECT_EQ(message->via_count(), 5u);
  EXPECT_EQ(message->top_via().transport, "UDP");
}

// 3.1.1.11
TEST(TortureTest, KeepsABinaryBodyWhole) {
  const std::unique_ptr<Message> message = Parse(Golden("mpart01"));

  EXPECT_EQ(message->body().size(), 553u);
  EXPECT_NE(message->body().find('\0'), std::string_view::npos);
  EXPECT_TRUE(message->body().ends_with("--7a9cbec02ceef655--\r\n"));
}

// 3.1.1.12, 3.1.1.13
TEST(TortureTest, ReadsUnusualAndEmptyPhrases) {
  EXPECT_TRUE(Parse(Golden("unreason"))->phrase().starts_with("= 2**3 * 5**2 \xd0\xbd"));
  EXPECT_EQ(Parse(Golden("noreason"))->phrase(), "");
}

// 3.3.2, 3.3.3
TEST(TortureTest, KnowsTheSchemesThatDeserveA416) {
  EXPECT_EQ(Parse(Golden("unkscm"))->request_uri()->scheme(), "nobodyknowsthisscheme");
  EXPECT_EQ(Parse(Golden("novelsc"))->request_uri()->scheme(), "soap.beep");
}

// 3.3.12, 3.3.13
TEST(TortureTest, TellsHeaderParametersFromUriParameters) {
  EXPECT_EQ(Parse(Golden("cparam01"))->contacts()->front().uri, "sip:+19725552222@gw1.example.net");
  EXPECT_EQ(Parse(Golden("cparam02"))->contacts()->front().uri,
            "sip:+19725552222@gw1.example.net;unknownparam");
}

}  // namespace
}  // namespace presence::sip
