#include "presence-core/packages/presence/timestamp.h"

#include <gtest/gtest.h>

namespace presence {
namespace {

TEST(TimestampTest, TakesWhatRfc3339Gives) {
  // The examples of RFC 3339 §5.8 among them.
  for (const char* text :
       {"2001-10-27T16:49:29Z", "1985-04-12T23:20:50.52Z", "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z", "1937-01-01T12:00:27.87+00:20", "2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00+23:59", "0000-01-01T00:00:00Z"}) {
    EXPECT_TRUE(IsTimestamp(text)) << text;
  }
}

TEST(TimestampTest, RefusesOtherTimes) {
  for (const char* text : {"",
                           "2001-10-27",
                           "2001-10-27T16:49:29",
                           "2001-10-27 16:49:29Z",
                           "2001-10-27t16:49:29z",
                           "2001-10-27T16:49Z",
                           "2001-13-01T00:00:00Z",
                           "2001-00-01T00:00:00Z",
                           "2001-04-31T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2001-10-27T24:00:00Z",
                           "2001-10-27T00:60:00Z",
                           "2001-10-27T00:00:61Z",
                           "2001-10-27T00:00:00.Z",
                           "2001-10-27T00:00:00+0100",
                           "2001-10-27T00:00:00+24:00",
                           "2001-10-27T00:00:00ZZ",
                           "-001-10-27T00:00:00Z",
                           "2001-1-27T00:00:00Z",
                           "2001-10--7T00:00:00Z",
                           "20011027T164929Z",
                           "Sat, 27 Oct 2001 16:49:29 GMT"}) {
    EXPECT_FALSE(IsTimestamp(text)) << text;
  }
}

}  // namespace
}  // namespace presence
