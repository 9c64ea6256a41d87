#ifndef PRESENCE_TESTS_FUZZ_SIP_GATEWAY_SOFIA_READING_H_
#define PRESENCE_TESTS_FUZZ_SIP_GATEWAY_SOFIA_READING_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace presence::sip {

// What Sofia-SIP reads in the headers that identify a message: the other side of a differential
// test.
struct SofiaReading {
  bool is_complete = false;  // it read all of the headers below
  std::string from_tag;
  std::string to_tag;
  std::string call_id;
  uint32_t cseq = 0;
  std::string via_host;  // with brackets
  std::string via_port;
  std::string via_branch;
  std::string from_host;  // with brackets
  bool has_sip_from = false;
};

SofiaReading ReadWithSofia(std::string_view bytes);

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_FUZZ_SIP_GATEWAY_SOFIA_READING_H_
