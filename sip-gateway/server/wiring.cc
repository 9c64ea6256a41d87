#include "sip-gateway/server/wiring.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "logging/logging.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/core_link/grpc_stream.h"
#include "sip-gateway/locating/cares_resolver.h"
#include "sip-gateway/locating/dns_locator.h"
#include "sip-gateway/server/counters.h"
#include "sip-gateway/server/gateway.h"
#include "sip-gateway/server/gateway_metrics.h"
#include "sip-gateway/server/loop_watcher.h"
#include "sip-gateway/transport/event_loop.h"
#include "sip-gateway/transport/socket_transport.h"
#include "telemetry/ops_server.h"

namespace presence::sip {
namespace {

// What is under way is given this long to finish. A phone repeats its request after 500 ms, a core
// needs milliseconds; a mute watcher is not worth waiting for, its NOTIFY comes again.
constexpr absl::Duration kDrainTime = absl::Seconds(2);
constexpr absl::Duration kDrainLook = absl::Milliseconds(20);
// A turn of the loop takes milliseconds; an event loop that ends answers nobody any more.
constexpr absl::Duration kMetricsPatience = absl::Seconds(1);

// The transport wants its sink before there is a gateway, and the gateway its transport.
class SinkRelay final : public MessageSink {
 public:
  void SetTarget(MessageSink* target) { target_ = target; }

  void OnMessage(const Source& source, const ScannedMessage& message) override {
    if (target_ != nullptr) target_->OnMessage(source, message);
  }
  void OnRefused(const Source& source, const Refusal& refusal) override {
    if (target_ != nullptr) target_->OnRefused(source, refusal);
  }
  void OnFlowClosed(FlowId flow, SendFailure why) override {
    if (target_ != nullptr) target_->OnFlowClosed(flow, why);
  }
  void OnSendFailed(SendTag tag, SendFailure why) override {
    if (target_ != nullptr) target_->OnSendFailed(tag, why);
  }
  void OnIcmpError(const SocketAddress& remote, std::string_view quoted, SendFailure why) override {
    if (target_ != nullptr) target_->OnIcmpError(remote, quoted, why);
  }

 private:
  MessageSink* target_ = nullptr;
};

// Says once that a core is missing and once that it is back, however often it is tried meanwhile.
class CoreLog final : public GatewayObserver {
 public:
  // From any thread.
  bool is_connected() const { return is_connected_; }

  void OnCoreConnected(const std::string& address, const v1::Welcome& welcome) override {
    spdlog::info("connected to core {} at {}, epoch {}", Printable(welcome.core()), address,
                 welcome.epoch());
    has_said_missing_ = false;
    is_connected_ = true;
  }
  void OnCoreDisconnected(const std::string& address, const absl::Status& why) override {
    is_connected_ = false;
    const auto level = has_said_missing_ ? spdlog::level::debug : spdlog::level::warn;
    spdlog::log(level, "no core at {}: {}; trying again", address,
                Printable({why.message().data(), why.message().size()}));
    has_said_missing_ = true;
  }
  void OnCoreLost(size_t notifies_given_up) override {
    spdlog::error("no core is reachable: requests are answered 503, {} NOTIFYs were given up",
                  notifies_given_up);
  }

 private:
  bool has_said_missing_ = false;
  std::atomic<bool> is_connected_ = false;
};

}  // namespace

// In the order in which each needs those before it.
struct GatewayProcess::Parts {
  SystemClock clock;
  SecureRandom random;
  EventLoop loop{clock};
  LoopWatcher watcher{loop};
  SinkRelay relay;
  CoreLog core_log;
  std::unique_ptr<SocketTransport> transport;
  std::unique_ptr<DnsLocator> locator;
  std::unique_ptr<GrpcStreamOpener> opener;
  std::unique_ptr<Gateway> gateway;
  std::atomic<bool> is_stopping = false;
  absl::Time drain_deadline;
  std::unique_ptr<OpsServer> ops;  // last: its threads read all of the above

  ~Parts() { relay.SetTarget(nullptr); }

  absl::Status OpenDns(const v1::GatewayConfig& config, const TransportConfig& transport_config) {
    CaresResolver::Options resolver_options;
    resolver_options.servers = {config.dns().servers().begin(), config.dns().servers().end()};
    absl::StatusOr<std::unique_ptr<CaresResolver>> resolver =
        CaresResolver::Create(resolver_options, watcher, clock);
    if (!resolver.ok()) return resolver.status();
    DnsLocator::Options options;
    options.rules = LocationRulesOf(transport_config);
    locator = std::make_unique<DnsLocator>(options, *std::move(resolver), watcher, clock, random);
    return absl::OkStatus();
  }

