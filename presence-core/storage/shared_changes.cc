#include "presence-core/storage/shared_changes.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace presence {
namespace {

// PostgreSQL takes less than 8,000 bytes at a time.
constexpr size_t kLongestPayload = 7000;
// With more than that unsaid the others are told to look at everything.
constexpr size_t kMostUnsaid = 100000;
// A line in place of names: anything may have changed.
constexpr char kAnything[] = "*\n";

// A line a resource, after one with the name of the sender. None of them has control characters.
std::string LineOf(const ResourceKey& key) {
  return key.presentity.text() + "\t" + key.event.text() + "\n";
}

std::optional<ResourceKey> KeyOf(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  auto presentity = PresentityUri::FromText(line.substr(0, tab));
  auto event = EventName::Parse(line.substr(tab + 1));
  if (!presentity.has_value() || !event.ok()) return std::nullopt;
  return ResourceKey{*std::move(presentity), *std::move(event)};
}

}  // namespace

bool ChangesToSay::Add(const std::vector<ResourceKey>& keys) {
  absl::MutexLock lock(&mu_);
  if (unsaid_.size() + keys.size() > kMostUnsaid) {
    is_too_much_ = true;
    unsaid_.clear();
  } else {
    unsaid_.insert(keys.begin(), keys.end());
  }
  return !std::exchange(is_expected_, true);
}

bool ChangesToSay::AddAnything() {
  absl::MutexLock lock(&mu_);
  is_too_much_ = true;
  return !std::exchange(is_expected_, true);
}

ChangesToSay::Taken ChangesToSay::Take() {
  Taken taken;
  {
    absl::MutexLock lock(&mu_);
    taken.keys.swap(unsaid_);
    taken.is_too_much = std::exchange(is_too_much_, false);
    is_expected_ = false;
  }
  const std::string head = node_ + "\n";
  std::vector<std::string>& payloads = taken.payloads;
  if (taken.is_too_much) payloads.push_back(head + kAnything);
  for (const ResourceKey& key : taken.keys) {
    std::string line = LineOf(key);
    if (head.size() + line.size() > kLongestPayload) line = kAnything;
    if (payloads.empty() || payloads.back().size() + line.size() > kLongestPayload) {
      payloads.push_back(head);
    }
    payloads.back() += line;
  }
  return taken;
}

bool ChangesToSay::PutBack(const Taken& taken) {
  absl::MutexLock lock(&mu_);
  is_too_much_ = is_too_much_ || taken.is_too_much;
  unsaid_.insert(taken.keys.begin(), taken.keys.end());
  return !std::exchange(is_expected_, true);
}

ChangesHeard HeardFrom(std::string_view payload, std::string_view node) {
  ChangesHeard heard;
  const auto next_line = [&payload] {
    const size_t end = std::min(payload.find('\n'), payload.size());
    const std::string_view line = payload.substr(0, end);
    payload.remove_prefix(std::min(end + 1, payload.size()));
    return line;
  };
  if (next_line() == node) return heard;
  while (!payload.empty()) {
    if (std::optional<ResourceKey> key = KeyOf(next_line())) {
      heard.keys.push_back(*std::move(key));
    } else {
      heard.may_be_anything = true;
    }
  }
  return heard;
}

}  // namespace presence
