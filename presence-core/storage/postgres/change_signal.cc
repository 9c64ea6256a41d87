#include "presence-core/storage/postgres/change_signal.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <string_view>
#include <utility>

#include "presence-core/storage/postgres/connection.h"

namespace presence {
namespace {

constexpr char kChannel[] = "presence_changed";
// Changes of so long are told together.
constexpr absl::Duration kGather = absl::Milliseconds(5);
constexpr absl::Duration kTryAgain = absl::Milliseconds(200);
constexpr absl::Duration kProbe = absl::Seconds(2);
// PostgreSQL takes less than 8,000 bytes at a time.
constexpr size_t kLongestPayload = 7000;
// With more than that unsent the others are told to look at everything.
constexpr size_t kMostUnsent = 100000;
// In place of names: anything may have changed.
constexpr char kAnything[] = "*";
// So long the listening thread sleeps at most, in microseconds.
constexpr long kListenMicros = 100000;  // NOLINT(google-runtime-int): as libpqxx has it

// A line a resource, after one with the name of the sender. None of them has control characters.
std::string LineOf(const ResourceKey& key) {
  return key.presentity.text() + "\t" + key.event.text() + "\n";
}

std::optional<ResourceKey> KeyOf(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  auto presentity = PresentityUri::FromText(line.substr(0, tab));
  auto event = EventName::Parse(line.substr(tab + 1));
  if (!presentity.has_value() || !event.ok()) return std::nullopt;
  return ResourceKey{*std::move(presentity), *std::move(event)};
}

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
      worker_(clock, "signal") {}

ChangeSignal::~ChangeSignal() { Stop(); }

void ChangeSignal::Send(const std::vector<ResourceKey>& keys) {
  {
    absl::MutexLock lock(&mu_);
    if (unsent_.size() + keys.size() > kMostUnsent) {
      is_too_much_ = true;
      unsent_.clear();
    } else {
      unsent_.insert(keys.begin(), keys.end());
    }
    if (std::exchange(is_flush_posted_, true)) return;
  }
  worker_.PostAt(clock_.Now() + kGather, [this] { Flush(); });
}

void ChangeSignal::Flush() {
  absl::btree_set<ResourceKey> keys;
  bool is_too_much = false;
  {
    absl::MutexLock lock(&mu_);
    keys.swap(unsent_);
    is_too_much = std::exchange(is_too_much_, false);
    is_flush_posted_ = false;
  }
  std::vector<std::string> payloads;
  const std::string head = node_ + "\n";
  if (is_too_much) payloads.push_back(head + kAnything);
  for (const ResourceKey& key : keys) {
    std::string line = LineOf(key);
    if (head.size() + line.size() > kLongestPayload) line = kAnything;
    if (payloads.empty() || payloads.back().size() + line.size() > kLongestPayload) {
      payloads.push_back(head);
    }
    payloads.back() += line;
  }
  try {
    if (sender_ == nullptr || !sender_->is_open()) sender_ = Connect(options_, &guard_);
    const StallGuard::Call call(guard_, *sender_);
    pqxx::work transaction(*sender_);
    for (const std::string& payload : payloads) {
      transaction.exec_params("SELECT pg_notify($1, $2)", kChannel, payload);
    }
    transaction.commit();
  } catch (const std::exception&) {
    sender_.reset();
    absl::MutexLock lock(&mu_);
    is_too_much_ = is_too_much_ || is_too_much;
    unsent_.insert(keys.begin(), keys.end());
    if (std::exchange(is_flush_posted_, true)) return;
    worker_.PostAt(clock_.Now() + kTryAgain, [this] { Flush(); });
  }
}

void ChangeSignal::Listen(Listener listener) {
  listener_ = std::move(listener);
  thread_ = std::thread([this] { Hear(); });
}

void ChangeSignal::StopListening() {
  if (!is_stopping_.HasBeenNotified()) is_stopping_.Notify();
}

void ChangeSignal::Stop() {
  StopListening();
  if (thread_.joinable()) thread_.join();
  worker_.Stop();
}

void ChangeSignal::Hear() {
  while (!is_stopping_.HasBeenNotified()) {
    try {
      HearOnce();
    } catch (const std::exception&) {
      is_stopping_.WaitForNotificationWithTimeout(kTryAgain);
    }
  }
}

// Listens until the connection is lost, or to stop.
void ChangeSignal::HearOnce() {
  const auto connection = Connect(options_, &guard_);
  // The receiver asks the server to stop when it goes, and that may have stopped talking, too.
  std::optional<StallGuard::Call> leaving;
  const Receiver receiver(*connection, [this](const std::string& payload) { Take(payload); });
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
  std::string_view rest = payload;
  const auto next_line = [&rest] {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
  };
  if (next_line() == node_) return;
  while (!rest.empty()) {
    const std::string_view line = next_line();
    if (std::optional<ResourceKey> key = KeyOf(line)) {
      heard_.push_back(*std::move(key));
    } else {
      has_gap_ = true;
    }
  }
}

}  // namespace presence
