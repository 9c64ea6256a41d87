#include "presence-core/model/etag.h"

namespace presence {

Etag Etag::Generate(Random& random) { return Etag(RandomHex(random, 96)); }

}  // namespace presence
