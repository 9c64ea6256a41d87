// Loads a presence server over UDP and measures what it costs: CPU of the named processes for each
// PUBLISH answered by 200 together with the NOTIFYs it caused, and their memory at rest.
//
//   sip_load --target 127.0.0.1:5060 --pids PID[,PID...] [--presentities 1000] [--watchers 1]
//            [--window 64] [--pace MS] [--seconds 10] [--name p] [--fill-only]
//
// Closed loop: a presentity publishes its next state when the last one was answered and every
// watcher of it has been notified and has answered; `window` presentities do so at a time. Nothing
// is skipped or merged, so two servers that finish the same loop have done the same work.
// --pace starts no more than one publication in so many milliseconds, so that the latency printed
// is that of a server with time to spare; --name keeps two loads beside each other apart.
// --fill-only subscribes and publishes once, and prints what a subscription and a publication
// weigh.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace {

using Clock = std::chrono::steady_clock;

// RFC 3261 T1: what was not answered by then is sent again.
constexpr std::chrono::milliseconds kResendAfter{500};

struct Options {
  std::string host = "127.0.0.1";
  std::string name = "p";
  uint16_t port = 5060;
  std::vector<int> pids;
  int presentities = 1000;
  int watchers = 1;
  int window = 64;
  double seconds = 10;
  double pace_ms = 0;
  bool fill_only = false;
};

[[noreturn]] void Usage(std::string_view why) {
  std::cerr
      << "sip_load: " << why << "\n"
      << "usage: sip_load --target HOST:PORT --pids PID[,PID...] [--presentities N] "
         "[--watchers N] [--window N] [--pace MS] [--seconds S] [--name NAME] [--fill-only]\n";
  std::exit(2);
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--fill-only") {
      options.fill_only = true;
      continue;
    }
    if (i + 1 == argc) Usage(flag + " needs a value");
    const std::string value = argv[++i];
    if (flag == "--target") {
      options.host = value.substr(0, value.rfind(':'));
      options.port = static_cast<uint16_t>(std::stoi(value.substr(value.rfind(':') + 1)));
    } else if (flag == "--pids") {
      std::stringstream list(value);
      for (std::string pid; std::getline(list, pid, ',');) options.pids.push_back(std::stoi(pid));
    } else if (flag == "--presentities") {
      options.presentities = std::stoi(value);
    } else if (flag == "--watchers") {
      options.watchers = std::stoi(value);
    } else if (flag == "--window") {
      options.window = std::stoi(value);
    } else if (flag == "--seconds") {
      options.seconds = std::stod(value);
    } else if (flag == "--pace") {
      options.pace_ms = std::stod(value);
    } else if (flag == "--name") {
      options.name = value;
    } else {
      Usage("unknown flag " + flag);
    }
  }
  return options;
}

