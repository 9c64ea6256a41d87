#include "presence-core/packages/presence/contact_uri.h"

#include <gtest/gtest.h>

namespace presence {
namespace {

void ExpectSame(const char* a, const char* b) {
  EXPECT_TRUE(IsSameContact(a, b)) << a << " " << b;
  EXPECT_TRUE(IsSameContact(b, a)) << b << " " << a;
}

void ExpectDifferent(const char* a, const char* b) {
  EXPECT_FALSE(IsSameContact(a, b)) << a << " " << b;
  EXPECT_FALSE(IsSameContact(b, a)) << b << " " << a;
}

// The examples of RFC 3261 §19.1.4.
TEST(ContactUriTest, FindsEqualWhatRfc3261FindsEqual) {
  ExpectSame("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp");
  ExpectSame("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5");
  ExpectSame("sip:carol@chicago.com", "sip:carol@chicago.com;security=on");
  ExpectSame("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5");
  ExpectSame("sip:biloxi.com;transport=tcp;method=REGISTER",
             "sip:biloxi.com;method=REGISTER;transport=tcp");
}

TEST(ContactUriTest, FindsDifferentWhatRfc3261FindsDifferent) {
  ExpectDifferent("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP");
  ExpectDifferent("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060");
  ExpectDifferent("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp");
  ExpectDifferent("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp");
  ExpectDifferent("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting");
  ExpectDifferent("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off");
  ExpectDifferent("sip:bob@biloxi.com", "sips:bob@biloxi.com");
}

// RFC 5627: two devices of one user differ in nothing but gr.
TEST(ContactUriTest, TellsDevicesOfOneUserApart) {
  ExpectDifferent("sip:a@h.org;gr=urn:uuid:1", "sip:a@h.org;gr=urn:uuid:2");
  ExpectDifferent("sip:a@h.org;gr=urn:uuid:1", "sip:a@h.org");
  ExpectSame("sip:a@h.org;gr=urn:uuid:1", "sip:a@h.org;gr=urn:uuid:1;lr");
}

TEST(ContactUriTest, ComparesOtherUrisAsText) {
  ExpectSame("tel:+12025550100", "TEL:+12025550100");
  ExpectDifferent("tel:+12025550100", "tel:+12025550101");
  ExpectDifferent("im:a@h.org", "sip:a@h.org");
  ExpectSame("not a uri", "not a uri");
  ExpectDifferent("not a uri", "");
}

TEST(ContactUriTest, SurvivesWhatIsNoUri) {
  for (const char* text :
       {"sip:", "sip:@", "sip:;", "sip:a@h;;;=", "sip:a@h?;", "sip:%", "sip:a%4@h"}) {
    ExpectSame(text, text);
    ExpectDifferent(text, "sip:b@example.com");
  }
}

}  // namespace
}  // namespace presence
