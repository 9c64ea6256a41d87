#include "telemetry/ops_server.h"

#include <CivetServer.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

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

// Why civetweb could not start: its exception does not say, only its log. Called on any thread.
class StartLog {
 public:
  static CivetCallbacks Callbacks() {
    CivetCallbacks callbacks;
    callbacks.log_message = [](const mg_connection* connection, const char* message) {
      const auto* server =
          static_cast<const CivetServer*>(mg_get_user_data(mg_get_context(connection)));
      const_cast<StartLog*>(static_cast<const StartLog*>(server->getUserContext()))->Add(message);
      return 0;
    };
    return callbacks;
  }

  // Once the server has failed to start.
  const std::string& first_message() const { return first_message_; }

 private:
  void Add(const char* message) {
    if (!has_message_.exchange(true)) first_message_ = message;
  }

  std::atomic<bool> has_message_ = false;
  std::string first_message_;
};

// Connects, says nothing and goes. `address` is numeric, as in "0.0.0.0:7461".
void Call(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) return;
  const int caller = socket(found->ai_family, found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (caller >= 0) {
    // It need not arrive: whoever listens no more is awake already.
    static_cast<void>(connect(caller, found->ai_addr, found->ai_addrlen));
    close(caller);
  }
  freeaddrinfo(found);
}

class CivetOpsServer final : public OpsServer {
 public:
  CivetOpsServer(const std::string& listen, OpsPages pages, std::shared_ptr<StartLog> start_log)
      : start_log_(std::move(start_log)),
        callbacks_(StartLog::Callbacks()),
        live_([] {
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
                                         "request_timeout_ms", "5000"},
                &callbacks_, start_log_.get()) {
    server_.addHandler("/live", live_);
    server_.addHandler("/ready", ready_);
    server_.addHandler("/metrics", metrics_);
    server_.addHandler("/version", version_);
    address_ =
        listen.substr(0, listen.rfind(':') + 1) + std::to_string(server_.getListeningPorts().at(0));
  }
  // First the threads that may be in a page, then the pages (civetweb stops in close()). Its
  // listening thread looks whether it is to stop when somebody calls, else every two seconds: half
  // of what a core that takes over has, for the one that waited had such a server, too.
  ~CivetOpsServer() override {
    absl::Notification is_closed;
    std::thread closing([&] {
      server_.close();
      is_closed.Notify();
    });
    while (!is_closed.WaitForNotificationWithTimeout(absl::Milliseconds(5))) Call(address_);
    closing.join();
  }

  const std::string& address() const override { return address_; }

 private:
  const std::shared_ptr<StartLog> start_log_;
  const CivetCallbacks callbacks_;
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
  const auto log = std::make_shared<StartLog>();
  try {
    return std::make_unique<CivetOpsServer>(listen, std::move(pages), log);
  } catch (const CivetException& error) {
    const std::string& why = log->first_message();
    return absl::UnavailableError("cannot serve HTTP on " + listen + ": " +
                                  (why.empty() ? std::string(error.what()) : why) +
                                  "; is another server there? --ops-listen names another address");
  }
}

}  // namespace presence
