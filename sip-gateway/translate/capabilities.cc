#include "sip-gateway/translate/capabilities.h"

#include "absl/strings/str_join.h"

namespace presence::sip {

void Capabilities::Learn(const v1::Welcome& welcome) {
  events_ = {welcome.events().begin(), welcome.events().end()};
  allow_events_ = absl::StrJoin(welcome.events(), ", ");
  accept_ = absl::StrJoin(welcome.accept(), ", ");
}

}  // namespace presence::sip
