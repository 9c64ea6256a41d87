#include "configuration/format.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace presence {
namespace {

using Format = v1::Setting;

// Bits of a numeric address, 0 if it is none.
int AddressBits(absl::string_view text) {
  const std::string address(text);
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return 32;
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return 128;
  return 0;
}

// An address as it stands before a port: IPv6 in brackets.
bool IsHostAddress(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && AddressBits(host) == 128;
  }
  return AddressBits(host) == 32;
}

// RFC 1123 section 2.1; the last label has a letter, so that "256.1.1.1" is no name (RFC 3696).
bool IsHostName(absl::string_view name) {
  absl::ConsumeSuffix(&name, ".");
  if (name.empty() || name.size() > 253) return false;
  absl::string_view last;
  for (absl::string_view label : absl::StrSplit(name, '.')) {
    const auto is_allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; };
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::all_of(label.begin(), label.end(), is_allowed)) {
      return false;
    }
    last = label;
  }
  return std::any_of(last.begin(), last.end(),
                     [](unsigned char c) { return absl::ascii_isalpha(c); });
}

bool IsHost(absl::string_view host) { return IsHostAddress(host) || IsHostName(host); }

bool IsPort(absl::string_view text) {
  uint32_t port = 0;
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); }) &&
         absl::SimpleAtoi(text, &port) && port <= 65535;
}

// Cuts "host:port" at the colon that is no part of an IPv6 address; without one `port` is empty.
struct HostAndPort {
  absl::string_view host;
  absl::string_view port;
  bool has_port = false;
};
HostAndPort SplitPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  if (colon == absl::string_view::npos || (bracket != absl::string_view::npos && colon < bracket)) {
    return {text, "", false};
  }
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

bool IsAddress(absl::string_view text) {
  const HostAndPort parts = SplitPort(text);
  return parts.has_port && IsHost(parts.host) && IsPort(parts.port);
}

absl::Status CheckSipListener(absl::string_view text) {
  for (absl::string_view later : {"tls:", "ws:", "wss:"}) {
    if (absl::StartsWith(text, later)) {
      return absl::InvalidArgumentError(
          absl::StrCat("this version serves udp and tcp, not ", later.substr(0, later.size() - 1)));
    }
  }
  const bool has_transport =
      absl::ConsumePrefix(&text, "udp:") || absl::ConsumePrefix(&text, "tcp:");
  const HostAndPort parts = SplitPort(text);
  if (has_transport && parts.has_port && IsHostAddress(parts.host) && IsPort(parts.port)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("not a SIP listener");
}

bool IsAdvertised(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "udp:")) absl::ConsumePrefix(&text, "tcp:");
  const HostAndPort parts = SplitPort(text);
  return IsHost(parts.host) && (!parts.has_port || (IsPort(parts.port) && parts.port != "0"));
}

bool IsNetwork(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  const int bits = AddressBits(parts.first);
  if (bits == 0) return false;
  if (!absl::StrContains(text, '/')) return true;
  int prefix = 0;
  return IsPort(parts.second) && absl::SimpleAtoi(parts.second, &prefix) && prefix <= bits;
}

// The part of a URI that a Contact of ours can have; the codec reads it with care when it is used.
bool IsSipUri(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "sip:") && !absl::ConsumePrefix(&text, "sips:")) return false;
  if (text.find_first_of(" <>\",?") != absl::string_view::npos) return false;
  text = text.substr(0, text.find(';'));
  const size_t at = text.find('@');
  if (at == 0) return false;
  if (at != absl::string_view::npos) text.remove_prefix(at + 1);
  const HostAndPort parts = SplitPort(text);
  return IsHost(parts.host) && (!parts.has_port || IsPort(parts.port));
}

