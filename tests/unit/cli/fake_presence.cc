#include "tests/unit/cli/fake_presence.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/unit/cli/contract_status.h"

namespace presence::cli {
namespace {

std::string AddressOfRecord(const std::string& presentity) {
  return std::string(absl::StripPrefix(presentity, "sip:"));
}

template <typename Request>
std::pair<std::string, std::string> KeyOf(const Request& request) {
  return {AddressOfRecord(request.presentity()), request.event()};
}

}  // namespace

// Writes the items of a script one after the other.
class FakePresence::WatchStream final : public grpc::ServerWriteReactor<v1::WatchResponse> {
 public:
  WatchStream(WatchScript script, std::function<void()> on_idle)
      : script_(std::move(script)), on_idle_(std::move(on_idle)) {
    Next();
  }

 private:
  void Next() {
    if (next_ < script_.items.size()) {
      StartWrite(&script_.items[next_++]);
    } else if (script_.end) {
      End(*script_.end);
    } else if (on_idle_) {
      on_idle_();
    }
  }
  void End(const grpc::Status& status) {
    // A cancellation may come while the last item is being written.
    if (!has_ended_.exchange(true)) Finish(status);
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      End(grpc::Status::CANCELLED);
    }
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

  WatchScript script_;
  const std::function<void()> on_idle_;
  std::size_t next_ = 0;
  std::atomic<bool> has_ended_ = false;
};

class FakePresence::Presence final
    : public v1::PresenceService::WithCallbackMethod_Watch<v1::PresenceService::Service> {
 public:
  explicit Presence(FakePresence& fake) : fake_(fake) {}

 private:
  using Context = grpc::ServerContext;

  grpc::Status Publish(Context*, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    return fake_.Publish(*request, *response);
  }

  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext*,
                                                     const v1::WatchRequest* request) override {
    return new WatchStream(fake_.NextWatch(*request), fake_.on_idle_watch_);
  }

  grpc::Status GetState(Context*, const v1::GetStateRequest* request,
                        v1::GetStateResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    v1::WatchTarget target;
    target.set_presentity(request->presentity());
    target.set_event(request->event());
    v1::WatchedState state = fake_.StateOf(target);
    *response->mutable_revision() = state.revision();
    if (state.has_document()) response->mutable_document()->Swap(state.mutable_document());
    response->set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
    if (request->watcher().empty()) return grpc::Status::OK;
    const std::lock_guard lock(fake_.mu_);
    for (const v1::Watcher& watcher : fake_.watchers_[KeyOf(*request)]) {
      if (watcher.watcher() == request->watcher()) response->set_state(watcher.state());
    }
    if (response->state() != v1::SUBSCRIPTION_STATE_ACTIVE) response->clear_document();
    return grpc::Status::OK;
  }

  grpc::Status ListPresentities(Context*, const v1::ListPresentitiesRequest* request,
                                v1::ListPresentitiesResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    std::vector<v1::Publication> matching;
    for (const auto& [key, publications] : fake_.publications_) {
      const bool is_user =
          request->presentity().empty() || AddressOfRecord(request->presentity()) == key.first;
      const bool is_domain =
          request->domain().empty() || key.first.ends_with(absl::StrCat("@", request->domain()));
      const bool is_event = request->event().empty() || request->event() == key.second;
      if (is_user && is_domain && is_event) {
        matching.insert(matching.end(), publications.begin(), publications.end());
      }
    }
    const std::size_t begin = request->page_token().empty() ? 0 : std::stoul(request->page_token());
    const std::size_t end =
        std::min(matching.size(), begin + static_cast<std::size_t>(request->page_size()));
    for (std::size_t i = begin; i < end; ++i) {
      v1::Publication& shown = *response->add_publications();
      shown = matching[i];
      if (request->view() == v1::VIEW_FULL) continue;
      shown.clear_document();
      shown.clear_receive_time();
      shown.clear_priority();
      shown.clear_ruid();
    }
    if (end < matching.size()) response->set_next_page_token(absl::StrCat(end));
    return grpc::Status::OK;
  }

  grpc::Status ListSubscriptions(Context*, const v1::ListSubscriptionsRequest* request,
                                 v1::ListSubscriptionsResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    for (const v1::Subscription& s : fake_.subscriptions_) {
      if (!request->presentity().empty() &&
          AddressOfRecord(request->presentity()) != s.presentity())
        continue;
      if (!request->event().empty() && request->event() != s.event()) continue;
      if (!request->watcher().empty() && AddressOfRecord(request->watcher()) != s.watcher())
        continue;
      if (request->state() != 0 && request->state() != s.state()) continue;
      *response->add_subscriptions() = s;
    }
    return grpc::Status::OK;
  }

