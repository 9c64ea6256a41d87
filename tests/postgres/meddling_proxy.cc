#include "tests/postgres/meddling_proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace presence {
namespace {

constexpr char kSocketName[] = "/.s.PGSQL.5432";

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw std::runtime_error("too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

std::string FolderIn(const std::string& dsn) {
  const size_t at = dsn.find("host=") + 5;
  return dsn.substr(at, dsn.find(' ', at) - at);
}

// Size of the first message, unless more of it has to come: a type, but not of the first one, and a
// length that counts itself.
std::optional<size_t> SizeOfMessage(const std::string& bytes, bool has_type) {
  const size_t type = has_type ? 1 : 0;
  if (bytes.size() < type + 4) return std::nullopt;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + type, 4);
  const size_t size = type + ntohl(length);
  if (bytes.size() < size) return std::nullopt;
  return size;
}

// What the server answers: a simple query, or what a Sync ends.
bool IsStatement(char type) { return type == 'Q' || type == 'S'; }

bool SendAll(int socket, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

MeddlingProxy::MeddlingProxy(const std::string& dsn) : server_path_(FolderIn(dsn) + kSocketName) {
  char folder[] = "/tmp/presence-proxy-XXXXXX";
  if (mkdtemp(folder) == nullptr || pipe(wake_) != 0) throw std::runtime_error("no folder");
  folder_ = folder;
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(folder_ + kSocketName);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener_, 64) != 0) {
    throw std::runtime_error("no socket in " + folder_);
  }
  thread_ = std::thread([this] { Run(); });
}

MeddlingProxy::~MeddlingProxy() {
  close(wake_[1]);
  thread_.join();
  close(wake_[0]);
  close(listener_);
  unlink((folder_ + kSocketName).c_str());
  rmdir(folder_.c_str());
}

void MeddlingProxy::MeddleWith(int nth, Fate fate) {
  absl::MutexLock lock(&mu_);
  countdown_ = nth;
  fate_ = fate;
  statements_ = 0;
  has_meddled_ = false;
}

int MeddlingProxy::statements() const {
  absl::MutexLock lock(&mu_);
  return statements_;
}

void MeddlingProxy::AwaitMeddling() const {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&has_meddled_));
}

void MeddlingProxy::Run() {
  while (true) {
    std::vector<pollfd> waiting{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Link& link : links_) {
      waiting.push_back({link.client, POLLIN, 0});
      waiting.push_back({link.is_held ? -1 : link.server, POLLIN, 0});
    }
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) break;
    size_t at = 2;
    for (auto it = links_.begin(); it != links_.end(); at += 2) {
      const bool goes_on = (waiting[at].revents == 0 || PassOn(*it)) &&
                           (waiting[at + 1].revents == 0 || PassBack(*it));
      if (!goes_on) {
        close(it->client);
        close(it->server);
      }
      it = goes_on ? std::next(it) : links_.erase(it);
    }
    if (waiting[1].revents != 0) Accept();
  }
  for (const Link& link : links_) {
    close(link.client);
    close(link.server);
  }
}

void MeddlingProxy::Accept() {
  Link link;
  link.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  link.server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(server_path_);
  if (connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(link.client);
    close(link.server);
    return;
  }
  links_.push_back(std::move(link));
}

long MeddlingProxy::Examine(Link& link) {
  size_t whole = 0;
  std::string rest = link.unread;
  absl::MutexLock lock(&mu_);
  while (const auto size = SizeOfMessage(rest, link.has_started)) {
    const bool is_statement = link.has_started && IsStatement(rest[0]);
    link.has_started = true;
    whole += *size;
    rest.erase(0, *size);
    if (!is_statement) continue;
    ++statements_;
    if (countdown_ == 0 || --countdown_ > 0) continue;
    has_meddled_ = true;
    if (fate_ == Fate::kLoseStatement) return -1;
    (fate_ == Fate::kLoseAnswer ? link.loses_answer : link.is_held) = true;
    break;
  }
  return static_cast<long>(whole);
}

bool MeddlingProxy::PassOn(Link& link) {
  char data[1 << 16];
  const ssize_t size = recv(link.client, data, sizeof(data), 0);
  if (size <= 0) return false;
  link.unread.append(data, static_cast<size_t>(size));
  const long passed = Examine(link);
  if (passed < 0 || !SendAll(link.server, link.unread.data(), static_cast<size_t>(passed))) {
    return false;
  }
  link.unread.erase(0, static_cast<size_t>(passed));
  return true;
}

bool MeddlingProxy::PassBack(Link& link) {
  char data[1 << 16];
  const ssize_t size = recv(link.server, data, sizeof(data), 0);
  // What it answers shows that it is done.
  if (size <= 0 || link.loses_answer) return false;
  return SendAll(link.client, data, static_cast<size_t>(size));
}

}  // namespace presence
