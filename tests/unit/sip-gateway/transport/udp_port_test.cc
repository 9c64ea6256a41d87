#include "sip-gateway/transport/udp_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sip-gateway/transport/peer.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A port whose system call fails as a test wants it: full buffers do not come about on loopback.
class UdpPortTest : public testing::Test, protected UdpPort::Owner {
 protected:
  UdpPortTest() {
    auto opened = UdpPort::Open(loop_, *SocketAddress::Parse("127.0.0.1:0"), config_, reader_,
                                writer_, stats_, *this);
    EXPECT_TRUE(opened.ok()) << opened.status();
    port_ = *std::move(opened);
  }

  void OnDatagram(UdpPort&, const SocketAddress&, std::string_view) override {}
  void OnDatagramFailed(SendTag tag, SendFailure why) override { failed_.emplace_back(tag, why); }
  void OnQuotedError(const SocketAddress&, std::string_view, SendFailure) override {}

  void Queue(int count) {
    for (int i = 0; i < count; ++i, ++queued_) {
      port_->Queue(peer_.address(), std::to_string(queued_), static_cast<SendTag>(queued_ + 1));
    }
  }
  // The numbers of the datagrams that have come to the peer.
  std::vector<int> TakeReceived() {
    std::vector<int> numbers;
    while (const auto bytes = peer_.Receive()) numbers.push_back(std::stoi(*bytes));
    return numbers;
  }
  std::vector<int> Numbers(int from, int to) {
    std::vector<int> numbers;
    for (int i = from; i < to; ++i) numbers.push_back(i);
    return numbers;
  }

  ManualClock clock_;
  EventLoop loop_{clock_};
  TransportConfig config_;
  TransportStats stats_;
  DatagramReader reader_;
  std::deque<int> errors_;  // of the next calls; 0 lets one through
  unsigned max_per_call_ = 64;
  DatagramWriter writer_{[this](int fd, mmsghdr* headers, unsigned count, int flags) {
    if (!errors_.empty()) {
      const int error = errors_.front();
      errors_.pop_front();
      if (error != 0) {
        errno = error;
        return -1;
      }
    }
    return sendmmsg(fd, headers, std::min(count, max_per_call_), flags);
  }};
  const Peer peer_ = Peer::Udp();
  std::unique_ptr<UdpPort> port_;
  std::vector<std::pair<SendTag, SendFailure>> failed_;
  int queued_ = 0;
};

TEST_F(UdpPortTest, SendsTheRestWhenTheKernelTakesPartOfABatch) {
  max_per_call_ = 7;
  Queue(100);

  port_->Flush();

  EXPECT_EQ(TakeReceived(), Numbers(0, 100));
}

TEST_F(UdpPortTest, GoesOnWhenAFullSocketBufferHasDrained) {
  errors_ = {0, EAGAIN};
  Queue(100);

  port_->Flush();
  EXPECT_EQ(TakeReceived(), Numbers(0, 64));
  Queue(10);
  port_->Flush();
  EXPECT_THAT(TakeReceived(), IsEmpty());  // not before the socket says so

  for (int i = 0; i < 10; ++i) loop_.RunOnce(absl::ZeroDuration());
  EXPECT_EQ(TakeReceived(), Numbers(64, 110));
  EXPECT_EQ(stats_.send_retries, 1u);
  EXPECT_THAT(failed_, IsEmpty());
}

TEST_F(UdpPortTest, LeavesAFullDeviceQueueAloneForAMoment) {
  errors_ = {ENOBUFS};
  Queue(3);

  port_->Flush();
  EXPECT_EQ(port_->retry_at(), clock_.Now() + absl::Milliseconds(5));
  port_->Flush();
  EXPECT_THAT(TakeReceived(), IsEmpty());

  clock_.Advance(absl::Milliseconds(5));
  port_->Flush();
  EXPECT_EQ(TakeReceived(), Numbers(0, 3));
  EXPECT_EQ(port_->retry_at(), absl::InfiniteFuture());
}

TEST_F(UdpPortTest, TriesOnceMoreAfterAnErrorThatMayBeAnothersAndThenBelievesIt) {
  errors_ = {ECONNREFUSED, 0};
  Queue(2);
  port_->Flush();
  EXPECT_EQ(TakeReceived(), Numbers(0, 2));

  errors_ = {ENETUNREACH, ENETUNREACH, 0};
  Queue(2);
  port_->Flush();
  EXPECT_THAT(failed_, ElementsAre(Pair(3u, SendFailure::kUnreachable)));
  EXPECT_THAT(TakeReceived(), ElementsAre(3));
}

TEST_F(UdpPortTest, KeepsWhatWaitsWhileItForgetsWhatIsSent) {
  max_per_call_ = 60;
  std::vector<int> received;
  const auto take = [&] {
    for (const int number : TakeReceived()) received.push_back(number);
  };
  for (int round = 0; round < 50; ++round) {
    errors_ = {0, ENOBUFS};
    Queue(64);
    port_->Flush();
    clock_.Advance(absl::Milliseconds(5));
    take();
  }
  errors_.clear();
  port_->Flush();
  take();

  EXPECT_EQ(received, Numbers(0, 50 * 64));
  EXPECT_THAT(failed_, IsEmpty());
}

}  // namespace
}  // namespace presence::sip
