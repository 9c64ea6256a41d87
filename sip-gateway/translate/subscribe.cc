#include "sip-gateway/translate/subscribe.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "sip-gateway/translate/abseil_text.h"
#include "sip-gateway/translate/sip_status.h"

namespace presence::sip {
namespace {

void FillDialog(const Message& subscribe, const Arrival& arrival, v1::Dialog& dialog) {
  dialog.set_call_id(std::string(subscribe.call_id()));
  dialog.set_local_tag(std::string(subscribe.to().tag));
  dialog.set_remote_tag(std::string(subscribe.from().tag));
  // RFC 3261 12.1.1: the URIs as they came, whatever their scheme; NOTIFYs repeat them (S16).
  dialog.set_local_uri(std::string(subscribe.to().uri));
  dialog.set_remote_uri(std::string(subscribe.from().uri));
  if (const auto contacts = subscribe.contacts(); contacts.ok() && !contacts->empty()) {
    dialog.set_remote_target(std::string(contacts->front().uri));
  }
  // RFC 3261 12.2: a refresh changes the remote target and never the route set (S13).
  if (subscribe.to().tag.empty()) {
    for (std::string_view route : subscribe.record_routes()) {
      dialog.add_route_set(CleanText(route));
    }
  }
  dialog.set_flow(std::string(arrival.flow));
  dialog.set_local_contact(std::string(arrival.local_contact));
  if (const auto agent = subscribe.header("User-Agent")) dialog.set_user_agent(CleanText(*agent));
}

// Every type named in Accept, without its parameters but a q of 0, which says "not this one" (RFC
// 3261 20.1 after RFC 2616 14.1).
void FillAccept(const Message& subscribe, v1::SubscribeRequest& request) {
  const auto accept = subscribe.accept();
  if (!accept.has_value()) return;
  request.set_has_accept(true);
  for (const MediaType& range : *accept) {
    const auto q = FindParameter(range.parameters, "q");
    if (q.has_value() && q->find_first_not_of("0.") == std::string_view::npos) continue;
    request.add_accept(absl::AsciiStrToLower(Abseil(range.type)));
  }
}

}  // namespace

v1::SubscribeRequest ToSubscribeRequest(const Message& subscribe, const Trust& trust,
                                        const Arrival& arrival) {
  v1::SubscribeRequest request;
  // Within a dialog the Request-URI is our Contact and names nobody; To still says who is watched.
  const bool is_in_dialog = !subscribe.to().tag.empty();
  request.set_presentity(
      std::string(is_in_dialog ? subscribe.to().uri : subscribe.request_uri_text()));
  if (const auto event = subscribe.event()) {
    request.set_event(std::string(event->type));
    if (event->id.has_value()) request.set_event_id(std::string(*event->id));
  }
  Identity watcher = IdentityOf(subscribe, trust);
  request.set_watcher(std::move(watcher.uri));
  request.set_watcher_alias(std::move(watcher.alias));
  FillDialog(subscribe, arrival, *request.mutable_dialog());
  request.set_cseq(subscribe.cseq());
  if (const auto expires = subscribe.expires()) request.mutable_expiry()->set_seconds(*expires);
  FillAccept(subscribe, request);
  return request;
}

Answer AnswerToSubscribe(const v1::CommandReply& reply) {
  Answer answer;
  if (reply.has_subscribe()) {
    // RFC 6665 8.3.1: 200 also while pending; 202 is gone (S01).
    answer.kind = AnswerKind::kSubscribed;
    answer.seconds = static_cast<uint32_t>(reply.subscribe().expiry().seconds());
    answer.to_tag = reply.subscribe().local_tag();
  } else if (reply.has_error()) {
    answer = AnswerToError(reply.error());
  } else {
    answer.kind = AnswerKind::kInternal;
  }
  return answer;
}

}  // namespace presence::sip
