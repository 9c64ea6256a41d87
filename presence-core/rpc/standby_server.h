#ifndef PRESENCE_CORE_RPC_STANDBY_SERVER_H_
#define PRESENCE_CORE_RPC_STANDBY_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace presence {

// The gRPC server of a core that waits for its turn. It serves nothing itself: it hands unary calls
// of the contract on to the core that owns the state, as bytes, and hands back what that one
// answers, error details included. So a program that knows one address of two is served by both.
//
// Streams are refused with CORE_UNREACHABLE: whoever wants one, as gateways do, tries its next
// address. So is what was handed on by another core that waits, or two would play ball. Health says
// NOT_SERVING.
//
// Safe to call from any thread.
class StandbyServer {
 public:
  // Who owns the state, for people and for calls.
  struct Owner {
    std::string name;
    std::string address;  // "HOST:PORT"; empty: it cannot be reached
    friend bool operator==(const Owner&, const Owner&) = default;
  };

  // Listens from the moment it returns. Errors: Unavailable   an address cannot be listened on; it
  // is named.
  static absl::StatusOr<std::unique_ptr<StandbyServer>> Start(
      const std::vector<std::string>& listen);
  virtual ~StandbyServer() = default;

  // Calls that come from now on go there.
  virtual void Follow(Owner owner) = 0;

  // The addresses with their actual ports, in the order of `listen`.
  virtual const std::vector<std::string>& addresses() const = 0;

  // Gives what is under way a moment to end, and stops: the addresses are free. Blocks.
  virtual void Stop() = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_STANDBY_SERVER_H_
