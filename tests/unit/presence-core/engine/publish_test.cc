#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PublishTest : public EngineTest {
 protected:
  static PublishCommand With(PublishCommand command, const Etag& etag) {
    command.etag = etag;
    return command;
  }
  static PublishCommand Refresh(const std::string& user, const Etag& etag) {
    PublishCommand command = Publication(user, "");
    command.document.reset();
    command.etag = etag;
    return command;
  }
  static PublishCommand Lasting(PublishCommand command, absl::Duration expiry) {
    command.expiry = expiry;
    return command;
  }
  std::string State(const std::string& user) {
    auto view = engine->GetState({Key(user), Event("presence"), std::nullopt, {}, ""});
    return view.ok() && view->document ? std::string(view->document->body()) : "nothing";
  }
};

// P04
TEST_F(PublishTest, CreatesAPublicationThatIsListed) {
  const auto outcome = Publish("alice", "open");

  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->granted, absl::Hours(1));
  EXPECT_EQ(outcome->etag.text().size(), 24u);
  const auto page = engine->ListPublications({});
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].publication->etag, outcome->etag);
}

// P05
TEST_F(PublishTest, ShowsTwoDevicesInOneState) {
  Publish("alice", "desk");
  clock.Advance(absl::Seconds(1));
  Publish("alice", "mobile");

  EXPECT_EQ(State("alice"), "mobile+desk");
}

// P06 P07
TEST_F(PublishTest, RefusesAnEntityTagThatNamesNothing) {
  Publish("alice", "open");

  const auto outcome = Publish(With(Publication("alice", "closed"), Etag("abc")));

  EXPECT_EQ(ReasonOf(outcome.status()), ErrorReason::kEtagMismatch);
  EXPECT_EQ(State("alice"), "open");
}

// P09
TEST_F(PublishTest, RefreshGivesANewTagAndTellsNobody) {
  Subscribe("alice", "bob");
  const Etag first = Publish("alice", "open")->etag;
  Answer();
  Sent();

  const auto refreshed = Publish(Refresh("alice", first));

  ASSERT_TRUE(refreshed.ok());
  EXPECT_NE(refreshed->etag, first);
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(ReasonOf(Publish(Refresh("alice", first)).status()), ErrorReason::kEtagMismatch);
}

// P10
TEST_F(PublishTest, ModifyTellsEveryActiveWatcher) {
  Subscribe("alice", "bob");
  Subscribe("alice", "carol");
  const Etag etag = Publish("alice", "open")->etag;
  Answer();
  Sent();

  Publish(With(Publication("alice", "busy"), etag));

  EXPECT_THAT(Sent(), testing::UnorderedElementsAre("bob 3 active busy", "carol 3 active busy"));
}

// P11
TEST_F(PublishTest, RemovalShowsTheRestAndKillsTheTag) {
  Subscribe("alice", "bob");
  const Etag etag = Publish("alice", "open")->etag;
  Answer();
  Sent();

  const auto removed = Publish(Lasting(Refresh("alice", etag), absl::ZeroDuration()));

  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->granted, absl::ZeroDuration());
  EXPECT_FALSE(removed->etag.empty());
  EXPECT_THAT(Sent(), ElementsAre("bob 3 active none"));
  EXPECT_EQ(ReasonOf(Publish(Refresh("alice", removed->etag)).status()),
            ErrorReason::kEtagMismatch);
}

// P12
TEST_F(PublishTest, AnInitialPublicationThatEndsAtOnceLeavesNothing) {
  Subscribe("alice", "bob");
  Answer();
  Sent();

  const auto outcome = Publish(Lasting(Publication("alice", "open"), absl::ZeroDuration()));
  const auto bad = Publish(Lasting(Publication("alice", "bad"), absl::ZeroDuration()));

  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(ReasonOf(bad.status()), ErrorReason::kBadDocument);
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_THAT(engine->ListPublications({}).rows, IsEmpty());
}