bool IsLogSink(absl::string_view text) {
  if (text == "stderr" || text == "journal") return true;
  if (!absl::ConsumePrefix(&text, "syslog:")) return false;
  constexpr absl::string_view kFacilities[] = {"auth",   "authpriv", "cron",   "daemon", "kern",
                                               "lpr",    "mail",     "news",   "syslog", "user",
                                               "uucp",   "local0",   "local1", "local2", "local3",
                                               "local4", "local5",   "local6", "local7"};
  return std::find(std::begin(kFacilities), std::end(kFacilities), text) != std::end(kFacilities);
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

bool IsIpAddress(absl::string_view text) {
  if (AddressBits(text) != 0) return true;
  const HostAndPort parts = SplitPort(text);
  return parts.has_port && IsHostAddress(parts.host) && IsPort(parts.port) && parts.port != "0";
}

// What needs no quotes in SQL.
bool IsSqlName(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && !absl::ascii_isdigit(text[0]) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

bool IsView(absl::string_view text) {
  const size_t dot = text.find('.');
  if (dot == absl::string_view::npos) return IsSqlName(text);
  return IsSqlName(text.substr(0, dot)) && IsSqlName(text.substr(dot + 1));
}

// Files may have names in any script; everything else is written in ASCII.
bool IsLine(absl::string_view text, bool ascii_only) {
  return std::all_of(text.begin(), text.end(), [ascii_only](unsigned char c) {
    return !absl::ascii_iscntrl(c) && (c < 0x80 || !ascii_only);
  });
}

bool HasFormat(Format::Format format, absl::string_view text) {
  switch (format) {
    case Format::FORMAT_ADDRESS:
      return IsAddress(text);
    case Format::FORMAT_CORE_ADDRESS:
      return absl::StartsWith(text, "unix:") ? text.size() > 5 : IsAddress(text);
    case Format::FORMAT_DOMAIN:
      return IsHost(text);
    case Format::FORMAT_NETWORK:
      return IsNetwork(text);
    case Format::FORMAT_ADVERTISED:
      return IsAdvertised(text);
    case Format::FORMAT_SIP_URI:
      return IsSipUri(text);
    case Format::FORMAT_LOG_SINK:
      return IsLogSink(text);
    case Format::FORMAT_NAME:
      return IsName(text);
    case Format::FORMAT_IP_ADDRESS:
      return IsIpAddress(text);
    case Format::FORMAT_VIEW:
      return IsView(text);
    default:
      return true;
  }
}

}  // namespace

absl::Status CheckFormat(Format::Format format, absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("empty");
  if (!IsLine(text, /*ascii_only=*/format != Format::FORMAT_PATH)) {
    return absl::InvalidArgumentError("not one line of printable text");
  }
  if (format == Format::FORMAT_SIP_LISTENER) return CheckSipListener(text);
  if (HasFormat(format, text)) return absl::OkStatus();
  return absl::InvalidArgumentError("not of the form needed");
}

absl::string_view FormatText(Format::Format format) {
  switch (format) {
    case Format::FORMAT_ADDRESS:
      return "HOST:PORT, IPv6 as [ADDRESS]:PORT";
    case Format::FORMAT_SIP_LISTENER:
      return "udp:IP:PORT or tcp:IP:PORT, IPv6 as udp:[ADDRESS]:PORT";
    case Format::FORMAT_CORE_ADDRESS:
      return "HOST:PORT or unix:PATH";
    case Format::FORMAT_DOMAIN:
      return "a domain name or address";
    case Format::FORMAT_NETWORK:
      return "an address, or a network such as 192.0.2.0/24";
    case Format::FORMAT_ADVERTISED:
      return "HOST or HOST:PORT, optionally after udp: or tcp:";
    case Format::FORMAT_SIP_URI:
      return "a sip: or sips: URI";
    case Format::FORMAT_LOG_SINK:
      return "stderr, journal, or syslog:FACILITY such as syslog:local3";
    case Format::FORMAT_PATH:
      return "a file name";
    case Format::FORMAT_NAME:
      return "1 to 64 letters, digits, \".\", \"_\" and \"-\"";
    case Format::FORMAT_IP_ADDRESS:
      return "IP or IP:PORT";
    case Format::FORMAT_VIEW:
      return "NAME or SCHEMA.NAME, of small letters, digits and \"_\", or none";
    default:
      return "one line of text";
  }
}

bool IsLoopback(absl::string_view address) {
  const absl::string_view host = SplitPort(address).host;
  return host == "[::1]" || absl::EqualsIgnoreCase(host, "localhost") ||
         (AddressBits(host) == 32 && absl::StartsWith(host, "127."));
}

}  // namespace presence
