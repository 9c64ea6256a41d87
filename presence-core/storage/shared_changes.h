#ifndef PRESENCE_CORE_STORAGE_SHARED_CHANGES_H_
#define PRESENCE_CORE_STORAGE_SHARED_CHANGES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/model/resource_key.h"

namespace presence {

// What processes that share a database tell each other of what they have changed, and what they
// make of what they hear: names of resources, or "anything". How that travels is the business of
// storage/postgres/change_signal.h, and of the simulation.

// What a process has changed and not yet said. From any thread.
class ChangesToSay {
 public:
  // Changes of so long are told together.
  static constexpr absl::Duration kGather = absl::Milliseconds(5);
  static constexpr absl::Duration kTryAgain = absl::Milliseconds(200);

  // `node` is the name that others know this process by.
  explicit ChangesToSay(std::string node) : node_(std::move(node)) {}

  // True when they are to be said after kGather: nobody does yet.
  bool Add(const std::vector<ResourceKey>& keys);

  // The same where it may have changed anything.
  bool AddAnything();

  // What is to be said now. It stays with the caller until it has been said.
  struct Taken {
    absl::btree_set<ResourceKey> keys;
    bool is_too_much = false;  // to name it all
    std::vector<std::string> payloads;
  };
  Taken Take();
  // It could not be said. True when it is to be tried again after kTryAgain.
  bool PutBack(const Taken& taken);

 private:
  const std::string node_;

  absl::Mutex mu_;  // a leaf
  absl::btree_set<ResourceKey> unsaid_ ABSL_GUARDED_BY(mu_);
  bool is_too_much_ ABSL_GUARDED_BY(mu_) = false;
  bool is_expected_ ABSL_GUARDED_BY(mu_) = false;
};

// What a payload says: nothing when it is `node`'s own.
struct ChangesHeard {
  std::vector<ResourceKey> keys;
  bool may_be_anything = false;
};
ChangesHeard HeardFrom(std::string_view payload, std::string_view node);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_SHARED_CHANGES_H_
