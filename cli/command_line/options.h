#ifndef PRESENCE_CLI_COMMAND_LINE_OPTIONS_H_
#define PRESENCE_CLI_COMMAND_LINE_OPTIONS_H_

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cli/command_line/suggestion.h"

namespace presence::cli {

// Kinds of options that CLI11 does not have. What is passed as `target` must outlive the parse, and
// is changed only when the option is given.

// An option whose value is a duration such as 1h30m.
CLI::Option* AddDuration(CLI::App& app, const std::string& names,
                         std::optional<absl::Duration>& target, const std::string& help);

// Fails the parse because `value` is none of `choices`, suggesting the nearest.
[[noreturn]] void RejectChoice(const std::string& names, const std::string& value,
                               const std::vector<std::string>& choices);

// An option whose value is one of a few words; each stands for a T.
template <typename T>
CLI::Option* AddChoice(CLI::App& app, const std::string& names, T& target,
                       std::vector<std::pair<std::string, T>> choices, const std::string& help) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  auto choose = [names, words, &target, choices = std::move(choices)](const std::string& word) {
    const auto chosen = std::find_if(choices.begin(), choices.end(),
                                     [&word](const auto& choice) { return choice.first == word; });
    if (chosen == choices.end()) RejectChoice(names, word, words);
    target = chosen->second;
  };
  return app.add_option_function<std::string>(names, choose, help)
      ->option_text(absl::StrJoin(words, "|"));
}

// The same, but it may be given several times, each with one word.
template <typename T>
CLI::Option* AddChoices(CLI::App& app, const std::string& names, std::vector<T>& target,
                        std::vector<std::pair<std::string, T>> choices, const std::string& help) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  auto choose = [names, words, &target,
                 choices = std::move(choices)](const std::vector<std::string>& given) {
    for (const std::string& word : given) {
      const auto chosen = std::find_if(choices.begin(), choices.end(), [&word](const auto& choice) {
        return choice.first == word;
      });
      if (chosen == choices.end()) RejectChoice(names, word, words);
      target.push_back(chosen->second);
    }
  };
  return app.add_option_function<std::vector<std::string>>(names, choose, help)
      ->allow_extra_args(false)
      ->option_text(absl::StrCat(absl::StrJoin(words, "|"), " ..."));
}

// A positional argument that must be there and not be empty.
CLI::Option* AddArgument(CLI::App& app, const std::string& name, std::string& target,
                         const std::string& help);

// The end of a help text: commands to copy. Tests run every one of them.
std::string Examples(std::initializer_list<std::string> commands);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_OPTIONS_H_
