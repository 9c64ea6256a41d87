#include "sip-gateway/sofia/printer.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "absl/status/status.h"
#include "sip-gateway/sofia/grammar.h"

namespace presence::sip {
namespace {

constexpr size_t kHeadEstimate = 512;  // what the fixed parts of an average head take

bool IsControl(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

// Bytes that would end the line or the string they stand in.
bool BreaksLine(char c) { return c == '\r' || c == '\n' || c == '\0'; }

void Append(std::string& out, std::initializer_list<std::string_view> pieces) {
  for (const std::string_view piece : pieces) out.append(piece);
}

void AppendNumber(std::string& out, size_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

void AppendSafe(std::string& out, std::string_view value) {
  const size_t begin = out.size();
  out.append(value);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), BreaksLine, ' ');
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  AppendSafe(out, name);
  out.append(": ");
  AppendSafe(out, value);
  out.append("\r\n");
}

// A value of the request: folds become spaces, what else could break a line does too.
void AppendRepeated(std::string& out, std::string_view value) {
  if (std::none_of(value.begin(), value.end(), BreaksLine)) {
    out.append(value);
  } else {
    AppendSafe(out, Unfold(value));
  }
}

// RFC 3261 18.2.1 and RFC 3581 4: the topmost Via with received and rport as the transport saw
// them.
void AppendStampedVia(std::string& out, std::string_view value, const ResponseSpec& spec) {
  const size_t end = std::min(FindTopLevel(value, ",", Brackets::kPlain), value.size());
  const size_t parameters_at = std::min(value.find(';'), end);
  AppendRepeated(out, TrimLws(value.substr(0, parameters_at)));
  std::string_view rest = value.substr(parameters_at, end - parameters_at);
  while (const std::optional<Parameter> parameter = TakeParameter(rest)) {
    if (EqualsIgnoreCase(parameter->name, "received") && !spec.via_received.empty()) continue;
    out.push_back(';');
    AppendRepeated(out, parameter->name);
    if (EqualsIgnoreCase(parameter->name, "rport") && spec.via_rport) {
      out.push_back('=');
      AppendNumber(out, *spec.via_rport);
    } else if (!parameter->value.empty()) {
      out.push_back('=');
      AppendRepeated(out, parameter->value);
    }
  }
  if (!spec.via_received.empty()) {
    out.append(";received=");
    AppendSafe(out, spec.via_received);
  }
  AppendRepeated(out, value.substr(end));
}

void AppendVias(std::string& out, const AnswerableRequest& request, const ResponseSpec& spec) {
  const bool has_stamp = !spec.via_received.empty() || spec.via_rport.has_value();
  for (size_t i = 0; i < request.vias.size(); ++i) {
    out.append("Via: ");
    if (i == 0 && has_stamp) {
      AppendStampedVia(out, request.vias[0], spec);
    } else {
      AppendRepeated(out, request.vias[i]);
    }
    out.append("\r\n");
  }
}

void AppendRepeatedField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(": ");
  AppendRepeated(out, value);
  out.append("\r\n");
}

// RFC 3261 20.14, 7.4: Content-Type only with a body, Content-Length always, and last.
void AppendBody(std::string& out, std::string_view content_type, std::string_view body) {
  if (!body.empty()) AppendField(out, "Content-Type", content_type);
  out.append("Content-Length: ");
  AppendNumber(out, body.size());
  Append(out, {"\r\n\r\n", body});
}

std::string Print(const AnswerableRequest& request, bool has_to_tag,
                  absl::Span<const std::string_view> record_routes, const ResponseSpec& spec) {
  std::string out;
  out.reserve(kHeadEstimate + spec.body.size());
  out.append("SIP/2.0 ");
  AppendNumber(out, static_cast<size_t>(spec.status));
  out.push_back(' ');
  AppendSafe(out, spec.phrase.empty() ? StandardPhrase(spec.status) : spec.phrase);
  out.append("\r\n");
  AppendVias(out, request, spec);
  for (const std::string_view route : record_routes)
    AppendRepeatedField(out, "Record-Route", route);
  AppendRepeatedField(out, "From", request.from);
  out.append("To: ");
  AppendRepeated(out, request.to);
  if (!spec.to_tag.empty() && !has_to_tag) {
    out.append(";tag=");
    AppendSafe(out, spec.to_tag);
  }
  out.append("\r\n");
  AppendRepeatedField(out, "Call-ID", request.call_id);
  AppendRepeatedField(out, "CSeq", request.cseq);
  for (const Header& header : spec.headers) AppendField(out, header.name, header.value);
  AppendBody(out, spec.content_type, spec.body);
  return out;
}

// A value of a request line or header field that may hold spaces but nothing that ends its line.
bool IsLineSafe(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return IsControl(c) && c != '\t'; });
}

bool IsOneWord(std::string_view value) {
  return !value.empty() && IsLineSafe(value) &&
         value.find_first_of(" \t") == std::string_view::npos;
}

absl::Status Unprintable(std::string_view what) {
  return absl::InvalidArgumentError(
      Concat({"cannot print ", what, ": it would change the message"}));
}

