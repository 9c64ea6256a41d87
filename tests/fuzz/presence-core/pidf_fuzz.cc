// Presence documents: what may be published composes with itself and with others, in any order, to
// a document that may be published too, and nothing of it makes the summary stumble. The input is
// one document, or two with a NUL between them.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_summary.h"
#include "presence-core/packages/presence/pidf_validator.h"

namespace presence {
namespace {

constexpr size_t kMaxComposed = 64 * 1024;
// A composed document holds the elements of several, and each may declare what its root did.
constexpr XmlLimits kComposedLimits = {
    .max_bytes = 2 * kMaxComposed, .max_depth = 64, .max_elements = 20'000, .max_attributes = 256};

// An ordinary phone's document, with much for others to conflict with.
constexpr std::string_view kOther =
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' xml:lang='en' xmlns:x='urn:example:x' "
    "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' entity='sip:a@h.org'><tuple id='t'><status>"
    "<basic>open</basic></status><contact>sip:a@h.org</contact></tuple><note>n</note>"
    "<dm:person id='p'/><dm:device "
    "id='d'><dm:deviceID>u</dm:deviceID></dm:device><x:y/></presence>";

void Require(bool holds) {
  if (!holds) std::abort();
}

void RequireComposes(const std::vector<std::string_view>& bodies) {
  static const PresentityUri alice = *PresentityUri::Parse("sip:alice@example.com");
  const std::string composed = ComposePidf(alice, bodies, XmlLimits(), kMaxComposed).text;
  Require(ValidatePidf(composed, kComposedLimits).ok());
  Require(composed == ComposePidf(alice, bodies, XmlLimits(), kMaxComposed).text);
  Summarize(composed);
}

void Check(std::string_view input) {
  const size_t split = input.find('\0');
  const std::string_view first = input.substr(0, split);
  const std::string_view second =
      split == std::string_view::npos ? std::string_view() : input.substr(split + 1);
  Summarize(first);
  if (!ValidatePidf(first, XmlLimits()).ok()) return;
  RequireComposes({first, first});
  RequireComposes({first, kOther});
  RequireComposes({kOther, first});
  if (ValidatePidf(second, XmlLimits()).ok()) RequireComposes({first, second, kOther});
}

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  presence::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
