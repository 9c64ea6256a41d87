#ifndef PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_
#define PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/simulation/documents.h"
#include "tests/simulation/durable_model.h"
#include "tests/simulation/flush_checker.h"
#include "tests/simulation/history.h"
#include "tests/simulation/violation.h"
#include "tests/simulation/watch_checker.h"

namespace presence::simulation {

// Judges a history, event by event. It keeps a model of its own of what is durable, made of the
// Durable events alone, and of what each watcher shows, made of the Shown events alone.
class HistoryChecker {
 public:
  HistoryChecker() = default;
  HistoryChecker(const HistoryChecker&) = delete;
  HistoryChecker& operator=(const HistoryChecker&) = delete;

  void OnEvent(const Event& event);

  // Broken for good: nothing that comes later can mend these.
  const std::vector<Violation>& violations() const { return violations_; }

  // What is not as it must be once faults have stopped and time has passed. Empty: all is well.
  std::vector<Violation> Unsettled(absl::Time now) const;

 private:
  // Where several cores serve, a reign over the dialog's group stands in place of an epoch.
  struct Said {  // by the core in one dialog
    uint64_t epoch = 0;
    uint32_t cseq = 0;
    uint64_t seq = 0;
    bool is_terminating = false;
    std::optional<uint32_t> version;
    uint32_t first = 0;                    // CSeq of this epoch
    uint32_t before_first = 0;             // the last of the epoch before
    std::map<uint32_t, Instructed> early;  // that wait for one with a lower CSeq
  };
  struct Seen {  // by a watcher in one dialog
    uint32_t cseq = 0;
    std::string state;
    std::string body;
    bool is_ended = false;
    std::map<uint32_t, std::string> by_cseq;
    WinfoTable winfo;
  };
  struct Standing {  // the publication a phone has been promised
    std::string etag;
    absl::Time until;
  };
  using Request = std::tuple<std::string, uint32_t, std::string>;  // Call-ID, CSeq, method

  void On(const CoreStarted& started, absl::Time at);
  void ForgetWhatWasLost(const DurableModels& found);
  bool IsLost(const Answered& answered) const;
  void On(const Durable& durable);
  void NoteState(const ResourceKey& key);
  void On(const Instructed& instructed, absl::Time at);
  void On(const Held& held, absl::Time at);
  bool IsOvertaken(const Instructed& instructed);
  bool IsJump(const std::string& tag, uint32_t from, uint32_t to) const;
  uint64_t FirstEpochOf(const Subscription& row, const std::string& writer) const;
  std::string HolderOf(std::string_view group) const;
  void CheckState(const Instructed& instructed);
  void OnNext(const Instructed& instructed, Said& before);
  bool IsNewIn(const std::string& tag, uint64_t epoch) const;
  static std::string LeftOut(const std::string& tag, const Said& said);
  void On(const Shown& shown);
  void On(const Answered& answered, absl::Time at);
  void OnWinfo(const Instructed& instructed, const ReadWinfo& winfo, Said& before);
  void CheckRepetitions(const ResourceKey& key, const DurableModel& model);

  void CheckWatcher(const ResourceKey& key, const DurableModel& model, const Subscription& row,
                    absl::Time now, std::vector<Violation>& unsettled) const;
  void CheckExpiry(const DurableModel& model, absl::Time now,
                   std::vector<Violation>& unsettled) const;
  void Fail(Invariant invariant, std::string what);

  std::vector<Violation> violations_;
  WatchChecker watches_{violations_};
  FlushChecker flushes_{violations_};
  StorageMode mode_ = StorageMode::kScripted;
  uint64_t epoch_ = 0;
  std::optional<TakenOver> taken_over_;
  absl::Time taken_over_at_;
  DurableModels durable_;
  std::set<std::string> durable_etags_;                  // of all times
  std::map<std::string, uint32_t> durable_remote_cseq_;  // of all times, by tag
  // Of the present life of each core.
  std::map<std::string, std::map<ResourceKey, std::set<std::string>>> states_;
  std::map<std::string, ResourceKey> resource_of_;  // by tag
  // In write-back: what was durable, and gone with a crash before it was stored.
  std::set<std::string> lost_etags_;
  std::map<std::string, uint32_t> lost_after_cseq_;  // by tag: SUBSCRIBEs later than this
  std::map<std::string, uint64_t> first_epoch_;      // in which the row came, of all times, by tag
  std::map<std::string, std::string> owed_;          // a NOTIFY for its SUBSCRIBE: tag -> Call-ID
  std::set<std::string> subscribed_;                 // tags whose SUBSCRIBE was answered 200
  std::map<std::string, Said> said_;
  // Where several cores serve.
  std::map<std::string, GroupTaken, std::less<>> taken_;  // by group
  std::map<ResourceKey, absl::Time> changed_at_;
  std::map<std::string, std::set<uint32_t>> used_cseqs_;   // by tag
  std::map<std::string, std::set<uint32_t>> cseq_limits_;  // durable at any time, by tag
  std::map<std::string, Seen> seen_;
  std::set<std::string> forgotten_;  // Call-IDs
  std::map<Request, Answered> answered_;
  std::map<std::string, uint32_t> newest_publish_;  // CSeq that was answered 200, by Call-ID
  std::map<std::string, Standing> standing_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_
