// The way of a datagram through the codec: scan, parse, every accessor, answer, and the answer
// parsed again. Where a message is taken, Sofia-SIP and our own reading must agree on what
// identifies it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sip-gateway/sofia/grammar.h"
#include "sip-gateway/sofia/printer.h"
#include "tests/fuzz/sip-gateway/sofia_reading.h"

namespace presence::sip {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Reads the first and last byte, so that a stray view is noticed.
volatile char g_sink;  // NOLINT: keeps the reads
void Touch(std::string_view text) {
  if (text.empty()) return;
  g_sink = text.front();
  g_sink = text.back();
}

void TouchAddress(const NameAddr& address) {
  for (const std::string_view part :
       {address.text, address.display, address.uri, address.parameters, address.tag}) {
    Touch(part);
  }
  const absl::StatusOr<SipUri> uri = SipUri::Parse(address.uri);
  if (!uri.ok()) return;
  Require(uri->IsEquivalentTo(*uri));
  Require(uri->text() == address.uri);
  for (const std::string_view part :
       {uri->user(), uri->password(), uri->host(), uri->parameters(), uri->headers()}) {
    Touch(part);
  }
}

void TouchAll(const Message& message) {
  for (const std::string_view part :
       {message.method(), message.request_uri_text(), message.phrase(), message.call_id(),
        message.cseq_method(), message.body(), message.bytes(), message.top_via().text,
        message.top_via().host, message.top_via().transport, message.top_via().branch,
        message.top_via().received, message.top_via().maddr}) {
    Touch(part);
  }
  TouchAddress(message.from());
  TouchAddress(message.to());
  if (const auto contacts = message.contacts(); contacts.ok()) {
    for (const NameAddr& contact : *contacts) TouchAddress(contact);
  }
  for (const NameAddr& identity : message.asserted_identities()) TouchAddress(identity);
  for (const auto& list :
       {message.routes(), message.record_routes(), message.require(), message.supported(),
        message.content_encodings(), message.headers("Via")}) {
    for (const std::string_view element : list) Touch(element);
  }
  if (const auto event = message.event()) {
    Touch(event->type);
    Touch(event->parameters);
    Touch(event->id.value_or(""));
  }
  if (const auto types = message.accept()) {
    for (const MediaType& type : *types) Touch(type.type);
  }
  if (const auto type = message.content_type()) Touch(type->parameters);
  Touch(message.sip_if_match().value_or(""));
  Touch(message.header("Subject").value_or(""));
  Require(message.via_count() >= 1 && message.cseq() <= 0x7fffffffu);
  Require(!message.retry_after() || message.header("Retry-After"));
  Require(!message.expires() || message.header("Expires"));
  Require(!message.max_forwards() || *message.max_forwards() <= 255);
}

std::string_view WithoutBrackets(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

void CompareWithSofia(const Message& message) {
  // Sofia stops at these methods; see Message's own check.
  if (message.method().find_first_of("+`") != std::string_view::npos) return;
  const SofiaReading reading = ReadWithSofia(message.bytes());
  Require(reading.is_complete);
  Require(reading.from_tag == message.from().tag);
  Require(reading.to_tag == message.to().tag);
  Require(reading.call_id == message.call_id());
  Require(reading.cseq == message.cseq());
  Require(WithoutBrackets(reading.via_host) == message.top_via().host);
  Require((reading.via_port.empty() ? 0u : ParseUint32(reading.via_port).value_or(99999)) ==
          message.top_via().port);
  Require(reading.via_branch == message.top_via().branch);
  if (const auto uri = SipUri::Parse(message.from().uri);
      uri.ok() && uri->is_sip_or_sips() && reading.has_sip_from) {
    Require(EqualsIgnoreCase(WithoutBrackets(reading.from_host), uri->host()));
  }
}

ResponseSpec Answer(const std::vector<Header>& headers) {
  ResponseSpec spec;
  spec.status = 200;
  spec.to_tag = "server";
  spec.via_received = "192.0.2.200";
  spec.via_rport = 40000;
  spec.copies_record_route = true;
  spec.headers = headers;
  return spec;
}

void CheckAnswer(const Message& request) {
  const std::vector<Header> headers = {{"Expires", "60"}};
  const std::string bytes = PrintResponse(request, Answer(headers));
  const ScanResult scanned = PreScan(bytes);
  // A head that grew past the limit by the stamp is the only reason not to be read back.
  if (std::holds_alternative<Refusal>(scanned)) {
    Require(std::get<Refusal>(scanned).status == 513);
    return;
  }
  Require(std::get<ScannedMessage>(scanned).bytes.size() == bytes.size());
  const auto response = Message::Parse(std::get<ScannedMessage>(scanned));
  Require(response.ok());
  Require((*response)->status() == 200);
  Require((*response)->call_id() == request.call_id());
  Require((*response)->cseq() == request.cseq());
  Require((*response)->cseq_method() == request.method());
  Require((*response)->from().tag == request.from().tag);
  Require((*response)->via_count() == request.via_count());
  Require((*response)->top_via().branch == request.top_via().branch);
  Require((*response)->top_via().received == "192.0.2.200");
  Require(!request.top_via().has_rport || (*response)->top_via().rport == 40000);
  Require(!(*response)->to().tag.empty());
}

void CheckRefusalAnswer(const AnswerableRequest& request) {
  const std::string bytes = PrintResponse(request, Answer({}));
  const ScanResult scanned = PreScan(bytes);
  Require(std::holds_alternative<ScannedMessage>(scanned) ||
          std::get<Refusal>(scanned).status == 513);
}

}  // namespace
}  // namespace presence::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace presence::sip;
  const std::string_view datagram(reinterpret_cast<const char*>(data), size);
  const ScanResult result = PreScan(datagram);
  if (const auto* refusal = std::get_if<Refusal>(&result); refusal && refusal->answerable) {
    CheckRefusalAnswer(*refusal->answerable);
  }
  const auto* scanned = std::get_if<ScannedMessage>(&result);
  if (scanned == nullptr) return 0;
  const auto message = Message::Parse(*scanned);
  if (message.ok()) {
    TouchAll(**message);
    CompareWithSofia(**message);
    if ((*message)->is_request()) CheckAnswer(**message);
  } else if (const auto answerable = ExtractAnswerable(*scanned)) {
    CheckRefusalAnswer(*answerable);
  }
  return 0;
}
