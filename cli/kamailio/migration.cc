#include "cli/kamailio/migration.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/kamailio/parameters.h"
#include "configuration/format.h"

namespace presence::cli {
namespace {

// What the functions, commands, variables and routes of the module have become.
const char* SuccessorOfUse(const std::string& use) {
  static constexpr std::pair<std::string_view, const char*> kSuccessors[] = {
      {"handle_publish", "route PUBLISH to sip-gateway instead; for sender_uri: sip.sender_header"},
      {"handle_subscribe",
       "route SUBSCRIBE to sip-gateway instead; for watcher_uri: trusted_peers and "
       "P-Asserted-Identity"},
      {"pres_auth_status",
       "ask over REST or gRPC (GetAuthorization), or: presencectl authorization USER WATCHER"},
      {"pres_has_subscribers", "ask over REST or gRPC (HasSubscribers)"},
      {"pres_refresh_watchers",
       "call RefreshWatchers over REST or gRPC, or: presencectl "
       "refresh-watchers USER"},
      {"pres_update_watchers",
       "call UpdateWatchers over REST or gRPC, or: presencectl "
       "update-watchers USER"},
      {"presence.cleanup", "presencectl cleanup"},
      {"presence.refreshWatchers", "presencectl refresh-watchers USER"},
      {"presence.updateWatchers", "presencectl update-watchers USER"},
      {"presence.presentity_list", "presencectl presentity list --full"},
      {"$subs",
       "a script cannot see subscriptions; ask ListSubscriptions, or: presencectl "
       "subscription list -o json"},
      {"$notify_reply", "no hook yet; metrics and the log of sip-gateway tell of NOTIFYs"},
      {"event_route", "no hook yet; metrics and the log of sip-gateway tell of NOTIFYs"},
  };
  for (const auto& [name, successor] : kSuccessors) {
    if (use.substr(0, name.size()) == name) return successor;
  }
  return "";
}

// Modules beside presence that do a part of its work, and what becomes of them.
const char* SuccessorOfModule(const std::string& module) {
  static constexpr std::pair<std::string_view, const char*> kModules[] = {
      {"presence_xml", ""},  // its parameters are looked at one by one
      {"presence_dialoginfo", "the package dialog is not in this version"},
      {"presence_mwi", "the package message-summary is not in this version"},
      {"presence_conference", "the package conference is not in this version"},
      {"presence_reginfo", "the package reg is not in this version"},
      {"presence_profile", "the package ua-profile is not in this version"},
      {"presence_dfks", "the package as-feature-event is not in this version"},
      {"rls", "resource lists are not in this version: leave SUBSCRIBEs to lists at Kamailio"},
      {"xcap_server", "keep it: there is no XCAP server in this version"},
      {"xcap_client", "rules from an XCAP server are not read in this version"},
  };
  for (const auto& [name, successor] : kModules) {
    if (module == name) return successor;
  }
  if (module.substr(0, 3) == "pua")
    return "keep it: what publishes sends its PUBLISH to sip-gateway";
  return "";
}

class Maker {
 public:
  explicit Maker(const Script& script) : script_(script) {}

  Migration Make(const std::vector<std::string>& domains) {
    for (const Parameter& parameter : AllParameters()) AddParameter(parameter);
    AddXmlParameters();
    for (const ScriptFact& module : script_.modules) {
      AddFact(module, "loadmodule ", SuccessorOfModule(module.text));
    }
    AddUses();
    AddEngines();
    AddListeners();
    AddDomains(domains);
    return std::move(migration_);
  }

 private:
  void AddParameter(const Parameter& parameter) {
    MigrationRow row{.fate = parameter.fate,
                     .subject = parameter.name,
                     .was = absl::StrCat(parameter.kamailio_default, " (default)"),
                     .position = std::nullopt,
                     .keys = parameter.keys,
                     .note = parameter.how};
    const ScriptValue* value = script_.Find("presence", parameter.name);
    if (value == nullptr) {
      if (const std::string_view unset = parameter.unset; !unset.empty()) {
        row.note = unset;
        row.is_different = true;
      }
      // What nobody set nobody has to do anything about, but for the storage itself.
      if (row.fate == Fate::kNeedsYou) row.fate = Fate::kSuperseded;
    } else {
      row.was = MaskPassword(value->text);
      row.position = value->position;
      Conversion conversion(script_, migration_, row);
      conversion.set_value(value);
      if (parameter.convert != nullptr) parameter.convert(conversion);
    }
    migration_.rows.push_back(std::move(row));
  }

