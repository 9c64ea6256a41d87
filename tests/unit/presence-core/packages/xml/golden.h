#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_GOLDEN_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_GOLDEN_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace presence {

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// Expects `actual` to be what the file holds. With UPDATE_GOLDEN set, writes it there instead, for
// a person to read before it is committed.
inline void ExpectGolden(const std::string& path, std::string_view actual) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(ReadFile(path), actual) << path;
}

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_GOLDEN_H_
