#ifndef PRESENCE_SIP_GATEWAY_SOFIA_HEAD_SCAN_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_HEAD_SCAN_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {

// What is wrong with a head: the first fault found. Text in `phrase` is static.
struct Fault {
  int status = 400;
  std::string_view phrase;
};

// A head cut into lines and fields. With a fault, `message` holds what could be cut nevertheless,
// enough to answer; its body is never set here.
struct HeadScan {
  ScannedMessage message;
  std::optional<Fault> fault;
  bool is_complete = false;  // the empty line was found
  bool is_sip = false;       // the start line names SIP; else nobody there waits for an answer
  size_t head_size = 0;      // including the empty line
  std::optional<uint32_t> content_length;
};

// Scans the head at the start of `bytes`, which begin with the start line. Room-internal: datagrams
// and streams share it so that both obey one set of rules. Pure.
HeadScan ScanHead(std::string_view bytes, const ScanLimits& limits);

// The refusal that `scan` with `fault` amounts to.
Refusal RefusalOf(const HeadScan& scan, const Fault& fault);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_HEAD_SCAN_H_
