// The XML reader: what it accepts kept to the limits that the guard counted beforehand, has
// balanced elements and only text that XML allows, and comes back the same when written and read
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"
#include "presence-core/packages/xml/xml_element.h"
#include "presence-core/packages/xml/xml_reader.h"
#include "presence-core/packages/xml/xml_writer.h"

namespace presence {
namespace {

constexpr XmlLimits kLimits = {
    .max_bytes = 4096, .max_depth = 12, .max_elements = 40, .max_attributes = 6};

void Require(bool holds) {
  if (!holds) std::abort();
}

// Counts for itself what the guard has promised.
class Counter final : public XmlHandler {
 public:
  Refusal OnStart(const XmlTag& tag) override {
    Require(++depth_ <= kLimits.max_depth);
    Require(++elements_ <= kLimits.max_elements);
    Require(tag.attributes.size() + tag.namespaces.size() <= kLimits.max_attributes);
    Require(!tag.name.local.empty());
    Require(tag.name.prefix.empty() || !tag.name.uri.empty());
    for (const XmlAttribute& attribute : tag.attributes) OnText(attribute.value);
    return {};
  }
  Refusal OnEnd() override {
    Require(depth_ > 0);
    --depth_;
    return {};
  }
  Refusal OnText(std::string_view text) override {
    while (!text.empty()) {
      const size_t length = Utf8Length(text);
      Require(length > 0);
      text.remove_prefix(length);
    }
    return {};
  }
  bool IsBalanced() const { return depth_ == 0 && elements_ > 0; }

 private:
  size_t depth_ = 0;
  size_t elements_ = 0;
};

void Check(std::string_view text) {
  Counter counter;
  const absl::Status status = ReadXml(text, kLimits, counter);
  if (!status.ok()) {
    const ErrorReason reason = ReasonOf(status);
    Require(reason == ErrorReason::kBadDocument || reason == ErrorReason::kDocumentTooLarge);
    Require(IsCleanText(std::string(status.message())));
    return;
  }
  Require(counter.IsBalanced());
  const auto root = ParseXml(text, kLimits);
  Require(root.ok());
  // References may make it longer.
  const XmlLimits longer = {
      .max_bytes = 8 * 4096, .max_depth = 12, .max_elements = 40, .max_attributes = 6};
  const auto again = ParseXml(WriteElement(*root), longer);
  Require(again.ok() && *again == *root);
}

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  presence::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
