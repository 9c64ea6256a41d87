#include "cli/kamailio/script.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/kamailio/substitution.h"

namespace presence::cli {
namespace {

constexpr const char* kFunctions[] = {
    "handle_publish",       "handle_subscribe",      "pres_auth_status",
    "pres_has_subscribers", "pres_refresh_watchers", "pres_update_watchers",
};
constexpr std::string_view kCommands[] = {
    "presence.cleanup",
    "presence.refreshWatchers",
    "presence.updateWatchers",
    "presence.presentity_list",
};
constexpr std::string_view kVariables[] = {"subs", "notify_reply"};

bool IsFunction(const std::string& name) {
  return std::find(std::begin(kFunctions), std::end(kFunctions), name) != std::end(kFunctions);
}

absl::Status FaultAt(const ScriptPosition& position, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(position.text(), ": ", std::string(what)));
}

// "presence" of "/usr/lib/kamailio/modules/presence.so".
std::string ModuleName(std::string_view file) {
  if (const std::size_t slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  if (file.size() > 3 && file.substr(file.size() - 3) == ".so") file.remove_suffix(3);
  return std::string(file);
}

// From `open`, where a parenthesis opens, to the one that closes it; the end of `text` without one.
std::string_view Parenthesised(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return text.substr(open, i + 1 - open);
  }
  return text.substr(open);
}

class Reader {
 public:
  Reader(FileReader read, std::map<std::string, std::string> defines)
      : scanner_(std::move(read), std::move(defines)) {}

