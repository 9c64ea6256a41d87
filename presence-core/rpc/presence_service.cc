#include "presence-core/rpc/presence_service.h"

#include <algorithm>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/page_token.h"
#include "presence-core/rpc/status_map.h"

namespace presence {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* Finish(ServerUnaryReactor* reactor, const absl::Status& status) {
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Finishes with what `read` returns, when the engine sees all that any core has answered before.
template <typename Read>
ServerUnaryReactor* AfterLook(Engine& engine, ServerUnaryReactor* reactor, const ResourceKey& key,
                              Read read) {
  engine.Look(key, [reactor, read = std::move(read)](const absl::StatusOr<bool>& seen) {
    Finish(reactor, seen.ok() ? read() : seen.status());
  });
  return reactor;
}

template <typename Request>
std::optional<SubscriptionState> StateOf(const Request& request) {
  if (request.state() == v1::SUBSCRIPTION_STATE_UNSPECIFIED) return std::nullopt;
  return static_cast<SubscriptionState>(request.state());
}

template <typename Response>
void Fill(const RefreshOutcome& outcome, Response* response) {
  response->set_examined(outcome.examined);
  response->set_notified(outcome.notified);
  response->set_terminated(outcome.terminated);
}

}  // namespace

absl::StatusOr<ResourceKey> PresenceService::ToKey(const std::string& presentity,
                                                   const std::string& event) const {
  auto whose = convert_.ToPresentity(presentity);
  if (!whose.ok()) return whose.status();
  auto name = convert_.ToEvent(event, "presence");
  if (!name.ok()) return name.status();
  return ResourceKey{*std::move(whose), name->base()};
}

ServerUnaryReactor* PresenceService::Publish(CallbackServerContext* context,
                                             const v1::PublishRequest* request,
                                             v1::PublishResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<PublishCommand> command = convert_.ToCommand(*request);
  if (!command.ok()) return Finish(reactor, command.status());
  engine_.Publish(*std::move(command), [=, this](absl::StatusOr<PublishOutcome> outcome) {
    if (outcome.ok()) *response = convert_.ToProto(*outcome);
    Finish(reactor, outcome.status());
  });
  return reactor;
}

ServerUnaryReactor* PresenceService::Subscribe(CallbackServerContext* context,
                                               const v1::SubscribeRequest* request,
                                               v1::SubscribeResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<SubscribeCommand> command = convert_.ToCommand(*request);
  if (!command.ok()) return Finish(reactor, command.status());
  engine_.Subscribe(*std::move(command), [=, this](absl::StatusOr<SubscribeOutcome> outcome) {
    if (outcome.ok()) *response = convert_.ToProto(*outcome);
    Finish(reactor, outcome.status());
  });
  return reactor;
}

ServerUnaryReactor* PresenceService::Unsubscribe(CallbackServerContext* context,
                                                 const v1::UnsubscribeRequest* request,
                                                 v1::UnsubscribeResponse*) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  engine_.EndSubscription(
      request->id(), TerminationReason::kDeactivated,
      [=](const absl::StatusOr<bool>& ended) { Finish(reactor, ended.status()); });
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchResponse>* PresenceService::Watch(
    CallbackServerContext*, const v1::WatchRequest* request) {
  return watches_.Start(*request);
}

ServerUnaryReactor* PresenceService::GetState(CallbackServerContext* context,
                                              const v1::GetStateRequest* request,
                                              v1::GetStateResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return Finish(reactor, status);
  absl::StatusOr<StateQuery> query = convert_.ToQuery(*request);
  if (!query.ok()) return Finish(reactor, query.status());
  return AfterLook(engine_, reactor, query->key,
                   [this, query = *query, response]() -> absl::Status {
                     absl::StatusOr<StateView> view = engine_.GetState(query);
                     if (!view.ok()) return view.status();
                     *response->mutable_revision() = Converter::ToProto(view->revision);
                     if (view->document.has_value()) {
                       *response->mutable_document() = Converter::ToProto(*view->document);
                     }
                     response->set_state(static_cast<v1::SubscriptionState>(view->state));
                     return absl::OkStatus();
                   });
}

template <typename Request, typename Response>
ServerUnaryReactor* PresenceService::Refresh(CallbackServerContext* context, const Request& request,
                                             Response* response, absl::StatusOr<Sweep> sweep) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request.event().empty()) return Finish(reactor, InvalidField("event", "it is required"));
  absl::StatusOr<ResourceKey> key = ToKey(request.presentity(), request.event());
  if (!key.ok()) return Finish(reactor, key.status());
  if (!sweep.ok()) return Finish(reactor, sweep.status());
  (*sweep)(*key, [=](const absl::StatusOr<RefreshOutcome>& outcome) {
    if (outcome.ok()) Fill(*outcome, response);
    Finish(reactor, outcome.status());
  });
  return reactor;
}

