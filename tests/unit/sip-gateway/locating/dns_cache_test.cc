#include "sip-gateway/locating/dns_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/sip-gateway/locating/fake_resolver.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Outcome = DnsReply::Outcome;

DnsQuestion AddressOf(const std::string& name) { return {RecordType::kA, name}; }

class DnsCacheTest : public ::testing::Test {
 protected:
  void Use(const DnsCache::Options& options) {
    cache_ = std::make_unique<DnsCache>(options, resolver_, clock_);
  }

  // Asks, and notes the reply in `replies_` when it comes.
  void Fetch(const std::string& name) {
    cache_->Fetch(AddressOf(name), ++last_tag_,
                  [this](const DnsReplyPtr& reply) { replies_.push_back(reply); });
  }

  // Fetches and replies at once.
  void Learn(const std::string& name, DnsReply reply) {
    Fetch(name);
    ASSERT_TRUE(resolver_.Reply("A " + name, std::move(reply)));
  }

  bool Knows(const std::string& name) { return cache_->Find(AddressOf(name)) != nullptr; }

  ManualClock clock_;
  FakeResolver resolver_;
  std::unique_ptr<DnsCache> cache_ =
      std::make_unique<DnsCache>(DnsCache::Options{}, resolver_, clock_);
  uint64_t last_tag_ = 0;
  std::vector<DnsReplyPtr> replies_;
};

DnsReply Positive(absl::Duration ttl) { return AddressesReply({"192.0.2.1"}, ttl); }

DnsReply Negative(absl::Duration ttl) {
  DnsReply reply = NoRecordsReply();
  reply.ttl = ttl;
  return reply;
}

