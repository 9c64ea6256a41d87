#include "presence-core/engine/link_table.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace presence {
namespace {

using Waiting = LinkTable::Waiting;

absl::string_view Key(std::string_view name) { return {name.data(), name.size()}; }

void Move(std::list<Waiting>& from, size_t most, std::vector<Waiting>& to) {
  for (; most > 0 && !from.empty(); --most) {
    to.push_back(from.front());
    from.pop_front();
  }
}

}  // namespace

void LinkTable::Queue::Add(const Waiting& waiting) {
  const bool was_served = Taker{waiting.stripe, waiting.cell} == last_;
  (was_served ? served_ : passed_over_).push_back(waiting);
}

void LinkTable::Queue::MoveFront(size_t most, std::vector<Waiting>& to) {
  const size_t all = std::min(most, passed_over_.size() + served_.size());
  const size_t half = (all + (is_turn_of_served_ ? 1 : 0)) / 2;
  const size_t rest = all - std::min(all, passed_over_.size());
  const size_t served = std::min(served_.size(), std::max(half, rest));
  if (all > 0) is_turn_of_served_ = !is_turn_of_served_;
  Move(passed_over_, all - served, to);
  Move(served_, served, to);
}

std::pair<LinkTable::LinkId, std::vector<Waiting>> LinkTable::Attach(LinkName name,
                                                                     WatcherLink& link,
                                                                     size_t credit) {
  absl::MutexLock lock(&mu_);
  const LinkId id = next_++;
  auto entry = std::make_shared<Link>();
  entry->name = std::move(name);
  entry->credit = credit;
  {
    absl::MutexLock delivering(&entry->delivering);
    entry->link = &link;
  }
  links_[id] = entry;
  groups_[entry->name.group].links.push_back(id);
  // The newest stream of a gateway is the one it listens to.
  if (!entry->name.gateway.empty()) gateways_[entry->name.gateway].link = id;
  return {id, Wake(*entry)};
}

std::vector<Waiting> LinkTable::AddCredit(LinkId id, size_t credit) {
  absl::MutexLock lock(&mu_);
  auto it = links_.find(id);
  if (it == links_.end()) return {};
  it->second->credit += credit;
  return Wake(*it->second);
}

std::vector<Waiting> LinkTable::Wake(const Link& link) {
  // Every woken resource can use a credit at least; the others wait for more.
  std::vector<Waiting> woken;
  if (!link.name.gateway.empty()) {
    gateways_[link.name.gateway].waiting.MoveFront(link.credit, woken);
  }
  Group& group = groups_[link.name.group];
  size_t credit = 0;
  for (LinkId id : group.links) credit += links_.at(id)->credit;
  group.waiting.MoveFront(credit - std::min(credit, woken.size()), woken);
  return woken;
}

void LinkTable::Detach(LinkId id, absl::Time now) {
  std::shared_ptr<Link> link;
  {
    absl::MutexLock lock(&mu_);
    auto it = links_.find(id);
    if (it == links_.end()) return;
    link = std::move(it->second);
    links_.erase(it);
    auto group = groups_.find(link->name.group);
    std::erase(group->second.links, id);
    const bool is_awaited = group->second.is_lasting && !group->second.waiting.empty();
    if (group->second.links.empty() && !is_awaited) groups_.erase(group);
    auto gateway = gateways_.find(link->name.gateway);
    if (gateway != gateways_.end() && gateway->second.link == id) {
      gateway->second.link = kNone;
      gateway->second.away_since = now;
    }
  }
  absl::MutexLock delivering(&link->delivering);
  link->link = nullptr;
}

bool LinkTable::IsAttached(LinkId id) {
  absl::MutexLock lock(&mu_);
  return links_.contains(id);
}

LinkTable::Gateway* LinkTable::HolderOf(const Wanted& wanted, absl::Time now) {
  if (wanted.flow_gateway.empty()) return nullptr;
  auto it = gateways_.find(wanted.flow_gateway);
  if (it == gateways_.end()) {
    // Not seen in this life of the core: it gets the time to come.
    it = gateways_.try_emplace(std::string(wanted.flow_gateway)).first;
    it->second.away_since = now;
  }
  const bool is_lost = it->second.link == kNone && now - it->second.away_since >= kFlowGrace;
  return is_lost ? nullptr : &it->second;
}

LinkTable::Taken LinkTable::Take(const Wanted& wanted, int stripe, uint32_t cell,
                                 absl::FunctionRef<bool(Line)> is_remembered, absl::Time now) {
  absl::MutexLock lock(&mu_);
  if (Gateway* holder = HolderOf(wanted, now)) {
    if (auto it = links_.find(holder->link); it != links_.end() && it->second->credit > 0) {
      --it->second->credit;
      holder->waiting.OnTaken({stripe, cell});
      return {it->first, 0};
    }
    const Line line = LineOfGateway(wanted.flow_gateway);
    if (!is_remembered(line)) holder->waiting.Add({stripe, cell, line});
    return {kNone, line};
  }
  auto group = groups_.find(Key(wanted.group));
  if (group != groups_.end()) {
    for (LinkId id : group->second.links) {
      Link& link = *links_.at(id);
      if (link.credit == 0) continue;
      --link.credit;
      group->second.waiting.OnTaken({stripe, cell});
      return {id, 0};
    }
  }
  const Line line = LineOfGroup(wanted.group);
  if (!is_remembered(line) && (wanted.is_lasting || group != groups_.end())) {
    Group& waited_for = groups_[std::string(wanted.group)];
    waited_for.is_lasting = wanted.is_lasting;
    waited_for.waiting.Add({stripe, cell, line});
  }
  return {kNone, line};
}

bool LinkTable::HasCredit(const Wanted& wanted, absl::Time now) {
  absl::MutexLock lock(&mu_);
  const auto has_credit = [this](LinkId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    auto link = links_.find(id);
    return link != links_.end() && link->second->credit > 0;
  };
  if (const Gateway* holder = HolderOf(wanted, now)) return has_credit(holder->link);
  auto group = groups_.find(Key(wanted.group));
  return group != groups_.end() &&
         std::any_of(group->second.links.begin(), group->second.links.end(), has_credit);
}

std::vector<Waiting> LinkTable::GiveUpFlows(absl::Time now, size_t most) {
  absl::MutexLock lock(&mu_);
  std::vector<Waiting> woken;
  for (auto& [name, gateway] : gateways_) {
    if (gateway.link != kNone || now - gateway.away_since < kFlowGrace) continue;
    gateway.waiting.MoveFront(most - woken.size(), woken);
  }
  return woken;
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

uint32_t LinkTable::BeginTenure(const std::string& group) {
  absl::MutexLock lock(&mu_);
  tenures_[group] = {++last_tenure_, /*is_ours=*/true};
  return last_tenure_;
}

uint32_t LinkTable::ResumeTenure(const std::string& group) {
  absl::MutexLock lock(&mu_);
  Tenure& tenure = tenures_[group];
  if (tenure.number == 0) tenure.number = ++last_tenure_;
  tenure.is_ours = true;
  return tenure.number;
}

void LinkTable::EndTenure(const std::string& group) {
  absl::MutexLock lock(&mu_);
  auto it = tenures_.find(group);
  if (it != tenures_.end()) it->second.is_ours = false;
}

uint32_t LinkTable::TenureOf(std::string_view group) {
  absl::MutexLock lock(&mu_);
  auto it = tenures_.find(Key(group));
  return it != tenures_.end() && it->second.is_ours ? it->second.number : 0;
}

}  // namespace presence