  grpc::Status ListWatchers(Context*, const v1::ListWatchersRequest* request,
                            v1::ListWatchersResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    for (const v1::Watcher& watcher : fake_.watchers_[KeyOf(*request)]) {
      if (request->state() != 0 && request->state() != watcher.state()) continue;
      *response->add_watchers() = watcher;
    }
    return grpc::Status::OK;
  }

  grpc::Status ApproveWatcher(Context*, const v1::ApproveWatcherRequest* request,
                              v1::ApproveWatcherResponse* response) override {
    return fake_.Decide(KeyOf(*request), request->watcher(), v1::SUBSCRIPTION_STATE_ACTIVE,
                        v1::WATCHER_DECISION_ALLOW, *response->mutable_watcher());
  }

  grpc::Status BlockWatcher(Context*, const v1::BlockWatcherRequest* request,
                            v1::BlockWatcherResponse* response) override {
    return fake_.Decide(KeyOf(*request), request->watcher(), v1::SUBSCRIPTION_STATE_TERMINATED,
                        v1::WATCHER_DECISION_BLOCK, *response->mutable_watcher());
  }

  grpc::Status GetAuthorization(Context*, const v1::GetAuthorizationRequest* request,
                                v1::GetAuthorizationResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    response->set_state(v1::SUBSCRIPTION_STATE_PENDING);
    response->set_explanation("default of package presence: ask the presentity");
    for (const v1::Watcher& watcher : fake_.watchers_[KeyOf(*request)]) {
      if (watcher.watcher() != AddressOfRecord(request->watcher())) continue;
      response->set_state(watcher.state());
      response->set_explanation("decided by the presentity");
    }
    return grpc::Status::OK;
  }

  grpc::Status HasSubscribers(Context*, const v1::HasSubscribersRequest* request,
                              v1::HasSubscribersResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    response->set_count(fake_.ActiveWatchers(KeyOf(*request)));
    response->set_has_subscribers(response->count() > 0);
    return grpc::Status::OK;
  }

  grpc::Status RefreshWatchers(Context*, const v1::RefreshWatchersRequest* request,
                               v1::RefreshWatchersResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    response->set_examined(static_cast<uint32_t>(fake_.watchers_[KeyOf(*request)].size()));
    if (request->kind() == v1::RefreshWatchersRequest::KIND_STATE) {
      response->set_notified(fake_.ActiveWatchers(KeyOf(*request)));
    }
    return grpc::Status::OK;
  }

  grpc::Status UpdateWatchers(Context*, const v1::UpdateWatchersRequest* request,
                              v1::UpdateWatchersResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const std::lock_guard lock(fake_.mu_);
    response->set_examined(static_cast<uint32_t>(fake_.watchers_[KeyOf(*request)].size()));
    return grpc::Status::OK;
  }

  FakePresence& fake_;
};

class FakePresence::Admin final : public v1::AdminService::Service {
 public:
  explicit Admin(FakePresence& fake) : fake_(fake) {}