  absl::Status Read(const std::string& path) {
    if (absl::Status status = scanner_.Open(path); !status.ok()) return status;
    if (absl::Status status = Advance(); !status.ok()) return status;
    while (token_.kind != Token::Kind::kEnd) {
      if (absl::Status status = Statement(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  Script Take() { return std::move(script_); }

 private:
  // Makes the next word `token_`; what strings and variables name is noted on the way.
  absl::Status Advance() {
    absl::StatusOr<Token> next = scanner_.Next();
    if (!next.ok()) return next.status();
    token_ = *std::move(next);
    if (token_.kind == Token::Kind::kString || token_.kind == Token::Kind::kVariable) {
      NoteVariables();
    }
    if (token_.kind == Token::Kind::kString) NoteCommands();
    return absl::OkStatus();
  }

  // One word that means something here and what belongs to it, or one that does not.
  absl::Status Statement() {
    const Token first = token_;
    if (absl::Status status = Advance(); !status.ok()) return status;
    if (first.kind != Token::Kind::kIdentifier) return absl::OkStatus();
    if (first.text == "loadmodule" || first.text == "loadmodulex") return LoadModule(first);
    if (first.text == "modparam" || first.text == "modparamx") return Modparam(first);
    if (first.text == "event_route") return EventRoute(first);
    if (first.text == "cfgengine") return Engine(first);
    if (first.text == "listen" && token_.IsSymbol("=")) return Listen(first);
    if (first.text == "alias" && token_.IsSymbol("=")) return Alias(first);
    if (IsFunction(first.text) && token_.IsSymbol("(")) Note(first.text, first.position);
    return absl::OkStatus();
  }

  void Note(std::string text, const ScriptPosition& position) {
    script_.uses.push_back({std::move(text), position});
  }

  // Of "$subs(uri)" and "$(subs(uri){s.len})".
  void NoteVariables() {
    const std::string_view text = token_.text;
    for (const std::string_view name : kVariables) {
      for (std::size_t at = text.find(name); at != std::string_view::npos;
           at = text.find(name, at + 1)) {
        const std::size_t open = at + name.size();
        const bool is_called = open < text.size() && text[open] == '(';
        const bool is_variable = (at >= 1 && text[at - 1] == '$') ||
                                 (at >= 2 && text[at - 1] == '(' && text[at - 2] == '$');
        if (!is_called || !is_variable) continue;
        Note(absl::StrCat("$", std::string(name), std::string(Parenthesised(text, open))),
             token_.position);
      }
    }
  }

  void NoteCommands() {
    for (const std::string_view command : kCommands) {
      if (token_.text.find(command) != std::string::npos) {
        Note(std::string(command), token_.position);
      }
    }
  }

  // Takes `symbol`, or says that `statement` lacks it.
  absl::Status Expect(const char* symbol, const Token& statement) {
    if (!token_.IsSymbol(symbol)) {
      return FaultAt(statement.position,
                     absl::StrCat(statement.text, ": \"", symbol, "\" is missing"));
    }
    return Advance();
  }

  absl::Status ExpectString(const Token& statement, std::string& text) {
    if (token_.kind != Token::Kind::kString) {
      return FaultAt(statement.position,
                     absl::StrCat(statement.text, ": a string is missing, or a define for it"));
    }
    text = token_.text;
    return Advance();
  }

  absl::Status LoadModule(const Token& statement) {
    const bool has_parenthesis = token_.IsSymbol("(");
    if (has_parenthesis) {
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    std::string file;
    if (absl::Status status = ExpectString(statement, file); !status.ok()) return status;
    script_.modules.push_back({ModuleName(file), statement.position});
    return has_parenthesis ? Expect(")", statement) : absl::OkStatus();
  }

  absl::Status Modparam(const Token& statement) {
    std::string modules;
    std::string name;
    ScriptValue value;
    value.position = statement.position;
    if (absl::Status status = Expect("(", statement); !status.ok()) return status;
    if (absl::Status status = ExpectString(statement, modules); !status.ok()) return status;
    if (absl::Status status = Expect(",", statement); !status.ok()) return status;
    if (absl::Status status = ExpectString(statement, name); !status.ok()) return status;
    if (absl::Status status = Expect(",", statement); !status.ok()) return status;
    if (absl::Status status = Value(statement, value); !status.ok()) return status;
    if (absl::Status status = Expect(")", statement); !status.ok()) return status;
    const bool is_evaluated =
        statement.text == "modparamx" && value.text.find('$') != std::string::npos;
    return Assign(modules, name, value, is_evaluated);
  }

  absl::Status Value(const Token& statement, ScriptValue& value) {
    bool is_negative = false;
    while (token_.IsSymbol("-")) {
      is_negative = !is_negative;
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    if (token_.kind == Token::Kind::kNumber) {
      value.is_number = true;
      value.number = is_negative ? -token_.number : token_.number;
      value.text = absl::StrCat(value.number);
      return Advance();
    }
    if (token_.kind == Token::Kind::kString && !is_negative) {
      value.text = token_.text;
      return Advance();
    }
    return FaultAt(statement.position,
                   absl::StrCat(statement.text,
                                ": the value is no number and no string, nor a "
                                "define for one; was a define meant that Kamailio "
                                "gets by -A? then give it with --define"));
  }

  // Kamailio takes the modules as a pattern: "presence|presence_xml".
  absl::Status Assign(const std::string& modules, const std::string& name, const ScriptValue& value,
                      bool is_evaluated) {
    absl::StatusOr<Pattern> pattern = Pattern::Compile(absl::StrCat("^(", modules, ")$"), true);
    if (!pattern.ok()) return FaultAt(value.position, std::string(pattern.status().message()));
    std::vector<std::string> targets = {"presence"};
    for (const ScriptFact& module : script_.modules) targets.push_back(module.text);
    for (const std::string& module : targets) {
      if (!pattern->Matches(module)) continue;
      if (is_evaluated && module == "presence") {
        return FaultAt(value.position, absl::StrCat("modparamx: the value of ", name,
                                                    " is known to a running Kamailio only"));
      }
      script_.parameters[module][name] = value;
    }
    return absl::OkStatus();
  }

  absl::Status EventRoute(const Token& statement) {
    if (!token_.IsSymbol("[")) return absl::OkStatus();
    std::string name;
    while (token_.kind != Token::Kind::kEnd && !token_.IsSymbol("]")) {
      name += token_.text;
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    name += "]";
    if (name == "[presence:notify-reply]") Note("event_route" + name, statement.position);
    return absl::OkStatus();
  }

  absl::Status Engine(const Token& statement) {
    if (token_.IsSymbol("=")) {
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    if (token_.kind != Token::Kind::kString && token_.kind != Token::Kind::kIdentifier) {
      return absl::OkStatus();
    }
    if (token_.text != "native" && token_.text != "default") {
      script_.engines.push_back({token_.text, statement.position});
    }
    return Advance();
  }

  // The words of this line, with blanks where they stood apart.
  absl::StatusOr<std::string> RestOfLine(const Token& statement) {
    std::string text;
    while (token_.kind != Token::Kind::kEnd && !token_.IsSymbol(";") &&
           token_.position.line == statement.position.line &&
           token_.position.file == statement.position.file) {
      if (token_.is_apart && !text.empty()) text += ' ';
      text += token_.text;
      if (absl::Status status = Advance(); !status.ok()) return status;
    }
    return text;
  }

  absl::Status Listen(const Token& statement) {
    if (absl::Status status = Advance(); !status.ok()) return status;
    absl::StatusOr<std::string> text = RestOfLine(statement);
    if (!text.ok()) return text.status();
    script_.listeners.push_back({*std::move(text), statement.position});
    return absl::OkStatus();
  }

  absl::Status Alias(const Token& statement) {
    if (absl::Status status = Advance(); !status.ok()) return status;
    absl::StatusOr<std::string> text = RestOfLine(statement);
    if (!text.ok()) return text.status();
    std::string name;
    for (const char c : *text + " ") {
      if (c != ' ') {
        name += c;
      } else if (!name.empty()) {
        script_.aliases.push_back({std::exchange(name, ""), statement.position});
      }
    }
    return absl::OkStatus();
  }

  Scanner scanner_;
  Token token_;
  Script script_;
};

}  // namespace

bool Script::Loads(const std::string& module) const {
  return std::any_of(modules.begin(), modules.end(),
                     [&module](const ScriptFact& loaded) { return loaded.text == module; });
}

const ScriptValue* Script::Find(const std::string& module, const std::string& name) const {
  const auto found = parameters.find(module);
  if (found == parameters.end()) return nullptr;
  const auto value = found->second.find(name);
  return value == found->second.end() ? nullptr : &value->second;
}

absl::StatusOr<Script> ReadScript(const std::string& path, FileReader read,
                                  std::map<std::string, std::string> defines) {
  Reader reader(std::move(read), std::move(defines));
  if (absl::Status status = reader.Read(path); !status.ok()) return status;
  return reader.Take();
}

}  // namespace presence::cli
