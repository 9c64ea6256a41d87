#include "presence-core/storage/postgres/change_signal.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <pqxx/pqxx>
#include <utility>

#include "presence-core/storage/postgres/connection.h"

namespace presence {
namespace {

constexpr char kChannel[] = "presence_changed";
constexpr absl::Duration kProbe = absl::Seconds(2);
// So long the listening thread sleeps at most, in microseconds.
constexpr long kListenMicros = 100000;  // NOLINT(google-runtime-int): as libpqxx has it

// Hands on what is notified, as the transaction of libpqxx wants it.
class Receiver final : public pqxx::notification_receiver {
 public:
  Receiver(pqxx::connection& connection, std::function<void(const std::string&)> take)
      : pqxx::notification_receiver(connection, kChannel), take_(std::move(take)) {}
  void operator()(const std::string& payload, int /*backend_pid*/) override { take_(payload); }

 private:
  const std::function<void(const std::string&)> take_;
};

}  // namespace

ChangeSignal::ChangeSignal(DatabaseOptions options, std::string node, const Clock& clock)
    : options_(std::move(options)),
      node_(std::move(node)),
      clock_(clock),
      guard_(options_, clock),
      unsaid_(node_),
      worker_(clock, "signal") {}

ChangeSignal::~ChangeSignal() { Stop(); }

void ChangeSignal::Send(const std::vector<ResourceKey>& keys) {
  if (unsaid_.Add(keys)) FlushAfter(ChangesToSay::kGather);
}

void ChangeSignal::FlushAfter(absl::Duration pause) {
  worker_.PostAt(clock_.Now() + pause, [this] { Flush(); });
}

void ChangeSignal::Flush() {
  const ChangesToSay::Taken taken = unsaid_.Take();
  if (taken.payloads.empty()) return;
  try {
    if (sender_ == nullptr || !sender_->is_open()) sender_ = Connect(options_, &guard_);
    const StallGuard::Call call(guard_, *sender_);
    pqxx::work transaction(*sender_);
    for (const std::string& payload : taken.payloads) {
      transaction.exec_params("SELECT pg_notify($1, $2)", kChannel, payload);
    }
    transaction.commit();
  } catch (const std::exception&) {
    sender_.reset();
    if (unsaid_.PutBack(taken)) FlushAfter(ChangesToSay::kTryAgain);
  }
}

void ChangeSignal::Listen(Listener listener) {
  listener_ = std::move(listener);
  if (unsaid_.AddAnything()) FlushAfter(ChangesToSay::kGather);
  thread_ = std::thread([this] { Hear(); });
}

void ChangeSignal::StopListening() {
  if (!is_stopping_.HasBeenNotified()) is_stopping_.Notify();
  if (thread_.joinable()) thread_.join();
}

void ChangeSignal::Stop() {
  StopListening();
  worker_.Stop();
  // A database that is away would hold up the end.
  if (sender_ != nullptr && sender_->is_open()) Flush();
}

void ChangeSignal::Hear() {
  while (!is_stopping_.HasBeenNotified()) {
    try {
      HearOnce();
    } catch (const std::exception&) {
      is_stopping_.WaitForNotificationWithTimeout(ChangesToSay::kTryAgain);
    }
  }
}

// Listens until the connection is lost, or to stop.
void ChangeSignal::HearOnce() {
  const auto connection = Connect(options_, &guard_);
  // The receiver asks the server to begin, and to stop when it goes, and the server may have
  // stopped talking.
  std::optional<StallGuard::Call> leaving;
  std::optional<StallGuard::Call> beginning(std::in_place, guard_, *connection);
  const Receiver receiver(*connection, [this](const std::string& payload) { Take(payload); });
  beginning.reset();
  has_gap_ = true;
  absl::Time probe_at = clock_.Now() + kProbe;
  while (!is_stopping_.HasBeenNotified()) {
    // Names that came before count for nothing, those that come from now on count again.
    if (has_gap_.exchange(false)) listener_.on_gap();
    if (is_stopping_.HasBeenNotified()) break;
    connection->await_notification(0, kListenMicros);
    if (clock_.Now() >= probe_at) {
      // Nobody hears from a server that is gone without a word that it is.
      const StallGuard::Call call(guard_, *connection);
      pqxx::nontransaction(*connection).exec0("");
      probe_at = clock_.Now() + kProbe;
    }
    const bool is_to_tell = !heard_.empty() && !is_stopping_.HasBeenNotified();
    if (is_to_tell) listener_.on_changed(std::exchange(heard_, {}));
  }
  leaving.emplace(guard_, *connection);
}

void ChangeSignal::Take(const std::string& payload) {
  ChangesHeard heard = HeardFrom(payload, node_);
  std::move(heard.keys.begin(), heard.keys.end(), std::back_inserter(heard_));
  if (heard.may_be_anything) has_gap_ = true;
}

}  // namespace presence
