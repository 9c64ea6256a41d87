#include "tests/simulation/core_storage.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "presence-core/storage/write_back/write_back_journal.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "tests/simulation/flush_checker.h"

namespace presence::simulation {
namespace {

// The scripted journal answers in an order of its own.
constexpr absl::Duration kLongestAppend = absl::Milliseconds(30);
constexpr absl::Duration kLongestOutage = absl::Seconds(5);

// What has become of one row of a change that was in doubt.
template <typename Rows, typename Id>
auto Found(const Rows& rows, const Id& id) {
  const auto is_it = [&id](const auto& row) {
    if constexpr (std::is_same_v<Id, WatcherUri>) {
      return row->watcher == id;
    } else if constexpr (std::is_same_v<Id, RequestKey>) {
      return row->key == id;
    } else if constexpr (std::is_same_v<Id, DocumentName>) {
      return row->name == id;
    } else {
      return row->id == id;
    }
  };
  const auto it = std::find_if(rows.begin(), rows.end(), is_it);
  return it == rows.end() ? nullptr : *it;
}

// What of `changes` is there.
RowChanges AsFound(RowChanges changes, const std::optional<ResourceRows>& loaded) {
  static const ResourceRows kNothing;
  const ResourceRows& rows = loaded.has_value() ? *loaded : kNothing;
  if (changes.resource.has_value()) changes.resource = rows.resource;
  for (auto& [id, row] : changes.publications) row = Found(rows.publications, id);
  for (auto& [id, row] : changes.subscriptions) row = Found(rows.subscriptions, id);
  for (auto& [id, row] : changes.watchers) row = Found(rows.watchers, id);
  for (auto& [id, row] : changes.answers) row = Found(rows.answers, id);
  for (auto& [name, row] : changes.documents) row = Found(rows.documents, name);
  return changes;
}

}  // namespace

CoreStorage::CoreStorage(Surroundings& surroundings, Executor& process, Database& database,
                         std::string core, std::function<void()> die,
                         DatabaseSession::OnClaimed on_claimed)
    : around_(surroundings),
      process_(process),
      core_(std::move(core)),
      die_(std::move(die)),
      on_claimed_(std::move(on_claimed)),
      scripted_(process),
      database_(database) {
  scripted_.load_fails = [this] { return around_.dice.Chance(around_.faults.load_fails); };
}

CoreStorage::~CoreStorage() = default;

// ---- lives ----

uint64_t CoreStorage::Open() {
  is_cut_ = false;
  journal_ = MakeJournal();
  return epoch_ = session_ == nullptr ? epoch_ + 1 : session_->epoch();
}

std::unique_ptr<Journal> CoreStorage::MakeJournal() {
  if (around_.mode == StorageMode::kMemory || around_.mode == StorageMode::kScripted) {
    return nullptr;
  }
  session_ =
      std::make_unique<DatabaseSession>(around_, process_, database_, core_, die_, on_claimed_);
  if (!IsWriteBack(around_.mode)) {
    WriteThroughJournal::Options options;
    options.is_shared = is_shared();
    options.max_batch = 8;
    options.on_fenced = [this] { LearnOfTakeover(); };
    return std::make_unique<WriteThroughJournal>(*session_, std::move(options));
  }
  WriteBackOptions options;
  options.flush_interval = kFlushInterval;
  // Now and then so few that changes have to wait.
  options.max_dirty_rows = around_.dice.Chance(30) ? 20 : 100'000;
  options.max_batch_rows = 20;
  if (around_.plant != Plant::kPromisedFirst) options.stored_first = StoredFirst(around_.mode);
  options.on_fenced = [this] { LearnOfTakeover(); };
  return std::make_unique<WriteBackJournal>(*session_, process_, around_.clock, std::move(options));
}

void CoreStorage::LearnOfTakeover() {
  if (around_.plant != Plant::kFencedGoesOn) die_();
}

void CoreStorage::Close() {
  journal_.reset();
  session_.reset();
  scripted_.DropHeld();
  in_doubt_.clear();
}

void CoreStorage::MakeTrouble() {
  if (session_ == nullptr) return;
  if (around_.dice.Chance(40)) {
    database_.TakeOver();
    // Whoever keeps the lease looks at it every second.
    process_.PostAt(around_.clock.Now() + around_.UpTo(kLeaseRenewal),
                    [this] { LearnOfTakeover(); });
  } else if (!database_.is_away()) {
    database_.GoAway();
    around_.After(around_.UpTo(kLongestOutage), [this] { database_.ComeBack(); });
  }
}

// ---- appends ----

Journal::Acceptance CoreStorage::Append(const RowChanges& changes, AppendDone done) {
  if (is_cut_) return Acceptance::kPending;
  switch (around_.mode) {
    case StorageMode::kMemory:
      around_.Record(Durable{changes});
      return memory_.Append(changes, std::move(done));
    case StorageMode::kScripted:
      return AppendScripted(changes, std::move(done));
    case StorageMode::kWriteBack:
    case StorageMode::kWriteBackWriteThrough:
    case StorageMode::kWriteThroughWriteBack:
      return AppendWriteBack(changes, std::move(done));
    case StorageMode::kWriteThrough:
    case StorageMode::kDbOnly:
      break;  // the database writes down what is durable
  }
  return journal_->Append(Planted(changes), std::move(done));
}

ScriptedJournal::Fate CoreStorage::DrawFate() {
  using Fate = ScriptedJournal::Fate;
  SeededRandom& dice = around_.dice;
  if (dice.Chance(around_.faults.core_dies_at_append)) {
    die_();
    return dice.Chance(50) ? Fate::kNeverAnswered : Fate::kUnknownDropped;
  }
  if (dice.Chance(around_.faults.append_rejected)) return Fate::kRejected;
  if (dice.Chance(around_.faults.append_unknown)) {
    return dice.Chance(50) ? Fate::kUnknownWritten : Fate::kUnknownDropped;
  }
  return dice.Chance(20) ? Fate::kDurableNow : Fate::kDurable;
}

Journal::Acceptance CoreStorage::AppendScripted(const RowChanges& changes, AppendDone done) {
  using Fate = ScriptedJournal::Fate;
  const Fate fate = DrawFate();
  const bool is_written = fate != Fate::kRejected && fate != Fate::kUnknownDropped;
  if (around_.plant == Plant::kAnswerBeforeCommit && fate == Fate::kDurableNow) {
    return AppendTooLate(changes);
  }
  if (is_written) around_.Record(Durable{changes});
  scripted_.fate = [fate] { return fate; };
  const absl::Duration delay = around_.UpTo(kLongestAppend);
  return scripted_.Append(
      Planted(changes), [this, delay, done = std::move(done)](AppendOutcome outcome) mutable {
        process_.PostAt(around_.clock.Now() + delay,
                        [this, outcome = std::move(outcome), done = std::move(done)]() mutable {
                          if (around_.dice.Chance(around_.faults.core_dies_at_completion))
                            return die_();
                          done(std::move(outcome));
                        });
      });
}

// Planted: what is called durable is so a little later, if the process lives to see it.
Journal::Acceptance CoreStorage::AppendTooLate(const RowChanges& changes) {
  process_.PostAt(around_.clock.Now() + absl::Milliseconds(500), [this, changes] {
    around_.Record(Durable{changes});
    scripted_.fate = [] { return ScriptedJournal::Fate::kDurableNow; };
    scripted_.Append(changes, [](AppendOutcome) {});
  });
  return Acceptance::kDurableNow;
}

Journal::Acceptance CoreStorage::AppendWriteBack(const RowChanges& changes, AppendDone done) {
  const Acceptance acceptance = journal_->Append(
      Planted(changes),
      [this, appended = changes, done = std::move(done)](AppendOutcome outcome) mutable {
        switch (outcome.result) {
          case AppendResult::kDurable:
            around_.Record(Durable{std::move(appended)});
            break;
          case AppendResult::kRejected:
          case AppendResult::kMoved:
            around_.Record(Dropped{appended.key});
            break;
          case AppendResult::kUnknown:
            in_doubt_[appended.key] = std::move(appended);
            break;
        }
        done(std::move(outcome));
      });
  if (acceptance == Acceptance::kDurableNow) {
    around_.Record(Durable{changes});
  } else {
    around_.Record(Waiting{changes});
  }
  return acceptance;
}

RowChanges CoreStorage::Planted(const RowChanges& changes) const {
  RowChanges planted = changes;
  const auto change_each = [](auto& rows, auto change) {
    for (auto& [id, row] : rows) {
      if (row == nullptr) continue;
      auto changed = std::make_shared<std::decay_t<decltype(*row)>>(*row);
      change(*changed);
      row = std::move(changed);
    }
  };
  switch (around_.plant) {
    case Plant::kForgottenLimit:
      change_each(planted.subscriptions, [](Subscription& row) { row.cseq_limit = 0; });
      break;
    case Plant::kForgottenEnd:
      std::erase_if(planted.subscriptions, [](const auto& change) {
        return change.second == nullptr || !change.second->is_live();
      });
      break;
    case Plant::kLateLimit:
      planted.raises_cseq_limit = false;
      break;
    case Plant::kForgottenRequest:
      change_each(planted.subscriptions, [](Subscription& row) { row.last_request = {}; });
      change_each(planted.publications,
                  [](Publication& row) { row.first_request = row.last_request = row.origin = {}; });
      planted.answers.clear();
      break;
    default:
      break;
  }
  return planted;
}

// ---- loads ----

void CoreStorage::Load(const ResourceKey& key, LoadDone done) {
  if (is_cut_) return;
  if (IsWriteBack(around_.mode)) return LoadWriteBack(key, std::move(done));
  Journal& journal = journal_ == nullptr ? scripted_ : *journal_;
  journal.Load(key, std::move(done));
}

void CoreStorage::Look(const ResourceKey& key, uint64_t known, LoadDone done) {
  if (!is_cut_) journal_->Look(key, known, std::move(done));
}

void CoreStorage::Find(const LocalTag& tag, FindDone done) {
  if (!is_cut_) journal_->Find(tag, std::move(done));
}

// What the engine finds is what it goes on from.
void CoreStorage::LoadWriteBack(const ResourceKey& key, LoadDone done) {
  journal_->Load(key, [this, key, done = std::move(done)](auto loaded) mutable {
    const auto it = in_doubt_.find(key);
    if (loaded.ok() && it != in_doubt_.end()) {
      around_.Record(Durable{AsFound(std::move(it->second), *loaded)});
      in_doubt_.erase(it);
    }
    done(std::move(loaded));
  });
}

absl::Status CoreStorage::LoadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  switch (around_.mode) {
    case StorageMode::kMemory:
      return memory_.LoadAll(visit);
    case StorageMode::kScripted:
      return scripted_.LoadAll(visit);
    default:
      return journal_->LoadAll(visit);
  }
}

}  // namespace presence::simulation
