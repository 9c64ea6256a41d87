#include "presence-core/engine/link_table.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace presence {
namespace {

absl::string_view Key(std::string_view name) { return {name.data(), name.size()}; }

}  // namespace

std::pair<LinkTable::LinkId, std::vector<LinkTable::Waiting>> LinkTable::Attach(std::string name,
                                                                                WatcherLink& link,
                                                                                size_t credit) {
  absl::MutexLock lock(&mu_);
  const LinkId id = next_++;
  auto entry = std::make_shared<Link>();
  entry->name = name;
  entry->credit = credit;
  {
    absl::MutexLock delivering(&entry->delivering);
    entry->link = &link;
  }
  links_[id] = std::move(entry);
  Group& group = groups_[std::move(name)];
  group.links.push_back(id);
  return {id, Wake(group)};
}

std::vector<LinkTable::Waiting> LinkTable::AddCredit(LinkId id, size_t credit) {
  absl::MutexLock lock(&mu_);
  auto it = links_.find(id);
  if (it == links_.end()) return {};
  it->second->credit += credit;
  return Wake(groups_[it->second->name]);
}

std::vector<LinkTable::Waiting> LinkTable::Wake(Group& group) {
  size_t credit = 0;
  for (LinkId id : group.links) credit += links_.at(id)->credit;
  // Every woken resource can use a credit at least; the others wait for more.
  const size_t count = std::min(credit, group.waiting.size());
  const auto end = group.waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Waiting> woken(group.waiting.begin(), end);
  group.waiting.erase(group.waiting.begin(), end);
  return woken;
}

void LinkTable::Detach(LinkId id) {
  std::shared_ptr<Link> link;
  {
    absl::MutexLock lock(&mu_);
    auto it = links_.find(id);
    if (it == links_.end()) return;
    link = std::move(it->second);
    links_.erase(it);
    auto group = groups_.find(link->name);
    std::erase(group->second.links, id);
    const bool is_awaited = group->second.is_lasting && !group->second.waiting.empty();
    if (group->second.links.empty() && !is_awaited) groups_.erase(group);
  }
  absl::MutexLock delivering(&link->delivering);
  link->link = nullptr;
}

bool LinkTable::IsAttached(LinkId id) {
  absl::MutexLock lock(&mu_);
  return links_.contains(id);
}

LinkTable::LinkId LinkTable::Take(std::string_view name, Waiting waiting, bool remember,
                                  bool is_lasting) {
  absl::MutexLock lock(&mu_);
  auto group = groups_.find(Key(name));
  if (group != groups_.end()) {
    for (LinkId id : group->second.links) {
      Link& link = *links_.at(id);
      if (link.credit == 0) continue;
      --link.credit;
      return id;
    }
  }
  if (remember && (is_lasting || group != groups_.end())) {
    Group& waited_for = groups_[std::string(name)];
    waited_for.is_lasting = is_lasting;
    waited_for.waiting.push_back(waiting);
  }
  return kNone;
}

void LinkTable::Deliver(LinkId id, std::vector<Instruction> instructions) {
  std::shared_ptr<Link> link;
  {
    absl::MutexLock lock(&mu_);
    auto it = links_.find(id);
    if (it == links_.end()) return;
    link = it->second;
  }
  absl::MutexLock delivering(&link->delivering);
  if (link->link != nullptr) link->link->Deliver(std::move(instructions));
}

}  // namespace presence
