// Any bytes as host, maddr and transport of a URI, as somebody's Contact may have them: what is
// asked of the DNS is a name, what comes out is an address or an error whose text is fit for a log.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sip-gateway/locating/location_procedure.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Cuts the next part, up to a NUL, off `rest`.
std::string NextPart(std::string& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  std::string part = rest.substr(0, end);
  rest.erase(0, std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using presence::sip::IpLiteral;
  if (size == 0) return 0;
  std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  presence::sip::Destination destination;
  destination.is_sips = (data[0] & 1) != 0;
  destination.port = (data[0] & 2) != 0 ? 5070 : 0;
  destination.transport = NextPart(rest);
  destination.maddr = NextPart(rest);
  destination.host = rest;
  presence::sip::LocationRules rules;
  rules.protocols.push_back(presence::sip::TargetProtocol::kTls);
  presence::SeededRandom random(1);

  const auto step = presence::sip::LocateFromFacts(destination, rules, {}, random);
  for (const auto& question : step.missing) Require(presence::sip::IsDnsName(question.name));
  if (!step.missing.empty()) return 0;
  if (!step.result.ok()) {
    const std::string text(step.result.status().message());
    Require(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
    return 0;
  }
  Require(step.result->size() == 1);
  const auto ip = IpLiteral::Parse(step.result->front().ip);
  Require(ip && ip->is_unicast() && step.result->front().port != 0);
  return 0;
}