 private:
  grpc::Status Cleanup(grpc::ServerContext*, const v1::CleanupRequest* request,
                       v1::CleanupResponse* response) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    response->set_dry_run(request->dry_run());
    for (int kind = v1::CleanupKind_MIN + 1; kind <= v1::CleanupKind_MAX; ++kind) {
      const auto& kinds = request->kinds();
      if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) continue;
      v1::CleanupCount& count = *response->add_counts();
      count.set_kind(static_cast<v1::CleanupKind>(kind));
      count.set_removed(static_cast<uint64_t>(10 * kind));
    }
    return grpc::Status::OK;
  }

  grpc::Status Import(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ImportResponse, v1::ImportRequest>* stream) override {
    v1::ImportRequest request;
    while (stream->Read(&request)) {
      v1::ImportResponse response;
      if (grpc::Status status = fake_.Import(request, response); !status.ok()) return status;
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetServerInfo(grpc::ServerContext*, const v1::GetServerInfoRequest*,
                             v1::ServerInfo* info) override {
    if (grpc::Status failure = fake_.Enter(); !failure.ok()) return failure;
    const int64_t now = absl::ToUnixSeconds(fake_.clock_.WallNow());
    info->set_version(PRESENCE_VERSION);
    info->set_build("fake");
    info->mutable_start_time()->set_seconds(now - 200);
    info->mutable_time()->set_seconds(now);
    info->set_storage_mode(v1::STORAGE_MODE_MEMORY);
    info->set_subscription_storage_mode(v1::STORAGE_MODE_MEMORY);
    info->set_core("core1");
    info->set_epoch(3);
    info->set_dev(true);
    v1::EventPackageInfo& package = *info->add_packages();
    package.set_event("presence");
    package.set_winfo(true);
    package.add_content_types("application/pidf+xml");
    return grpc::Status::OK;
  }

  FakePresence& fake_;
};

FakePresence::FakePresence(const Clock& clock)
    : clock_(clock),
      presence_(std::make_unique<Presence>(*this)),
      admin_(std::make_unique<Admin>(*this)),
      rules_(std::make_unique<FakeRules>(clock, [this] { return Enter(); })) {
  std::string directory = "/tmp/presencectl-XXXXXX";
  directory_ = mkdtemp(directory.data());
  address_ = absl::StrCat("unix:", directory_, "/s");
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(presence_.get());
  builder.RegisterService(admin_.get());
  builder.RegisterService(rules_.get());
  builder.SetMaxReceiveMessageSize(256 * 1024);
  server_ = builder.BuildAndStart();
}

FakePresence::~FakePresence() {
  Release();
  // Streams that stay open are cancelled at once.
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  unlink(address_.substr(address_.find('/')).c_str());
  rmdir(directory_.c_str());
}

void FakePresence::AddPublication(v1::Publication publication) {
  const std::lock_guard lock(mu_);
  const Key key(publication.presentity(), publication.event());
  ++revisions_[key];
  publications_[key].push_back(std::move(publication));
}

void FakePresence::AddSubscription(v1::Subscription subscription) {
  const std::lock_guard lock(mu_);
  subscriptions_.push_back(std::move(subscription));
}

void FakePresence::AddWatcher(const std::string& presentity, v1::Watcher watcher) {
  const std::lock_guard lock(mu_);
  watchers_[{presentity, watcher.event()}].push_back(std::move(watcher));
}

void FakePresence::AddDocument(v1::RulesDocument document) { rules_->Add(std::move(document)); }

void FakePresence::FailWith(grpc::Status status) {
  const std::lock_guard lock(mu_);
  failure_ = std::move(status);
}

void FakePresence::OnCall(std::function<void()> hook) {
  const std::lock_guard lock(mu_);
  on_call_ = std::move(hook);
}

void FakePresence::Stall() {
  const std::lock_guard lock(mu_);
  is_stalled_ = true;
}

void FakePresence::Release() {
  const std::lock_guard lock(mu_);
  is_stalled_ = false;
  released_.notify_all();
}

void FakePresence::ScriptWatch(WatchScript script) {
  const std::lock_guard lock(mu_);
  scripts_.push_back(std::move(script));
}

void FakePresence::OnIdleWatch(std::function<void()> hook) {
  const std::lock_guard lock(mu_);
  on_idle_watch_ = std::move(hook);
}

void FakePresence::OnImport(ImportHook hook) {
  const std::lock_guard lock(mu_);
  on_import_ = std::move(hook);
}

std::vector<v1::ImportRequest> FakePresence::imports() {
  const std::lock_guard lock(mu_);
  return imports_;
}

grpc::Status FakePresence::Import(const v1::ImportRequest& request, v1::ImportResponse& response) {
  std::unique_lock lock(mu_);
  imports_.push_back(request);
  const ImportHook hook = on_import_;
  lock.unlock();
  if (hook) return hook(request, response);
  response.set_imported(static_cast<uint64_t>(request.records_size()));
  return grpc::Status::OK;
}

std::vector<v1::PublishRequest> FakePresence::publishes() {
  const std::lock_guard lock(mu_);
  return publishes_;
}

std::vector<v1::WatchRequest> FakePresence::watches() {
  const std::lock_guard lock(mu_);
  return watches_;
}

grpc::Status FakePresence::Enter() {
  std::unique_lock lock(mu_);
  const std::function<void()> hook = on_call_;
  lock.unlock();
  if (hook) hook();
  lock.lock();
  released_.wait(lock, [this] { return !is_stalled_; });
  return failure_.value_or(grpc::Status::OK);
}

grpc::Status FakePresence::Publish(const v1::PublishRequest& request,
                                   v1::PublishResponse& response) {
  const std::lock_guard lock(mu_);
  publishes_.push_back(request);
  if (const auto before = answered_.find(request.request_id()); before != answered_.end()) {
    response = before->second;
    return grpc::Status::OK;
  }
  const Key key = KeyOf(request);
  std::vector<v1::Publication>& live = publications_[key];
  auto publication = std::find_if(live.begin(), live.end(), [&](const v1::Publication& p) {
    return p.etag() == request.etag();
  });
  if (!request.etag().empty() && publication == live.end()) {
    return StatusFor(
        v1::ERROR_REASON_ETAG_MISMATCH,
        absl::StrCat("no live publication has the entity-tag \"", request.etag(), "\""));
  }
  const int64_t expiry = request.has_expiry() ? request.expiry().seconds() : 3600;
  response.mutable_expiry()->set_seconds(expiry);
  response.set_watchers(ActiveWatchers(key));
  response.set_etag(absl::StrCat("etag-", ++etags_));
  response.mutable_revision()->set_epoch(1);
  response.mutable_revision()->set_seq(revisions_[key] + 1);
  if (request.validate_only()) return grpc::Status::OK;
  ++revisions_[key];
  if (expiry == 0) {
    live.erase(publication);
  } else {
    if (request.etag().empty()) publication = live.insert(live.end(), v1::Publication());
    publication->set_presentity(key.first);
    publication->set_event(key.second);
    publication->set_etag(response.etag());
    publication->set_priority(request.priority());
    publication->set_sender(request.sender());
    publication->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.WallNow()) + expiry);
    if (request.has_document()) *publication->mutable_document() = request.document();
  }
  answered_[request.request_id()] = response;
  return grpc::Status::OK;
}

