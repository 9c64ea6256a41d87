#include "presence-core/storage/memory/memory_journal.h"
#include "presence-core/storage/write_back/write_back_journal.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "runtime/manual_executor.h"
#include "tests/conformance/journal_suite.h"
#include "tests/fakes/fake_row_store.h"
#include "tests/fakes/scripted_journal.h"

namespace presence {
namespace {

// Durable for as long as the process lives, and that is the engine's memory, not the journal's.
class MemorySubject {
 public:
  static constexpr bool kKeepsRows = false;
  static constexpr bool kMayRefuse = false;
  static constexpr bool kMayBeUnknown = false;
  static constexpr bool kAnswers = true;

  Journal& journal() { return journal_; }
  void Settle() {}
  void StopFailing() {}
  void FailLoads() {}

 private:
  MemoryJournal journal_;
};

// The journal of the tests of the engine and of the simulation, in one of its fates: a fake that
// behaved otherwise than a real journal would show nothing.
template <ScriptedJournal::Fate kFate>
class ScriptedSubject {
 public:
  using Fate = ScriptedJournal::Fate;
  static constexpr bool kKeepsRows = true;
  static constexpr bool kMayRefuse = kFate == Fate::kRejected;
  static constexpr bool kMayBeUnknown =
      kFate == Fate::kUnknownWritten || kFate == Fate::kUnknownDropped;
  static constexpr bool kAnswers = kFate != Fate::kNeverAnswered;

  ScriptedSubject() {
    journal_.fate = [] { return kFate; };
  }

  Journal& journal() { return journal_; }
  void Settle() { executor_.RunUntilIdle(); }
  void StopFailing() {
    journal_.fate = [] { return kFate == Fate::kDurableNow ? kFate : Fate::kDurable; };
    journal_.load_fails = [] { return false; };
  }
  void FailLoads() {
    journal_.load_fails = [] { return true; };
  }

 private:
  ManualClock clock_;
  ManualExecutor executor_{clock_};
  ScriptedJournal journal_{executor_};
};

// A journal of a storage mode over a database that fails in one way.
template <FakeRowStore::Fate kFate>
class WriteThroughSubject {
 public:
  using Fate = FakeRowStore::Fate;
  static constexpr bool kKeepsRows = true;
  static constexpr bool kMayRefuse = kFate == Fate::kFailed || kFate == Fate::kFenced;
  static constexpr bool kMayBeUnknown =
      kFate == Fate::kUnknownWritten || kFate == Fate::kUnknownDropped;
  static constexpr bool kAnswers = true;

  WriteThroughSubject() {
    store_.fate = [] { return kFate; };
  }

  Journal& journal() { return journal_; }
  void Settle() { executor_.RunUntilIdle(); }
  void StopFailing() {
    store_.fate = [] { return Fate::kCommitted; };
    store_.read_fails = [] { return false; };
  }
  void FailLoads() {
    store_.read_fails = [] { return true; };
  }

 private:
  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_};
  WriteThroughJournal journal_{store_, {}};
};

// Write-back promises at once, until too much is dirty: then it is as write-through.
enum class Room { kEnough, kNone };
constexpr StateKinds kNoKind = StateKinds::None();

template <FakeRowStore::Fate kFate, Room kRoom, StateKinds kKept = StateKinds(),
          StateKinds kStoredFirst = kNoKind>
class WriteBackSubject {
 public:
  using Fate = FakeRowStore::Fate;
  // A change of everything waits if one of its kinds does.
  static constexpr bool kWaits =
      kRoom == Room::kNone || kStoredFirst.publications || kStoredFirst.subscriptions;
  static constexpr bool kKeepsRows = true;
  static constexpr bool kMayRefuse = kWaits && (kFate == Fate::kFailed || kFate == Fate::kFenced);
  static constexpr bool kMayBeUnknown =
      kWaits && (kFate == Fate::kUnknownWritten || kFate == Fate::kUnknownDropped);
  static constexpr bool kAnswers = true;

  WriteBackSubject() {
    store_.fate = [] { return kFate; };
  }

  Journal& journal() { return journal_; }
  // Long enough for what failed to have been tried again.
  void Settle() { executor_.RunFor(absl::Seconds(3)); }
  void StopFailing() {
    store_.fate = [] { return Fate::kCommitted; };
    store_.read_fails = [] { return false; };
  }
  void FailLoads() {
    store_.read_fails = [] { return true; };
  }

