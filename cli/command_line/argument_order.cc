#include "cli/command_line/argument_order.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/suggestion.h"

namespace presence::cli {
namespace {

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) { return app.get_subcommands({}); }

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(app)) names.push_back(command->get_name());
  return names;
}

// "--expires" of "--expires=10m", "-o" of "-ojson".
std::string OptionName(absl::string_view word) {
  if (absl::StartsWith(word, "--")) return std::string(word.substr(0, word.find('=')));
  return std::string(word.substr(0, 2));
}

bool LooksLikeOption(absl::string_view word) {
  return word.size() > 1 && word.front() == '-';  // "-" alone is a file name: standard input
}

// Whether the value of `option` is the word after `word`, not part of it.
bool TakesNextWord(const CLI::Option& option, absl::string_view word) {
  if (option.get_items_expected_max() == 0) return false;
  const std::string name = OptionName(word);
  return word.size() == name.size();
}

absl::Status UnknownOption(const CLI::App& root, const CLI::App& command, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::App* app : {&command, &root}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& lname : option->get_lnames())
        known.push_back(absl::StrCat("--", lname));
      for (const std::string& sname : option->get_snames())
        known.push_back(absl::StrCat("-", sname));
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown option \"", name, "\"", DidYouMean(name, known)));
}

absl::Status UnknownCommand(const CLI::App& command, const std::string& word) {
  const std::vector<std::string> known = CommandNames(command);
  const std::string suggestion = DidYouMean(word, known);
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown command \"", word, "\"",
      suggestion.empty() ? absl::StrCat("; there are ", absl::StrJoin(known, ", ")) : suggestion));
}

class Orderer {
 public:
  Orderer(const CLI::App& root, const std::vector<std::string>& args)
      : root_(root), args_(args), command_(&root) {}

  OrderedArguments Run() {
    OrderedArguments ordered;
    ordered.status = TakeAll();
    ordered.words = std::move(globals_);
    ordered.words.insert(ordered.words.end(), rest_.begin(), rest_.end());
    ordered.command = command_;
    return ordered;
  }

 private:
  absl::Status TakeAll() {
    while (next_ < args_.size()) {
      const std::string& word = args_[next_];
      if (word == "--") {
        // Whatever follows is a positional argument, whatever it looks like.
        rest_.insert(rest_.end(), args_.begin() + static_cast<std::ptrdiff_t>(next_), args_.end());
        break;
      }
      absl::Status taken = LooksLikeOption(word) ? TakeOption(word) : TakeWord(word);
      if (!taken.ok()) return taken;
    }
    if (CommandsOf(*command_).empty() || asks_for_nothing_else_) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(CommandPath(*command_), " needs a command: ",
                                                   absl::StrJoin(CommandNames(*command_), ", ")));
  }

  absl::Status TakeOption(const std::string& word) {
    const std::string name = OptionName(word);
    const CLI::Option* option = command_->get_option_no_throw(name);
    std::vector<std::string>* destination = &rest_;
    if (option == nullptr) {
      option = root_.get_option_no_throw(name);
      destination = &globals_;
    } else if (command_ == &root_) {
      destination = &globals_;
    }
    if (option == nullptr) return UnknownOption(root_, *command_, name);
    if (name == "--help" || name == "-h" || name == "--version") asks_for_nothing_else_ = true;
    destination->push_back(word);
    ++next_;
    if (TakesNextWord(*option, word) && next_ < args_.size()) {
      destination->push_back(args_[next_]);
      ++next_;
    }
    return absl::OkStatus();
  }

  absl::Status TakeWord(const std::string& word) {
    if (!CommandsOf(*command_).empty()) {
      const CLI::App* named = nullptr;
      for (const CLI::App* command : CommandsOf(*command_)) {
        if (command->get_name() == word) named = command;
      }
      if (named == nullptr) return UnknownCommand(*command_, word);
      command_ = named;
    }
    rest_.push_back(word);
    ++next_;
    return absl::OkStatus();
  }

  const CLI::App& root_;
  const std::vector<std::string>& args_;
  const CLI::App* command_;
  std::vector<std::string> globals_;
  std::vector<std::string> rest_;
  std::size_t next_ = 0;
  bool asks_for_nothing_else_ = false;
};

}  // namespace

OrderedArguments OrderArguments(const CLI::App& root, const std::vector<std::string>& args) {
  return Orderer(root, args).Run();
}

std::string CommandPath(const CLI::App& command) {
  return command.get_parent() == nullptr
             ? command.get_name()
             : absl::StrCat(CommandPath(*command.get_parent()), " ", command.get_name());
}

}  // namespace presence::cli