// User and system time of a process and all its children that live now, in seconds.
double CpuSeconds(const std::vector<int>& pids) {
  double ticks = 0;
  for (int pid : pids) {
    std::ifstream in(fmt::format("/proc/{}/stat", pid));
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::stringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    ticks += user + system;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ResidentBytes(const std::vector<int>& pids) {
  double pages = 0;
  for (int pid : pids) {
    std::ifstream in(fmt::format("/proc/{}/statm", pid));
    double total = 0;
    double resident = 0;
    in >> total >> resident;
    pages += resident;
  }
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::string_view Header(std::string_view message, std::string_view name) {
  const std::string key = fmt::format("\r\n{}: ", name);
  const size_t at = message.find(key);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size();
  return message.substr(begin, message.find("\r\n", begin) - begin);
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        publishers_(static_cast<size_t>(options.presentities)),
        watchers_(static_cast<size_t>(options.presentities) *
                  static_cast<size_t>(options.watchers)) {
    socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 16 * 1024 * 1024;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    target_.sin_family = AF_INET;
    target_.sin_port = htons(options.port);
    inet_pton(AF_INET, options.host.c_str(), &target_.sin_addr);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&target_), sizeof(target_)) != 0) {
      Usage("cannot reach the target");
    }
    sockaddr_in own{};
    socklen_t length = sizeof(own);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &length);
    own_port_ = ntohs(own.sin_port);
    run_ = Clock::now().time_since_epoch().count() % 1'000'000;
  }
  ~Load() { close(socket_); }

  // Every watcher subscribes once, a window at a time, and is notified.
  void SubscribeAll() {
    size_t sent = 0;
    while (subscribed_ < watchers_.size() || notified_ < watchers_.size()) {
      while (sent < watchers_.size() &&
             sent - std::min(subscribed_, notified_) < static_cast<size_t>(options_.window)) {
        Subscribe(sent++);
      }
      Receive(kResendAfter);
      if (IsTimeToResend()) {
        for (size_t i = 0; i < sent; ++i) {
          if (!watchers_[i].is_answered) Subscribe(i);
        }
      }
    }
  }

  // Every presentity publishes `rounds` states, or as many as fit into `seconds`.
  uint64_t PublishFor(double seconds, uint64_t rounds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    const auto pace = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double, std::milli>(rounds == 1 ? 0 : options_.pace_ms));
    completed_ = 0;
    to_answer_.clear();
    to_completion_.clear();
    const uint64_t wanted = rounds * publishers_.size();
    uint64_t started = 0;
    size_t next = 0;
    auto due = Clock::now();
    while (true) {
      const auto now = Clock::now();
      const bool is_stopping = now >= end || started >= wanted;
      if (is_stopping && completed_ == started) return completed_;
      const bool may_start = !is_stopping && now >= due &&
                             started - completed_ < static_cast<uint64_t>(options_.window);
      if (may_start && FindIdle(next)) {
        Publish(next);
        ++started;
        // A pace missed is not made up for: that would be a burst.
        due = std::max(due + pace, now);
        continue;
      }
      Receive(now < due ? due - now : kResendAfter);
      if (IsTimeToResend()) ResendPublications();
    }
  }

  // Of the last PublishFor.
  void PrintLatency() {
    for (auto* times : {&to_answer_, &to_completion_}) {
      if (times->empty()) continue;
      std::sort(times->begin(), times->end());
      const auto at = [&](double part) {
        const auto last = static_cast<double>(times->size() - 1);
        return (*times)[static_cast<size_t>(part * last)] * 1e3;
      };
      fmt::print("PUBLISH to {}: {:.2f} ms median, {:.2f} p90, {:.2f} p99, {:.2f} longest\n",
                 times == &to_answer_ ? "200" : "last NOTIFY", at(0.5), at(0.9), at(0.99), at(1));
    }
    fmt::print("{} messages sent again, {} NOTIFYs received again\n", resent_, repeated_);
  }

 private:
  struct Publisher {
    std::string etag;
    std::string request;
    uint32_t cseq = 0;
    int notifies_due = 0;
    bool is_answered = false;
    bool is_under_way = false;
    Clock::time_point begun;
  };
  struct Watcher {
    bool is_answered = false;
    // 0: none received yet.
    uint32_t last_cseq = 0;
  };

  // Moves `next` to a presentity, in turn, of which no publication is under way.
  bool FindIdle(size_t& next) const {
    for (size_t tries = 0; tries < publishers_.size(); ++tries) {
      next = (next + 1) % publishers_.size();
      if (!publishers_[next].is_under_way) return true;
    }
    return false;
  }

  bool IsTimeToResend() {
    const auto now = Clock::now();
    if (now - last_progress_ < kResendAfter) return false;
    if (++silences_ > 20) Usage("nothing has got on for 10 s");
    last_progress_ = now;
    return true;
  }

  void ResendPublications() {
    for (const Publisher& publisher : publishers_) {
      if (!publisher.is_under_way || publisher.is_answered) continue;
      Send(publisher.request);
      ++resent_;
    }
  }

  void Send(const std::string& message) {
    while (send(socket_, message.data(), message.size(), 0) < 0 && errno == ENOBUFS) {
    }
  }

  void Subscribe(size_t index) {
    Send(
        fmt::format("SUBSCRIBE sip:{4}{0}@example.com SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP 127.0.0.1:{1};branch=z9hG4bKs{2}x{3};rport\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: <sip:w{3}@example.com>;tag=wt{3}\r\n"
                    "To: <sip:{4}{0}@example.com>\r\n"
                    "Call-ID: subscription-{3}-{2}@127.0.0.1\r\n"
                    "CSeq: 1 SUBSCRIBE\r\n"
                    "Contact: <sip:w{3}@127.0.0.1:{1}>\r\n"
                    "Event: presence\r\n"
                    "Accept: application/pidf+xml\r\n"
                    "Expires: 3600\r\n"
                    "User-Agent: sip_load, standing for a desk phone 1.2.3\r\n"
                    "Content-Length: 0\r\n\r\n",
                    index % publishers_.size(), own_port_, run_, index, options_.name));
  }

  void Publish(size_t index) {
    Publisher& publisher = publishers_[index];
    publisher.is_under_way = true;
    publisher.is_answered = false;
    publisher.notifies_due = options_.watchers;
    publisher.begun = Clock::now();
    ++publisher.cseq;
    // 600 bytes, as phones send them.
    const std::string body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
        "xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" "
        "xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:{3}{0}@example.com\">\n"
        "  <tuple id=\"desk{0}\">\n    <status><basic>{1}</basic></status>\n"
        "    <contact priority=\"0.8\">sip:{3}{0}@192.0.2.10:5060</contact>\n"
        "    <note xml:lang=\"en\">state number {2:08}</note>\n  </tuple>\n"
        "  <dm:person id=\"person{0}\">\n    "
        "<rpid:activities><rpid:on-the-phone/></rpid:activities>\n"
        "    <dm:note>in a meeting until further notice</dm:note>\n  </dm:person>\n</presence>\n",
        index, publisher.cseq % 2 == 0 ? "open" : "closed", publisher.cseq, options_.name);
    const std::string if_match =
        publisher.etag.empty() ? "" : fmt::format("SIP-If-Match: {}\r\n", publisher.etag);
    publisher.request = fmt::format(
        "PUBLISH sip:{7}{0}@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:{1};branch=z9hG4bKp{2}x{0}x{3};rport\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:{7}{0}@example.com>;tag=pt{0}\r\n"
        "To: <sip:{7}{0}@example.com>\r\n"
        "Call-ID: publication-{0}-{2}@127.0.0.1\r\n"
        "CSeq: {3} PUBLISH\r\n"
        "Event: presence\r\n"
        "Expires: 3600\r\n"
        "{4}"
        "User-Agent: sip_load, standing for a desk phone 1.2.3\r\n"
        "Content-Type: application/pidf+xml\r\n"
        "Content-Length: {5}\r\n\r\n{6}",
        index, own_port_, run_, publisher.cseq, if_match, body.size(), body, options_.name);
    Send(publisher.request);
  }

  // Takes one message, if one comes within `patience`.
  void Receive(Clock::duration patience) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
    if (micros != patience_us_) {
      // 0 would mean to wait for ever.
      patience_us_ = std::max<int64_t>(micros, 1);
      timeval timeout{patience_us_ / 1'000'000, patience_us_ % 1'000'000};
      setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    }
    std::array<char, 65536> buffer;
    const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return;
    const std::string_view message(buffer.data(), static_cast<size_t>(size));
    if (message.starts_with("NOTIFY ")) {
      OnNotify(message);
    } else {
      OnAnswer(message);
    }
  }

  void OnNotify(std::string_view message) {
    std::string answer = "SIP/2.0 200 OK";
    for (std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
      answer += fmt::format("\r\n{}: {}", name, Header(message, name));
    }
    Send(answer + "\r\nContent-Length: 0\r\n\r\n");
    const size_t at = message.find("sip:w");
    const auto index = static_cast<size_t>(std::atoi(message.data() + at + 5));
    const auto cseq = static_cast<uint32_t>(std::atol(Header(message, "CSeq").data()));
    Watcher& watcher = watchers_[index];
    // Our 200 was lost: the same NOTIFY comes again, and is not another one.
    if (cseq <= watcher.last_cseq) {
      ++repeated_;
      return;
    }
    if (watcher.last_cseq == 0) ++notified_;
    watcher.last_cseq = cseq;
    OnProgress(publishers_[index % publishers_.size()], true);
  }

  void OnAnswer(std::string_view message) {
    if (message.substr(8, 1) != "2") {
      std::cerr << message << "\n";
      Usage("the server refused a request");
    }
    const std::string_view cseq = Header(message, "CSeq");
    const std::string_view from = Header(message, "From");
    if (cseq.find("SUBSCRIBE") != std::string_view::npos) {
      Watcher& watcher = watchers_[static_cast<size_t>(std::atoi(&from[from.find("sip:w") + 5]))];
      if (!watcher.is_answered) ++subscribed_;
      watcher.is_answered = true;
      last_progress_ = Clock::now();
      return;
    }
    const size_t at = from.find("sip:") + 4 + options_.name.size();
    Publisher& publisher = publishers_[static_cast<size_t>(std::atoi(&from[at]))];
    if (static_cast<uint32_t>(std::atol(cseq.data())) != publisher.cseq || publisher.is_answered) {
      return;
    }
    publisher.etag = std::string(Header(message, "SIP-ETag"));
    publisher.is_answered = true;
    to_answer_.push_back(SecondsSince(publisher.begun));
    OnProgress(publisher, false);
  }

  static double SecondsSince(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
  }

  void OnProgress(Publisher& publisher, bool is_notify) {
    last_progress_ = Clock::now();
    silences_ = 0;
    if (!publisher.is_under_way) return;
    if (is_notify) --publisher.notifies_due;
    if (!publisher.is_answered || publisher.notifies_due > 0) return;
    publisher.is_under_way = false;
    to_completion_.push_back(SecondsSince(publisher.begun));
    ++completed_;
  }

  const Options options_;
  int socket_ = -1;
  sockaddr_in target_{};
  uint16_t own_port_ = 0;
  int64_t run_ = 0;
  int64_t patience_us_ = -1;
  std::vector<Publisher> publishers_;
  std::vector<Watcher> watchers_;
  size_t subscribed_ = 0;
  size_t notified_ = 0;
  int silences_ = 0;
  Clock::time_point last_progress_ = Clock::now();
  uint64_t completed_ = 0;
  uint64_t resent_ = 0;
  uint64_t repeated_ = 0;
  std::vector<double> to_answer_;
  std::vector<double> to_completion_;
};

