#include "tests/simulation/history_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace presence::simulation {
namespace {

// Sweeps run every 100 ms; a second is what S18 and P24 allow.
constexpr absl::Duration kExpirySlack = absl::Seconds(1);
// From a change at one core until the others know it, when nothing fails.
constexpr absl::Duration kHearing = absl::Seconds(1);

}  // namespace

std::string_view NameOf(Invariant invariant) {
  switch (invariant) {
    case Invariant::kLastState:
      return "the last durable state reaches every live watcher";
    case Invariant::kCseq:
      return "CSeq steps by one and never repeats or falls";
    case Invariant::kVersion:
      return "the version steps by one, and after a gap the document is full";
    case Invariant::kAnsweredByNotify:
      return "a SUBSCRIBE that was answered 200 is followed by a NOTIFY";
    case Invariant::kAfterEnd:
      return "nothing follows a terminating NOTIFY";
    case Invariant::kWinfo:
      return "watcher information agrees with the subscriptions";
    case Invariant::kRepeated:
      return "a repeated request changes nothing and gets the same answer";
    case Invariant::kDurableFirst:
      return "no answer before the commit";
    case Invariant::kExpiry:
      return "what has expired goes within a second";
    case Invariant::kResume:
      return "a resumed Watch repeats nothing and misses no reset";
    case Invariant::kBounded:
      return "a Watch that is read never outgrows its queue";
    case Invariant::kShown:
      return "a NOTIFY shows a state that was durable in this life of the core";
    case Invariant::kFlushed:
      return "the database holds a whole state, no older than promised";
    case Invariant::kFenced:
      return "whoever does not own the database any more instructs no more";
  }
  return "?";
}

void HistoryChecker::Fail(Invariant invariant, std::string what) {
  violations_.push_back({invariant, std::move(what)});
}

void HistoryChecker::OnEvent(const Event& event) {
  if (const auto* started = std::get_if<CoreStarted>(&event.what)) On(*started, event.at);
  if (std::holds_alternative<CoreDied>(event.what)) flushes_.OnCoreDied(event.at);
  if (const auto* waiting = std::get_if<Waiting>(&event.what)) flushes_.On(*waiting);
  if (const auto* dropped = std::get_if<Dropped>(&event.what)) flushes_.On(*dropped);
  if (const auto* stored = std::get_if<Stored>(&event.what)) flushes_.On(*stored, event.at);
  if (const auto* refused = std::get_if<Refused>(&event.what)) flushes_.On(*refused);
  if (const auto* trouble = std::get_if<DatabaseTrouble>(&event.what)) {
    flushes_.On(*trouble, event.at);
  }
  if (const auto* taken = std::get_if<TakenOver>(&event.what)) {
    taken_over_ = *taken;
    taken_over_at_ = event.at;
    flushes_.OnTakenOver(event.at);
  }
  if (const auto* taken = std::get_if<GroupTaken>(&event.what)) taken_[taken->group] = *taken;
  if (const auto* held = std::get_if<Held>(&event.what)) On(*held, event.at);
  if (const auto* asked = std::get_if<WatchAsked>(&event.what)) watches_.On(*asked);
  if (const auto* watched = std::get_if<Watched>(&event.what)) watches_.On(*watched);
  if (const auto* lost = std::get_if<WatchForgotten>(&event.what)) watches_.On(*lost);
  if (const auto* ended = std::get_if<WatchEnded>(&event.what)) watches_.On(*ended);
  if (const auto* durable = std::get_if<Durable>(&event.what)) {
    On(*durable);
    changed_at_[durable->rows.key] = event.at;
    if (IsWriteBack(mode_)) flushes_.On(*durable, event.at);
  }
  if (const auto* instructed = std::get_if<Instructed>(&event.what)) On(*instructed, event.at);
  if (const auto* shown = std::get_if<Shown>(&event.what)) On(*shown);
  if (const auto* forgotten = std::get_if<Forgotten>(&event.what)) {
    forgotten_.insert(forgotten->call_id);
  }
  if (const auto* asked = std::get_if<Asked>(&event.what)) {
    if (asked->method == "PUBLISH") standing_.erase(asked->phone);
  }
  if (const auto* answered = std::get_if<Answered>(&event.what)) On(*answered, event.at);
}