  // Those of presence_xml, which decides about authorization for the module.
  void AddXmlParameters() {
    const auto parameters = script_.parameters.find("presence_xml");
    if (parameters == script_.parameters.end()) return;
    for (const auto& [name, value] : parameters->second) {
      MigrationRow row{.fate = Fate::kNeedsYou,
                       .subject = "presence_xml " + name,
                       .was = MaskPassword(value.text),
                       .position = value.position,
                       .keys = {},
                       .note = "no successor in this version: pres-rules documents are not read"};
      Conversion conversion(script_, migration_, row);
      conversion.set_value(&value);
      if (name == "db_url") {
        conversion.Decide(Fate::kSuperseded, "one connection string for everything: storage.dsn");
      } else if (name == "force_active" && conversion.number().has_value()) {
        row.keys = {{Program::kCore, "policy.packages.presence.unknown_watcher"}};
        const bool is_allowed = *conversion.number() != 0;
        conversion.Set(Program::kCore, row.keys.front().key, is_allowed ? "allow" : "pending");
        conversion.Decide(Fate::kRenamed, is_allowed
                                              ? "everybody may watch whom nobody decided about"
                                              : "watchers wait for a decision");
      }
      migration_.rows.push_back(std::move(row));
    }
  }

  void AddFact(const ScriptFact& fact, const std::string& prefix, const std::string& note) {
    if (note.empty()) return;
    migration_.rows.push_back({.fate = Fate::kNeedsYou,
                               .subject = prefix + fact.text,
                               .was = "",
                               .position = fact.position,
                               .keys = {},
                               .note = note});
  }

  // A row for each thing that is used, at its first place, with the number of places.
  void AddUses() {
    std::vector<std::pair<ScriptFact, int>> counted;
    for (const ScriptFact& use : script_.uses) {
      const auto known = std::find_if(counted.begin(), counted.end(), [&use](const auto& other) {
        return other.first.text == use.text;
      });
      if (known == counted.end()) {
        counted.emplace_back(use, 1);
      } else {
        ++known->second;
      }
    }
    for (const auto& [use, count] : counted) {
      AddFact(use, "", SuccessorOfUse(use.text));
      migration_.rows.back().was = count == 1 ? "once" : absl::StrCat(count, " times");
      migration_.rows.back().is_routing = true;
    }
  }

  void AddEngines() {
    for (const ScriptFact& engine : script_.engines) {
      AddFact(engine, "cfgengine ",
              "routing in this language is not read: look there for functions of presence");
    }
  }

  void AddListeners() {
    for (const ScriptFact& listener : script_.listeners) {
      AddFact({"listen", listener.position}, "",
              "Kamailio keeps its address: give sip-gateway one of its own in listen");
      migration_.rows.back().was = listener.text;
    }
  }

  void AddDomains(std::vector<std::string> domains) {
    std::string reason = "--domain";
    if (domains.empty()) {
      for (const ScriptFact& alias : script_.aliases) {
        const std::string domain = DomainOf(alias.text);
        if (domain.empty()) continue;
        if (std::find(domains.begin(), domains.end(), domain) != domains.end()) continue;
        domains.push_back(domain);
        reason = absl::StrCat("alias (", alias.position.text(), ")");
      }
    }
    MigrationRow row{.fate = Fate::kRenamed,
                     .subject = "alias",
                     .was = "",
                     .position = std::nullopt,
                     .keys = {{Program::kCore, "domains"}, {Program::kGateway, "domains"}},
                     .note = "domains whose presentities live here; others are answered 404"};
    if (domains.empty()) {
      row.fate = Fate::kNeedsYou;
      row.subject = "domains";
      row.note = "the programs refuse to start without: write them, or repeat with --domain";
    } else {
      for (const std::string& domain : domains) {
        absl::StrAppend(&row.was, row.was.empty() ? "" : ", ", domain);
      }
      if (reason == "--domain") row.subject = reason;
      for (const SuccessorKey& key : row.keys)
        migration_.settings.push_back({key, domains, reason});
    }
    migration_.rows.push_back(std::move(row));
  }

  // "example.com" of "udp:example.com:5060"; empty where it is none.
  static std::string DomainOf(std::string text) {
    for (const std::string_view transport : {"udp:", "tcp:", "tls:", "sctp:"}) {
      if (text.substr(0, transport.size()) == transport) text.erase(0, transport.size());
    }
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos && text.find(']', colon) == std::string::npos) text.erase(colon);
    const bool is_domain = CheckFormat(presence::v1::Setting::FORMAT_DOMAIN, text).ok();
    return is_domain ? text : "";
  }

  const Script& script_;
  Migration migration_;
};

}  // namespace

bool Migration::Sets(const SuccessorKey& key) const {
  return std::any_of(settings.begin(), settings.end(),
                     [&key](const NewSetting& setting) { return setting.key == key; });
}

Migration Migrate(const Script& script, const std::vector<std::string>& domains) {
  return Maker(script).Make(domains);
}

std::string ProgramName(Program program) {
  return program == Program::kCore ? "presence-core" : "sip-gateway";
}

std::string FateName(Fate fate) {
  switch (fate) {
    case Fate::kKept:
      return "kept";
    case Fate::kRenamed:
      return "renamed";
    case Fate::kSuperseded:
      return "superseded";
    case Fate::kNeedsYou:
      break;
  }
  return "needs you";
}

std::string KeyName(const SuccessorKey& key) {
  return absl::StrCat(ProgramName(key.program), " ", key.key);
}

std::string MaskPassword(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme + 3) return url;
  const std::size_t colon = url.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return url;
  return url.substr(0, colon + 1) + "***" + url.substr(at);
}

}  // namespace presence::cli
