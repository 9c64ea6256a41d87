#include "sip-gateway/locating/hosts_file.h"

#include <fstream>
#include <optional>
#include <sstream>

namespace presence::sip {

std::vector<IpLiteral> HostsFile::Find(std::string_view name) const {
  std::vector<IpLiteral> addresses;
  if (path_.empty()) return addresses;
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line.substr(0, line.find('#')));
    std::string field;
    fields >> field;
    const std::optional<IpLiteral> address = IpLiteral::Parse(field);
    if (!address) continue;
    while (fields >> field) {
      if (CanonicalName(field) != name) continue;
      addresses.push_back(*address);
      break;
    }
  }
  return addresses;
}

}  // namespace presence::sip
