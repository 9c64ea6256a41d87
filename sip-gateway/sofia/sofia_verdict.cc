#include "sip-gateway/sofia/sofia_verdict.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

#include <memory>

namespace presence::sip {
namespace {

struct MessageCloser {
  void operator()(msg_t* message) const { msg_destroy(message); }
};

}  // namespace

SofiaVerdict AskSofia(std::string_view bytes) {
  SofiaVerdict verdict;
  const std::unique_ptr<msg_t, MessageCloser> message(
      msg_make(sip_default_mclass(), 0, bytes.data(), static_cast<ssize_t>(bytes.size())));
  const sip_t* const sip = message == nullptr ? nullptr : sip_object(message.get());
  if (sip == nullptr) return verdict;
  verdict.is_message = sip->sip_request != nullptr || sip->sip_status != nullptr;
  for (const sip_error_t* error = sip->sip_error; error != nullptr; error = error->er_next) {
    // A repeated single header hangs in this list, too, as a structure of its own class: its
    // er_name would be another member. Repetitions are judged elsewhere.
    if (error->er_common->h_class != sip_error_class) continue;
    const FieldId id = error->er_name == nullptr ? FieldId::kOther : FieldIdOf(error->er_name);
    verdict.malformed.set(static_cast<size_t>(id));
  }
  return verdict;
}

}  // namespace presence::sip
