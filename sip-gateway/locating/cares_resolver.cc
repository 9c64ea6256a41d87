#include "sip-gateway/locating/cares_resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/time.h>

#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "sip-gateway/locating/hosts_file.h"
#include "sip-gateway/locating/locate_errors.h"
#include "sip-gateway/locating/reply_reader.h"

namespace presence::sip {
namespace {

// The largest answer that fits one datagram on nearly every path (DNS flag day 2020).
constexpr int kEdnsSize = 1232;

// The hosts file has no TTL; this is how soon an edit is seen.
constexpr absl::Duration kHostsFileTtl = absl::Seconds(10);

struct DnsServer {
  IpLiteral ip;
  uint16_t port = 53;
};

std::optional<DnsServer> ParseServer(std::string_view text) {
  if (const auto ip = IpLiteral::Parse(text)) return DnsServer{*ip};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto ip = IpLiteral::Parse(text.substr(0, colon));
  // Without brackets nobody can tell the port of an IPv6 address from its last group.
  if (ip && ip->is_v6() && !text.starts_with('[')) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_port = error == std::errc() && end == digits.data() + digits.size() && port != 0;
  if (!ip || !is_port) return std::nullopt;
  return DnsServer{*ip, port};
}

int DnsType(RecordType type) {
  switch (type) {
    case RecordType::kA:
      return ns_t_a;
    case RecordType::kAaaa:
      return ns_t_aaaa;
    case RecordType::kSrv:
      return ns_t_srv;
    case RecordType::kNaptr:
      return ns_t_naptr;
  }
  return ns_t_a;
}

DnsReply AddressReply(std::vector<IpLiteral> addresses) {
  DnsReply reply;
  reply.outcome = addresses.empty() ? DnsReply::Outcome::kNone : DnsReply::Outcome::kRecords;
  reply.addresses = std::move(addresses);
  reply.ttl = kHostsFileTtl;
  return reply;
}

// RFC 6761 §6.3: never asks the DNS, and an SRV record of such a name would be somebody's trap.
std::optional<DnsReply> LocalhostReply(const DnsQuestion& question) {
  if (question.name != "localhost" && !question.name.ends_with(".localhost")) {
    return std::nullopt;
  }
  if (question.type == RecordType::kA) return AddressReply({IpLiteral::FromV4({127, 0, 0, 1})});
  if (question.type == RecordType::kAaaa) return AddressReply({*IpLiteral::Parse("::1")});
  return AddressReply({});
}

}  // namespace

// One c-ares channel, its sockets and its alarm. c-ares calls back from deep inside itself, where
// the channel must not be destroyed; so its callbacks only note the answer, and Deliver() hands the
// answers on when c-ares has returned.
class CaresResolver::Channel {
 public:
  Channel(const Options& options, DescriptorWatcher& loop, const Clock& clock)
      : hosts_file_(options.hosts_file), loop_(loop), clock_(clock) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  absl::Status Start(const Options& options);
  void Ask(const DnsQuestion& question, absl::AnyInvocable<void(DnsReply)> done);

 private:
  struct Pending {
    Channel* channel;
    RecordType type;
    absl::AnyInvocable<void(DnsReply)> done;
  };
  struct Answer {
    DnsReply reply;
    absl::AnyInvocable<void(DnsReply)> done;
  };

  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable);
  static void OnAnswer(void* pending, int status, int timeouts, unsigned char* message, int size);
  static DnsReply ReplyOf(RecordType type, int status, std::span<const uint8_t> message);

  absl::Status UseServers(const std::vector<std::string>& servers);
  std::optional<DnsReply> HostsFileReply(const DnsQuestion& question);
  void Process(ares_socket_t readable, ares_socket_t writable);
  void Deliver();
  void SetAlarm();

  const HostsFile hosts_file_;
  DescriptorWatcher& loop_;
  const Clock& clock_;
  ares_channel ares_ = nullptr;
  std::vector<Answer> answers_;  // not delivered yet
  WatcherAlarm alarm_ = kNoWatcherAlarm;
  absl::Time alarm_time_;
};

absl::Status CaresResolver::Channel::Start(const Options& options) {
  // A no-op on POSIX systems, but the manual wants it; gRPC in the same process calls it as well.
  static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);
  if (initialised != ARES_SUCCESS) return ResolverNotStarted(ares_strerror(initialised));

  char lookups[] = "b";  // DNS only: the hosts file is read by HostsFileReply
  ares_options ares{};
  ares.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  ares.timeout = static_cast<int>(absl::ToInt64Milliseconds(options.query_timeout));
  ares.tries = options.tries;
  ares.ednspsz = kEdnsSize;
  ares.lookups = lookups;
  ares.sock_state_cb = &Channel::OnSocketState;
  ares.sock_state_cb_data = this;
  const int status =
      ares_init_options(&ares_, &ares,
                        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                            ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    ares_ = nullptr;
    return ResolverNotStarted(ares_strerror(status));
  }
  return UseServers(options.servers);
}