// ---- lives of the core ----

void HistoryChecker::On(const CoreStarted& started, absl::Time at) {
  epoch_ = started.epoch;
  mode_ = started.mode;
  watches_.OnCoreStarted(epoch_);
  if (IsWriteBack(mode_)) ForgetWhatWasLost(flushes_.OnCoreStarted(at, StoredFirst(mode_)));
  states_[started.core].clear();
  for (const auto& [key, model] : durable_) states_[started.core][key].insert(model.State());
}

// What a crash may cost in write-back is over, and whoever heard of it was told too early: what was
// promised on it is void.
void HistoryChecker::ForgetWhatWasLost(const DurableModels& found) {
  durable_ = found;
  for (const std::string& etag : durable_etags_) {
    if (!flushes_.WasStored(etag)) lost_etags_.insert(etag);
  }
  for (const auto& [tag, cseq] : durable_remote_cseq_) {
    const uint32_t stored = flushes_.StoredCseq(tag);
    if (cseq <= stored) continue;
    lost_after_cseq_.try_emplace(tag, stored);
    owed_.erase(tag);
  }
  std::set<std::string> etags;
  for (const auto& [key, model] : durable_) {
    for (const auto& [id, row] : model.publications) etags.insert(row->etag.text());
    for (const auto& [id, row] : model.subscriptions) {
      // It may have been stored without the life before having heard of it.
      first_epoch_.try_emplace(id.text(), epoch_ - 1);
      resource_of_.try_emplace(id.text(), key);
      uint32_t& cseq = durable_remote_cseq_[id.text()];
      cseq = std::max(cseq, row->remote_cseq);
      if (!row->is_live()) continue;
      // Its end may have been told already.
      said_[id.text()].is_terminating = false;
      seen_[id.text()].is_ended = false;
    }
  }
  std::erase_if(standing_, [&](const auto& of) { return !etags.contains(of.second.etag); });
}

bool HistoryChecker::IsLost(const Answered& answered) const {
  if (answered.method == "PUBLISH") return lost_etags_.contains(answered.etag);
  const auto it = lost_after_cseq_.find(answered.tag);
  return it != lost_after_cseq_.end() && answered.cseq > it->second;
}

// ---- what is durable ----

void HistoryChecker::NoteState(const ResourceKey& key) {
  const std::string state = durable_[key].State();
  for (auto& [core, states] : states_) states[key].insert(state);
}

std::string HistoryChecker::HolderOf(std::string_view group) const {
  const auto it = taken_.find(group);
  return it != taken_.end() ? it->second.core : CoreStarted().core;
}

void HistoryChecker::On(const Held& held, absl::Time at) {
  if (at < changed_at_[held.key] + kHearing) return;
  const std::string durable = durable_[held.key].State();
  if (held.state == durable) return;
  Fail(Invariant::kLastState, fmt::format("{} holds \"{}\" for {}, durable is \"{}\"", held.core,
                                          held.state, held.key.presentity.text(), durable));
}

// Of a row that another core has written than the one that instructs its dialog, this goes on above
// the CSeqs that the other may have used.
uint64_t HistoryChecker::FirstEpochOf(const Subscription& row, const std::string& writer) const {
  if (!IsShared(mode_)) return epoch_;
  const auto it = taken_.find(row.dialog.gateway());
  return it != taken_.end() && it->second.core == writer ? it->second.reign : 0;
}