v1::WatchedState FakePresence::StateOf(const v1::WatchTarget& target) {
  const std::lock_guard lock(mu_);
  const Key key = KeyOf(target);
  v1::WatchedState state;
  state.set_presentity(key.first);
  state.set_event(key.second);
  state.mutable_revision()->set_epoch(1);
  state.mutable_revision()->set_seq(revisions_[key]);
  // The newest publication stands for the composed document.
  if (!publications_[key].empty()) *state.mutable_document() = publications_[key].back().document();
  return state;
}

WatchScript FakePresence::NextWatch(const v1::WatchRequest& request) {
  {
    const std::lock_guard lock(mu_);
    watches_.push_back(request);
    if (failure_) return {{}, *failure_};
    if (!scripts_.empty()) {
      WatchScript script = std::move(scripts_.front());
      scripts_.pop_front();
      return script;
    }
  }
  WatchScript script;
  for (const v1::WatchTarget& target : request.targets()) {
    v1::WatchResponse& item = script.items.emplace_back();
    item.set_resume_token("1.1");
    *item.mutable_state() = StateOf(target);
  }
  v1::WatchResponse& done = script.items.emplace_back();
  done.set_resume_token("1.1");
  done.mutable_snapshot_done();
  return script;
}

uint32_t FakePresence::ActiveWatchers(const Key& key) {
  uint32_t active = 0;
  for (const v1::Watcher& watcher : watchers_[key]) {
    if (watcher.state() == v1::SUBSCRIPTION_STATE_ACTIVE) active += watcher.subscriptions();
  }
  return active;
}

grpc::Status FakePresence::Decide(const Key& key, const std::string& watcher,
                                  v1::SubscriptionState state, v1::WatcherDecision decision,
                                  v1::Watcher& decided) {
  if (grpc::Status failure = Enter(); !failure.ok()) return failure;
  const std::lock_guard lock(mu_);
  std::vector<v1::Watcher>& watchers = watchers_[key];
  auto found = std::find_if(watchers.begin(), watchers.end(), [&](const v1::Watcher& w) {
    return w.watcher() == AddressOfRecord(watcher);
  });
  if (found == watchers.end()) {
    found = watchers.insert(watchers.end(), v1::Watcher());
    found->set_watcher(AddressOfRecord(watcher));
    found->set_event(key.second);
  }
  found->set_state(state);
  found->set_decision(decision);
  if (state == v1::SUBSCRIPTION_STATE_TERMINATED) found->set_subscriptions(0);
  decided = *found;
  return grpc::Status::OK;
}

}  // namespace presence::cli
