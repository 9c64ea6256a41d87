#include "sip-gateway/transaction/transaction_key.h"

#include <gtest/gtest.h>

#include "tests/unit/sip-gateway/transaction/messages.h"

namespace presence::sip {
namespace {

class TransactionKeyTest : public testing::Test {
 protected:
  TransactionKey KeyOf(const RequestText& text) { return hasher_.KeyOf(*text.Parse()); }

  SeededRandom random_{1};
  KeyHasher hasher_{random_};
  RequestText request_;
};

TEST_F(TransactionKeyTest, IsTheSameForARetransmission) {
  EXPECT_EQ(KeyOf(request_), KeyOf(request_));
}

TEST_F(TransactionKeyTest, DiffersByBranchSentByAndMethod) {
  const TransactionKey key = KeyOf(request_);

  RequestText other_branch = request_;
  other_branch.via = "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKsecond;rport";
  EXPECT_NE(KeyOf(other_branch), key);

  RequestText other_host = request_;
  other_host.via = "SIP/2.0/UDP 192.0.2.8:5062;branch=z9hG4bKfirst;rport";
  EXPECT_NE(KeyOf(other_host), key);

  RequestText other_port = request_;
  other_port.via = "SIP/2.0/UDP 192.0.2.9:5063;branch=z9hG4bKfirst;rport";
  EXPECT_NE(KeyOf(other_port), key);

  RequestText other_method = request_;
  other_method.method = "PUBLISH";
  EXPECT_NE(KeyOf(other_method), key);
}

TEST_F(TransactionKeyTest, ComparesHostNamesWithoutCase) {
  request_.via = "SIP/2.0/UDP Phone.example.com;branch=z9hG4bKfirst";
  RequestText other = request_;
  other.via = "SIP/2.0/UDP phone.EXAMPLE.com;branch=z9hG4bKfirst";

  EXPECT_EQ(KeyOf(other), KeyOf(request_));
}

TEST_F(TransactionKeyTest, DoesNotMatchAGuessedBranchUnderAnotherCallId) {
  RequestText guess = request_;
  guess.call_id = "mallory";

  EXPECT_NE(KeyOf(guess), KeyOf(request_));
}

TEST_F(TransactionKeyTest, TakesTheWholeRequestWithoutTheMagicCookie) {
  request_.via = "SIP/2.0/UDP 192.0.2.9:5062;branch=1";
  const TransactionKey key = KeyOf(request_);
  EXPECT_EQ(KeyOf(request_), key);

  RequestText other_uri = request_;
  other_uri.uri = "sip:carol@example.com";
  EXPECT_NE(KeyOf(other_uri), key);

  RequestText other_to_tag = request_;
  other_to_tag.to_tag = "x";
  EXPECT_NE(KeyOf(other_to_tag), key);

  RequestText other_cseq = request_;
  other_cseq.cseq = 2;
  EXPECT_NE(KeyOf(other_cseq), key);

  RequestText other_via = request_;
  other_via.via = "SIP/2.0/UDP 192.0.2.9:5062;branch=2";
  EXPECT_NE(KeyOf(other_via), key);
}

TEST_F(TransactionKeyTest, GivesACancelTheKeyOfWhatItCancels) {
  RequestText cancel = request_;
  cancel.method = "CANCEL";

  EXPECT_EQ(hasher_.KeyOf(*cancel.Parse(), "SUBSCRIBE"), KeyOf(request_));
}

TEST_F(TransactionKeyTest, MergesWhatCameByTwoWays) {
  RequestText other_way = request_;
  other_way.via = "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKother";
  RequestText other_request = request_;
  other_request.cseq = 2;

  EXPECT_EQ(hasher_.MergeKeyOf(*other_way.Parse()), hasher_.MergeKeyOf(*request_.Parse()));
  EXPECT_NE(hasher_.MergeKeyOf(*other_request.Parse()), hasher_.MergeKeyOf(*request_.Parse()));
}

}  // namespace
}  // namespace presence::sip
