#include "presence-core/rpc/rpc_server.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "presence/v1/admin.grpc.pb.h"
#include "presence/v1/gateway.grpc.pb.h"
#include "presence/v1/presence.grpc.pb.h"
#include "runtime/worker.h"
#include "tests/fakes/text_package.h"

namespace presence {
namespace {

// The clock of the process, which a test may put forward. Safe to use from any thread.
class ForwardClock final : public Clock {
 public:
  absl::Time Now() const override { return clock_.Now() + absl::Seconds(ahead_.load()); }
  absl::Time WallNow() const override { return clock_.WallNow() + absl::Seconds(ahead_.load()); }
  void PutForward(int seconds) { ahead_ += seconds; }

 private:
  SystemClock clock_;
  std::atomic<int> ahead_ = 0;
};

// A whole server over gRPC on a port of the kernel's choice, with threads as in production.
class RpcServerTest : public testing::Test {
 protected:
  void SetUp() override {
    engine_ = std::make_unique<Engine>(EngineConfig(), *registry_,
                                       std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
                                       journal_, *worker_, clock_, random_, 3);
    ASSERT_TRUE(engine_->Start().ok());
    RpcServer::Options options;
    options.listen = {"127.0.0.1:0"};
    options.core_name = "core1";
    options.is_owner = [this] { return is_owner_.load(); };
    auto server = RpcServer::Start(*engine_, *worker_, clock_, random_, options);
    ASSERT_TRUE(server.ok());
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
    stub_ = v1::PresenceService::NewStub(channel_);
  }

  // As the process does: the worker ends before what its tasks use.
  void TearDown() override {
    server_->Stop(absl::Seconds(1));
    worker_.reset();
    server_.reset();
  }

  grpc::Status Publish(const std::string& text, v1::PublishResponse* response,
                       const std::string& etag = "") {
    grpc::ClientContext context;
    v1::PublishRequest request;
    request.set_presentity("sip:alice@example.com");
    request.set_event("presence");
    request.set_etag(etag);
    request.mutable_document()->set_content_type("text/plain");
    request.mutable_document()->set_text(text);
    return stub_->Publish(&context, request, response);
  }