int Run(const Options& options) {
  Load load(options);
  const double empty = ResidentBytes(options.pids);
  load.SubscribeAll();
  const double subscribed = ResidentBytes(options.pids);
  load.PublishFor(600, 1);
  const double published = ResidentBytes(options.pids);
  const int subscriptions = options.presentities * options.watchers;
  fmt::print("resident: {:.1f} MB empty, {:.0f} bytes a subscription, {:.0f} bytes a publication\n",
             empty / 1e6, (subscribed - empty) / subscriptions,
             (published - subscribed) / options.presentities);
  if (options.fill_only) return 0;

  const double cpu_before = CpuSeconds(options.pids);
  const auto start = Clock::now();
  const uint64_t done = load.PublishFor(options.seconds, UINT32_MAX);
  const std::chrono::duration<double> took = Clock::now() - start;
  const double cpu = CpuSeconds(options.pids) - cpu_before;
  fmt::print(
      "{} PUBLISH in {:.1f} s: {:.0f}/s, {:.1f} us CPU a PUBLISH with {} NOTIFY, {:.1f} us a "
      "NOTIFY\n",
      done, took.count(), static_cast<double>(done) / took.count(),
      cpu * 1e6 / static_cast<double>(done), options.watchers,
      cpu * 1e6 / static_cast<double>(done) / options.watchers);
  load.PrintLatency();
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return Run(Parse(argc, argv)); }