// P13
TEST_F(PublishTest, RefusesAnInitialPublicationWithoutADocument) {
  EXPECT_EQ(ReasonOf(Publish(Refresh("alice", Etag())).status()), ErrorReason::kInvalidField);
}

// P03
TEST_F(PublishTest, AnswersTheFirstFaultInTheOrderOfTheSteps) {
  const auto stale_and_short =
      Publish(Lasting(With(Publication("alice", "bad"), Etag("x")), absl::Seconds(5)));
  const auto short_and_bad = Publish(Lasting(Publication("alice", "bad"), absl::Seconds(5)));

  EXPECT_EQ(ReasonOf(stale_and_short.status()), ErrorReason::kEtagMismatch);
  EXPECT_EQ(ReasonOf(short_and_bad.status()), ErrorReason::kIntervalTooBrief);
}

// P14
TEST_F(PublishTest, ShortensALifetimeAboveTheMaximum) {
  EXPECT_EQ(Publish(Lasting(Publication("alice", "open"), absl::Hours(1000)))->granted,
            absl::Hours(24));
}

// P16
TEST_F(PublishTest, RefusesAContentTypeThatIsNotOfThePackage) {
  PublishCommand command = Publication("alice", "open");
  command.document = Document("application/sdp", "v=0");

  const auto outcome = Publish(command);

  EXPECT_EQ(ReasonOf(outcome.status()), ErrorReason::kUnsupportedContent);
  EXPECT_EQ(MetadataOf(outcome.status())["accept"], "text/plain");
}

// P17
TEST_F(PublishTest, KeepsTheOldStateWhenTheNewDocumentIsBad) {
  const Etag etag = Publish("alice", "open")->etag;

  EXPECT_EQ(ReasonOf(Publish(With(Publication("alice", "bad"), etag)).status()),
            ErrorReason::kBadDocument);
  EXPECT_EQ(State("alice"), "open");
  EXPECT_TRUE(Publish(Refresh("alice", etag)).ok());
}

// P22
TEST_F(PublishTest, OneOfManyModifiesWithOneTagWins) {
  const Etag etag = Publish("alice", "open")->etag;

  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    engine->Publish(With(Publication("alice", std::to_string(i)), etag), [&](auto outcome) {
      accepted += outcome.ok() ? 1 : 0;
      refused += ReasonOf(outcome.status()) == ErrorReason::kEtagMismatch ? 1 : 0;
    });
  }
  executor.RunUntilIdle();

  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(refused, 99);
}

// P24
TEST_F(PublishTest, ExpiryTellsTheWatchersWithinASecond) {
  Subscribe("alice", "bob");
  Publish(Lasting(Publication("alice", "open"), absl::Seconds(90)));
  Answer();
  Sent();

  executor.RunFor(absl::Seconds(89));
  EXPECT_THAT(Sent(), IsEmpty());
  executor.RunFor(absl::Seconds(2));

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active none"));
  EXPECT_THAT(engine->ListPublications({}).rows, IsEmpty());
}

// P26
TEST_F(PublishTest, DoesNotTellTheSenderOfItsOwnChange) {
  Subscribe("alice", "bob");
  Subscribe("alice", "carol");
  Answer();
  Sent();

  PublishCommand command = Publication("alice", "open");
  command.sender = "sip:bob@192.0.2.1:5060";
  Publish(command);
  Answer();
  EXPECT_THAT(Sent(), ElementsAre("carol 2 active open"));
  Publish("alice", "by somebody else");

  EXPECT_THAT(Sent(), testing::UnorderedElementsAre("bob 2 active by somebody else+open",
                                                    "carol 3 active by somebody else+open"));
}

TEST_F(PublishTest, ARepeatedRequestGetsTheFirstAnswer) {
  PublishCommand command = Publication("alice", "open");
  command.idempotency.sip = RequestKey::Of({"PUBLISH", "call", "tag", "1"});

  const auto first = Publish(command);
  const auto again = Publish(command);

  EXPECT_EQ(first->etag, again->etag);
  EXPECT_EQ(engine->ListPublications({}).rows.size(), 1u);
}

