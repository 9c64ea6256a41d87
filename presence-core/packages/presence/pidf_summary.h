#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_SUMMARY_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_SUMMARY_H_

#include <string>
#include <string_view>

#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// A presence document in a few words, for tables and logs. A value.
struct PidfSummary {
  enum class Basic { kUnknown, kOpen, kClosed };

  // Open if any tuple is: there is a way to reach the presentity. Closed if some are and none is
  // open. Unknown for a document that says neither, such as a person alone.
  Basic basic = Basic::kUnknown;
  // The first note that speaks for the presentity: of the person (RFC 4479 §5: these go before the
  // document's), else of the document, else of a tuple. One line; empty without notes.
  std::string note;
  int tuples = 0;

  friend bool operator==(const PidfSummary&, const PidfSummary&) = default;
};

// "open", "closed" or "unknown".
std::string_view BasicText(PidfSummary::Basic basic);

// Summarizes an application/pidf+xml body, one that was composed of many included. What is no such
// document is unknown, with nothing else to say.
PidfSummary Summarize(std::string_view body);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_SUMMARY_H_