PresenceService::Sweep PresenceService::Reauthorizing() const {
  return [this](const ResourceKey& key, Engine::Done<RefreshOutcome> done) {
    engine_.Reauthorize(key, std::move(done));
  };
}

absl::StatusOr<PresenceService::Sweep> PresenceService::LoadingHardState(
    const v1::RefreshWatchersRequest& request) const {
  if (absl::Status status = CheckText("file_uri", request.file_uri(), true); !status.ok()) {
    return status;
  }
  if (request.filename().empty()) return InvalidField("filename", "HARD_STATE needs one");
  auto name = ToHardStateName(request.filename(), "filename");
  if (!name.ok()) return name.status();
  if (request.event() != "presence") {
    return InvalidField("event", "hard state is of the event package presence");
  }
  return [this, named = NamedDocument{*std::move(name), request.file_uri()}](
             const ResourceKey& key, Engine::Done<RefreshOutcome> done) {
    engine_.ReloadState(key, named, std::move(done));
  };
}

ServerUnaryReactor* PresenceService::RefreshWatchers(CallbackServerContext* context,
                                                     const v1::RefreshWatchersRequest* request,
                                                     v1::RefreshWatchersResponse* response) {
  const auto sweep = [&]() -> absl::StatusOr<Sweep> {
    switch (request->kind()) {
      case v1::RefreshWatchersRequest::KIND_AUTHORIZATION:
        return Reauthorizing();
      case v1::RefreshWatchersRequest::KIND_STATE:
        return [this](const ResourceKey& key, Engine::Done<RefreshOutcome> done) {
          engine_.ReloadState(key, std::nullopt, std::move(done));
        };
      case v1::RefreshWatchersRequest::KIND_HARD_STATE:
        return LoadingHardState(*request);
      default:
        return InvalidField("kind", "say AUTHORIZATION, STATE or HARD_STATE");
    }
  };
  return Refresh(context, *request, response, sweep());
}

ServerUnaryReactor* PresenceService::UpdateWatchers(CallbackServerContext* context,
                                                    const v1::UpdateWatchersRequest* request,
                                                    v1::UpdateWatchersResponse* response) {
  return Refresh(context, *request, response, Reauthorizing());
}

// --- Lists. What each can be narrowed to; paging is the same for all.

absl::Status PresenceService::Narrow(const v1::ListPresentitiesRequest& request,
                                     PublicationFilter& filter) const {
  filter.domain = request.domain();
  filter.event = request.event();
  return TakeIfGiven(request.presentity(), &Converter::ToPresentity, filter.presentity);
}

absl::Status PresenceService::Narrow(const v1::ListSubscriptionsRequest& request,
                                     SubscriptionFilter& filter) const {
  filter.event = request.event();
  filter.state = StateOf(request);
  absl::Status status =
      TakeIfGiven(request.presentity(), &Converter::ToPresentity, filter.presentity);
  if (!status.ok()) return status;
  return TakeIfGiven(request.watcher(), &Converter::ToWatcher, filter.watcher);
}

absl::Status PresenceService::Narrow(const v1::ListWatchersRequest& request,
                                     WatcherFilter& filter) const {
  filter.state = StateOf(request);
  absl::StatusOr<ResourceKey> key = ToKey(request.presentity(), request.event());
  if (!key.ok()) return key.status();
  filter.key = *std::move(key);
  return absl::OkStatus();
}

template <typename T>
absl::Status PresenceService::TakeIfGiven(const std::string& text,
                                          absl::StatusOr<T> (Converter::*parse)(const std::string&)
                                              const,
                                          std::optional<T>& into) const {
  if (text.empty()) return absl::OkStatus();
  absl::StatusOr<T> parsed = (convert_.*parse)(text);
  if (!parsed.ok()) return parsed.status();
  into = *std::move(parsed);
  return absl::OkStatus();
}

template <typename Request, typename Response, typename Filter, typename View, typename Show>
ServerUnaryReactor* PresenceService::List(CallbackServerContext* context, const Request& request,
                                          Response* response,
                                          Page<View> (Engine::*list)(const Filter&) const,
                                          Show show) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return Finish(reactor, status);
  const std::string which = FilterOf(request);
  Filter filter;
  auto after = FromPageToken(request.page_token(), which);
  if (!after.ok()) return Finish(reactor, after.status());
  filter.after = *std::move(after);
  filter.limit = PageSize(request.page_size());
  if (absl::Status status = Narrow(request, filter); !status.ok()) return Finish(reactor, status);
  const Page<View> page = (engine_.*list)(filter);
  for (const View& view : page.rows) show(view);
  response->set_next_page_token(ToPageToken(page.next, which));
  return Finish(reactor, absl::OkStatus());
}