void HistoryChecker::On(const Durable& durable) {
  DurableModel& model = durable_[durable.rows.key];
  model.Take(durable.rows);
  NoteState(durable.rows.key);
  for (const auto& [id, row] : durable.rows.publications) {
    if (row != nullptr) durable_etags_.insert(row->etag.text());
  }
  for (const auto& [id, row] : durable.rows.subscriptions) {
    if (row == nullptr) continue;
    first_epoch_.try_emplace(id.text(), FirstEpochOf(*row, durable.core));
    resource_of_.try_emplace(id.text(), durable.rows.key);
    cseq_limits_[id.text()].insert(row->cseq_limit);
    uint32_t& cseq = durable_remote_cseq_[id.text()];
    if (row->remote_cseq > cseq && !row->is_native()) owed_[id.text()] = row->dialog.call_id();
    cseq = std::max(cseq, row->remote_cseq);
  }
  for (const auto& [key, row] : durable.rows.answers) {
    if (row != nullptr) durable_etags_.insert(row->etag.text());
  }
  CheckRepetitions(durable.rows.key, model);
}

// A phone never publishes the same text twice, nor subscribes twice in one dialog, but its requests
// are repeated.
void HistoryChecker::CheckRepetitions(const ResourceKey& key, const DurableModel& model) {
  std::set<std::string_view> texts;
  for (const auto& [id, row] : model.publications) {
    if (!texts.insert(row->document.body()).second) {
      Fail(Invariant::kRepeated, fmt::format("{} has \"{}\" twice", key.presentity.text(),
                                             StateOf(row->document.body())));
    }
  }
  std::set<std::string> dialogs;
  for (const auto& [id, row] : model.subscriptions) {
    if (!row->is_live() || row->is_native()) continue;
    const std::string dialog =
        fmt::format("{} {} {}", row->dialog.call_id(), row->dialog.remote_tag(), row->event.text());
    if (!dialogs.insert(dialog).second) {
      Fail(Invariant::kRepeated, fmt::format("two live subscriptions of {}", dialog));
    }
  }
}

// ---- what the core says ----

std::string HistoryChecker::LeftOut(const std::string& tag, const Said& said) {
  return fmt::format("{}: cseq {} of epoch {} was left out", tag, said.cseq + 1,
                     said.early.begin()->second.epoch);
}

// Whether another core has taken the dialog's group since, and with it the gateway's attention. It
// must not have used this CSeq.
bool HistoryChecker::IsOvertaken(const Instructed& now) {
  if (!used_cseqs_[now.tag].insert(now.cseq).second) {
    Fail(Invariant::kCseq, fmt::format("{}: cseq {} is instructed twice", now.tag, now.cseq));
  }
  const auto it = taken_.find(now.group);
  return it != taken_.end() && now.reign < it->second.reign;
}

// Where several cores serve, one that finds that another has raised the limit of a dialog goes on
// above the one before or this one.
bool HistoryChecker::IsJump(const std::string& tag, uint32_t from, uint32_t to) const {
  if (!IsShared(mode_) || to <= from + 1) return false;
  const auto limits = cseq_limits_.find(tag);
  return limits != cseq_limits_.end() && limits->second.contains(to - 1);
}

// Two gateways of a group may be given instructions of one dialog out of order.
void HistoryChecker::On(const Instructed& instructed, absl::Time at) {
  Instructed now = instructed;
  CheckState(now);
  if (IsShared(mode_)) {
    if (IsOvertaken(now)) return;
    now.epoch = now.reign;
  }
  owed_.erase(now.tag);
  if (taken_over_.has_value() && now.epoch < taken_over_->epoch &&
      at > taken_over_at_ + kLeaseRenewal) {
    Fail(Invariant::kFenced, fmt::format("{}: cseq {} comes from epoch {}, the owner has epoch {}",
                                         now.tag, now.cseq, now.epoch, taken_over_->epoch));
  }
  Said& said = said_[now.tag];

  const bool is_begun = said.cseq != 0 ? now.epoch == said.epoch : IsNewIn(now.tag, now.epoch);
  if (is_begun && now.cseq > said.cseq + 1 && !IsJump(now.tag, said.cseq, now.cseq)) {
    said.early.emplace(now.cseq, now);
    return;
  }
  if (now.epoch == said.epoch && now.cseq + 1 == said.first && now.cseq > said.before_first) {
    said.first = now.cseq;  // overtaken by the one that seemed to be the first of this life
    return;
  }
  if (now.epoch != said.epoch) {
    said.before_first = said.cseq;
    said.first = now.cseq;
  }
  if (!said.early.empty() && now.epoch != said.early.begin()->second.epoch) {
    Fail(Invariant::kCseq, LeftOut(now.tag, said));
    said.early.clear();
  }
  OnNext(now, said);
  while (!said.early.empty() && said.early.begin()->first == said.cseq + 1) {
    const Instructed next = std::move(said.early.begin()->second);
    said.early.erase(said.early.begin());
    OnNext(next, said);
  }
}

