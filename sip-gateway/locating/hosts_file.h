#ifndef PRESENCE_SIP_GATEWAY_LOCATING_HOSTS_FILE_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_HOSTS_FILE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip-gateway/locating/ip_literal.h"

namespace presence::sip {

// The names an administrator gave addresses without the DNS, in the form of hosts(5). Read at each
// question, so an edit counts at once; DnsCache keeps that rare.
class HostsFile {
 public:
  // With an empty path there are no names.
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  // All addresses of a canonical name, in the order of the file. A file that cannot be read, and
  // lines that are no entries, have none.
  std::vector<IpLiteral> Find(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_HOSTS_FILE_H_
