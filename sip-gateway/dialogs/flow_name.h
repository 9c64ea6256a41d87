#ifndef PRESENCE_SIP_GATEWAY_DIALOGS_FLOW_NAME_H_
#define PRESENCE_SIP_GATEWAY_DIALOGS_FLOW_NAME_H_

#include <string>
#include <string_view>

#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// A flow as the core keeps it: opaque there. Empty for kNoFlow.
std::string FlowName(FlowId flow);

// The flow of that name, kNoFlow for an empty or foreign one. Flow ids are never used twice, so a
// name given by another gateway or an earlier life of this one finds no open flow.
FlowId FlowOf(std::string_view name);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_DIALOGS_FLOW_NAME_H_