// A URI gets its brackets; a name-addr is taken as it is.
absl::Status AppendAddress(std::string& out, std::string_view name, std::string_view address,
                           std::string_view tag) {
  Append(out, {name, ": "});
  if ((address.find('<') != std::string_view::npos)) {
    if (!IsLineSafe(address)) return Unprintable(name);
    out.append(address);
  } else {
    if (!IsOneWord(address) || (address.find('>') != std::string_view::npos))
      return Unprintable(name);
    Append(out, {"<", address, ">"});
  }
  if (!tag.empty()) {
    if (!IsToken(tag)) return Unprintable(Concat({name, " tag"}));
    Append(out, {";tag=", tag});
  }
  out.append("\r\n");
  return absl::OkStatus();
}

absl::Status CheckRequest(const RequestSpec& spec) {
  if (!IsToken(spec.method)) return Unprintable("method");
  if (!IsOneWord(spec.request_uri)) return Unprintable("Request-URI");
  if (spec.via.empty() || !IsLineSafe(spec.via)) return Unprintable("Via");
  if (!IsOneWord(spec.call_id)) return Unprintable("Call-ID");
  for (const std::string_view route : spec.routes) {
    if (route.empty() || !IsLineSafe(route)) return Unprintable("Route");
  }
  for (const Header& header : spec.headers) {
    if (!IsToken(header.name)) return Unprintable("header name");
    if (!IsLineSafe(header.value)) return Unprintable(header.name);
  }
  if (!spec.body.empty() && (spec.content_type.empty() || !IsLineSafe(spec.content_type))) {
    return Unprintable("Content-Type");
  }
  return absl::OkStatus();
}

}  // namespace

std::string PrintResponse(const Message& request, const ResponseSpec& spec) {
  const std::vector<std::string_view> record_routes =
      spec.copies_record_route ? request.headers("Record-Route") : std::vector<std::string_view>();
  return Print(request.answerable(), !request.to().tag.empty(), record_routes, spec);
}

std::string PrintResponse(const AnswerableRequest& request, const ResponseSpec& spec) {
  const absl::StatusOr<NameAddr> to = ParseNameAddr(request.to);
  return Print(request, to.ok() && !to->tag.empty(), {}, spec);
}

std::string FormatHostPort(std::string_view host, uint16_t port) {
  const bool needs_brackets = (host.find(':') != std::string_view::npos) && !host.starts_with("[");
  std::string out = needs_brackets ? Concat({"[", host, "]"}) : std::string(host);
  if (port != 0) {
    out.push_back(':');
    AppendNumber(out, port);
  }
  return out;
}

std::string FormatVia(const ViaSpec& via) {
  std::string out = Concat(
      {"SIP/2.0/", via.transport, " ", FormatHostPort(via.host, via.port), ";branch=", via.branch});
  if (via.asks_rport) out.append(";rport");
  if (via.offers_alias) out.append(";alias");
  return out;
}

absl::StatusOr<std::string> PrintRequest(const RequestSpec& spec) {
  absl::Status status = CheckRequest(spec);
  if (!status.ok()) return status;
  std::string out;
  out.reserve(2 * kHeadEstimate + spec.body.size());
  Append(out,
         {spec.method, " ", spec.request_uri, " SIP/2.0\r\nVia: ", spec.via, "\r\nMax-Forwards: "});
  AppendNumber(out, spec.max_forwards);
  out.append("\r\n");
  for (const std::string_view route : spec.routes) Append(out, {"Route: ", route, "\r\n"});
  status = AppendAddress(out, "From", spec.from, spec.from_tag);
  if (status.ok()) status = AppendAddress(out, "To", spec.to, spec.to_tag);
  if (!status.ok()) return status;
  Append(out, {"Call-ID: ", spec.call_id, "\r\nCSeq: "});
  AppendNumber(out, spec.cseq);
  Append(out, {" ", spec.method, "\r\n"});
  if (!spec.contact.empty()) {
    status = AppendAddress(out, "Contact", spec.contact, {});
    if (!status.ok()) return status;
  }
  for (const Header& header : spec.headers) {
    Append(out, {header.name, ": ", header.value, "\r\n"});
  }
  AppendBody(out, spec.content_type, spec.body);
  return out;
}

absl::StatusOr<RoutedTarget> RouteInDialog(std::string_view remote_target,
                                           absl::Span<const std::string_view> route_set) {
  RoutedTarget routed{std::string(remote_target), {}, std::string(remote_target)};
  if (route_set.empty()) return routed;
  const absl::StatusOr<NameAddr> first = ParseNameAddr(route_set.front());
  if (!first.ok()) return first.status();
  const absl::StatusOr<SipUri> uri = SipUri::Parse(first->uri);
  if (!uri.ok() || !uri->is_sip_or_sips()) {
    return absl::InvalidArgumentError("the first route is not a SIP URI");
  }
  routed.next_hop = uri->text();
  routed.routes.assign(route_set.begin(), route_set.end());
  if (uri->has_parameter("lr")) return routed;
  // A strict router wants itself in the Request-URI; it takes the real target from the end of the
  // list.
  routed.routes.erase(routed.routes.begin());
  routed.routes.push_back(Concat({"<", remote_target, ">"}));
  // RFC 3261 12.2.1.1: what no Request-URI may hold is taken off: here the headers.
  routed.request_uri = uri->text().substr(0, uri->text().find('?'));
  return routed;
}

}  // namespace presence::sip
