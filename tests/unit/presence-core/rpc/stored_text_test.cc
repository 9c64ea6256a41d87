// What PostgreSQL refuses as text - NUL, and what is not UTF-8 - is refused at the edge, field by
// field. The fields are found by reflection, so that a new one is tried before anybody thinks of
// it: it has to be refused, or to stand in kNeverText.
//
// Over the wire protobuf refuses what is not UTF-8 by itself (see the last test); NUL is UTF-8.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "presence-core/model/utf8.h"
#include "presence-core/rpc/convert.h"
#include "presence-core/rpc/status_map.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using namespace std::string_view_literals;

// NUL, a line end, DEL; a lone byte, NUL in two bytes, half a surrogate pair, a character cut
// short, and one beyond Unicode.
constexpr std::string_view kBadTexts[] = {
    "\0"sv,       "\r\n"sv,         "\x7F"sv,     "\xFF"sv,
    "\xC0\x80"sv, "\xED\xA0\x80"sv, "\xE2\x82"sv, "\xF4\x90\x80\x80"sv};

// Compared, hashed or stored as bytes; never text in a row.
const std::set<std::string> kNeverText = {"etag",         "request_id",       "sip.call_id",
                                          "sip.from_tag", "dialog.local_tag", "document.text",
                                          "accept"};
// A parser of its own refuses these, and calls them by what they are.
const std::set<std::string> kUris = {"presentity", "watcher", "watcher_alias"};

// The paths of all texts that a message can hold.
std::vector<std::string> TextsOf(const google::protobuf::Descriptor& type,
                                 const std::string& prefix = "") {
  std::vector<std::string> paths;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = prefix + field.name();
    if (field.type() == FieldDescriptor::TYPE_STRING) paths.push_back(path);
    if (field.type() != FieldDescriptor::TYPE_MESSAGE) continue;
    for (std::string& inner : TextsOf(*field.message_type(), path + ".")) {
      paths.push_back(std::move(inner));
    }
  }
  return paths;
}

// Puts `bad` into the text at `path`: into the middle of what is there, or between two letters.
void Spoil(Message& message, std::string_view path, std::string_view bad) {
  const size_t dot = path.find('.');
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& field =
      *message.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  if (dot != std::string_view::npos) {
    return Spoil(*reflection.MutableMessage(&message, &field), path.substr(dot + 1), bad);
  }
  const bool is_list = field.is_repeated();
  std::string text = is_list ? "xy" : reflection.GetString(message, &field);
  if (text.empty()) text = "xy";
  const size_t place = text.starts_with("sip:") ? 5 : text.size() / 2;
  text.insert(place, bad);
  if (is_list) return reflection.AddString(&message, &field, std::move(text));
  reflection.SetString(&message, &field, std::move(text));
}

class StoredTextTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    convert = std::make_unique<Converter>(*engine, clock);
  }

  // Every text of `good`, which `status_of` takes as it is, with each bad text in it.
  template <typename Request, typename StatusOf>
  void ExpectRefusals(const Request& good, StatusOf status_of) {
    ASSERT_TRUE(status_of(good).ok()) << status_of(good);
    for (const std::string& path : TextsOf(*good.GetDescriptor())) {
      for (const std::string_view bad : kBadTexts) {
        SCOPED_TRACE(good.GetDescriptor()->name() + "." + path + " with " + Printable(bad));
        Request request = good;
        Spoil(request, path, bad);
        ExpectRefusal(path, status_of(request));
      }
    }
  }

  std::unique_ptr<Converter> convert;

 private:
  static void ExpectRefusal(const std::string& path, const absl::Status& status) {
    if (kNeverText.contains(path)) {
      EXPECT_TRUE(status.ok()) << status;
    } else if (path == "event") {
      EXPECT_EQ(ReasonOf(status), ErrorReason::kUnknownEvent);
    } else if (kUris.contains(path)) {
      EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidUri);
      EXPECT_TRUE(path.starts_with(MetadataOf(status)["field"]));
    } else {
      EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidField);
      EXPECT_EQ(MetadataOf(status)["field"], path);
    }
  }
};

TEST_F(StoredTextTest, IsRefusedInAPublishUnlessItIsClean) {
  v1::PublishRequest publish;
  publish.set_presentity("sip:alice@example.com");
  publish.set_event("presence");
  publish.set_sender("sip:desk@192.0.2.1");
  publish.mutable_document()->set_content_type("text/plain");
  publish.mutable_document()->set_body("open");

  ExpectRefusals(publish, [&](const v1::PublishRequest& request) {
    return convert->ToCommand(request).status();
  });
}

TEST_F(StoredTextTest, IsRefusedInASubscribeUnlessItIsClean) {
  v1::SubscribeRequest subscribe;
  subscribe.set_presentity("sip:alice@example.com");
  subscribe.set_event("presence");
  subscribe.set_watcher("sip:bob@example.com");
  subscribe.set_watcher_alias("sip:robert@example.com");
  v1::Dialog& dialog = *subscribe.mutable_dialog();
  dialog.set_call_id("call");
  dialog.set_remote_tag("tag");
  dialog.set_local_uri("sip:alice@example.com");
  dialog.set_remote_uri("sip:bob@example.com");
  dialog.set_remote_target("sip:bob@192.0.2.1");
  dialog.set_gateway("edge");

  ExpectRefusals(subscribe, [&](const v1::SubscribeRequest& request) {
    return convert->ToCommand(request).status();
  });
}

TEST_F(StoredTextTest, IsRefusedInADecisionUnlessItIsClean) {
  v1::BlockWatcherRequest block;
  block.set_presentity("sip:alice@example.com");
  block.set_watcher("sip:bob@example.com");

  ExpectRefusals(block, [&](const v1::BlockWatcherRequest& request) {
    return convert
        ->ToDecision(request.presentity(), request.event(), request.watcher(), request.request_id(),
                     WatcherDecision::kBlock)
        .status();
  });
}

// An identity is compared by its text, so what %00 or %FF stands for counts.
TEST_F(StoredTextTest, IsRefusedWhereOnlyItsEscapesAreClean) {
  for (const char* user : {"a%00b", "a%FFb", "a%C0%80b", "a%ED%A0%80b"}) {
    const std::string uri = std::string("sip:") + user + "@example.com";
    EXPECT_EQ(ReasonOf(convert->ToPresentity(uri).status()), ErrorReason::kInvalidUri) << uri;
    EXPECT_EQ(ReasonOf(convert->ToWatcher(uri).status()), ErrorReason::kInvalidUri) << uri;
  }
}

TEST(WireTest, ProtobufRefusesTextThatIsNotUtf8ByItself) {
  v1::PublishRequest request;
  EXPECT_TRUE(request.ParseFromString(std::string("\x0A\x01\x00", 3)));
  EXPECT_EQ(request.presentity(), "\0"sv);

  EXPECT_FALSE(request.ParseFromString("\x0A\x01\xFF"));
}

}  // namespace
}  // namespace presence