absl::Status CaresResolver::Channel::UseServers(const std::vector<std::string>& servers) {
  std::vector<ares_addr_port_node> nodes;
  for (const std::string& text : servers) {
    const std::optional<DnsServer> server = ParseServer(text);
    if (!server) return BadDnsServer(text);
    ares_addr_port_node node{};
    node.family = server->ip.is_v6() ? AF_INET6 : AF_INET;
    node.udp_port = node.tcp_port = server->port;
    ares_inet_pton(node.family, server->ip.text().c_str(), &node.addr);
    nodes.push_back(node);
  }
  if (nodes.empty()) return absl::OkStatus();
  for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i].next = &nodes[i + 1];
  const int status = ares_set_servers_ports(ares_, nodes.data());
  return status == ARES_SUCCESS ? absl::OkStatus() : ResolverNotStarted(ares_strerror(status));
}

CaresResolver::Channel::~Channel() {
  // Calls OnAnswer for all that is pending, and OnSocketState for the sockets it closes.
  if (ares_ != nullptr) ares_destroy(ares_);
  loop_.CancelAlarm(alarm_);
}

void CaresResolver::Channel::Ask(const DnsQuestion& question,
                                 absl::AnyInvocable<void(DnsReply)> done) {
  std::optional<DnsReply> local = LocalhostReply(question);
  if (!local) local = HostsFileReply(question);
  if (local) {
    answers_.push_back({*std::move(local), std::move(done)});
  } else {
    // OnAnswer takes the pending back; c-ares calls it exactly once.
    auto pending = std::make_unique<Pending>(Pending{this, question.type, std::move(done)});
    ares_query(ares_, question.name.c_str(), ns_c_in, DnsType(question.type), &Channel::OnAnswer,
               pending.release());
  }
  SetAlarm();
}

void CaresResolver::Channel::OnSocketState(void* self, ares_socket_t fd, int readable,
                                           int writable) {
  auto* channel = static_cast<Channel*>(self);
  if (!readable && !writable) {
    channel->loop_.Forget(fd);
    return;
  }
  channel->loop_.Watch(fd, {readable != 0, writable != 0}, [channel, fd](Readiness ready) {
    channel->Process(ready.read ? fd : ARES_SOCKET_BAD, ready.write ? fd : ARES_SOCKET_BAD);
  });
}

void CaresResolver::Channel::OnAnswer(void* arg, int status, int /*timeouts*/,
                                      unsigned char* message, int size) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(arg));
  if (status == ARES_EDESTRUCTION) return;
  const std::span<const uint8_t> bytes(message, message ? static_cast<size_t>(size) : 0);
  pending->channel->answers_.push_back(
      {ReplyOf(pending->type, status, bytes), std::move(pending->done)});
}

DnsReply CaresResolver::Channel::ReplyOf(RecordType type, int status,
                                         std::span<const uint8_t> message) {
  switch (status) {
    case ARES_SUCCESS:
      return ReadReply(type, message);
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
      return ReadNegativeReply(message);
    default:
      return FailedReply(ares_strerror(status));
  }
}

void CaresResolver::Channel::Process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(ares_, readable, writable);
  Deliver();
  SetAlarm();
}

void CaresResolver::Channel::Deliver() {
  std::vector<Answer> answers = std::exchange(answers_, {});
  for (Answer& answer : answers) answer.done(std::move(answer.reply));
}

void CaresResolver::Channel::SetAlarm() {
  timeval buffer{};
  absl::Time when = absl::InfiniteFuture();
  if (const timeval* wait = ares_timeout(ares_, nullptr, &buffer)) {
    when = clock_.Now() + absl::DurationFromTimeval(*wait);
  }
  // What is answered already is delivered from the loop, never from inside Ask.
  if (!answers_.empty()) when = clock_.Now();
  // An alarm that rings early does no harm, so an earlier one is left alone.
  if (alarm_ != kNoWatcherAlarm && alarm_time_ <= when) return;
  loop_.CancelAlarm(std::exchange(alarm_, kNoWatcherAlarm));
  if (when == absl::InfiniteFuture()) return;
  alarm_time_ = when;
  alarm_ = loop_.SetAlarm(when, [this] {
    alarm_ = kNoWatcherAlarm;
    Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

std::optional<DnsReply> CaresResolver::Channel::HostsFileReply(const DnsQuestion& question) {
  const bool is_v6 = question.type == RecordType::kAaaa;
  if (!is_v6 && question.type != RecordType::kA) return std::nullopt;
  std::vector<IpLiteral> addresses = hosts_file_.Find(question.name);
  if (addresses.empty()) return std::nullopt;
  // A name with entries of one family only has no address of the other: the file is all there is.
  std::erase_if(addresses, [=](const IpLiteral& ip) { return ip.is_v6() != is_v6; });
  return AddressReply(std::move(addresses));
}

CaresResolver::CaresResolver(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}
CaresResolver::~CaresResolver() = default;

absl::StatusOr<std::unique_ptr<CaresResolver>> CaresResolver::Create(const Options& options,
                                                                     DescriptorWatcher& loop,
                                                                     const Clock& clock) {
  auto channel = std::make_unique<Channel>(options, loop, clock);
  if (absl::Status status = channel->Start(options); !status.ok()) return status;
  return std::unique_ptr<CaresResolver>(new CaresResolver(std::move(channel)));
}

void CaresResolver::Ask(const DnsQuestion& question, absl::AnyInvocable<void(DnsReply)> done) {
  channel_->Ask(question, std::move(done));
}

}  // namespace presence::sip
