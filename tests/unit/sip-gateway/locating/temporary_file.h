#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_TEMPORARY_FILE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_TEMPORARY_FILE_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

namespace presence::sip {

// A file with this content, gone with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) : path_(testing::TempDir() + "hosts.XXXXXX") {
    const int fd = mkstemp(path_.data());
    if (fd == -1) abort();
    close(fd);
    std::ofstream(path_) << content;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_TEMPORARY_FILE_H_
