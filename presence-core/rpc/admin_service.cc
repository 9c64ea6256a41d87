#include "presence-core/rpc/admin_service.h"

#include <google/protobuf/util/time_util.h>

#include <set>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/rpc/convert.h"
#include "presence-core/rpc/export_stream.h"
#include "presence-core/rpc/import_stream.h"
#include "presence-core/rpc/status_map.h"
#include "presence-core/rpc/unserved_services.h"

namespace presence {

AdminService::AdminService(Engine& engine, const Clock& clock, IsOwner is_owner,
                           v1::ServerInfo info)
    : engine_(engine), clock_(clock), is_owner_(std::move(is_owner)), info_(std::move(info)) {
  const EngineConfig& config = engine_.config();
  info_.set_epoch(engine_.epoch());
  for (const std::string& name : engine_.registry().EventNames()) {
    const absl::StatusOr<EventName> event = EventName::Parse(name);
    if (!event.ok() || event->is_winfo()) continue;
    const EventTraits& traits = engine_.registry().Find(*event)->traits();
    const PackageConfig& package = config.package(name);
    v1::EventPackageInfo& out = *info_.add_packages();
    out.set_event(name);
    for (const std::string& type : traits.content_types) out.add_content_types(type);
    out.set_winfo(true);
    *out.mutable_default_publish_expiry() =
        Converter::ToProto(package.publication.value_or(traits.publication).fallback);
    *out.mutable_default_subscribe_expiry() =
        Converter::ToProto(package.subscription.value_or(traits.subscription).fallback);
  }
}

grpc::ServerUnaryReactor* AdminService::Cleanup(grpc::CallbackServerContext* context,
                                                const v1::CleanupRequest* request,
                                                v1::CleanupResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::set<int> kinds(request->kinds().begin(), request->kinds().end());
  for (int kind : kinds) {
    if (kind >= v1::CLEANUP_KIND_PUBLICATIONS && kind <= v1::CLEANUP_KIND_WAITING_WATCHERS)
      continue;
    reactor->Finish(ToGrpc(InvalidField("kinds", "this server does not know the kind")));
    return reactor;
  }
  if (kinds.empty()) {
    for (int kind = v1::CLEANUP_KIND_PUBLICATIONS; kind <= v1::CLEANUP_KIND_WAITING_WATCHERS;
         ++kind) {
      kinds.insert(kind);
    }
  }
  CleanupScope scope;
  scope.publications = kinds.contains(v1::CLEANUP_KIND_PUBLICATIONS);
  scope.subscriptions = kinds.contains(v1::CLEANUP_KIND_SUBSCRIPTIONS);
  scope.answers = kinds.contains(v1::CLEANUP_KIND_ANSWER_RECORDS);
  scope.waiting_watchers = kinds.contains(v1::CLEANUP_KIND_WAITING_WATCHERS);
  scope.dry_run = request->dry_run();
  response->set_dry_run(request->dry_run());
  engine_.Cleanup(scope, [=](const absl::StatusOr<CleanupOutcome>& outcome) {
    if (outcome.ok()) {
      const std::map<int, uint64_t> removed = {
          {v1::CLEANUP_KIND_PUBLICATIONS, outcome->publications},
          {v1::CLEANUP_KIND_SUBSCRIPTIONS, outcome->subscriptions},
          {v1::CLEANUP_KIND_ANSWER_RECORDS, outcome->answers},
          {v1::CLEANUP_KIND_WAITING_WATCHERS, outcome->waiting_watchers}};
      for (int kind : kinds) {
        v1::CleanupCount& count = *response->add_counts();
        count.set_kind(static_cast<v1::CleanupKind>(kind));
        count.set_removed(removed.at(kind));
      }
    }
    reactor->Finish(ToGrpc(outcome.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetServerInfo(grpc::CallbackServerContext* context,
                                                      const v1::GetServerInfoRequest*,
                                                      v1::ServerInfo* response) {
  *response = info_;
  *response->mutable_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
      absl::ToUnixMillis(clock_.WallNow()));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<v1::SystemSnapshot>* AdminService::Snapshot(grpc::CallbackServerContext*,
                                                                     const v1::SnapshotRequest*) {
  return new UnservedWriter<v1::SystemSnapshot>("AdminService.Snapshot");
}

grpc::ServerWriteReactor<v1::TraceItem>* AdminService::Trace(grpc::CallbackServerContext*,
                                                             const v1::TraceRequest*) {
  return new UnservedWriter<v1::TraceItem>("AdminService.Trace");
}

grpc::ServerWriteReactor<v1::ExportResponse>* AdminService::Export(
    grpc::CallbackServerContext*, const v1::ExportRequest* request) {
  return NewExportStream(engine_, clock_, is_owner_, *request);
}

grpc::ServerBidiReactor<v1::ImportRequest, v1::ImportResponse>* AdminService::Import(
    grpc::CallbackServerContext*) {
  return NewImportStream(engine_, clock_);
}

grpc::ServerUnaryReactor* AdminService::ReloadConfig(grpc::CallbackServerContext* context,
                                                     const v1::ReloadConfigRequest*,
                                                     v1::ReloadConfigResponse*) {
  return UnservedUnary(context, "AdminService.ReloadConfig");
}

grpc::ServerUnaryReactor* AdminService::SetLogLevel(grpc::CallbackServerContext* context,
                                                    const v1::SetLogLevelRequest*,
                                                    v1::SetLogLevelResponse*) {
  return UnservedUnary(context, "AdminService.SetLogLevel");
}

grpc::ServerUnaryReactor* AdminService::ListGateways(grpc::CallbackServerContext* context,
                                                     const v1::ListGatewaysRequest*,
                                                     v1::ListGatewaysResponse*) {
  return UnservedUnary(context, "AdminService.ListGateways");
}

grpc::ServerUnaryReactor* AdminService::DrainGateway(grpc::CallbackServerContext* context,
                                                     const v1::DrainGatewayRequest*, v1::Gateway*) {
  return UnservedUnary(context, "AdminService.DrainGateway");
}

}  // namespace presence
