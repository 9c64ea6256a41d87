#include "tests/simulation/core_peers.h"

#include <algorithm>
#include <utility>

#include "presence-core/model/error.h"

namespace presence::simulation {
namespace {

constexpr absl::Duration kLongestAnswer = absl::Milliseconds(30);
constexpr absl::Duration kLongestReadAll = absl::Milliseconds(300);
constexpr absl::Duration kListenAgain = absl::Milliseconds(200);
// Until a lost connection is seen, and open again.
constexpr absl::Duration kLongestDeafness = absl::Seconds(2);

}  // namespace

CorePeers::CorePeers(Surroundings& surroundings, ProcessExecutor& process, Database& database,
                     SharedTables& tables, std::string core)
    : around_(surroundings),
      process_(process),
      database_(database),
      tables_(tables),
      core_(std::move(core)) {}

void CorePeers::Begin() {
  if (!IsShared(around_.mode)) return;
  ++life_;
  const absl::Time now = around_.clock.Now();
  listens_from_ = asks_from_ = now;
  tables_.Serve(core_);
  term_ = std::make_unique<LeaseTerm>(kLeaseLifetime, kLeaseMargin, now, now,
                                      !tables_.ServingWith(core_).empty());
  unsaid_ = std::make_unique<ChangesToSay>(core_);
  groups_ = std::make_unique<GatewayGroups>(core_);
  Tick();
  process_.PostAt(now + kLeaseRenewal, [this] { Renew(); });
}

void CorePeers::Listen(Engine& engine, CoreStorage& storage) {
  if (!IsShared(around_.mode)) return;
  engine_ = &engine;
  storage_ = &storage;
  if (unsaid_->AddAnything()) SayAfter(ChangesToSay::kGather);
  process_.PostAt(around_.clock.Now() + around_.UpTo(kListenAgain), [this] { StartHearing(); });
}

void CorePeers::End() {
  tables_.StopListening(core_);
  hearing_ = 0;
  engine_ = nullptr;
  storage_ = nullptr;
  reigns_.clear();
}

// ---- the lease

bool CorePeers::IsSure() const { return term_ == nullptr || term_->IsSure(around_.clock.Now()); }

void CorePeers::Tick() {
  term_->OnTick(around_.clock.Now());
  process_.PostAt(around_.clock.Now() + kLeaseRenewal / 4, [this] { Tick(); });
}

void CorePeers::Renew() {
  const absl::Time asked_at = around_.clock.Now();
  process_.PostAt(asked_at + around_.UpTo(kLongestAnswer), [this, asked_at] {
    if (!database_.IsAway(core_)) {
      tables_.Serve(core_);
      std::set<std::string> others = tables_.ServingWith(core_);
      const bool is_awaited = !others.empty();
      if (term_->OnRenewed(asked_at, around_.clock.Now(), is_awaited, std::move(others))) {
        LookAtEverything();
      }
    }
    process_.PostAt(std::max(asked_at + kLeaseRenewal, around_.clock.Now()), [this] { Renew(); });
  });
}

// ---- the signal

void CorePeers::OnClaimed(const std::vector<ResourceKey>& keys) {
  if (unsaid_->Add(keys)) SayAfter(ChangesToSay::kGather);
}

void CorePeers::SayAfter(absl::Duration pause) {
  process_.PostAt(around_.clock.Now() + pause, [this] { Say(); });
}

void CorePeers::Say() {
  const ChangesToSay::Taken taken = unsaid_->Take();
  // Said nevertheless, now and then.
  const bool is_failed =
      database_.IsAway(core_) || around_.dice.Chance(around_.faults.commit_failed);
  const bool is_unknown = around_.dice.Chance(around_.faults.commit_unknown);
  if (!is_failed) {
    for (const std::string& payload : taken.payloads) tables_.Say(payload);
  }
  if ((is_failed || is_unknown) && unsaid_->PutBack(taken)) SayAfter(ChangesToSay::kTryAgain);
}

void CorePeers::StartHearing() {
  if (database_.IsAway(core_)) {
    process_.PostAt(around_.clock.Now() + kListenAgain, [this] { StartHearing(); });
    return;
  }
  hearing_ = ++connections_;
  tables_.Listen(core_, [this, hearing = hearing_](const std::string& payload) {
    // What is on its way when the connection breaks is lost with it.
    process_.PostAt(around_.clock.Now() + around_.UpTo(around_.faults.longest_way),
                    [this, hearing, payload] {
                      if (hearing == hearing_) Hear(payload);
                    });
  });
  LookAtEverything();
}

void CorePeers::StopHearing() {
  if (std::exchange(hearing_, 0) == 0) return;
  tables_.StopListening(core_);
  // Planted: so late that it misses enough.
  const int factor = around_.plant == Plant::kDeafCore ? 20 : 1;
  process_.PostAt(around_.clock.Now() + factor * around_.UpTo(kLongestDeafness),
                  [this] { StartHearing(); });
}

void CorePeers::Hear(const std::string& payload) {
  // One call of the listener at a time.
  const absl::Time now = around_.clock.Now();
  if (now < listens_from_) {
    process_.PostAt(listens_from_, [this, payload] { Hear(payload); });
    return;
  }
  const ChangesHeard heard = HeardFrom(payload, core_);
  if (heard.may_be_anything) LookAtEverything();
  if (!heard.keys.empty()) engine_->OnChangedElsewhere(heard.keys);
}

void CorePeers::LookAtEverything() {
  if (engine_ == nullptr || around_.plant == Plant::kDeafCore) return;
  const absl::Time now = around_.clock.Now();
  if (now < listens_from_) {
    process_.PostAt(listens_from_, [this] { LookAtEverything(); });
    return;
  }
  // What it reads is of when it began; meanwhile it hears nobody.
  const bool is_read = storage_->BeginReadAll();
  listens_from_ = now + kListenAgain / 2 + around_.UpTo(kLongestReadAll);
  process_.PostAt(listens_from_, [this, is_read] {
    if (!is_read || !engine_->TakeOverAll().ok()) LookAtEverything();
  });
}

// ---- gateway groups

void CorePeers::Ask(Task task) {
  asks_from_ = std::max(asks_from_, around_.clock.Now()) + around_.UpTo(kLongestAnswer);
  process_.PostAt(asks_from_, std::move(task));
}

GatewayClaims CorePeers::Claims() {
  if (!IsShared(around_.mode)) return {};
  GatewayClaims claims;
  claims.claim = [this](std::string group, std::string gateway, GatewayClaims::Claimed done) {
    Ask([this, group = std::move(group), gateway = std::move(gateway),
         done = std::move(done)]() mutable { Claim(group, gateway, std::move(done)); });
  };
  claims.leave = [this](std::string group, std::string gateway) {
    Ask([this, group = std::move(group), gateway = std::move(gateway)] {
      if (database_.IsAway(core_) || around_.dice.Chance(around_.faults.commit_failed)) return;
      tables_.Leave(core_, group, gateway);
    });
  };
  return claims;
}

void CorePeers::Claim(const std::string& group, const std::string& gateway,
                      GatewayClaims::Claimed done) {
  if (database_.IsAway(core_) || around_.dice.Chance(around_.faults.commit_failed)) {
    return done(StorageUnavailable("the database is away"));
  }
  const auto claim = tables_.Claim(core_, life_, *groups_, group, gateway);
  if (around_.dice.Chance(around_.faults.commit_unknown)) {
    return done(StorageUnavailable("the answer is lost"));
  }
  if (!claim.ok()) return done(claim.status());
  reigns_[group] = tables_.ReignOf(group);
  const bool is_new = groups_->OnStored(group, *claim);
  done(is_new && around_.plant != Plant::kUnclaimedCseq);
}

uint64_t CorePeers::ReignOver(const std::string& group) const {
  const auto it = reigns_.find(group);
  return it == reigns_.end() ? 0 : it->second;
}

}  // namespace presence::simulation
