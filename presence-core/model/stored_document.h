#ifndef PRESENCE_CORE_MODEL_STORED_DOCUMENT_H_
#define PRESENCE_CORE_MODEL_STORED_DOCUMENT_H_

#include <compare>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "presence-core/model/document.h"
#include "presence-core/model/etag.h"

namespace presence {

// What a stored document is for; the numbers are those of presence.v1.RulesKind.
enum class DocumentKind {
  kPresRules = 1,
  kHardState = 2,  // RFC 4827: composed beneath everything published
  kResourceLists = 3,
};

// Names a stored document of one owner. A value.
struct DocumentName {
  DocumentKind kind = DocumentKind::kHardState;
  std::string name;

  friend bool operator==(const DocumentName&, const DocumentName&) = default;
  friend auto operator<=>(const DocumentName&, const DocumentName&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const DocumentName& n) {
    return H::combine(std::move(h), n.kind, n.name);
  }
};

// A document that stays until its owner takes it away: an immutable row, replaced as a whole. Times
// are of Clock::Now().
struct StoredDocument {
  DocumentName name;
  // Names exactly this content.
  Etag etag;
  Document document;
  // What whoever had it loaded last calls it (the module's file_uri); may be empty.
  std::string file_uri;
  absl::Time created_at;
  absl::Time updated_at;  // of the content
};

using StoredDocumentPtr = std::shared_ptr<const StoredDocument>;

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_STORED_DOCUMENT_H_
