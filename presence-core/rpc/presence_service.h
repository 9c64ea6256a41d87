#ifndef PRESENCE_CORE_RPC_PRESENCE_SERVICE_H_
#define PRESENCE_CORE_RPC_PRESENCE_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/convert.h"
#include "presence-core/rpc/ownership.h"
#include "presence-core/rpc/watch_stream.h"
#include "presence/v1/presence.grpc.pb.h"

namespace presence {

// PresenceService over gRPC: each method checks, converts, calls the engine and maps the outcome.
// What the methods do is said in the contract; nothing is decided here. Safe to call from any
// thread.
class PresenceService final : public v1::PresenceService::CallbackService {
 public:
  PresenceService(Engine& engine, Executor& executor, const Clock& clock, Random& random,
                  size_t max_watch_queue, IsOwner is_owner)
      : engine_(engine),
        is_owner_(std::move(is_owner)),
        convert_(engine, clock),
        watches_(engine, executor, clock, random, max_watch_queue, is_owner_) {}

  // Ends every Watch stream with DRAINING.
  void Drain() { watches_.Drain(); }

  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context,
                                    const v1::PublishRequest* request,
                                    v1::PublishResponse* response) override;
  grpc::ServerUnaryReactor* Subscribe(grpc::CallbackServerContext* context,
                                      const v1::SubscribeRequest* request,
                                      v1::SubscribeResponse* response) override;
  grpc::ServerUnaryReactor* Unsubscribe(grpc::CallbackServerContext* context,
                                        const v1::UnsubscribeRequest* request,
                                        v1::UnsubscribeResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context,
                                     const v1::GetStateRequest* request,
                                     v1::GetStateResponse* response) override;
  grpc::ServerUnaryReactor* RefreshWatchers(grpc::CallbackServerContext* context,
                                            const v1::RefreshWatchersRequest* request,
                                            v1::RefreshWatchersResponse* response) override;
  grpc::ServerUnaryReactor* UpdateWatchers(grpc::CallbackServerContext* context,
                                           const v1::UpdateWatchersRequest* request,
                                           v1::UpdateWatchersResponse* response) override;
  grpc::ServerUnaryReactor* ListPresentities(grpc::CallbackServerContext* context,
                                             const v1::ListPresentitiesRequest* request,
                                             v1::ListPresentitiesResponse* response) override;
  grpc::ServerUnaryReactor* ListSubscriptions(grpc::CallbackServerContext* context,
                                              const v1::ListSubscriptionsRequest* request,
                                              v1::ListSubscriptionsResponse* response) override;
  grpc::ServerUnaryReactor* ListWatchers(grpc::CallbackServerContext* context,
                                         const v1::ListWatchersRequest* request,
                                         v1::ListWatchersResponse* response) override;
  grpc::ServerUnaryReactor* ApproveWatcher(grpc::CallbackServerContext* context,
                                           const v1::ApproveWatcherRequest* request,
                                           v1::ApproveWatcherResponse* response) override;
  grpc::ServerUnaryReactor* BlockWatcher(grpc::CallbackServerContext* context,
                                         const v1::BlockWatcherRequest* request,
                                         v1::BlockWatcherResponse* response) override;
  grpc::ServerUnaryReactor* GetAuthorization(grpc::CallbackServerContext* context,
                                             const v1::GetAuthorizationRequest* request,
                                             v1::GetAuthorizationResponse* response) override;
  grpc::ServerUnaryReactor* HasSubscribers(grpc::CallbackServerContext* context,
                                           const v1::HasSubscribersRequest* request,
                                           v1::HasSubscribersResponse* response) override;

 private:
  absl::StatusOr<ResourceKey> ToKey(const std::string& presentity, const std::string& event) const;

  // What goes over the watchers of a resource.
  using Sweep = std::function<void(const ResourceKey&, Engine::Done<RefreshOutcome>)>;
  Sweep Reauthorizing() const;
  absl::StatusOr<Sweep> LoadingHardState(const v1::RefreshWatchersRequest& request) const;
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Refresh(grpc::CallbackServerContext* context, const Request& request,
                                    Response* response, absl::StatusOr<Sweep> sweep);

  // One page of a list.
  template <typename Request, typename Response, typename Filter, typename View, typename Show>
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const Request& request,
                                 Response* response,
                                 Page<View> (Engine::*list)(const Filter&) const, Show show);
  absl::Status Narrow(const v1::ListPresentitiesRequest& request, PublicationFilter& filter) const;
  absl::Status Narrow(const v1::ListSubscriptionsRequest& request,
                      SubscriptionFilter& filter) const;
  absl::Status Narrow(const v1::ListWatchersRequest& request, WatcherFilter& filter) const;
  template <typename T>
  absl::Status TakeIfGiven(const std::string& text,
                           absl::StatusOr<T> (Converter::*parse)(const std::string&) const,
                           std::optional<T>& into) const;

  v1::Watcher FindWatcher(const DecideWatcherCommand& command) const;
  template <typename Response>
  void DecideWatcher(grpc::ServerUnaryReactor* reactor,
                     absl::StatusOr<DecideWatcherCommand> command, Response* response);

  Engine& engine_;
  const IsOwner is_owner_;
  const Converter convert_;
  WatchStreams watches_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_PRESENCE_SERVICE_H_
