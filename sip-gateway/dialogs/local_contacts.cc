#include "sip-gateway/dialogs/local_contacts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sip-gateway/translate/contact.h"

namespace presence::sip {
namespace {

// "[2001:DB8::1]" as a host is compared: 2001:db8::1.
std::string PlainHost(std::string host) {
  absl::AsciiStrToLower(&host);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

// The same URI with the scheme sips.
std::string AsSips(std::string_view uri) {
  if (!uri.starts_with("sip:")) return std::string(uri);
  return std::string("sips:").append(uri.substr(4));
}

}  // namespace

LocalContacts::LocalContacts(absl::Span<const Listener> listeners, std::string_view configured) {
  for (const Listener& listener : listeners) {
    if (configured.empty()) {
      const std::string_view transport = ProtocolToken(listener.protocol);
      Add(listener, {ContactUri(listener.SentBy(), transport, /*is_sips=*/false),
                     ContactUri(listener.SentBy(), transport, /*is_sips=*/true)});
    } else {
      Add(listener, {std::string(configured), AsSips(configured)});
    }
    own_hosts_.insert(PlainHost(listener.advertised_host));
    if (!listener.local.ip().is_wildcard()) own_hosts_.insert(listener.local.ip().ToString());
  }
}

void LocalContacts::Add(const Listener& listener, Pair contacts) {
  for (const std::string& contact : {contacts.sip, contacts.sips}) {
    const auto [it, is_new] = listeners_.emplace(contact, listener.id);
    if (!is_new && it->second != listener.id) it->second = kAnyListener;
  }
  if (contacts_.size() <= listener.id) contacts_.resize(listener.id + size_t{1});
  contacts_[listener.id] = std::move(contacts);
}

const std::string& LocalContacts::Of(ListenerId listener, bool is_sips) const {
  static const std::string kNone;
  if (contacts_.empty()) return kNone;
  const Pair& pair = contacts_[listener < contacts_.size() ? listener : 0];
  return is_sips ? pair.sips : pair.sip;
}

ListenerId LocalContacts::ListenerOf(std::string_view contact) const {
  const auto it = listeners_.find(absl::string_view(contact.data(), contact.size()));
  return it == listeners_.end() ? kAnyListener : it->second;
}

}  // namespace presence::sip
