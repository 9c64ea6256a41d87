#ifndef PRESENCE_TESTS_POSTGRES_MEDDLING_PROXY_H_
#define PRESENCE_TESTS_POSTGRES_MEDDLING_PROXY_H_

#include <poll.h>

#include <list>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace presence {

// A way to the server of the cluster, through a unix socket of its own, on which a connection is
// lost when a test says so. Safe to use from any thread.
class MeddlingProxy {
 public:
  enum class Fate {
    kLoseStatement,  // the connection ends before the server gets it
    kLoseAnswer,     // the server does it, and the connection ends
    kHoldAnswer,     // the server does it, and nothing more is heard of it
  };

  // `dsn` of the server: its host is the folder of its socket.
  explicit MeddlingProxy(const std::string& dsn);
  ~MeddlingProxy();
  MeddlingProxy(const MeddlingProxy&) = delete;
  MeddlingProxy& operator=(const MeddlingProxy&) = delete;

  // What to append to `dsn` to come this way.
  std::string host() const { return " host=" + folder_; }

  // Does that to the `nth` statement (from 1) that is asked for from now on, over all connections.
  void MeddleWith(int nth, Fate fate);
  // Statements since then.
  int statements() const;
  // Returns once it has meddled.
  void AwaitMeddling() const;

 private:
  struct Link {
    int client = -1;
    int server = -1;
    std::string unread;  // of the client, less than a message
    bool has_started = false;
    bool loses_answer = false;
    bool is_held = false;
  };

  void Run();
  void Accept();
  // False when the link has ended.
  bool PassOn(Link& link);
  bool PassBack(Link& link);
  // How many bytes of `link.unread` go on; sets what happens then. Less than 0: it ends first.
  long Examine(Link& link);

  std::string folder_;
  std::string server_path_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::list<Link> links_;  // the thread's only

  mutable absl::Mutex mu_;
  int countdown_ ABSL_GUARDED_BY(mu_) = 0;
  int statements_ ABSL_GUARDED_BY(mu_) = 0;
  Fate fate_ ABSL_GUARDED_BY(mu_) = Fate::kLoseStatement;
  bool has_meddled_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace presence

#endif  // PRESENCE_TESTS_POSTGRES_MEDDLING_PROXY_H_
