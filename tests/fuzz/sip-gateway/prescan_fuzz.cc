// The strict scan of a datagram: whatever it says, its views lie inside the datagram and its limits
// hold.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void RequireInside(std::string_view whole, std::string_view part) {
  if (part.empty()) return;
  Require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckMessage(std::string_view datagram, const ScannedMessage& message,
                  const ScanLimits& limits) {
  RequireInside(datagram, message.bytes);
  RequireInside(message.bytes, message.body);
  Require(message.bytes.ends_with(message.body));
  Require(message.fields.size() <= limits.max_fields);
  Require(message.is_request() ? !message.method.empty() && !message.request_uri.empty()
                               : message.status >= 100 && message.status <= 699);
  const std::string_view head = message.bytes.substr(0, message.bytes.size() - message.body.size());
  Require(head.size() <= limits.max_head_bytes);
  Require(head.ends_with("\r\n\r\n"));
  Require(head.find('\0') == std::string_view::npos);
  for (size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\n') Require(i > 0 && head[i - 1] == '\r');
    if (head[i] == '\r') Require(head[i + 1] == '\n');
  }
  for (const HeaderField& field : message.fields) {
    RequireInside(head, field.name);
    RequireInside(head, field.value);
    Require(!field.name.empty());
  }
}

void CheckAnswerable(std::string_view datagram, const AnswerableRequest& answerable) {
  Require(!answerable.vias.empty() && answerable.method != "ACK");
  for (const std::string_view part : {answerable.method, answerable.vias.front(), answerable.from,
                                      answerable.to, answerable.call_id, answerable.cseq}) {
    Require(!part.empty());
    RequireInside(datagram, part);
    Require(part.find('\0') == std::string_view::npos);
  }
}

}  // namespace
}  // namespace presence::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace presence::sip;
  const std::string_view datagram(reinterpret_cast<const char*>(data), size);
  ScanLimits tight;
  tight.max_head_bytes = 600;
  tight.max_line_bytes = 200;
  tight.max_fields = 12;
  for (const ScanLimits& limits : {ScanLimits(), tight}) {
    const ScanResult result = PreScan(datagram, limits);
    if (const auto* message = std::get_if<ScannedMessage>(&result)) {
      CheckMessage(datagram, *message, limits);
      if (const auto answerable = ExtractAnswerable(*message))
        CheckAnswerable(datagram, *answerable);
    } else if (const auto* refusal = std::get_if<Refusal>(&result)) {
      Require(refusal->status >= 400 && refusal->status < 600 && !refusal->phrase.empty());
      if (refusal->answerable) CheckAnswerable(datagram, *refusal->answerable);
    }
  }
  return 0;
}
