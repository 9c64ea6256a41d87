#include "presence-core/rpc/convert.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "presence-core/rpc/page_token.h"
#include "presence-core/rpc/status_map.h"
#include "presence/v1/errors.pb.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

class ConvertTest : public EngineTest {
 protected:
  void SetUp() override {
    config.domains = {"example.com"};
    StartEngine();
    convert = std::make_unique<Converter>(*engine, clock);
  }
  static v1::PublishRequest Request() {
    v1::PublishRequest request;
    request.set_presentity("sip:alice@example.com");
    request.set_event("presence");
    request.mutable_document()->set_content_type("Text/Plain; charset=UTF-8");
    request.mutable_document()->set_body("open");
    return request;
  }
  ErrorReason Fault(const v1::PublishRequest& request) {
    return ReasonOf(convert->ToCommand(request).status());
  }

  std::unique_ptr<Converter> convert;
};

// P01 P03
TEST_F(ConvertTest, AForeignDomainIsFoundBeforeABadEvent) {
  v1::PublishRequest request = Request();
  request.set_presentity("sip:alice@elsewhere.example");
  request.set_event("weather");

  EXPECT_EQ(Fault(request), ErrorReason::kUserUnknown);
}

// P02
TEST_F(ConvertTest, AnUnknownEventSaysWhatIsServed) {
  for (const char* event : {"weather", "", "presence, dialog", "presence.winfo.winfo"}) {
    v1::PublishRequest request = Request();
    request.set_event(event);
    const absl::Status status = convert->ToCommand(request).status();

    EXPECT_EQ(ReasonOf(status), ErrorReason::kUnknownEvent) << event;
    EXPECT_EQ(MetadataOf(status)["allow_events"], "presence, presence.winfo") << event;
  }
}

TEST_F(ConvertTest, ReadsAPublicationInAllItsSpellings) {
  for (const char* name : {"sip:alice@example.com", "sips:alice@EXAMPLE.com:5061;x=y",
                           "alice@example.com", "domains/example.com/users/alice"}) {
    v1::PublishRequest request = Request();
    request.set_presentity(name);
    const auto command = convert->ToCommand(request);

    ASSERT_TRUE(command.ok()) << name;
    EXPECT_EQ(command->presentity.text(), "alice@example.com");
    EXPECT_EQ(command->document->content_type(), "text/plain");
  }
}

// P14
TEST_F(ConvertTest, RefusesLifetimesThatAreNoSeconds) {
  v1::PublishRequest request = Request();
  request.mutable_expiry()->set_seconds(-1);
  EXPECT_EQ(Fault(request), ErrorReason::kInvalidField);
  request.mutable_expiry()->set_seconds(1);
  request.mutable_expiry()->set_nanos(5);
  EXPECT_EQ(Fault(request), ErrorReason::kInvalidField);
  request.mutable_expiry()->set_seconds(int64_t{1} << 32);
  request.mutable_expiry()->set_nanos(0);
  EXPECT_EQ(Fault(request), ErrorReason::kInvalidField);
}

TEST_F(ConvertTest, TheSameSipRequestHasTheSameKeyAndAnotherHasNot) {
  v1::PublishRequest request = Request();
  request.mutable_sip()->set_call_id("c");
  request.mutable_sip()->set_from_tag("t");
  request.mutable_sip()->set_cseq(7);
  const RequestKey first = convert->ToCommand(request)->idempotency.sip;

  EXPECT_EQ(convert->ToCommand(request)->idempotency.sip, first);
  request.mutable_sip()->set_cseq(8);
  EXPECT_NE(convert->ToCommand(request)->idempotency.sip, first);
}

TEST_F(ConvertTest, RefusesTextThatCouldBreakANotify) {
  v1::SubscribeRequest request;
  request.set_presentity("sip:alice@example.com");
  request.set_event("presence");
  request.set_watcher("sip:bob@example.com");
  v1::Dialog& dialog = *request.mutable_dialog();
  dialog.set_call_id("c");
  dialog.set_remote_tag("t");
  dialog.set_local_uri("sip:alice@example.com");
  dialog.set_remote_uri("sip:bob@example.com");
  dialog.set_remote_target("sip:bob@192.0.2.1");
  dialog.set_gateway("gw");
  ASSERT_TRUE(convert->ToCommand(request).ok());

  dialog.set_remote_target("sip:bob@192.0.2.1\r\nRoute: <sip:evil>");
  EXPECT_EQ(ReasonOf(convert->ToCommand(request).status()), ErrorReason::kInvalidField);
  dialog.set_remote_target("");
  EXPECT_EQ(ReasonOf(convert->ToCommand(request).status()), ErrorReason::kInvalidField);
}

TEST_F(ConvertTest, EveryReasonTravelsWithItsNameMetadataAndRetry) {
  const absl::Status status = Overloaded("busy", absl::Milliseconds(1500));

  const grpc::Status grpc_status = ToGrpc(status);

  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(grpc_status.error_details()));
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(grpc_status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(info.reason(), "OVERLOADED");
  EXPECT_EQ(info.domain(), "presence");
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST_F(ConvertTest, FieldsAreNamedInBadRequest) {
  const grpc::Status status = ToGrpc(InvalidField("expiry", "too long"));

  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.details(1).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(0).field(), "expiry");
}

TEST_F(ConvertTest, PageTokensGoOnAfterAnyAddress) {
  for (const char* uri : {"sip:~bob@example.com", "sip:~41@example.com", "sip:a%40b@example.com",
                          "sip:a%2Fb%25@example.com", "tel:+1-202-555-0100"}) {
    const Cursor cursor{{*PresentityUri::Parse(uri), *EventName::Parse("presence")}, 42, "x"};

    const auto back = FromPageToken(ToPageToken(cursor, "list"), "list");

    ASSERT_TRUE(back.ok()) << uri << ": " << back.status();
    EXPECT_EQ((*back)->key, cursor.key) << uri;
  }
}

TEST_F(ConvertTest, PageTokensAreForTheirListOnly) {
  const Cursor cursor{Key("alice"), 17, "bob@example.com"};
  const std::string token = ToPageToken(cursor, "list one");

  const auto back = FromPageToken(token, "list one");

  ASSERT_TRUE(back.ok());
  EXPECT_EQ((*back)->key, cursor.key);
  EXPECT_EQ((*back)->row, 17u);
  EXPECT_EQ((*back)->name, "bob@example.com");
  EXPECT_EQ(ReasonOf(FromPageToken(token, "list two").status()), ErrorReason::kBadToken);
  EXPECT_EQ(ReasonOf(FromPageToken("%%%", "list one").status()), ErrorReason::kBadToken);
}

}  // namespace
}  // namespace presence
