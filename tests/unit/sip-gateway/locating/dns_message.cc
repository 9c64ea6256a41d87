#include "tests/unit/sip-gateway/locating/dns_message.h"

#include <arpa/inet.h>

#include <cctype>
#include <utility>

namespace presence::sip {
namespace {

std::string Bytes16(uint32_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string Bytes32(uint32_t value) { return Bytes16(value >> 16) + Bytes16(value & 0xffff); }

std::string CharacterString(std::string_view text) {
  return std::string(1, static_cast<char>(text.size())) + std::string(text);
}

std::string Name(std::string_view dotted) {
  std::string bytes;
  while (!dotted.empty()) {
    const size_t dot = dotted.find('.');
    const std::string_view label = dotted.substr(0, dot);
    if (!label.empty()) bytes += CharacterString(label);
    dotted.remove_prefix(dot == std::string_view::npos ? dotted.size() : dot + 1);
  }
  return bytes + std::string(1, '\0');
}

std::string Address(int family, std::string_view ip) {
  char bytes[16];
  inet_pton(family, std::string(ip).c_str(), bytes);
  return std::string(bytes, family == AF_INET ? 4 : 16);
}

std::string Encode(const Record& record) {
  constexpr uint32_t kClassIn = 1;
  return Name(record.name) + Bytes16(record.type) + Bytes16(kClassIn) + Bytes32(record.ttl) +
         Bytes16(static_cast<uint32_t>(record.data.size())) + record.data;
}

uint16_t Read16(std::string_view message, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(message.at(at)) << 8 |
                               static_cast<uint8_t>(message.at(at + 1)));
}

}  // namespace

Record A(std::string name, std::string_view ip, uint32_t ttl) {
  return {std::move(name), kTypeA, ttl, Address(AF_INET, ip)};
}

Record Aaaa(std::string name, std::string_view ip, uint32_t ttl) {
  return {std::move(name), kTypeAaaa, ttl, Address(AF_INET6, ip)};
}

Record Cname(std::string name, std::string_view target, uint32_t ttl) {
  return {std::move(name), kTypeCname, ttl, Name(target)};
}

Record Soa(std::string name, uint32_t ttl, uint32_t minimum) {
  std::string data = Name("ns." + name) + Name("hostmaster." + name);
  for (const uint32_t number : {2026u, 3600u, 600u, 86400u, minimum}) data += Bytes32(number);
  return {std::move(name), kTypeSoa, ttl, std::move(data)};
}

Record Srv(std::string name, uint16_t priority, uint16_t weight, uint16_t port,
           std::string_view host, uint32_t ttl) {
  return {std::move(name), kTypeSrv, ttl,
          Bytes16(priority) + Bytes16(weight) + Bytes16(port) + Name(host)};
}

Record Naptr(std::string name, const NaptrFields& fields, uint32_t ttl) {
  return {std::move(name), kTypeNaptr, ttl,
          Bytes16(fields.order) + Bytes16(fields.preference) + CharacterString(fields.flags) +
              CharacterString(fields.service) + CharacterString(fields.regexp) +
              Name(fields.replacement)};
}

Query ReadQuery(std::string_view message) {
  Query query;
  query.id = Read16(message, 0);
  size_t at = 12;
  for (auto length = static_cast<size_t>(message.at(at)); length != 0;
       length = static_cast<size_t>(message.at(at))) {
    if (!query.name.empty()) query.name += '.';
    for (const char c : message.substr(at + 1, length)) {
      query.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    at += 1 + length;
  }
  query.type = Read16(message, at + 1);
  query.question = std::string(message.substr(12, at + 5 - 12));
  return query;
}

std::string Encode(const Query& query, const Response& response) {
  constexpr uint32_t kResponse = 0x8000, kTruncated = 0x0200, kRecursion = 0x0180;
  std::string message =
      Bytes16(query.id) +
      Bytes16(kResponse | kRecursion | (response.is_truncated ? kTruncated : 0) | response.rcode) +
      Bytes16(1) + Bytes16(static_cast<uint32_t>(response.answers.size())) +
      Bytes16(static_cast<uint32_t>(response.authorities.size())) + Bytes16(0) + query.question;
  for (const Record& record : response.answers) message += Encode(record);
  for (const Record& record : response.authorities) message += Encode(record);
  return message;
}

}  // namespace presence::sip