  absl::Status OpenOps(const std::string& listen, const std::string& version) {
    OpsPages pages;
    pages.not_ready = [this]() -> std::optional<std::string> {
      if (is_stopping) return "stopping";
      if (!core_log.is_connected()) return "no core";
      return std::nullopt;
    };
    pages.metrics = [this] { return ReadMetrics(); };
    pages.version = absl::StrCat("sip-gateway ", version);
    absl::StatusOr<std::unique_ptr<OpsServer>> server = OpsServer::Start(listen, std::move(pages));
    if (!server.ok()) return server.status();
    ops = *std::move(server);
    return absl::OkStatus();
  }

  // The numbers are the loop's, so its thread writes them down between two turns. From another
  // thread.
  std::optional<std::string> ReadMetrics() {
    const auto text = std::make_shared<std::promise<std::string>>();
    std::future<std::string> written = text->get_future();
    loop.Post(
        [this, text] { text->set_value(GatewayMetrics(gateway->stats(), transport->stats())); });
    const auto status = written.wait_for(absl::ToChronoMilliseconds(kMetricsPatience));
    if (status != std::future_status::ready) return std::nullopt;
    return written.get();
  }

  void BeginStop() {
    if (is_stopping.exchange(true)) return loop.Stop();
    drain_deadline = clock.Now() + kDrainTime;
    gateway->StartDraining();
    FinishStop();
  }

  // Looks again and again until nothing is under way.
  void FinishStop() {
    if (!gateway->is_drained() && clock.Now() < drain_deadline) {
      loop.PostAt(clock.Now() + kDrainLook, [this] { FinishStop(); });
      return;
    }
    transport->StopReceiving();
    transport->Flush();
    loop.Stop();
  }
};

GatewayProcess::GatewayProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

GatewayProcess::~GatewayProcess() = default;

absl::StatusOr<std::unique_ptr<GatewayProcess>> GatewayProcess::Open(
    const v1::GatewayConfig& config, const HostFacts& host) {
  absl::StatusOr<GatewaySettings> settings = GatewaySettingsOf(config, host);
  if (!settings.ok()) return settings.status();
  absl::StatusOr<TransportConfig> transport_config = TransportConfigOf(config);
  if (!transport_config.ok()) return transport_config.status();

  auto parts = std::make_unique<Parts>();
  absl::StatusOr<std::unique_ptr<SocketTransport>> transport = SocketTransport::Open(
      parts->loop, parts->clock, parts->random, *transport_config, parts->relay);
  if (!transport.ok()) return transport.status();
  parts->transport = *std::move(transport);
  if (absl::Status status = parts->OpenDns(config, *transport_config); !status.ok()) return status;
  parts->opener = std::make_unique<GrpcStreamOpener>(parts->loop);
  parts->gateway = std::make_unique<Gateway>(*std::move(settings), parts->clock, parts->random,
                                             *parts->transport, *parts->locator, *parts->opener,
                                             &parts->core_log);
  parts->relay.SetTarget(parts->gateway.get());
  parts->loop.AddTurnHook([p = parts.get()](absl::Time now) {
    // In this order: what the gateway sends may open connections, whose deadlines the transport
    // knows.
    const absl::Time due = p->gateway->Advance(now);
    return std::min(due, p->transport->Advance(now));
  });
  if (!config.ops_listen().empty()) {
    if (absl::Status status = parts->OpenOps(config.ops_listen(), host.version); !status.ok()) {
      return status;
    }
  }
  return std::unique_ptr<GatewayProcess>(new GatewayProcess(std::move(parts)));
}

std::vector<std::string> GatewayProcess::ListenerNames() const {
  std::vector<std::string> names;
  for (const Listener& listener : parts_->transport->listeners()) {
    const std::string protocol(ProtocolToken(listener.protocol));
    names.push_back(absl::StrCat(absl::AsciiStrToLower(protocol), ":", listener.local.ToString()));
  }
  return names;
}

std::string GatewayProcess::OpsAddress() const {
  return parts_->ops != nullptr ? parts_->ops->address() : std::string();
}

void GatewayProcess::Run() {
  parts_->loop.Run();
  for (const std::string& line :
       CounterLines(parts_->gateway->stats(), parts_->transport->stats())) {
    spdlog::info("{}", line);
  }
}

void GatewayProcess::Stop() {
  parts_->loop.Post([parts = parts_.get()] { parts->BeginStop(); });
}

void GatewayProcess::LogCounters() {
  parts_->loop.Post([parts = parts_.get()] {
    for (const std::string& line :
         CounterLines(parts->gateway->stats(), parts->transport->stats())) {
      spdlog::info("{}", line);
    }
  });
}

}  // namespace presence::sip