TEST_F(PublishTest, ARepeatedRemovalGetsTheFirstAnswer) {
  PublishCommand removal =
      Lasting(Refresh("alice", Publish("alice", "open")->etag), absl::ZeroDuration());
  removal.idempotency.sip = RequestKey::Of({"PUBLISH", "call", "tag", "2"});

  const auto first = Publish(removal);
  const auto again = Publish(removal);
  executor.RunFor(absl::Seconds(70));
  const auto late = Publish(removal);

  EXPECT_EQ(first->etag, again->etag);
  EXPECT_EQ(ReasonOf(late.status()), ErrorReason::kEtagMismatch);
}

// P11, P21: it went by another gateway, which was slow.
TEST_F(PublishTest, ALateCopyOfTheFirstRequestDoesNotBringAPublicationBack) {
  PublishCommand initial = Publication("alice", "open");
  initial.idempotency.sip = RequestKey::Of({"PUBLISH", "call", "tag", "1"});
  const Etag etag = Publish(initial)->etag;
  Subscribe("alice", "bob");
  Answer();
  PublishCommand removal = Lasting(Refresh("alice", etag), absl::ZeroDuration());
  removal.idempotency.sip = RequestKey::Of({"PUBLISH", "call", "tag", "2"});
  Publish(removal);
  Answer();
  Sent();

  const auto late = Publish(initial);

  EXPECT_EQ(late->etag, etag);
  EXPECT_EQ(late->granted, absl::Hours(1));
  EXPECT_THAT(engine->ListPublications({}).rows, IsEmpty());
  EXPECT_THAT(Sent(), IsEmpty());
  executor.RunFor(absl::Seconds(65));
  EXPECT_EQ(engine->counters().publications_now, 0u);
}

TEST_F(PublishTest, ALateCopyOfTheFirstRequestDoesNotReplaceItsSuccessor) {
  PublishCommand command = Publication("alice", "open");
  command.origin = RequestKey::Of({"call", "tag"});
  command.idempotency.sip = RequestKey::Of({"1"});
  PublishCommand again = command;
  again.idempotency.sip = RequestKey::Of({"2"});
  again.document = Document("text/plain", "busy");
  Publish(command);
  Publish(again);

  Publish(command);

  EXPECT_EQ(State("alice"), "busy");
}

TEST_F(PublishTest, ARequestIdWithAnotherContentIsRefused) {
  PublishCommand command = Publication("alice", "open");
  command.idempotency.request_id = RequestKey::Of({"Publish", "r1"});
  command.idempotency.content = RequestKey::Of({"open"});
  const auto first = Publish(command);

  const auto again = Publish(command);
  command.idempotency.content = RequestKey::Of({"closed"});
  const auto reused = Publish(command);

  EXPECT_EQ(first->etag, again->etag);
  EXPECT_EQ(ReasonOf(reused.status()), ErrorReason::kRequestIdReused);
}

TEST_F(PublishTest, ReplacesAPublicationWhoseAnswerWasNeverDelivered) {
  PublishCommand command = Publication("alice", "open");
  command.origin = RequestKey::Of({"call", "tag"});
  command.idempotency.sip = RequestKey::Of({"1"});
  Publish(command);

  command.idempotency.sip = RequestKey::Of({"2"});
  command.document = Document("text/plain", "busy");
  const Etag used = Publish(command)->etag;
  EXPECT_EQ(State("alice"), "busy");
  Publish(Refresh("alice", used));
  command.idempotency.sip = RequestKey::Of({"3"});
  command.document = Document("text/plain", "other");
  Publish(command);

  EXPECT_EQ(engine->ListPublications({}).rows.size(), 2u);
}

TEST_F(PublishTest, OrdersByPriorityThenTime) {
  PublishCommand strong = Publication("alice", "strong");
  strong.priority = 5;
  Publish(strong);
  clock.Advance(absl::Seconds(1));
  Publish("alice", "newer");
  clock.Advance(absl::Seconds(1));
  Publish("alice", "newest");

  EXPECT_EQ(State("alice"), "strong+newest+newer");
}

