#include "presence-core/model/resource_key.h"

#include <gtest/gtest.h>

namespace presence {
namespace {

ResourceKey Key(const char* presentity, const char* event) {
  return {*PresentityUri::Parse(presentity), *EventName::Parse(event)};
}

// Stored rows and the tags of living dialogs carry this hash: it may not change with a release.
TEST(ResourceKeyTest, HashesTheSameInEveryVersion) {
  EXPECT_EQ(Key("sip:alice@example.com", "presence").StableHash(), 58650085u);
  EXPECT_EQ(Key("tel:+12025550100", "dialog;sla").StableHash(), 3259870476u);
}

TEST(ResourceKeyTest, TellsPresentitiesAndEventsApart) {
  const ResourceKey key = Key("alice@example.com", "presence");

  EXPECT_EQ(key, Key("sip:alice@EXAMPLE.com;lr", "Presence"));
  EXPECT_NE(key, Key("alice@example.com", "dialog"));
  EXPECT_NE(key, Key("bob@example.com", "presence"));
  EXPECT_NE(key.StableHash(), Key("alice@example.com", "dialog").StableHash());
}

}  // namespace
}  // namespace presence