void HistoryChecker::CheckState(const Instructed& now) {
  const auto it = resource_of_.find(now.tag);
  if (it == resource_of_.end() || now.body.empty() || WinfoOf(now.body).has_value()) return;
  const std::string state = StateOf(now.body);
  if (states_[now.core][it->second].contains(state)) return;
  Fail(Invariant::kShown,
       fmt::format("{}: cseq {} shows \"{}\", which was never durable in epoch {}", now.tag,
                   now.cseq, state, epoch_));
}

void HistoryChecker::OnNext(const Instructed& now, Said& before) {
  if (before.cseq != 0) {
    const bool is_in_order =
        now.epoch == before.epoch
            ? now.cseq == before.cseq + 1 || IsJump(now.tag, before.cseq, now.cseq)
            : now.epoch > before.epoch && now.cseq > before.cseq;
    if (!is_in_order) {
      Fail(Invariant::kCseq, fmt::format("{}: cseq {} of epoch {} after {} of epoch {}", now.tag,
                                         now.cseq, now.epoch, before.cseq, before.epoch));
    }
    if (before.is_terminating && !now.is_terminating) {
      Fail(Invariant::kAfterEnd,
           fmt::format("{}: cseq {} is instructed after the end", now.tag, now.cseq));
    }
  }
  if (const auto winfo = WinfoOf(now.body); winfo.has_value()) {
    OnWinfo(now, *winfo, before);
  } else if (!now.body.empty()) {
    // A crash of write-back may bring an older state back.
    const bool may_fall = IsWriteBack(mode_) && now.epoch != before.epoch;
    if (now.seq < before.seq && !may_fall) {
      Fail(Invariant::kLastState, fmt::format("{}: cseq {} shows seq {} after {}", now.tag,
                                              now.cseq, now.seq, before.seq));
    }
    before.seq = now.seq;
  }
  before.epoch = now.epoch;
  before.cseq = now.cseq;
  before.is_terminating = now.is_terminating;
}

// Whether the subscription came in this life. One that is in no row, a fetch, lives in one life of
// its core only, which may be many reigns.
bool HistoryChecker::IsNewIn(const std::string& tag, uint64_t epoch) const {
  const auto it = first_epoch_.find(tag);
  return it == first_epoch_.end() ? !IsShared(mode_) : it->second == epoch;
}

// RFC 3858 §3: versions count from 0 and by one; a restart is one jump, to a full document.
void HistoryChecker::OnWinfo(const Instructed& now, const ReadWinfo& winfo, Said& before) {
  const bool is_same_life = now.epoch == before.epoch && !IsJump(now.tag, before.cseq, now.cseq);
  const bool is_right =
      !before.version.has_value()
          ? winfo.is_full &&
                (winfo.version == 0 || !IsNewIn(now.tag, now.epoch) || IsJump(now.tag, 0, now.cseq))
      : is_same_life ? winfo.version == *before.version + 1
                     : winfo.version > *before.version && winfo.is_full;
  if (!is_right) {
    Fail(Invariant::kVersion,
         fmt::format("{}: {} version {} after {}", now.tag, winfo.is_full ? "full" : "partial",
                     winfo.version,
                     before.version.has_value() ? std::to_string(*before.version) : "none"));
  }
  before.version = winfo.version;
}

