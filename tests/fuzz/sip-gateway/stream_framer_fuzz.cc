// The framer of a byte stream: the same things come out however the stream was cut into pieces, and
// no more is kept than came. The first byte decides the pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Takes all events out; a message and a refusal leave what they said.
void Drain(StreamFramer& framer, std::vector<std::string>& seen) {
  while (true) {
    const StreamFramer::Event event = framer.Next();
    if (std::holds_alternative<StreamFramer::NeedMore>(event)) return;
    if (const auto* message = std::get_if<ScannedMessage>(&event)) {
      seen.emplace_back(message->bytes);
    } else if (const auto* keep_alive = std::get_if<KeepAlive>(&event)) {
      seen.emplace_back(keep_alive->is_ping ? "ping" : "pong");
    } else {
      // Which fault shows first depends on how much had come; that there is one does not.
      Require(framer.is_broken());
      seen.emplace_back("broken");
      return;
    }
  }
}

}  // namespace
}  // namespace presence::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace presence::sip;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);

  std::vector<std::string> at_once;
  StreamFramer whole;
  whole.Feed(stream);
  Drain(whole, at_once);

  std::vector<std::string> in_pieces;
  StreamFramer framer;
  uint32_t random = data[0];
  for (size_t begin = 0; begin < stream.size();) {
    random = random * 1103515245u + 12345u;
    const size_t piece = 1 + (random >> 16) % (1 + data[0]);
    const std::string copy(stream.substr(begin, piece));
    framer.Feed(copy);
    Drain(framer, in_pieces);
    begin += copy.size();
  }

  Require(at_once == in_pieces);
  Require(whole.is_broken() == framer.is_broken());
  Require(framer.is_broken() || framer.has_partial_message() == whole.has_partial_message());
  Require(framer.buffered_bytes() <= stream.size());
  return 0;
}
