#include "presence-core/packages/presence/contact_uri.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"

namespace presence {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

// "%41" and "A" are the same (RFC 3261 §19.1.4), unless the character is reserved there.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                           absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!is_escape) {
      out.push_back(text[i]);
      continue;
    }
    const std::string digits(text.substr(i + 1, 2));
    const auto byte = static_cast<unsigned char>(std::stoi(digits, nullptr, 16));
    const bool is_unreserved =
        absl::ascii_isalnum(byte) ||
        std::string_view("-_.!~*'()").find(static_cast<char>(byte)) != std::string_view::npos;
    if (is_unreserved) {
      out.push_back(static_cast<char>(byte));
    } else {
      out.append("%").append(absl::AsciiStrToUpper(digits));
    }
    i += 2;
  }
  return out;
}

struct SipContact {
  std::string scheme;
  std::string user;
  std::string host_and_port;
  std::map<std::string, std::string> parameters;
  std::string headers;
};

// `uri` begins with "sip:" or "sips:" in some case. A URI of a wrong form still splits somehow: it
// is then equal to those that split alike, and to no other.
SipContact Split(std::string_view uri) {
  SipContact contact;
  const size_t colon = uri.find(':');
  contact.scheme = Lower(uri.substr(0, colon));
  uri.remove_prefix(colon + 1);
  if (const size_t at = uri.find('@'); at != std::string_view::npos) {
    contact.user = Unescaped(uri.substr(0, at)).append("@");
    uri.remove_prefix(at + 1);
  }
  if (const size_t question = uri.find('?'); question != std::string_view::npos) {
    contact.headers = Unescaped(uri.substr(question));
    uri = uri.substr(0, question);
  }
  const size_t end_of_host = std::min(uri.find(';'), uri.size());
  contact.host_and_port = Lower(uri.substr(0, end_of_host));
  uri.remove_prefix(end_of_host);
  while (!uri.empty()) {
    uri.remove_prefix(1);  // the ';'
    const std::string_view parameter = uri.substr(0, uri.find(';'));
    const size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view value =
        equals < parameter.size() ? parameter.substr(equals + 1) : std::string_view();
    contact.parameters.emplace(Lower(Unescaped(parameter.substr(0, equals))),
                               Lower(Unescaped(value)));
    uri.remove_prefix(parameter.size());
  }
  return contact;
}

// Every parameter of `a` that `b` has is the same there, and `b` has those that it must.
bool ParametersAgree(const SipContact& a, const SipContact& b) {
  constexpr std::array<std::string_view, 6> kMustBeOnBothSides = {"transport", "user",  "ttl",
                                                                  "method",    "maddr", "gr"};
  return std::all_of(a.parameters.begin(), a.parameters.end(), [&](const auto& parameter) {
    const auto other = b.parameters.find(parameter.first);
    if (other != b.parameters.end()) return other->second == parameter.second;
    return std::find(kMustBeOnBothSides.begin(), kMustBeOnBothSides.end(), parameter.first) ==
           kMustBeOnBothSides.end();
  });
}

bool IsSip(std::string_view uri) {
  const std::string scheme = Lower(uri.substr(0, std::min<size_t>(uri.find(':'), 5)));
  return scheme == "sip" || scheme == "sips";
}

}  // namespace

bool IsSameContact(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (IsSip(a) && IsSip(b)) {
    const SipContact left = Split(a);
    const SipContact right = Split(b);
    return left.scheme == right.scheme && left.user == right.user &&
           left.host_and_port == right.host_and_port && left.headers == right.headers &&
           ParametersAgree(left, right) && ParametersAgree(right, left);
  }
  const size_t colon = a.find(':');
  if (colon == std::string_view::npos || colon != b.find(':')) return false;
  return Lower(a.substr(0, colon)) == Lower(b.substr(0, colon)) &&
         a.substr(colon) == b.substr(colon);
}

}  // namespace presence
