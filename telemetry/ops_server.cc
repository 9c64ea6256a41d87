#include "telemetry/ops_server.h"

#include <CivetServer.h>

#include <utility>
#include <vector>

namespace presence {
namespace {

constexpr const char* kPlainText = "text/plain";
constexpr const char* kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

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
  CivetOpsServer(const std::string& listen, OpsPages pages)
      : live_([] {
          return Page::Answer{200, kPlainText, "live\n"};
        }),
        ready_([not_ready = std::move(pages.not_ready)] {
          const std::optional<std::string> why = not_ready();
          return why.has_value() ? Page::Answer{503, kPlainText, *why + "\n"}
                                 : Page::Answer{200, kPlainText, "ready\n"};
        }),
        metrics_([metrics = std::move(pages.metrics)] {
          const std::optional<std::string> text = metrics();
          return text.has_value() ? Page::Answer{200, kMetricsText, *text}
                                  : Page::Answer{503, kPlainText, "too busy\n"};
        }),
        version_([version = std::move(pages.version)] {
          return Page::Answer{200, kPlainText, version + "\n"};
        }),
        server_(std::vector<std::string>{"listening_ports", listen, "num_threads", "2",
                                         "request_timeout_ms", "5000"}) {
    server_.addHandler("/live", live_);
    server_.addHandler("/ready", ready_);
    server_.addHandler("/metrics", metrics_);
    server_.addHandler("/version", version_);
    address_ =
        listen.substr(0, listen.rfind(':') + 1) + std::to_string(server_.getListeningPorts().at(0));
  }
  // First the threads that may be in a page, then the pages (civetweb stops in close()).
  ~CivetOpsServer() override { server_.close(); }

  const std::string& address() const override { return address_; }

 private:
  Page live_;
  Page ready_;
  Page metrics_;
  Page version_;
  CivetServer server_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Start(const std::string& listen,
                                                            OpsPages pages) {
  try {
    return std::make_unique<CivetOpsServer>(listen, std::move(pages));
  } catch (const CivetException& error) {
    return absl::UnavailableError("cannot serve HTTP on " + listen + ": " + error.what());
  }
}

}  // namespace presence