ServerUnaryReactor* PresenceService::ListPresentities(CallbackServerContext* context,
                                                      const v1::ListPresentitiesRequest* request,
                                                      v1::ListPresentitiesResponse* response) {
  const bool is_full = request->view() == v1::VIEW_FULL;
  return List(context, *request, response, &Engine::ListPublications,
              [&](const PublicationView& view) {
                *response->add_publications() = convert_.ToProto(view, is_full);
              });
}

ServerUnaryReactor* PresenceService::ListSubscriptions(CallbackServerContext* context,
                                                       const v1::ListSubscriptionsRequest* request,
                                                       v1::ListSubscriptionsResponse* response) {
  return List(context, *request, response, &Engine::ListSubscriptions,
              [&](const SubscriptionView& view) {
                *response->add_subscriptions() = convert_.ToProto(view);
              });
}

ServerUnaryReactor* PresenceService::ListWatchers(CallbackServerContext* context,
                                                  const v1::ListWatchersRequest* request,
                                                  v1::ListWatchersResponse* response) {
  return List(context, *request, response, &Engine::ListWatchers,
              [&](const WatcherView& view) { *response->add_watchers() = convert_.ToProto(view); });
}

v1::Watcher PresenceService::FindWatcher(const DecideWatcherCommand& command) const {
  WatcherFilter filter;
  filter.key = {command.presentity, command.event};
  filter.watcher = command.watcher;
  const Page<WatcherView> page = engine_.ListWatchers(filter);
  if (!page.rows.empty()) return convert_.ToProto(page.rows.front());
  // Somebody has taken the decision back meanwhile.
  return convert_.ToProto(WatcherView{command.watcher, command.event, SubscriptionState::kPending,
                                      0, WatcherDecision::kNone});
}

template <typename Response>
void PresenceService::DecideWatcher(ServerUnaryReactor* reactor,
                                    absl::StatusOr<DecideWatcherCommand> command,
                                    Response* response) {
  if (!command.ok()) {
    Finish(reactor, command.status());
    return;
  }
  engine_.DecideWatcher(*command,
                        [=, this, asked = *command](const absl::StatusOr<RefreshOutcome>& outcome) {
                          if (outcome.ok()) *response->mutable_watcher() = FindWatcher(asked);
                          Finish(reactor, outcome.status());
                        });
}

ServerUnaryReactor* PresenceService::ApproveWatcher(CallbackServerContext* context,
                                                    const v1::ApproveWatcherRequest* request,
                                                    v1::ApproveWatcherResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  DecideWatcher(reactor,
                convert_.ToDecision(request->presentity(), request->event(), request->watcher(),
                                    request->request_id(), WatcherDecision::kAllow),
                response);
  return reactor;
}

ServerUnaryReactor* PresenceService::BlockWatcher(CallbackServerContext* context,
                                                  const v1::BlockWatcherRequest* request,
                                                  v1::BlockWatcherResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  DecideWatcher(reactor,
                convert_.ToDecision(request->presentity(), request->event(), request->watcher(),
                                    request->request_id(), WatcherDecision::kBlock),
                response);
  return reactor;
}

ServerUnaryReactor* PresenceService::GetAuthorization(CallbackServerContext* context,
                                                      const v1::GetAuthorizationRequest* request,
                                                      v1::GetAuthorizationResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return Finish(reactor, status);
  auto watcher = convert_.ToWatcher(request->watcher());
  if (!watcher.ok()) return Finish(reactor, watcher.status());
  auto event = convert_.ToEvent(request->event(), "presence");
  if (!event.ok()) return Finish(reactor, event.status());
  return AfterLook(
      engine_, reactor, *key,
      [this, key = *key, event = *event, watcher = *watcher, response]() -> absl::Status {
        absl::StatusOr<AuthorizationView> view = engine_.GetAuthorization(key, event, watcher);
        if (!view.ok()) return view.status();
        response->set_state(static_cast<v1::SubscriptionState>(view->state));
        response->set_explanation(std::string(view->because));
        return absl::OkStatus();
      });
}

ServerUnaryReactor* PresenceService::HasSubscribers(CallbackServerContext* context,
                                                    const v1::HasSubscribersRequest* request,
                                                    v1::HasSubscribersResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) return Finish(reactor, status);
  return AfterLook(engine_, reactor, *key, [this, key = *key, response] {
    const uint32_t count = engine_.CountSubscribers(key);
    response->set_has_subscribers(count > 0);
    response->set_count(count);
    return absl::OkStatus();
  });
}

}  // namespace presence
