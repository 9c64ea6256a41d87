#ifndef PRESENCE_CORE_ENGINE_DOCUMENT_CUTS_H_
#define PRESENCE_CORE_ENGINE_DOCUMENT_CUTS_H_

#include <cstddef>

#include "presence-core/model/resource_key.h"

namespace presence {

// What a document is of.
enum class CutDocument { kState, kWinfo };

// Hears of documents that do not show all they should, because it would be more than a NOTIFY can
// carry. Implemented by server/, which counts and logs them.
class DocumentCuts {
 public:
  virtual ~DocumentCuts() = default;

  // `left_out` elements of the state of `resource`, or of its watchers, are in no document. Called
  // from any thread, never with a lock held; must not block.
  virtual void OnCut(const ResourceKey& resource, CutDocument of, size_t left_out) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_DOCUMENT_CUTS_H_