// ---- what a watcher sees ----

void HistoryChecker::On(const Shown& shown) {
  Seen& seen = seen_[shown.tag];
  const std::string content = shown.state + " " + shown.body;
  const auto [same, is_new] = seen.by_cseq.try_emplace(shown.cseq, content);
  if (!is_new && same->second != content) {
    Fail(Invariant::kCseq, fmt::format("{} got cseq {} of {} twice: \"{}\" and \"{}\"", shown.phone,
                                       shown.cseq, shown.tag, same->second, content));
  }
  if (seen.is_ended && shown.cseq > seen.cseq && shown.state != "terminated") {
    Fail(Invariant::kAfterEnd,
         fmt::format("{} got cseq {} of {} after its end", shown.phone, shown.cseq, shown.tag));
  }
  if (shown.status != 200 || !is_new) return;
  seen.cseq = shown.cseq;
  seen.state = shown.state;
  seen.body = shown.body;
  seen.is_ended = shown.state == "terminated";
  const auto winfo = WinfoOf(shown.body);
  if (!winfo.has_value()) return;
  if (const std::string wrong = seen.winfo.Take(*winfo); !wrong.empty()) {
    Fail(Invariant::kVersion, fmt::format("{} got {}", shown.phone, wrong));
  }
}

// ---- what a phone is promised ----

void HistoryChecker::On(const Answered& answered, absl::Time at) {
  if (answered.status / 100 != 2) return;
  const Request request{answered.call_id, answered.cseq, answered.method};
  const auto [first, is_first] = answered_.try_emplace(request, answered);
  if (!is_first) {
    const Answered& before = first->second;
    // A request whose effect was lost may have been carried out again.
    if (IsLost(before) || IsLost(answered)) return;
    // A late copy of the SUBSCRIBE of a phone that was rebooted, and has ended that dialog by 481
    // since, begins another, which ends the same way.
    if (answered.method == "SUBSCRIBE" && forgotten_.contains(answered.call_id)) return;
    // A late copy of the first PUBLISH of a publication that its phone has refreshed since gets the
    // entity-tag of now; the phone waits for no answer to it.
    const bool is_over =
        answered.method == "PUBLISH" && newest_publish_[answered.call_id] > answered.cseq;
    if (is_over && durable_etags_.contains(answered.etag)) return;
    if (before.etag != answered.etag || before.tag != answered.tag ||
        before.expires != answered.expires) {
      Fail(Invariant::kRepeated, fmt::format("{} {} cseq {} was answered in two ways",
                                             answered.phone, answered.method, answered.cseq));
    }
    return;
  }
  if (answered.method == "PUBLISH") {
    uint32_t& newest = newest_publish_[answered.call_id];
    newest = std::max(newest, answered.cseq);
    if (!durable_etags_.contains(answered.etag) && !flushes_.WasStored(answered.etag)) {
      Fail(Invariant::kDurableFirst,
           fmt::format("{} was told etag {}, which is not durable", answered.phone, answered.etag));
    }
    if (answered.expires > absl::ZeroDuration() && !IsLost(answered)) {
      standing_[answered.phone] = {answered.etag, at + answered.expires};
    }
    return;
  }
  subscribed_.insert(answered.tag);
  const auto durable = durable_remote_cseq_.find(answered.tag);
  if (durable == durable_remote_cseq_.end() || durable->second < answered.cseq) {
    Fail(Invariant::kDurableFirst, fmt::format("{} was told of subscription {}, cseq {}, which is "
                                               "not durable",
                                               answered.phone, answered.tag, answered.cseq));
  }
}

// ---- once all is quiet ----

