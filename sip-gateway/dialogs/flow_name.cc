#include "sip-gateway/dialogs/flow_name.h"

#include <charconv>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace presence::sip {

std::string FlowName(FlowId flow) {
  return flow == kNoFlow ? std::string() : absl::StrCat(absl::Hex(flow));
}

FlowId FlowOf(std::string_view name) {
  FlowId flow = kNoFlow;
  const char* end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data(), end, flow, 16);
  return error == std::errc() && last == end ? flow : kNoFlow;
}

}  // namespace presence::sip
