#ifndef PRESENCE_SIP_GATEWAY_SOFIA_SOFIA_VERDICT_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_SOFIA_VERDICT_H_

#include <bitset>
#include <string_view>

#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {

// What Sofia-SIP's parser thinks of a message. Room-internal.
struct SofiaVerdict {
  bool is_message = false;    // it found a start line and headers
  std::bitset<32> malformed;  // by FieldId: headers it could not parse
  bool IsMalformed(FieldId id) const { return malformed[static_cast<size_t>(id)]; }
};

// Parses `bytes`, one whole message, and throws the result away but for the verdict. Works on
// memory of its own. Sofia's allocator counts its look-ups in global variables without a lock: in
// several threads at once those counts race, which Helgrind shows and nothing depends on; nothing
// else was found to be shared.
SofiaVerdict AskSofia(std::string_view bytes);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_SOFIA_VERDICT_H_
