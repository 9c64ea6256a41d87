#include "presence-core/telemetry/ops_server.h"

#include <CivetServer.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <utility>
#include <vector>

#include "presence-core/telemetry/metric_names.h"

namespace presence {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(const MetricName& name, MetricType type, double value,
                    std::vector<ClientMetric::Label> labels = {}) {
  MetricFamily family;
  family.name = name.name;
  family.help = name.help;
  family.type = type;
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return family;
}

ClientMetric::Label Label(std::string name, std::string value) {
  ClientMetric::Label label;
  label.name = std::move(name);
  label.value = std::move(value);
  return label;
}

std::vector<MetricFamily> Collect(const EngineCounters& c) {
  const auto count = [](uint64_t n) { return static_cast<double>(n); };
  std::vector<MetricFamily> families = {
      Family(kPublishTotal, MetricType::Counter, count(c.publishes)),
      Family(kSubscribeTotal, MetricType::Counter, count(c.subscribes)),
      Family(kNotifyTotal, MetricType::Counter, count(c.instructions)),
      Family(kNotifyFailures, MetricType::Counter, count(c.notify_failures)),
      Family(kNotifyCoalesced, MetricType::Counter, count(c.coalesced)),
      Family(kExpiredTotal, MetricType::Counter, count(c.expired_publications),
             {Label("kind", "publication")}),
      Family(kPublications, MetricType::Gauge, count(c.publications_now)),
      Family(kSubscriptions, MetricType::Gauge, count(c.subscriptions_now)),
      Family(kResources, MetricType::Gauge, count(c.resources_now)),
      Family(kLockHold, MetricType::Gauge, absl::ToDoubleSeconds(c.max_lock_hold)),
      Family(kLockRows, MetricType::Gauge, count(c.max_rows_per_lock_hold)),
  };
  ClientMetric subscriptions;
  subscriptions.label = {Label("kind", "subscription")};
  subscriptions.counter.value = count(c.expired_subscriptions);
  families[5].metric.push_back(std::move(subscriptions));
  return families;
}

// One path; the answer is made when it is asked for.
class Page final : public CivetHandler {
 public:
  struct Answer {
    int code;
    std::string type;
    std::string body;
  };
  explicit Page(std::function<Answer()> make) : make_(std::move(make)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    const Answer answer = make_();
    mg_printf(
        connection,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
        answer.code, answer.code == 200 ? "OK" : "Service Unavailable", answer.type.c_str(),
        answer.body.size());
    mg_write(connection, answer.body.data(), answer.body.size());
    return true;
  }

 private:
  const std::function<Answer()> make_;
};

class CivetOpsServer final : public OpsServer {
 public:
  CivetOpsServer(const std::string& listen, const Engine& engine)
      : live_([] {
          return Page::Answer{200, "text/plain", "live\n"};
        }),
        ready_([this] {
          return is_ready_ ? Page::Answer{200, "text/plain", "ready\n"}
                           : Page::Answer{503, "text/plain", "stopping\n"};
        }),
        metrics_([&engine] {
          return Page::Answer{200, "text/plain; version=0.0.4; charset=utf-8",
                              prometheus::TextSerializer().Serialize(Collect(engine.counters()))};
        }),
        server_(std::vector<std::string>{"listening_ports", listen, "num_threads", "2",
                                         "request_timeout_ms", "5000"}) {
    server_.addHandler("/live", live_);
    server_.addHandler("/ready", ready_);
    server_.addHandler("/metrics", metrics_);
    address_ =
        listen.substr(0, listen.rfind(':') + 1) + std::to_string(server_.getListeningPorts().at(0));
  }
  // First the threads that may be in a page, then the pages (civetweb stops in close()).
  ~CivetOpsServer() override { server_.close(); }

  const std::string& address() const override { return address_; }
  void SetReady(bool is_ready) override { is_ready_ = is_ready; }

 private:
  std::atomic<bool> is_ready_ = true;
  Page live_;
  Page ready_;
  Page metrics_;
  CivetServer server_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Start(const std::string& listen,
                                                            const Engine& engine) {
  try {
    return std::make_unique<CivetOpsServer>(listen, engine);
  } catch (const CivetException& error) {
    return absl::UnavailableError("cannot serve HTTP on " + listen + ": " + error.what());
  }
}

}  // namespace presence
