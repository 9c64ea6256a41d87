#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_IMPORT_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_IMPORT_FIXTURE_H_

#include <string>
#include <utility>
#include <variant>

#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {

// A tag of a dialog that another server chose.
inline constexpr char kForeignTag[] = "a6a1c5f60faecf035a1ae5b6e96e979a-5d83";

// Records of alice and bob as they come in.
class ImportTest : public EngineTest {
 protected:
  Result<ImportOutcome> Import(ImportCommand command) {
    Result<ImportOutcome> result;
    engine->Import(std::move(command), [&](auto outcome) { result = std::move(outcome); });
    executor.RunUntilIdle();
    return result;
  }

  ImportCommand AlicesPublication(const std::string& text, const std::string& etag) {
    ImportedPublication item;
    item.etag = Etag(etag);
    item.document = Document("text/plain", text);
    item.expires_at = clock.Now() + absl::Minutes(10);
    item.received_at = clock.Now();
    return {Key("alice"), item};
  }

  // Bob's, which another server has sent 41 NOTIFYs and has had 3 SUBSCRIBEs from.
  ImportedSubscription BobsDialog(const std::string& event = "presence") {
    const SubscribeCommand subscribe = Subscription("alice", "bob");
    ImportedSubscription item;
    item.event = Event(event);
    item.watcher = Watcher("bob");
    item.expires_at = clock.Now() + absl::Minutes(10);
    item.local_tag = kForeignTag;
    item.dialog = subscribe.dialog;
    item.dialog.call_id = "theirs";
    item.remote_cseq = 3;
    item.local_cseq = 41;
    return item;
  }
  ImportCommand BobsSubscription() { return {Key("alice"), BobsDialog()}; }

  // A SUBSCRIBE of bob's phone in that dialog.
  SubscribeCommand InDialog(uint32_t cseq) {
    SubscribeCommand command = Subscription("alice", "bob");
    command.event = Event("presence");
    command.dialog.call_id = "theirs";
    command.local_tag = kForeignTag;
    command.cseq = cseq;
    return command;
  }

  ImportCommand BobAsWatcher(WatcherDecision decision) {
    ImportedWatcher item;
    item.watcher = Watcher("bob");
    item.decision = decision;
    item.is_waiting = decision == WatcherDecision::kNone;
    return {Key("alice"), item};
  }
  SubscriptionView OnlySubscription() {
    const auto page = engine->ListSubscriptions({});
    EXPECT_EQ(page.rows.size(), 1u);
    return page.rows.at(0);
  }
};

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_IMPORT_FIXTURE_H_
