#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_COMPOSER_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_COMPOSER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "presence-core/model/address_of_record.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// How several publications of one presentity make one document: the composition policy of RFC 3903
// §2 and RFC 4479 §3.5. docs/concepts/composition.md tells it to users.
//
// The idea. Each publication describes what *it* knows: a service (<tuple>), the <person>, a
// <device>. Describing the same thing twice is not an error but ambiguity, and RFC 4479 §3.5 leaves
// that to the watcher, "who can often resolve it far better than an automaton". So everything is
// kept, except where two publications claim the same occurrence, that is: the same id.
//
// The documents come strongest first (the engine sorts by priority, then by time), and in short:
//
// 1. Tuples, persons and devices are kept whole. Where two of one kind have the same id, the
//    stronger publication's is kept and the other dropped; they are never mixed, for half of one
//    and half of the other is a state nobody published.
// 2. A tuple, a person and a device that share an id are different things that cannot share it
//    (RFC 4479 §3.5). The weaker one is kept under a new id: the old one, "-" and what it is.
// 3. Different ids are different occurrences and all kept, also tuples of one contact, devices of
//    one deviceID and several persons, though a presentity is one person (RFC 4479 §3.2): that is
//    how the model writes ambiguity down.
// 4. Notes of the presentity (children of <presence>) are all kept, each once: the same text in the
//    same language is the same note. They also speak for the persons without a note (RFC 4479 §5).
//    So that no person gets the note of another publication when its own had one, such a person
//    takes its notes along, as its own.
// 5. Elements of other namespaces at the top are kept, each once, compared as text. With an `id`
//    attribute they are treated as in 1: one of a name and id.
// 6. The order is that of the schema: tuples, notes, persons, devices, extensions; within each the
//    strongest publication first, then as published. Many watchers show the first tuple and look no
//    further, so the first must be the one that counts.
// 7. `entity` is the presentity. Other attributes of the root go, save xml:lang, which goes to the
//    notes and extensions that meant it.
// 8. Names keep their prefixes, since prefixes also occur in values (xsi:type). Prefixes on which
//    all publications agree are declared once, at the root; others at each element that uses them.
// 9. The document stays under `max_bytes`, for a NOTIFY has to carry it: publications are taken
//    strongest first, and from the first element that does not fit, the rest is left out.
//
// The same documents in the same order give the same bytes. Their order decides conflicts and the
// order of elements, and nothing else: without conflicts, any order gives the same elements.
//
// What cannot be read is passed over: all were validated when they were published.
struct ComposedPidf {
  std::string text;
  size_t left_out = 0;  // elements by rule 9
};
ComposedPidf ComposePidf(const PresentityUri& presentity, std::span<const std::string_view> bodies,
                         const XmlLimits& limits, size_t max_bytes);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_COMPOSER_H_
