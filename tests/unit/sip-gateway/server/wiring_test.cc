#include "sip-gateway/server/wiring.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/v1/gateway.grpc.pb.h"
#include "tests/fakes/http_get.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

// A core that accepts every PUBLISH, over real gRPC.
class AcceptingCore final : public v1::GatewayService::Service {
 public:
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ConnectResponse, v1::ConnectRequest>* stream) override {
    v1::ConnectRequest frame;
    while (stream->Read(&frame)) {
      v1::ConnectResponse answer;
      if (frame.has_hello()) {
        answer.mutable_welcome()->set_core("core-1");
        answer.mutable_welcome()->set_epoch(1);
        answer.mutable_welcome()->set_command_credit(100);
        answer.mutable_welcome()->add_events("presence");
      }
      for (const auto& command : frame.commands()) {
        v1::CommandReply& reply = *answer.add_replies();
        reply.set_command_id(command.command_id());
        reply.mutable_publish()->set_etag("etag-" + command.publish().presentity());
        reply.mutable_publish()->mutable_expiry()->set_seconds(60);
      }
      stream->Write(answer);
    }
    return grpc::Status::OK;
  }
};

// A phone's UDP socket on loopback.
class Phone {
 public:
  Phone() : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Phone() { close(fd_); }

  void Connect(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  std::unique_ptr<Message> Ask(const std::string& request) {
    EXPECT_EQ(send(fd_, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    std::array<char, 65536> buffer;
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return nullptr;
    return Parse(std::string(buffer.data(), static_cast<size_t>(size)));
  }

 private:
  const int fd_;
};

v1::GatewayConfig SomeConfig() {
  v1::GatewayConfig config;
  config.set_dev(true);
  config.add_listen("udp:127.0.0.1:0");
  config.add_listen("tcp:127.0.0.1:0");
  config.mutable_core()->add_addresses("127.0.0.1:1");
  config.mutable_core()->mutable_resend_timeout()->set_seconds(10);
  config.mutable_core()->mutable_absent_timeout()->set_seconds(10);
  config.mutable_sip()->mutable_t1()->set_nanos(500'000'000);
  config.mutable_sip()->mutable_t2()->set_seconds(4);
  config.mutable_transaction()->set_max_answers(1024);
  config.mutable_transport()->set_max_connections(10);
  config.mutable_transport()->set_max_connections_per_source(10);
  config.mutable_transport()->mutable_message_deadline()->set_seconds(10);
  config.mutable_transport()->mutable_idle_timeout()->set_seconds(10);
  config.mutable_transport()->mutable_connect_timeout()->set_seconds(1);
  config.mutable_dns()->add_servers("127.0.0.1");
  return config;
}

std::unique_ptr<GatewayProcess> Open(const v1::GatewayConfig& config) {
  auto process = GatewayProcess::Open(config, {.host_name = "box", .version = "0"});
  if (!process.ok()) {
    ADD_FAILURE() << process.status();
    return nullptr;
  }
  return *std::move(process);
}

uint16_t PortOf(const std::string& listener) {
  return static_cast<uint16_t>(std::stoi(listener.substr(listener.rfind(':') + 1)));
}

TEST(WiringTest, NamesTheListenersWithThePortsInUse) {
  const auto process = Open(SomeConfig());
  ASSERT_NE(process, nullptr);

  const std::vector<std::string> names = process->ListenerNames();

  ASSERT_THAT(names, testing::SizeIs(2));
  EXPECT_THAT(names[0], testing::MatchesRegex("udp:127\\.0\\.0\\.1:[0-9]+"));
  EXPECT_THAT(names[1], testing::MatchesRegex("tcp:127\\.0\\.0\\.1:[0-9]+"));
  EXPECT_NE(PortOf(names[0]), 0);
}

TEST(WiringTest, SaysWhichListenerCannotBeOpened) {
  v1::GatewayConfig config = SomeConfig();
  config.clear_listen();
  config.add_listen("udp:192.0.2.1:5060");  // TEST-NET-1: no interface has it

  const auto process = GatewayProcess::Open(config, {.host_name = "box", .version = "0"});

  ASSERT_FALSE(process.ok());
  EXPECT_THAT(std::string(process.status().message()), testing::HasSubstr("192.0.2.1"));
}

// P04, over sockets and gRPC.
TEST(WiringTest, CarriesAPublishFromASocketToTheCoreAndBack) {
  AcceptingCore core;
  int core_port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &core_port);
  builder.RegisterService(&core);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  v1::GatewayConfig config = SomeConfig();
  config.mutable_core()->set_addresses(0, "127.0.0.1:" + std::to_string(core_port));
  const auto process = Open(config);
  ASSERT_NE(process, nullptr);
  std::thread loop([&] { process->Run(); });
  Phone phone;
  phone.Connect(PortOf(process->ListenerNames()[0]));

  RequestText text;
  text.Method("PUBLISH").With("Event: presence\nContent-Type: application/pidf+xml\n").body =
      "<p/>";
  const auto answer = phone.Ask(text.Text());
  process->LogCounters();
  process->Stop();
  loop.join();
  server->Shutdown(absl::ToChronoTime(absl::Now()));

  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->header("SIP-ETag"), "etag-sip:alice@example.com");
}

TEST(WiringTest, TellsOperatorsHowItIs) {
  AcceptingCore core;
  int core_port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &core_port);
  builder.RegisterService(&core);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  v1::GatewayConfig config = SomeConfig();
  config.set_ops_listen("127.0.0.1:0");
  config.mutable_core()->set_addresses(0, "127.0.0.1:" + std::to_string(core_port));
  const auto process = Open(config);
  ASSERT_NE(process, nullptr);
  const std::string ops = process->OpsAddress();
  // Nobody has turned the loop yet: it lives, but has no core, and its numbers do not come.
  EXPECT_THAT(HttpGet(ops, "/live"), testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(HttpGet(ops, "/ready"), testing::EndsWith("\r\n\r\nno core\n"));
  EXPECT_THAT(HttpGet(ops, "/metrics"), testing::StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(HttpGet(ops, "/version"), testing::EndsWith("\r\n\r\nsip-gateway 0\n"));

  std::thread loop([&] { process->Run(); });
  Phone phone;
  phone.Connect(PortOf(process->ListenerNames()[0]));
  RequestText text;
  text.Method("PUBLISH").With("Event: presence\nContent-Type: application/pidf+xml\n").body =
      "<p/>";
  EXPECT_NE(phone.Ask(text.Text()), nullptr);  // a core has answered it

  EXPECT_THAT(HttpGet(ops, "/ready"), testing::StartsWith("HTTP/1.1 200 "));
  const std::string metrics = HttpGet(ops, "/metrics");
  EXPECT_THAT(metrics, testing::HasSubstr("sip_gateway_requests_total{method=\"PUBLISH\"} 1\n"));
  EXPECT_THAT(metrics, testing::HasSubstr("sip_gateway_core_connected 1\n"));
  process->Stop();
  loop.join();
  EXPECT_THAT(HttpGet(ops, "/ready"), testing::EndsWith("\r\n\r\nstopping\n"));
  server->Shutdown(absl::ToChronoTime(absl::Now()));
}

TEST(WiringTest, SaysWhichOpsAddressCannotBeListenedOn) {
  v1::GatewayConfig config = SomeConfig();
  config.set_ops_listen("192.0.2.1:1");

  const auto process = GatewayProcess::Open(config, {.host_name = "box", .version = "0"});

  ASSERT_FALSE(process.ok());
  EXPECT_THAT(std::string(process.status().message()), testing::HasSubstr("192.0.2.1:1"));
}

TEST(WiringTest, AnswersOptionsWithoutACoreAndStops) {
  const auto process = Open(SomeConfig());
  ASSERT_NE(process, nullptr);
  std::thread loop([&] { process->Run(); });
  Phone phone;
  phone.Connect(PortOf(process->ListenerNames()[0]));

  RequestText text;
  const auto answer = phone.Ask(text.Method("OPTIONS").Text());
  process->Stop();
  process->Stop();  // a second one ends at once
  loop.join();

  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->status(), 200);
}

}  // namespace
}  // namespace presence::sip