TEST_F(DnsCacheTest, KnowsAReplyUntilItsTtlEnds) {
  Learn("a.example", Positive(absl::Seconds(60)));

  clock_.Advance(absl::Seconds(59));
  EXPECT_TRUE(Knows("a.example"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Knows("a.example"));
}

TEST_F(DnsCacheTest, KeepsNothingWhoseTtlIsZero) {
  Learn("a.example", Positive(absl::ZeroDuration()));

  EXPECT_FALSE(Knows("a.example"));
  EXPECT_EQ(replies_.size(), 1u) << "who asked has the reply all the same";
}

TEST_F(DnsCacheTest, BoundsTheTtlOfPositiveAndNegativeReplies) {
  Use({.max_ttl = absl::Minutes(60), .max_negative_ttl = absl::Minutes(5)});
  Learn("a.example", Positive(absl::Hours(240)));
  Learn("none.example", Negative(absl::Hours(240)));

  clock_.Advance(absl::Minutes(5));
  EXPECT_FALSE(Knows("none.example"));
  EXPECT_TRUE(Knows("a.example"));
  clock_.Advance(absl::Minutes(55));
  EXPECT_FALSE(Knows("a.example"));
}

TEST_F(DnsCacheTest, RemembersForAShortTimeThatAQuestionFailed) {
  Use({.failure_ttl = absl::Seconds(5)});
  Learn("down.example", FailedReply("SERVFAIL"));
  Learn("no-soa.example", Negative(absl::ZeroDuration()));

  clock_.Advance(absl::Seconds(4));
  EXPECT_TRUE(Knows("down.example"));
  EXPECT_TRUE(Knows("no-soa.example"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Knows("down.example"));
  EXPECT_FALSE(Knows("no-soa.example"));
}

TEST_F(DnsCacheTest, AsksOnceForAllWhoWait) {
  Fetch("a.example");
  Fetch("a.example");
  Fetch("a.example");
  EXPECT_THAT(resolver_.asked(), ElementsAre("A a.example"));
  EXPECT_THAT(replies_, IsEmpty());

  ASSERT_TRUE(resolver_.Reply("A a.example", Positive(absl::Seconds(60))));

  EXPECT_EQ(replies_.size(), 3u);
  EXPECT_EQ(cache_->counters().merged, 2u);
}

TEST_F(DnsCacheTest, DoesNotMixTypesOfOneName) {
  Learn("a.example", Positive(absl::Seconds(60)));

  EXPECT_EQ(cache_->Find({RecordType::kAaaa, "a.example"}), nullptr);
}

TEST_F(DnsCacheTest, ServesWhatItKnewWhileTheDnsFails) {
  Use({.failure_ttl = absl::Seconds(5), .stale_for = absl::Minutes(60)});
  Learn("a.example", Positive(absl::Seconds(60)));
  clock_.Advance(absl::Seconds(61));

  Learn("a.example", FailedReply("timeout"));

  EXPECT_EQ(replies_.back()->outcome, Outcome::kRecords);
  EXPECT_TRUE(Knows("a.example"));
  clock_.Advance(absl::Seconds(5));
  EXPECT_FALSE(Knows("a.example")) << "the DNS is asked again soon";
  EXPECT_EQ(cache_->counters().stale_served, 1u);
}

TEST_F(DnsCacheTest, StopsServingWhatItKnewAfterAnHour) {
  Use({.failure_ttl = absl::Seconds(5), .stale_for = absl::Minutes(60)});
  Learn("a.example", Positive(absl::Seconds(60)));
  clock_.Advance(absl::Seconds(60) + absl::Minutes(60));

  Learn("a.example", FailedReply("timeout"));

  EXPECT_EQ(replies_.back()->outcome, Outcome::kFailed);
}

TEST_F(DnsCacheTest, DoesNotServeAStaleReplyPastItsHourForItsLastTtl) {
  Use({.failure_ttl = absl::Seconds(5), .stale_for = absl::Minutes(60)});
  Learn("a.example", Positive(absl::Seconds(60)));
  clock_.Advance(absl::Seconds(60) + absl::Minutes(60) - absl::Seconds(1));

  Learn("a.example", FailedReply("timeout"));
  clock_.Advance(absl::Seconds(1));

  EXPECT_FALSE(Knows("a.example"));
}

TEST_F(DnsCacheTest, BelievesTheDnsWhenItSaysThatAKnownNameIsGone) {
  Learn("a.example", Positive(absl::Seconds(60)));
  clock_.Advance(absl::Seconds(61));

  Learn("a.example", Negative(absl::Seconds(60)));

  EXPECT_EQ(replies_.back()->outcome, Outcome::kNone);
}

TEST_F(DnsCacheTest, ForgetsTheLeastRecentlyUsedReplyWhenFull) {
  Use({.max_entries = 2});
  Learn("a.example", Positive(absl::Seconds(60)));
  Learn("b.example", Positive(absl::Seconds(60)));
  EXPECT_TRUE(Knows("a.example"));

  Learn("c.example", Positive(absl::Seconds(60)));

  EXPECT_TRUE(Knows("a.example"));
  EXPECT_FALSE(Knows("b.example"));
  EXPECT_TRUE(Knows("c.example"));
  EXPECT_EQ(cache_->size(), 2u);
}

TEST_F(DnsCacheTest, KeepsABoundedNumberOfQuestionsOnTheWay) {
  Use({.max_outstanding = 2});
  for (const char* name : {"a.example", "b.example", "c.example", "d.example"}) Fetch(name);
  EXPECT_THAT(resolver_.asked(), ElementsAre("A a.example", "A b.example"));

  ASSERT_TRUE(resolver_.Reply("A b.example", Positive(absl::Seconds(60))));

  EXPECT_THAT(resolver_.asked(), ElementsAre("A a.example", "A b.example", "A c.example"));
  EXPECT_EQ(resolver_.open(), 2u);
}

TEST_F(DnsCacheTest, MergesWithQuestionsThatStillStandInTheQueue) {
  Use({.max_outstanding = 1});
  Fetch("a.example");
  Fetch("b.example");
  Fetch("b.example");

  ASSERT_TRUE(resolver_.Reply("A a.example", Positive(absl::Seconds(60))));
  ASSERT_TRUE(resolver_.Reply("A b.example", Positive(absl::Seconds(60))));

  EXPECT_EQ(replies_.size(), 3u);
  EXPECT_EQ(resolver_.asked().size(), 2u);
}

TEST_F(DnsCacheTest, DoesNotAskWhatNobodyWaitsForAnyMore) {
  Use({.max_outstanding = 1});
  Fetch("a.example");
  Fetch("b.example");
  Fetch("b.example");
  Fetch("c.example");

  cache_->Abandon(AddressOf("b.example"), 2);
  EXPECT_EQ(cache_->queued(), 2u);
  cache_->Abandon(AddressOf("b.example"), 3);
  cache_->Abandon(AddressOf("b.example"), 3);
  EXPECT_EQ(cache_->queued(), 1u);
  ASSERT_TRUE(resolver_.Reply("A a.example", Positive(absl::Seconds(60))));

  EXPECT_THAT(resolver_.asked(), ElementsAre("A a.example", "A c.example"));
}

TEST_F(DnsCacheTest, KeepsTheReplyToAQuestionAbandonedOnItsWay) {
  Fetch("a.example");

  cache_->Abandon(AddressOf("a.example"), last_tag_);
  ASSERT_TRUE(resolver_.Reply("A a.example", Positive(absl::Seconds(60))));

  EXPECT_THAT(replies_, IsEmpty());
  EXPECT_TRUE(Knows("a.example"));
}

TEST_F(DnsCacheTest, LetsAWaiterAskAgain) {
  cache_->Fetch(AddressOf("a.example"), ++last_tag_, [this](const DnsReplyPtr&) {
    EXPECT_FALSE(Knows("a.example"));
    Fetch("a.example");
    Fetch("b.example");
  });

  ASSERT_TRUE(resolver_.Reply("A a.example", Positive(absl::ZeroDuration())));

  EXPECT_THAT(resolver_.asked(), ElementsAre("A a.example", "A a.example", "A b.example"));
}

}  // namespace
}  // namespace presence::sip
