#ifndef PRESENCE_CORE_MODEL_UTF8_H_
#define PRESENCE_CORE_MODEL_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace presence {

// Length of the well-formed UTF-8 character at the start of `text`, 0 if there is none (RFC 3629
// §4). `text` is not empty.
size_t Utf8Length(std::string_view text);

// Text that may stand in a database, a log and a document: UTF-8 without control characters.
bool IsCleanText(std::string_view text);

// `text` as an error message may quote it: what is not clean becomes \xHH, and past `limit` bytes
// it is cut between two characters and ends in "...". gRPC carries messages as UTF-8, and a log has
// one line each, so bytes from the network never go into either as they came.
std::string Printable(std::string_view text, size_t limit = 200);

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_UTF8_H_
