// Prints the documentation of all keys: configuration_reference markdown | core | gateway

#include <iostream>

#include "absl/strings/string_view.h"
#include "configuration/reference.h"
#include "configuration/sample.h"

int main(int argc, char** argv) {
  const absl::string_view what = argc == 2 ? argv[1] : "";
  using presence::SampleValues;
  if (what == "markdown") {
    std::cout << presence::ConfigurationReference();
  } else if (what == "core") {
    std::cout << SampleYaml(presence::CoreConfigSchema(), SampleValues::kCommentedOut);
  } else if (what == "gateway") {
    std::cout << SampleYaml(presence::GatewayConfigSchema(), SampleValues::kCommentedOut);
  } else {
    std::cerr << "usage: configuration_reference markdown|core|gateway\n";
    return 2;
  }
  return std::cout.good() ? 0 : 1;
}
