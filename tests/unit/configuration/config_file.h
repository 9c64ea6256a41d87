#ifndef PRESENCE_TESTS_UNIT_CONFIGURATION_CONFIG_FILE_H_
#define PRESENCE_TESTS_UNIT_CONFIGURATION_CONFIG_FILE_H_

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace presence {

// A configuration file that lives as long as the object, with a name of its own.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(absl::StrCat(testing::TempDir(),
                           testing::UnitTest::GetInstance()->current_test_info()->name(), "_",
                           getpid(), ".yaml")) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_CONFIGURATION_CONFIG_FILE_H_
