#include "presence-core/engine/dialog_aliases.h"

namespace presence {
namespace {

// As long as the end itself is remembered: twice what a SIP transaction lives.
constexpr absl::Duration kEndRemembered = absl::Seconds(64);

RequestKey KeyOfRow(const Subscription& row) {
  return DialogAliases::KeyOf(row.dialog.call_id(), row.dialog.adopted_tag(),
                              row.dialog.remote_tag());
}

}  // namespace

void DialogAliases::Add(const Subscription& row) {
  if (row.dialog.adopted_tag().empty()) return;
  const RequestKey key = KeyOfRow(row);
  absl::MutexLock lock(&mu_);
  ids_[key] = row.id;
  gone_.erase(key);
}

void DialogAliases::Remove(const Subscription& row, absl::Time now) {
  if (row.dialog.adopted_tag().empty()) return;
  const RequestKey key = KeyOfRow(row);
  absl::MutexLock lock(&mu_);
  const auto it = ids_.find(key);
  if (it != ids_.end() && it->second == row.id) {
    gone_[key] = now + kEndRemembered;
    by_time_.emplace_back(now + kEndRemembered, key);
  }
  for (; !by_time_.empty() && by_time_.front().first <= now; by_time_.pop_front()) {
    const auto gone = gone_.find(by_time_.front().second);
    if (gone == gone_.end() || gone->second > now) continue;
    ids_.erase(gone->first);
    gone_.erase(gone);
  }
}

std::optional<LocalTag> DialogAliases::Find(std::string_view call_id, std::string_view local_tag,
                                            std::string_view remote_tag) const {
  {
    absl::MutexLock lock(&mu_);
    if (ids_.empty()) return std::nullopt;
  }
  const RequestKey key = KeyOf(call_id, local_tag, remote_tag);
  absl::MutexLock lock(&mu_);
  const auto it = ids_.find(key);
  if (it == ids_.end()) return std::nullopt;
  return it->second;
}

size_t DialogAliases::size() const {
  absl::MutexLock lock(&mu_);
  return ids_.size();
}

}  // namespace presence