  // As a gateway of a program's own would ask.
  v1::SubscribeRequest Subscription() {
    v1::SubscribeRequest request;
    request.set_presentity("sip:alice@example.com");
    request.set_event("presence");
    request.set_watcher("sip:bob@example.com");
    request.mutable_dialog()->set_call_id(fmt::format("call-{}", ++calls_));
    request.mutable_dialog()->set_remote_tag("remote");
    request.mutable_dialog()->set_remote_uri("sip:bob@example.com");
    request.mutable_dialog()->set_local_uri("sip:alice@example.com");
    request.mutable_dialog()->set_remote_target("sip:bob@192.0.2.1");
    request.mutable_dialog()->set_gateway("gw1");
    request.set_cseq(1);
    return request;
  }
  grpc::Status Subscribe(const v1::SubscribeRequest& request, v1::SubscribeResponse* response) {
    grpc::ClientContext context;
    return stub_->Subscribe(&context, request, response);
  }
  // The tag is the id of the subscription.
  std::string Subscribe(absl::Duration expiry) {
    v1::SubscribeRequest request = Subscription();
    request.mutable_expiry()->set_seconds(absl::ToInt64Seconds(expiry));
    v1::SubscribeResponse response;
    const grpc::Status status = Subscribe(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.local_tag();
  }
  std::pair<bool, int> Subscribers() {
    grpc::ClientContext context;
    v1::HasSubscribersRequest request;
    request.set_presentity("sip:alice@example.com");
    v1::HasSubscribersResponse response;
    EXPECT_TRUE(stub_->HasSubscribers(&context, request, &response).ok());
    return {response.has_subscribers(), response.count()};
  }

  static std::string Reason(const grpc::Status& status) {
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    if (!details.ParseFromString(status.error_details()) || details.details().empty()) return "";
    return details.details(0).UnpackTo(&info) ? info.reason() : "";
  }

  ForwardClock clock_;
  int calls_ = 0;
  std::atomic<bool> is_owner_ = true;
  SecureRandom random_;
  std::unique_ptr<EventRegistry> registry_ = MakeTextRegistry();
  MemoryJournal journal_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(clock_, "core");
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PresenceService::Stub> stub_;
};

// P04 P10 P06
TEST_F(RpcServerTest, PublishesModifiesAndRefusesOverGrpc) {
  v1::PublishResponse first;
  v1::PublishResponse second;

  ASSERT_TRUE(Publish("open", &first).ok());
  ASSERT_TRUE(Publish("busy", &second, first.etag()).ok());
  const grpc::Status stale = Publish("late", &second, first.etag());

  EXPECT_EQ(first.expiry().seconds(), 3600);
  EXPECT_EQ(stale.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Reason(stale), "ETAG_MISMATCH");
}

// P13, P02: with an earlier fault answered first (P03).
TEST_F(RpcServerTest, RefusesAPublicationOfNothing) {
  v1::PublishRequest request;
  request.set_presentity("sip:alice@example.com");
  request.set_event("presence");
  v1::PublishResponse response;
  grpc::ClientContext first;
  EXPECT_EQ(Reason(stub_->Publish(&first, request, &response)), "INVALID_FIELD");
  request.set_event("weather");
  grpc::ClientContext second;
  EXPECT_EQ(Reason(stub_->Publish(&second, request, &response)), "UNKNOWN_EVENT");
  request.set_event("");
  grpc::ClientContext third;
  EXPECT_FALSE(stub_->Publish(&third, request, &response).ok());

  grpc::ClientContext context;
  v1::ListPresentitiesResponse listed;
  ASSERT_TRUE(stub_->ListPresentities(&context, {}, &listed).ok());
  EXPECT_EQ(listed.publications_size(), 0);
}

// P12
TEST_F(RpcServerTest, APublicationOfNoTimeIsAnsweredAndNotStored) {
  grpc::ClientContext publish_context;
  v1::PublishRequest request;
  request.set_presentity("sip:alice@example.com");
  request.set_event("presence");
  request.mutable_document()->set_content_type("text/plain");
  request.mutable_document()->set_text("open");
  request.mutable_expiry()->set_seconds(0);
  v1::PublishResponse response;
  grpc::ClientContext list_context;
  v1::ListPresentitiesResponse listed;

  ASSERT_TRUE(stub_->Publish(&publish_context, request, &response).ok());
  ASSERT_TRUE(stub_->ListPresentities(&list_context, {}, &listed).ok());

  EXPECT_EQ(response.expiry().seconds(), 0);
  EXPECT_NE(response.etag(), "");
  EXPECT_EQ(listed.publications_size(), 0);
}

// P22
TEST_F(RpcServerTest, OfAHundredModificationsAtOnceWithOneTagOneWins) {
  v1::PublishResponse first;
  ASSERT_TRUE(Publish("open", &first).ok());
  std::atomic<int> accepted = 0;
  std::atomic<int> refused = 0;

  std::vector<std::thread> programs;
  for (int i = 0; i < 20; ++i) {
    programs.emplace_back([&, i] {
      for (int j = 0; j < 5; ++j) {
        v1::PublishResponse response;
        const grpc::Status status = Publish(fmt::format("{} {}", i, j), &response, first.etag());
        accepted += status.ok() ? 1 : 0;
        refused += Reason(status) == "ETAG_MISMATCH" ? 1 : 0;
      }
    });
  }
  for (std::thread& program : programs) program.join();

  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(refused, 99);
}

// S01, S05 - S07
TEST_F(RpcServerTest, SubscribesRefreshesAndEndsOverGrpc) {
  v1::SubscribeRequest request = Subscription();
  request.mutable_expiry()->set_seconds(600);
  v1::SubscribeResponse created;
  ASSERT_TRUE(Subscribe(request, &created).ok());
  EXPECT_TRUE(created.created());
  EXPECT_EQ(created.expiry().seconds(), 600);
  EXPECT_EQ(created.state(), v1::SUBSCRIPTION_STATE_ACTIVE);

  request.mutable_dialog()->set_local_tag(created.local_tag());
  request.set_cseq(2);
  request.mutable_expiry()->set_seconds(300);
  v1::SubscribeResponse refreshed;
  ASSERT_TRUE(Subscribe(request, &refreshed).ok());
  EXPECT_FALSE(refreshed.created());
  EXPECT_EQ(refreshed.local_tag(), created.local_tag());
  EXPECT_EQ(refreshed.expiry().seconds(), 300);
  EXPECT_EQ(Subscribers(), std::make_pair(true, 1));

  request.set_cseq(3);
  request.mutable_expiry()->set_seconds(0);
  v1::SubscribeResponse ended;
  ASSERT_TRUE(Subscribe(request, &ended).ok());
  EXPECT_EQ(ended.expiry().seconds(), 0);
  EXPECT_EQ(Subscribers(), std::make_pair(false, 0));
  request.set_cseq(4);
  EXPECT_EQ(Reason(Subscribe(request, &ended)), "SUBSCRIPTION_UNKNOWN");
  request.mutable_dialog()->set_local_tag("nobody");
  EXPECT_EQ(Reason(Subscribe(request, &ended)), "SUBSCRIPTION_UNKNOWN");
}

// S03, S04, S10, S23
TEST_F(RpcServerTest, GrantsAndRefusesSubscriptionsOverGrpcAsOverSip) {
  v1::SubscribeResponse response;
  ASSERT_TRUE(Subscribe(Subscription(), &response).ok());
  EXPECT_EQ(response.expiry().seconds(), 3600);
  v1::SubscribeRequest request = Subscription();
  request.mutable_expiry()->set_seconds(100 * 3600);
  ASSERT_TRUE(Subscribe(request, &response).ok());
  EXPECT_EQ(response.expiry().seconds(), 24 * 3600);
  EXPECT_EQ(Subscribers(), std::make_pair(true, 2));

  request = Subscription();
  request.mutable_expiry()->set_seconds(59);
  EXPECT_EQ(Reason(Subscribe(request, &response)), "INTERVAL_TOO_BRIEF");
  request = Subscription();
  request.set_has_accept(true);
  EXPECT_EQ(Reason(Subscribe(request, &response)), "NOT_ACCEPTABLE");
  request = Subscription();
  request.set_event("weather");
  EXPECT_EQ(Reason(Subscribe(request, &response)), "UNKNOWN_EVENT");
  request = Subscription();
  request.mutable_expiry()->set_seconds(0);
  ASSERT_TRUE(Subscribe(request, &response).ok());
  EXPECT_EQ(response.expiry().seconds(), 0);

  EXPECT_EQ(Subscribers(), std::make_pair(true, 2));
}

// O05
TEST_F(RpcServerTest, CountsSubscribersThatHaveNotExpired) {
  EXPECT_EQ(Subscribers(), std::make_pair(false, 0));
  Subscribe(absl::Minutes(1));
  const std::string longer = Subscribe(absl::Minutes(10));
  EXPECT_EQ(Subscribers(), std::make_pair(true, 2));

  clock_.PutForward(61);
  EXPECT_EQ(Subscribers(), std::make_pair(true, 1));
  grpc::ClientContext context;
  v1::UnsubscribeRequest end;
  end.set_id(longer);
  v1::UnsubscribeResponse nothing;
  ASSERT_TRUE(stub_->Unsubscribe(&context, end, &nothing).ok());

  EXPECT_EQ(Subscribers(), std::make_pair(false, 0));
}

class PendingRpcServerTest : public RpcServerTest {
 protected:
  PendingRpcServerTest() { registry_ = MakeTextRegistry(UnknownWatcher::kPending); }
  int Standing(const std::string& watcher) {
    grpc::ClientContext context;
    v1::GetAuthorizationRequest request;
    request.set_presentity("sip:alice@example.com");
    request.set_watcher("sip:" + watcher + "@example.com");
    v1::GetAuthorizationResponse response;
    EXPECT_TRUE(stub_->GetAuthorization(&context, request, &response).ok());
    return response.state();
  }
};

// O05: the numbers that pres_auth_status had.
TEST_F(PendingRpcServerTest, TellsWhereAWatcherStandsInNumbers) {
  grpc::ClientContext approve_context;
  v1::ApproveWatcherRequest approve;
  approve.set_presentity("sip:alice@example.com");
  approve.set_watcher("sip:friend@example.com");
  v1::ApproveWatcherResponse approved;
  ASSERT_TRUE(stub_->ApproveWatcher(&approve_context, approve, &approved).ok());
  grpc::ClientContext block_context;
  v1::BlockWatcherRequest block;
  block.set_presentity("sip:alice@example.com");
  block.set_watcher("sip:foe@example.com");
  v1::BlockWatcherResponse blocked;
  ASSERT_TRUE(stub_->BlockWatcher(&block_context, block, &blocked).ok());
  Subscribe(absl::ZeroDuration());  // a fetch by bob

  EXPECT_EQ(Standing("friend"), 1);
  EXPECT_EQ(Standing("stranger"), 2);
  EXPECT_EQ(Standing("foe"), 3);
  EXPECT_EQ(Standing("bob"), 4);
}

// O08
TEST_F(RpcServerTest, StreamsTheSnapshotAndEveryNewerState) {
  v1::PublishResponse published;
  ASSERT_TRUE(Publish("open", &published).ok());
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_watcher("sip:app@example.com");
  request.add_targets()->set_presentity("alice@example.com");
  auto reader = stub_->Watch(&context, request);
  v1::WatchResponse item;

  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.state().document().text(), "open");
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_TRUE(item.has_snapshot_done());
  ASSERT_TRUE(Publish("busy", &published, published.etag()).ok());
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.state().document().text(), "busy");

