#ifndef PRESENCE_CORE_MODEL_STATE_KIND_H_
#define PRESENCE_CORE_MODEL_STATE_KIND_H_

namespace presence {

// The kinds of state of which an operator says, each for itself, how it is kept.
enum class StateKind {
  kPublication,  // and hard state, which lies beneath
  kSubscription,
  kDecision,  // what a presentity decided about a watcher, and watchers that wait for it
};

// A set of them. A value.
struct StateKinds {
  bool publications = true;
  bool subscriptions = true;
  bool decisions = true;

  static constexpr StateKinds None() { return {false, false, false}; }

  constexpr bool contains(StateKind kind) const {
    switch (kind) {
      case StateKind::kPublication:
        return publications;
      case StateKind::kSubscription:
        return subscriptions;
      case StateKind::kDecision:
        return decisions;
    }
    return false;
  }
  constexpr bool is_all() const { return publications && subscriptions && decisions; }
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_STATE_KIND_H_
