#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_SCHEMA_CHECK_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_SCHEMA_CHECK_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace presence {

// An XML Schema of tests/golden/schemas, and whether documents keep to it.
class SchemaCheck final {
 public:
  // `path` from the root of the repository, where tests run. A schema that does not load makes
  // every Check fail.
  explicit SchemaCheck(const std::string& path);
  ~SchemaCheck();
  SchemaCheck(const SchemaCheck&) = delete;
  SchemaCheck& operator=(const SchemaCheck&) = delete;

  // OK when the document is valid, else what is wrong first.
  absl::Status Check(std::string_view document) const;

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_PACKAGES_XML_SCHEMA_CHECK_H_