  context.TryCancel();
  while (reader->Read(&item)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// What no commit has confirmed may be wrong while another core may own the state.
TEST_F(RpcServerTest, TellsNothingWhileAnotherCoreMayOwnTheState) {
  v1::PublishResponse published;
  ASSERT_TRUE(Publish("open", &published).ok());
  grpc::ClientContext watching;
  v1::WatchRequest request;
  request.set_watcher("sip:app@example.com");
  request.add_targets()->set_presentity("alice@example.com");
  auto reader = stub_->Watch(&watching, request);
  v1::WatchResponse item;
  ASSERT_TRUE(reader->Read(&item));
  ASSERT_TRUE(reader->Read(&item));
  grpc::ClientContext connecting;
  auto gateway = v1::GatewayService::NewStub(channel_)->Connect(&connecting);
  v1::ConnectRequest hello;
  hello.mutable_hello()->set_gateway("edge");
  ASSERT_TRUE(gateway->Write(hello));
  v1::ConnectResponse frame;
  ASSERT_TRUE(gateway->Read(&frame));

  is_owner_ = false;

  grpc::ClientContext context;
  v1::GetStateRequest get;
  get.set_presentity("alice@example.com");
  v1::GetStateResponse state;
  EXPECT_EQ(Reason(stub_->GetState(&context, get, &state)), "STORAGE_UNAVAILABLE");
  grpc::ClientContext listing;
  v1::ListPresentitiesResponse list;
  EXPECT_EQ(Reason(stub_->ListPresentities(&listing, v1::ListPresentitiesRequest(), &list)),
            "STORAGE_UNAVAILABLE");
  // A change is told to those who asked once it is committed, and to nobody else.
  EXPECT_TRUE(Publish("busy", &published, published.etag()).ok());
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_EQ(Reason(reader->Finish()), "STORAGE_UNAVAILABLE");
  EXPECT_FALSE(gateway->Read(&frame));  // nothing was to be said to it
  EXPECT_EQ(Reason(gateway->Finish()), "STORAGE_UNAVAILABLE");
}

TEST_F(RpcServerTest, EndsStreamsWithDrainingWhenItStops) {
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_watcher("sip:app@example.com");
  request.add_targets()->set_presentity("alice@example.com");
  auto reader = stub_->Watch(&context, request);
  v1::WatchResponse item;
  ASSERT_TRUE(reader->Read(&item));

  server_->Stop(absl::Seconds(5));

  while (reader->Read(&item)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(status), "DRAINING");
}

// O03
TEST_F(RpcServerTest, SaysWhichAddressIsTakenAndWhatToDo) {
  RpcServer::Options options;
  options.listen = server_->addresses();

  const auto second = RpcServer::Start(*engine_, *worker_, clock_, random_, options);

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second.status().message(), "cannot listen on " + server_->addresses()[0] +
                                           "; is another server there? --listen names another "
                                           "address");
}

TEST_F(RpcServerTest, CleansUpByKindAndSaysWhichServerItIs) {
  auto admin = v1::AdminService::NewStub(channel_);
  grpc::ClientContext cleanup_context;
  v1::CleanupRequest cleanup;
  v1::CleanupResponse cleaned;
  grpc::ClientContext info_context;
  v1::ServerInfo info;

  ASSERT_TRUE(admin->Cleanup(&cleanup_context, cleanup, &cleaned).ok());
  ASSERT_TRUE(admin->GetServerInfo(&info_context, {}, &info).ok());

  EXPECT_EQ(cleaned.counts_size(), 4);
  EXPECT_EQ(info.epoch(), 3u);
  ASSERT_EQ(info.packages_size(), 1);
  EXPECT_EQ(info.packages(0).event(), "presence");
}

TEST_F(RpcServerTest, SaysWhichMethodIsNotServedYet) {
  auto admin = v1::AdminService::NewStub(channel_);
  grpc::ClientContext context;
  v1::ListGatewaysResponse response;

  const grpc::Status status = admin->ListGateways(&context, {}, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Reason(status), "NOT_SERVED_YET");
}

}  // namespace
}  // namespace presence
