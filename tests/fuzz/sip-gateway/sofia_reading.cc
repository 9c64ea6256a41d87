#include "tests/fuzz/sip-gateway/sofia_reading.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

namespace presence::sip {
namespace {

std::string Text(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

SofiaReading ReadWithSofia(std::string_view bytes) {
  SofiaReading reading;
  msg_t* const message =
      msg_make(sip_default_mclass(), 0, bytes.data(), static_cast<ssize_t>(bytes.size()));
  const sip_t* const sip = message == nullptr ? nullptr : sip_object(message);
  if (sip != nullptr && sip->sip_via && sip->sip_from && sip->sip_to && sip->sip_call_id &&
      sip->sip_cseq) {
    reading.is_complete = true;
    reading.from_tag = Text(sip->sip_from->a_tag);
    reading.to_tag = Text(sip->sip_to->a_tag);
    reading.call_id = Text(sip->sip_call_id->i_id);
    reading.cseq = sip->sip_cseq->cs_seq;
    reading.via_host = Text(sip->sip_via->v_host);
    reading.via_port = Text(sip->sip_via->v_port);
    reading.via_branch = Text(sip->sip_via->v_branch);
    const int type = sip->sip_from->a_url->url_type;
    reading.has_sip_from = type == url_sip || type == url_sips;
    reading.from_host = Text(sip->sip_from->a_url->url_host);
  }
  msg_destroy(message);
  return reading;
}

}  // namespace presence::sip
