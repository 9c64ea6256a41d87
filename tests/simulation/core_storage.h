#ifndef PRESENCE_TESTS_SIMULATION_CORE_STORAGE_H_
#define PRESENCE_TESTS_SIMULATION_CORE_STORAGE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "presence-core/storage/journal.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "tests/fakes/scripted_journal.h"
#include "tests/simulation/database.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// What keeps the state of the core: the journal of the run's mode and what is below it. It is where
// storage fails and where the core dies at what it stores, and it writes down what is durable.
class CoreStorage final : public Journal {
 public:
  // `die` ends the process `core`, and is not called while it is dead. `on_claimed` hears what it
  // has changed where others serve, too.
  CoreStorage(Surroundings& surroundings, Executor& process, Database& database, std::string core,
              std::function<void()> die, DatabaseSession::OnClaimed on_claimed);
  ~CoreStorage() override;

  // Whether anything is left when the process dies.
  bool outlives_process() const { return around_.mode != StorageMode::kMemory; }

  // For the next life of the process; returns its epoch.
  uint64_t Open();
  // The process is dead: nothing it still asks for is done.
  void Cut() { is_cut_ = true; }
  // And its memory is gone.
  void Close();

  // What happens to a database of one core.
  void MakeTrouble();

  // As DatabaseSession.
  bool BeginReadAll() { return session_->BeginReadAll(); }

  bool is_shared() const override { return IsShared(around_.mode); }
  Acceptance Append(const RowChanges& changes, AppendDone done) override;
  void Load(const ResourceKey& key, LoadDone done) override;
  void Look(const ResourceKey& key, uint64_t known, LoadDone done) override;
  void Find(const LocalTag& tag, FindDone done) override;
  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

 private:
  std::unique_ptr<Journal> MakeJournal();
  void LearnOfTakeover();

  ScriptedJournal::Fate DrawFate();
  Acceptance AppendScripted(const RowChanges& changes, AppendDone done);
  Acceptance AppendTooLate(const RowChanges& changes);
  Acceptance AppendWriteBack(const RowChanges& changes, AppendDone done);
  void LoadWriteBack(const ResourceKey& key, LoadDone done);
  RowChanges Planted(const RowChanges& changes) const;

  Surroundings& around_;
  Executor& process_;
  const std::string core_;
  const std::function<void()> die_;
  const DatabaseSession::OnClaimed on_claimed_;
  bool is_cut_ = false;
  uint64_t epoch_ = 0;
  MemoryJournal memory_;
  ScriptedJournal scripted_;
  Database& database_;
  // Of this life.
  std::unique_ptr<DatabaseSession> session_;
  std::unique_ptr<Journal> journal_;
  std::map<ResourceKey, RowChanges> in_doubt_;  // of a WriteBackJournal
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_CORE_STORAGE_H_
