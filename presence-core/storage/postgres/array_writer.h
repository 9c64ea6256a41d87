#ifndef PRESENCE_CORE_STORAGE_POSTGRES_ARRAY_WRITER_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_ARRAY_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace presence {

// Writes one column of many rows as a PostgreSQL array in its text form, `{1,2}` or `{"a","b\"c"}`:
// one parameter of a statement then carries the column of a whole batch, and `unnest` makes rows of
// it again. Not thread-safe.
class ArrayWriter {
 public:
  void AddText(std::string_view text);
  void AddNumber(int64_t number);
  void AddBool(bool value);
  // To the microsecond, which is what the database keeps; the infinities are its own.
  void AddTime(absl::Time time);
  void AddBytes(std::string_view bytes);
  void AddNull();

  // The array so far; the writer is empty afterwards.
  std::string Take();

 private:
  void Separate();

  std::string text_ = "{";
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_ARRAY_WRITER_H_
