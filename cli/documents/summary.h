#ifndef PRESENCE_CLI_DOCUMENTS_SUMMARY_H_
#define PRESENCE_CLI_DOCUMENTS_SUMMARY_H_

#include <string>

#include "cli/output/table.h"
#include "presence/v1/types.pb.h"

namespace presence::cli {

// What a document says, short enough for a table.
struct DocumentSummary {
  // "open", "closed", "2 watchers" (full), "1 change" (partial); "-" when the document does not
  // say.
  std::string state = "-";
  // Its note for people, or what kind of document it is when its content is not known here. May be
  // empty.
  std::string note;
  // Colour for `state`.
  Tone tone = Tone::kPlain;
};

// Sums up a PIDF document (open when any tuple is; the first note) or a watcherinfo document (RFC
// 3858); of other types it gives the content type and size. One that cannot be read has the state
// "-": showing what is there must not fail because of one bad document.
DocumentSummary Summarise(const v1::Document& document);

// Body of `document`, wherever it is.
const std::string& BodyOf(const v1::Document& document);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_DOCUMENTS_SUMMARY_H_
