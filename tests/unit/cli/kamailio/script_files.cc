#include "tests/unit/cli/kamailio/script_files.h"

#include <utility>

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace presence::cli {

FileReader ReaderOf(const ScriptFiles& files) {
  return [&files](const std::string& path) -> absl::StatusOr<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
    return file->second;
  };
}

absl::StatusOr<Script> Read(const std::string& text, std::map<std::string, std::string> defines) {
  const ScriptFiles files{{"k.cfg", text}};
  return ReadScript("k.cfg", ReaderOf(files), std::move(defines));
}

Script Presence(const std::string& text) {
  absl::StatusOr<Script> script = Read(absl::StrCat("loadmodule \"presence.so\"\n", text));
  EXPECT_TRUE(script.ok()) << script.status();
  return script.ok() ? *std::move(script) : Script();
}

}  // namespace presence::cli
