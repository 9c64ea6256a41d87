#ifndef PRESENCE_CORE_MODEL_RESOURCE_KEY_H_
#define PRESENCE_CORE_MODEL_RESOURCE_KEY_H_

#include <compare>
#include <cstdint>
#include <utility>

#include "presence-core/model/address_of_record.h"
#include "presence-core/model/event_name.h"

namespace presence {

// Names a resource: one presentity's state of one base event package. "x.winfo" lives with "x". A
// value.
struct ResourceKey {
  PresentityUri presentity;
  EventName event;  // never a winfo

  // The same on every machine and in every version: it is stored, and local tags carry it.
  uint32_t StableHash() const;

  friend bool operator==(const ResourceKey&, const ResourceKey&) = default;
  friend auto operator<=>(const ResourceKey&, const ResourceKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ResourceKey& k) {
    return H::combine(std::move(h), k.presentity, k.event);
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_RESOURCE_KEY_H_