std::vector<Violation> HistoryChecker::Unsettled(absl::Time now) const {
  std::vector<Violation> unsettled;
  std::set<std::string> etags;
  for (const auto& [key, model] : durable_) {
    CheckExpiry(model, now, unsettled);
    for (const auto& [id, row] : model.subscriptions) {
      if (row->is_live() && !row->is_native()) CheckWatcher(key, model, *row, now, unsettled);
    }
    for (const auto& [id, row] : model.publications) etags.insert(row->etag.text());
  }
  watches_.FindUnsettled(durable_, unsettled);
  if (IsWriteBack(mode_)) flushes_.FindUnsettled(now, unsettled);
  for (const auto& [tag, said] : said_) {
    if (said.early.empty()) continue;
    unsettled.push_back({Invariant::kCseq, LeftOut(tag, said)});
  }
  for (const auto& [tag, call_id] : owed_) {
    if (!subscribed_.contains(tag) || forgotten_.contains(std::string(call_id))) continue;
    unsettled.push_back({Invariant::kAnsweredByNotify,
                         fmt::format("nothing was said in {} since its last SUBSCRIBE", tag)});
  }
  for (const auto& [phone, standing] : standing_) {
    // An answer is as old as its way through the network when its lifetime begins to run here.
    if (standing.until - kExpirySlack * 40 <= now || etags.contains(standing.etag)) continue;
    unsettled.push_back(
        {Invariant::kDurableFirst,
         fmt::format("{}'s publication {} was confirmed and is gone", phone, standing.etag)});
  }
  return unsettled;
}

void HistoryChecker::CheckExpiry(const DurableModel& model, absl::Time now,
                                 std::vector<Violation>& unsettled) const {
  const auto check = [&](const std::string& name, absl::Time expires_at) {
    if (expires_at + kExpirySlack >= now) return;
    unsettled.push_back({Invariant::kExpiry, fmt::format("{} expired {} s ago", name,
                                                         absl::ToInt64Seconds(now - expires_at))});
  };
  for (const auto& [id, row] : model.publications) {
    check(fmt::format("publication \"{}\"", StateOf(row->document.body())), row->expires_at);
  }
  for (const auto& [id, row] : model.subscriptions) {
    check(fmt::format("subscription {}", id.text()), row->expires_at);
  }
}

void HistoryChecker::CheckWatcher(const ResourceKey& key, const DurableModel& model,
                                  const Subscription& row, absl::Time now,
                                  std::vector<Violation>& unsettled) const {
  if (forgotten_.contains(std::string(row.dialog.call_id())) || row.expires_at <= now) return;
  const auto it = seen_.find(row.id.text());
  const Seen none;
  const Seen& seen = it == seen_.end() ? none : it->second;
  const std::string state = row.is_authorized ? "active" : "pending";
  if (seen.state != state) {
    unsettled.push_back(
        {Invariant::kLastState, fmt::format("{} of {} was told \"{}\" and is {}", row.id.text(),
                                            row.watcher.text(), seen.state, state)});
    return;
  }
  const WatcherDecision decision = model.DecisionOn(row.watcher.text());
  if (!row.event.is_winfo() && !IsObeyed(decision, row.state)) {
    unsettled.push_back({Invariant::kLastState,
                         fmt::format("{} of {} is {}, the decision is {}", row.id.text(),
                                     row.watcher.text(), state, static_cast<int>(decision))});
  }
  if (!row.is_authorized) return;
  if (row.event.is_winfo()) {
    const std::string wrong =
        watches_.WrongWith(seen.winfo.watchers(), key, model, HolderOf(row.dialog.gateway()));
    if (wrong.empty()) return;
    unsettled.push_back({Invariant::kWinfo, fmt::format("{}:{}", row.id.text(), wrong)});
    return;
  }
  const std::string wanted = model.State();
  const std::string shown = StateOf(seen.body);
  if (shown == wanted) return;
  unsettled.push_back(
      {Invariant::kLastState, fmt::format("{} of {} shows \"{}\", durable is \"{}\"", row.id.text(),
                                          row.watcher.text(), shown, wanted)});
}

}  // namespace presence::simulation
