#ifndef PRESENCE_CORE_PACKAGES_WINFO_WINFO_WRITER_H_
#define PRESENCE_CORE_PACKAGES_WINFO_WINFO_WRITER_H_

#include "presence-core/event/winfo.h"

namespace presence {

// Watcher information as RFC 3858 §3 and its schema (§6) have it. The texts of people and networks
// in it, the URIs, are escaped twice over: as URIs and as XML.
class WinfoWriter final : public WinfoFormat {
 public:
  Written Write(const WinfoDocument& document, size_t max_bytes) const override;
};

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_WINFO_WINFO_WRITER_H_
