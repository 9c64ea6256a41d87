#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_MESSAGE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_MESSAGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sip {

// The bytes of DNS messages (RFC 1035 §4), written without the code under test: strings are byte
// strings.
inline constexpr uint16_t kTypeA = 1;
inline constexpr uint16_t kTypeCname = 5;
inline constexpr uint16_t kTypeSoa = 6;
inline constexpr uint16_t kTypeAaaa = 28;
inline constexpr uint16_t kTypeSrv = 33;
inline constexpr uint16_t kTypeNaptr = 35;

inline constexpr uint16_t kNoError = 0;
inline constexpr uint16_t kServFail = 2;
inline constexpr uint16_t kNxDomain = 3;
inline constexpr uint16_t kRefused = 5;

// A resource record; `name` in dotted form.
struct Record {
  std::string name;
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string data;
};

Record A(std::string name, std::string_view ip, uint32_t ttl = 300);
Record Aaaa(std::string name, std::string_view ip, uint32_t ttl = 300);
Record Cname(std::string name, std::string_view target, uint32_t ttl = 300);
Record Soa(std::string name, uint32_t ttl, uint32_t minimum);
// `host` "." is the root.
Record Srv(std::string name, uint16_t priority, uint16_t weight, uint16_t port,
           std::string_view host, uint32_t ttl = 300);
struct NaptrFields {
  uint16_t order = 10;
  uint16_t preference = 10;
  std::string flags = "s";
  std::string service{};
  std::string regexp{};
  std::string replacement{};
};
Record Naptr(std::string name, const NaptrFields& fields, uint32_t ttl = 300);

// What a client asked; `name` in lower case.
struct Query {
  uint16_t id = 0;
  std::string name;
  uint16_t type = 0;
  std::string question;  // its bytes in the message
  bool is_over_tcp = false;
};

// The query in a message that c-ares sent.
Query ReadQuery(std::string_view message);

struct Response {
  uint16_t rcode = kNoError;
  bool is_truncated = false;
  std::vector<Record> answers{};
  std::vector<Record> authorities{};
};
std::string Encode(const Query& query, const Response& response);

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_DNS_MESSAGE_H_
