#ifndef PRESENCE_TESTS_UNIT_CLI_FAKE_PRESENCE_H_
#define PRESENCE_TESTS_UNIT_CLI_FAKE_PRESENCE_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/server.h>

#include "absl/time/time.h"
#include "presence/v1/admin.grpc.pb.h"
#include "presence/v1/errors.pb.h"
#include "presence/v1/presence.grpc.pb.h"
#include "runtime/clock.h"
#include "tests/unit/cli/fake_rules.h"

namespace presence::cli {

// One Watch stream of a script: what it sends, and how it ends. Without `end` it stays open.
struct WatchScript {
  std::vector<v1::WatchResponse> items;
  std::optional<grpc::Status> end;
};

// A presence server with state but without rules: it keeps publications by entity-tag, decisions
// and lists, and fails on request. Real gRPC over a unix socket of its own. Calls may come from any
// thread.
class FakePresence final {
 public:
  explicit FakePresence(const Clock& clock);
  ~FakePresence();

  // As --server takes it.
  const std::string& address() const { return address_; }

  // Puts things there before a command runs.
  void AddPublication(v1::Publication publication);
  void AddSubscription(v1::Subscription subscription);
  void AddDocument(v1::RulesDocument document);
  void AddWatcher(const std::string& presentity, v1::Watcher watcher);

  // Makes every call fail from now on.
  void FailWith(grpc::Status status);
  // Calls this before each unary call is answered.
  void OnCall(std::function<void()> hook);
  // Keeps every unary call waiting until Release, or until this ends.
  void Stall();
  void Release();
  // What the next Watch streams do, in order; without a script a stream sends the state and stays
  // open.
  void ScriptWatch(WatchScript script);
  // Answers the messages of Import; without, each record is taken. Messages are as large as a core
  // takes them.
  using ImportHook = std::function<grpc::Status(const v1::ImportRequest&, v1::ImportResponse&)>;
  void OnImport(ImportHook hook);
  // Called when a stream that stays open has sent everything.
  void OnIdleWatch(std::function<void()> hook);

  std::vector<v1::PublishRequest> publishes();
  std::vector<v1::WatchRequest> watches();
  std::vector<v1::ImportRequest> imports();

 private:
  class Presence;
  class Admin;
  class WatchStream;
  using Key = std::pair<std::string, std::string>;  // presentity, event

  // Runs the hooks, then returns the failure asked for.
  grpc::Status Enter();
  grpc::Status Publish(const v1::PublishRequest& request, v1::PublishResponse& response);
  WatchScript NextWatch(const v1::WatchRequest& request);
  grpc::Status Import(const v1::ImportRequest& request, v1::ImportResponse& response);
  v1::WatchedState StateOf(const v1::WatchTarget& target);
  uint32_t ActiveWatchers(const Key& key);
  grpc::Status Decide(const Key& key, const std::string& watcher, v1::SubscriptionState state,
                      v1::WatcherDecision decision, v1::Watcher& decided);

  const Clock& clock_;
  std::string directory_;
  std::string address_;
  std::unique_ptr<Presence> presence_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<FakeRules> rules_;
  std::unique_ptr<grpc::Server> server_;

  std::mutex mu_;
  std::map<Key, std::vector<v1::Publication>> publications_;
  std::map<Key, uint64_t> revisions_;
  std::map<Key, std::vector<v1::Watcher>> watchers_;
  std::vector<v1::Subscription> subscriptions_;
  std::map<std::string, v1::PublishResponse> answered_;
  std::vector<v1::PublishRequest> publishes_;
  std::vector<v1::WatchRequest> watches_;
  std::vector<v1::ImportRequest> imports_;
  std::deque<WatchScript> scripts_;
  std::optional<grpc::Status> failure_;
  std::function<void()> on_call_;
  ImportHook on_import_;
  std::function<void()> on_idle_watch_;
  bool is_stalled_ = false;
  std::condition_variable released_;
  int etags_ = 0;
};

}  // namespace presence::cli

#endif  // PRESENCE_TESTS_UNIT_CLI_FAKE_PRESENCE_H_
