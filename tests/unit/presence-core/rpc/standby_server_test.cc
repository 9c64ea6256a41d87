#include "presence-core/rpc/standby_server.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"
#include "presence/v1/gateway.grpc.pb.h"
#include "presence/v1/presence.grpc.pb.h"

namespace presence {
namespace {

using testing::HasSubstr;

// What the owner of the state would answer; says whether the call was handed on.
class Owner final : public v1::PresenceService::Service {
 public:
  Owner() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  const std::string& address() const { return address_; }
  void Die() { server_->Shutdown(); }

  grpc::Status HasSubscribers(grpc::ServerContext* context,
                              const v1::HasSubscribersRequest* request,
                              v1::HasSubscribersResponse* response) override {
    if (request->event() == "no-such") return ToGrpc(UnknownEvent("no-such", "presence"));
    const auto metadata = context->client_metadata();
    response->set_count(
        metadata.count("presence-handed-on") == 1 && metadata.find("trace")->second == "7" ? 42
                                                                                           : 0);
    return grpc::Status::OK;
  }

 private:
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

class StandbyServerTest : public testing::Test {
 protected:
  static std::unique_ptr<StandbyServer> Start() {
    auto server = StandbyServer::Start({"127.0.0.1:0"});
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }
  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
  }
  grpc::Status Ask(const std::string& event, uint32_t* count = nullptr) const {
    grpc::ClientContext context;
    context.AddMetadata("trace", "7");
    v1::HasSubscribersRequest request;
    request.set_event(event);
    v1::HasSubscribersResponse response;
    const grpc::Status status =
        v1::PresenceService::NewStub(Channel())->HasSubscribers(&context, request, &response);
    if (count != nullptr) *count = response.count();
    return status;
  }
  // The ErrorReason, with "!" where the caller is told when to come again.
  static std::string Reason(const grpc::Status& status) {
    google::rpc::Status details;
    details.ParseFromString(status.error_details());
    std::string reason;
    for (const auto& detail : details.details()) {
      google::rpc::ErrorInfo info;
      if (detail.UnpackTo(&info)) reason = info.reason() + reason;
      if (detail.Is<google::rpc::RetryInfo>()) reason += "!";
    }
    return reason;
  }

  Owner owner_;
  std::unique_ptr<StandbyServer> server_ = Start();
};

TEST_F(StandbyServerTest, HandsAUnaryCallOnWithItsMetadata) {
  server_->Follow({"first", owner_.address()});

  uint32_t count = 0;
  EXPECT_TRUE(Ask("presence", &count).ok());

  EXPECT_EQ(count, 42u);
}

TEST_F(StandbyServerTest, HandsBackWhatTheOwnerRefusesInItsWords) {
  server_->Follow({"first", owner_.address()});

  const grpc::Status status = Ask("no-such");

  EXPECT_EQ(Reason(status), "UNKNOWN_EVENT");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StandbyServerTest, SaysThatThereIsNoOwner) {
  EXPECT_EQ(Reason(Ask("presence")), "CORE_UNREACHABLE!");

  server_->Follow({"first", ""});
  EXPECT_EQ(Reason(Ask("presence")), "CORE_UNREACHABLE!");

  server_->Follow({"first", owner_.address()});
  EXPECT_TRUE(Ask("presence").ok());
  owner_.Die();
  const grpc::Status status = Ask("presence");
  EXPECT_EQ(Reason(status), "CORE_UNREACHABLE!");
  EXPECT_THAT(status.error_message(), HasSubstr("first at " + owner_.address()));
}

TEST_F(StandbyServerTest, SendsStreamsToTheOwner) {
  server_->Follow({"first", owner_.address()});

  grpc::ClientContext context;
  auto stream = v1::PresenceService::NewStub(Channel())->Watch(&context, v1::WatchRequest());
  v1::WatchResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status watch = stream->Finish();
  grpc::ClientContext gateway;
  auto link = v1::GatewayService::NewStub(Channel())->Connect(&gateway);
  v1::ConnectResponse frame;
  EXPECT_FALSE(link->Read(&frame));
  const grpc::Status connect = link->Finish();

  for (const grpc::Status& status : {watch, connect}) {
    EXPECT_EQ(Reason(status), "CORE_UNREACHABLE!");
    EXPECT_THAT(status.error_message(), HasSubstr("first at " + owner_.address()));
  }
}

TEST_F(StandbyServerTest, TwoThatTakeEachOtherForTheOwnerDoNotPlayBall) {
  const auto other = Start();
  other->Follow({"first", server_->addresses()[0]});
  server_->Follow({"second", other->addresses()[0]});

  EXPECT_EQ(Reason(Ask("presence")), "CORE_UNREACHABLE!");
}

TEST_F(StandbyServerTest, SaysWhichAddressIsTaken) {
  const auto second = StandbyServer::Start({server_->addresses()[0]});

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server_->addresses()[0]));
}

TEST_F(StandbyServerTest, FreesItsAddressesWhenItStops) {
  const std::string address = server_->addresses()[0];
  server_->Stop();

  EXPECT_TRUE(StandbyServer::Start({address}).ok());
}

}  // namespace
}  // namespace presence
