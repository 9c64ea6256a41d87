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

size_t PageSize(int32_t asked) {
  return asked <= 0 ? 100 : std::min<size_t>(static_cast<size_t>(asked), 1000);
}

// A text that tells this list from others; the paging itself is no part of it.
template <typename Request>
std::string FilterOf(const Request& request) {
  Request filter = request;
  filter.clear_page_token();
  filter.clear_page_size();
  return std::string(Request::descriptor()->name()) + filter.SerializeAsString();
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
  absl::StatusOr<StateQuery> query = convert_.ToQuery(*request);
  if (!query.ok()) return Finish(reactor, query.status());
  absl::StatusOr<StateView> view = engine_.GetState(*query);
  if (!view.ok()) return Finish(reactor, view.status());
  *response->mutable_revision() = Converter::ToProto(view->revision);
  if (view->document.has_value()) {
    *response->mutable_document() = Converter::ToProto(*view->document);
  }
  response->set_state(static_cast<v1::SubscriptionState>(view->state));
  return Finish(reactor, absl::OkStatus());
}

ServerUnaryReactor* PresenceService::RefreshWatchers(CallbackServerContext* context,
                                                     const v1::RefreshWatchersRequest* request,
                                                     v1::RefreshWatchersResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->event().empty()) return Finish(reactor, InvalidField("event", "it is required"));
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  auto done = [=](const absl::StatusOr<RefreshOutcome>& outcome) {
    if (outcome.ok()) Fill(*outcome, response);
    Finish(reactor, outcome.status());
  };
  switch (request->kind()) {
    case v1::RefreshWatchersRequest::KIND_AUTHORIZATION:
      engine_.Reauthorize(*key, std::move(done));
      return reactor;
    case v1::RefreshWatchersRequest::KIND_STATE:
      engine_.ResendState(*key, std::move(done));
      return reactor;
    case v1::RefreshWatchersRequest::KIND_HARD_STATE:
      return Finish(reactor, NotServedYet("RefreshWatchers HARD_STATE"));
    default:
      return Finish(reactor, InvalidField("kind", "say AUTHORIZATION, STATE or HARD_STATE"));
  }
}

ServerUnaryReactor* PresenceService::UpdateWatchers(CallbackServerContext* context,
                                                    const v1::UpdateWatchersRequest* request,
                                                    v1::UpdateWatchersResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->event().empty()) return Finish(reactor, InvalidField("event", "it is required"));
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  engine_.Reauthorize(*key, [=](const absl::StatusOr<RefreshOutcome>& outcome) {
    if (outcome.ok()) Fill(*outcome, response);
    Finish(reactor, outcome.status());
  });
  return reactor;
}

ServerUnaryReactor* PresenceService::ListPresentities(CallbackServerContext* context,
                                                      const v1::ListPresentitiesRequest* request,
                                                      v1::ListPresentitiesResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string list = FilterOf(*request);
  PublicationFilter filter;
  auto after = FromPageToken(request->page_token(), list);
  if (!after.ok()) return Finish(reactor, after.status());
  filter.after = *std::move(after);
  if (!request->presentity().empty()) {
    auto presentity = convert_.ToPresentity(request->presentity());
    if (!presentity.ok()) return Finish(reactor, presentity.status());
    filter.presentity = *std::move(presentity);
  }
  filter.domain = request->domain();
  filter.event = request->event();
  filter.limit = PageSize(request->page_size());
  const Page<PublicationView> page = engine_.ListPublications(filter);
  for (const PublicationView& view : page.rows) {
    *response->add_publications() = convert_.ToProto(view, request->view() == v1::VIEW_FULL);
  }
  response->set_next_page_token(ToPageToken(page.next, list));
  return Finish(reactor, absl::OkStatus());
}

ServerUnaryReactor* PresenceService::ListSubscriptions(CallbackServerContext* context,
                                                       const v1::ListSubscriptionsRequest* request,
                                                       v1::ListSubscriptionsResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string list = FilterOf(*request);
  SubscriptionFilter filter;
  auto after = FromPageToken(request->page_token(), list);
  if (!after.ok()) return Finish(reactor, after.status());
  filter.after = *std::move(after);
  if (!request->presentity().empty()) {
    auto presentity = convert_.ToPresentity(request->presentity());
    if (!presentity.ok()) return Finish(reactor, presentity.status());
    filter.presentity = *std::move(presentity);
  }
  if (!request->watcher().empty()) {
    auto watcher = convert_.ToWatcher(request->watcher());
    if (!watcher.ok()) return Finish(reactor, watcher.status());
    filter.watcher = *std::move(watcher);
  }
  if (request->state() != v1::SUBSCRIPTION_STATE_UNSPECIFIED) {
    filter.state = static_cast<SubscriptionState>(request->state());
  }
  filter.event = request->event();
  filter.limit = PageSize(request->page_size());
  const Page<SubscriptionView> page = engine_.ListSubscriptions(filter);
  for (const SubscriptionView& view : page.rows) {
    *response->add_subscriptions() = convert_.ToProto(view);
  }
  response->set_next_page_token(ToPageToken(page.next, list));
  return Finish(reactor, absl::OkStatus());
}

ServerUnaryReactor* PresenceService::ListWatchers(CallbackServerContext* context,
                                                  const v1::ListWatchersRequest* request,
                                                  v1::ListWatchersResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string list = FilterOf(*request);
  WatcherFilter filter;
  auto after = FromPageToken(request->page_token(), list);
  if (!after.ok()) return Finish(reactor, after.status());
  filter.after = *std::move(after);
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  filter.key = *std::move(key);
  if (request->state() != v1::SUBSCRIPTION_STATE_UNSPECIFIED) {
    filter.state = static_cast<SubscriptionState>(request->state());
  }
  filter.limit = PageSize(request->page_size());
  const Page<WatcherView> page = engine_.ListWatchers(filter);
  for (const WatcherView& view : page.rows) *response->add_watchers() = convert_.ToProto(view);
  response->set_next_page_token(ToPageToken(page.next, list));
  return Finish(reactor, absl::OkStatus());
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
  auto watcher = convert_.ToWatcher(request->watcher());
  if (!watcher.ok()) return Finish(reactor, watcher.status());
  auto event = convert_.ToEvent(request->event(), "presence");
  if (!event.ok()) return Finish(reactor, event.status());
  absl::StatusOr<AuthorizationView> view = engine_.GetAuthorization(*key, *event, *watcher);
  if (!view.ok()) return Finish(reactor, view.status());
  response->set_state(static_cast<v1::SubscriptionState>(view->state));
  response->set_explanation(std::string(view->because));
  return Finish(reactor, absl::OkStatus());
}

ServerUnaryReactor* PresenceService::HasSubscribers(CallbackServerContext* context,
                                                    const v1::HasSubscribersRequest* request,
                                                    v1::HasSubscribersResponse* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<ResourceKey> key = ToKey(request->presentity(), request->event());
  if (!key.ok()) return Finish(reactor, key.status());
  const uint32_t count = engine_.CountSubscribers(*key);
  response->set_has_subscribers(count > 0);
  response->set_count(count);
  return Finish(reactor, absl::OkStatus());
}

}  // namespace presence