 private:
  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_};
  WriteBackJournal journal_{store_,
                            executor_,
                            clock_,
                            {.kept = kKept,
                             .stored_first = kStoredFirst,
                             .flush_interval = absl::Seconds(1),
                             .max_dirty_rows = kWaits ? uint64_t{0} : uint64_t{1000}}};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalSuite, MemorySubject);
using WriteThroughSubjects =
    testing::Types<WriteThroughSubject<FakeRowStore::Fate::kCommitted>,
                   WriteThroughSubject<FakeRowStore::Fate::kFailed>,
                   WriteThroughSubject<FakeRowStore::Fate::kFenced>,
                   WriteThroughSubject<FakeRowStore::Fate::kUnknownWritten>,
                   WriteThroughSubject<FakeRowStore::Fate::kUnknownDropped>>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteThrough, JournalSuite, WriteThroughSubjects);
using WriteBackSubjects =
    testing::Types<WriteBackSubject<FakeRowStore::Fate::kCommitted, Room::kEnough>,
                   WriteBackSubject<FakeRowStore::Fate::kFailed, Room::kEnough>,
                   WriteBackSubject<FakeRowStore::Fate::kUnknownWritten, Room::kEnough>,
                   WriteBackSubject<FakeRowStore::Fate::kUnknownDropped, Room::kEnough>,
                   WriteBackSubject<FakeRowStore::Fate::kCommitted, Room::kNone>,
                   WriteBackSubject<FakeRowStore::Fate::kFailed, Room::kNone>,
                   WriteBackSubject<FakeRowStore::Fate::kUnknownWritten, Room::kNone>,
                   WriteBackSubject<FakeRowStore::Fate::kUnknownDropped, Room::kNone>>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteBack, JournalSuite, WriteBackSubjects);

// The pairs of storage.publications and storage.subscriptions that are not the same mode twice.
// Decisions go with the safer mode, so they are always kept, and waited for if anything is.
constexpr StateKinds kOnlySubscriptions{.publications = false};
constexpr StateKinds kOnlyPublications{.subscriptions = false};
constexpr StateKinds kPublicationsFirst{.subscriptions = false};
constexpr StateKinds kSubscriptionsFirst{.publications = false};

template <StateKinds kKept, StateKinds kStoredFirst>
using SubjectsOfPair = testing::Types<
    WriteBackSubject<FakeRowStore::Fate::kCommitted, Room::kEnough, kKept, kStoredFirst>,
    WriteBackSubject<FakeRowStore::Fate::kFailed, Room::kEnough, kKept, kStoredFirst>,
    WriteBackSubject<FakeRowStore::Fate::kUnknownWritten, Room::kEnough, kKept, kStoredFirst>,
    WriteBackSubject<FakeRowStore::Fate::kUnknownDropped, Room::kEnough, kKept, kStoredFirst>>;
using MemoryAndWriteBack = SubjectsOfPair<kOnlySubscriptions, kNoKind>;
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryAndWriteBack, JournalSuite, MemoryAndWriteBack);
using MemoryAndWriteThrough = SubjectsOfPair<kOnlySubscriptions, kSubscriptionsFirst>;
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryAndWriteThrough, JournalSuite, MemoryAndWriteThrough);
using WriteBackAndMemory = SubjectsOfPair<kOnlyPublications, kNoKind>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteBackAndMemory, JournalSuite, WriteBackAndMemory);
using WriteThroughAndMemory = SubjectsOfPair<kOnlyPublications, kPublicationsFirst>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteThroughAndMemory, JournalSuite, WriteThroughAndMemory);
using WriteBackAndWriteThrough = SubjectsOfPair<StateKinds{}, kSubscriptionsFirst>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteBackAndWriteThrough, JournalSuite, WriteBackAndWriteThrough);
using WriteThroughAndWriteBack = SubjectsOfPair<StateKinds{}, kPublicationsFirst>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteThroughAndWriteBack, JournalSuite, WriteThroughAndWriteBack);

using ScriptedSubjects = testing::Types<ScriptedSubject<ScriptedJournal::Fate::kDurableNow>,
                                        ScriptedSubject<ScriptedJournal::Fate::kDurable>,
                                        ScriptedSubject<ScriptedJournal::Fate::kRejected>,
                                        ScriptedSubject<ScriptedJournal::Fate::kUnknownWritten>,
                                        ScriptedSubject<ScriptedJournal::Fate::kUnknownDropped>,
                                        ScriptedSubject<ScriptedJournal::Fate::kNeverAnswered>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Scripted, JournalSuite, ScriptedSubjects);

}  // namespace
}  // namespace presence
