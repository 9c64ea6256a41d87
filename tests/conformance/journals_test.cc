#include "presence-core/storage/memory/memory_journal.h"
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

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalSuite, MemorySubject);
using WriteThroughSubjects =
    testing::Types<WriteThroughSubject<FakeRowStore::Fate::kCommitted>,
                   WriteThroughSubject<FakeRowStore::Fate::kFailed>,
                   WriteThroughSubject<FakeRowStore::Fate::kFenced>,
                   WriteThroughSubject<FakeRowStore::Fate::kUnknownWritten>,
                   WriteThroughSubject<FakeRowStore::Fate::kUnknownDropped>>;
INSTANTIATE_TYPED_TEST_SUITE_P(WriteThrough, JournalSuite, WriteThroughSubjects);
using ScriptedSubjects = testing::Types<ScriptedSubject<ScriptedJournal::Fate::kDurableNow>,
                                        ScriptedSubject<ScriptedJournal::Fate::kDurable>,
                                        ScriptedSubject<ScriptedJournal::Fate::kRejected>,
                                        ScriptedSubject<ScriptedJournal::Fate::kUnknownWritten>,
                                        ScriptedSubject<ScriptedJournal::Fate::kUnknownDropped>,
                                        ScriptedSubject<ScriptedJournal::Fate::kNeverAnswered>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Scripted, JournalSuite, ScriptedSubjects);

}  // namespace
}  // namespace presence
