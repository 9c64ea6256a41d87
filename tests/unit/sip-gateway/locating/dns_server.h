#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_SERVER_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_SERVER_H_

#include <netinet/in.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sip-gateway/locating/dns_message.h"
#include "tests/unit/sip-gateway/locating/poll_loop.h"

namespace presence::sip {

// A DNS server on a loopback port the system picks, UDP and TCP, run by the test's own loop. It
// serves the records it is given as a recursive resolver would, CNAMEs followed, and misbehaves on
// request.
class DnsServer {
 public:
  enum class Family { kIpv4, kIpv6 };
  explicit DnsServer(PollLoop& loop, Family family = Family::kIpv4);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // As CaresResolver::Options::servers takes it.
  std::string address() const;

  void Serve(std::vector<Record> records);
  void Clear() { records_.clear(); }

  // The SOA that negative answers carry; none if never called.
  void ServeSoa(Record soa) { soa_ = {std::move(soa)}; }

  // Messages to send instead of an answer to this question, each as a datagram of its own (or
  // framed, over TCP); none: the question is dropped.
  using Misbehaviour = std::function<std::vector<std::string>(const Query&)>;
  void Misbehave(const std::string& name, uint16_t type, Misbehaviour misbehaviour);
  void Behave() { misbehaviours_.clear(); }

  // What it does without misbehaviour.
  std::string Answer(const Query& query) const;

  // Keeps answers back until Release.
  void Hold() { is_holding_ = true; }
  void Release();

  // Questions so far, in order: "A host.example.com", with "tcp: " before it when asked over TCP.
  const std::vector<std::string>& questions() const { return questions_; }
  size_t CountQuestions(const std::string& question) const;

 private:
  struct Client {
    int fd;
    sockaddr_in6 address;
    socklen_t address_size;  // 0: TCP
  };

  bool BindBoth(Family family);
  void OnDatagrams();
  void OnConnection();
  void OnStream(int fd);
  void OnQuery(const std::string& message, const Client& client);
  void Send(const Client& client, const std::string& message);

  PollLoop& loop_;
  int udp_ = -1;
  int tcp_ = -1;
  std::map<int, std::string> streams_;  // what came over each connection so far
  std::vector<Record> records_;
  std::vector<Record> soa_;
  std::map<std::pair<std::string, uint16_t>, Misbehaviour> misbehaviours_;
  bool is_holding_ = false;
  std::vector<std::pair<std::string, Client>> held_;
  std::vector<std::string> questions_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_SERVER_H_