TEST_F(PublishTest, RefusesMoreThanFortyPublicationsOfOnePresentity) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Publish("alice", "x").ok());

  EXPECT_EQ(ReasonOf(Publish("alice", "x").status()), ErrorReason::kQuotaExceeded);
}

TEST_F(PublishTest, ValidateOnlyChangesNothing) {
  PublishCommand command = Publication("alice", "open");
  command.validate_only = true;

  EXPECT_TRUE(Publish(command).ok());
  EXPECT_EQ(State("alice"), "none");
}

TEST_F(PublishTest, ARevisionNeverFallsEvenWhenAResourceIsForgotten) {
  const Etag etag = Publish("alice", "open")->etag;
  const Revision last = Publish(Lasting(Refresh("alice", etag), absl::ZeroDuration()))->revision;
  executor.RunFor(absl::Minutes(2));
  EXPECT_EQ(engine->counters().resources_now, 0u);

  EXPECT_GT(Publish("alice", "back")->revision, last);
}

class RaisingTest : public PublishTest {
 protected:
  void SetUp() override {
    config.every_package.too_brief = TooBrief::kRaise;
    config.publish_expires_margin = absl::Seconds(10);
    config.expire_silently = true;
    StartEngine();
  }
};

// P15
TEST_F(RaisingTest, RaisesAShortLifetimeToTheMinimumLessTheMargin) {
  EXPECT_EQ(Publish(Lasting(Publication("alice", "open"), absl::Seconds(5)))->granted,
            absl::Seconds(50));
}

// P24
TEST_F(RaisingTest, ExpiresSilentlyWhenToldTo) {
  Subscribe("alice", "bob");
  Publish(Lasting(Publication("alice", "open"), absl::Seconds(90)));
  Answer();
  Sent();

  executor.RunFor(absl::Seconds(100));

  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_THAT(engine->ListPublications({}).rows, IsEmpty());
}

// O03
TEST_F(PublishTest, CleanupCountsWhatTimersDidNotRemove) {
  config.sweep_interval = absl::ZeroDuration();
  StartEngine();
  Publish(Lasting(Publication("alice", "open"), absl::Seconds(60)));
  SubscribeCommand subscription = Subscription("alice", "bob");
  subscription.expiry = absl::Seconds(60);
  Subscribe(subscription);
  executor.RunFor(absl::Seconds(120));

  CleanupOutcome dry;
  CleanupOutcome real;
  engine->Cleanup({.dry_run = true}, [&](auto outcome) { dry = *outcome; });
  executor.RunUntilIdle();
  engine->Cleanup({}, [&](auto outcome) { real = *outcome; });
  executor.RunUntilIdle();

  EXPECT_EQ(dry.publications, 1u);
  EXPECT_EQ(real.publications, 1u);
  EXPECT_EQ(real.subscriptions, 1u);
  EXPECT_EQ(engine->counters().publications_now, 0u);
}

// P09: what nobody is told of may not change which of two publications wins.
TEST_F(PublishTest, RefreshDoesNotMakeAnOldDocumentTheNewest) {
  const Etag desk = Publish("alice", "desk")->etag;
  executor.RunFor(absl::Seconds(1));
  Publish("alice", "mobile");
  executor.RunFor(absl::Seconds(1));

  Publish(Refresh("alice", desk));

  EXPECT_EQ(State("alice"), "mobile+desk");
}

TEST_F(PublishTest, SaysHowMuchOfTheStateHadNoRoom) {
  Publish("alice", "open");
  Publish("alice", "leave out");
  EXPECT_THAT(cuts.cuts, testing::IsEmpty());

  Subscribe("alice", "bob");

  EXPECT_THAT(cuts.cuts, testing::ElementsAre("alice state 1"));
}

}  // namespace
}  // namespace presence
