#include "presence-core/server/standby.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "presence-core/telemetry/core_metrics.h"

namespace presence {

std::vector<std::string> GrpcAddresses(const v1::CoreConfig& config) {
  std::vector<std::string> listen(config.listen().begin(), config.listen().end());
  if (!config.unix_socket().empty()) listen.push_back("unix:" + config.unix_socket());
  return listen;
}

absl::Status Standby::Follow(const StandbyServer::Owner& owner) {
  if (server_ == nullptr) {
    auto server = StandbyServer::Start(GrpcAddresses(config_));
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
  }
  if (ops_ == nullptr && !config_.ops_listen().empty()) {
    OpsPages pages;
    pages.not_ready = [] { return std::optional<std::string>("standing by"); };
    pages.metrics = [] { return StandbyMetrics(); };
    pages.version = "presence-core " + version_;
    auto ops = OpsServer::Start(config_.ops_listen(), std::move(pages));
    if (!ops.ok()) return ops.status();
    ops_ = *std::move(ops);
  }
  if (owner != owner_) {
    spdlog::info("{} serves from this database; waiting until it stops. Calls to {} go on to it{}",
                 owner.name, fmt::join(server_->addresses(), " "),
                 owner.address.empty() ? ", once it has said where" : " at " + owner.address);
    if (ops_ != nullptr && owner_.name.empty()) spdlog::info("ops on http://{}", ops_->address());
  }
  owner_ = owner;
  server_->Follow(owner);
  return absl::OkStatus();
}

void Standby::ForgetOwner() {
  owner_ = {};
  if (server_ != nullptr) server_->Follow(owner_);
}

void Standby::Stop(v1::CoreConfig& config) {
  if (server_ != nullptr) {
    for (int i = 0; i < config.listen_size(); ++i) config.set_listen(i, server_->addresses()[i]);
  }
  if (ops_ != nullptr) config.set_ops_listen(ops_->address());
  server_.reset();
  ops_.reset();
}

}  // namespace presence
