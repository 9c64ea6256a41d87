"""Watcher information and decisions over the wire: RFC 3857, RFC 3858, and what an operator does about them."""

import json
import unittest

from scenario import Process, Scenario, WatcherInfo, address, parameter

class Watchers(Scenario):
    """Unknown watchers wait for a decision; 127.0.0.1 is a proxy that vouches for its users."""

    dev = False
    core = ("--domain", "example.com", "--set", "policy.unknown_watcher=pending",
            "--set", "subscribe.min_expires=1s", "--set", "subscribe.grace=0s")
    gateway = ("--domain", "example.com", "--trusted-peer", "127.0.0.1/32")

    def asserted(self, uri):
        return [("P-Asserted-Identity", f"<{uri}>")]

    def own_winfo(self, user, **options):
        phone = self.phone(user=user.partition(":")[2].partition("@")[0])
        return self.subscribed(phone, user, event="presence.winfo", headers=self.asserted(user), from_uri=user,
                               **options)

    def decide(self, verb, user, watcher):
        self.system.presencectl("watcher", verb, user.partition(":")[2], watcher.partition(":")[2])

    def watching(self, user, watcher, **options):
        return self.subscribed(self.phone(), user, from_uri=watcher, headers=self.asserted(watcher), **options)

    def told(self, winfo):
        """The next partial document."""
        info = WatcherInfo(winfo.notify().text)
        self.assertEqual(info.state, "partial")
        return info

    def test_s12_w03_w04_a_watcher_waits_until_it_is_approved(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.published(self.phone(), user, note="secret")
        winfo, first = self.own_winfo(user)
        self.assertEqual(WatcherInfo(first.text).part, ("full", 0))
        self.assertEqual(WatcherInfo(first.text).told, [])

        subscription, pending = self.watching(user, bob, expires=600)
        self.assertTrue(pending.get("subscription-state").startswith("pending"))
        self.assertLessEqual(int(parameter(pending.get("subscription-state"), "expires")), 600)
        self.assertEqual(pending.body, b"")
        told = self.told(winfo)
        self.assertEqual((told.version, told.told), (1, [(bob, "pending", "subscribe")]))
        known_as = told.ids

        self.decide("approve", user, bob)
        active = subscription.notify()
        self.assertTrue(active.get("subscription-state").startswith("active"))
        self.assertIn("secret", active.text)
        told = self.told(winfo)
        self.assertEqual((told.version, told.told), (2, [(bob, "active", "approved")]))
        self.assertEqual(told.ids, known_as)

        self.decide("block", user, bob)
        last = subscription.notify()
        self.assertEqual(last.get("subscription-state"), "terminated;reason=rejected")
        self.assertNotIn("secret", last.text)
        told = self.told(winfo)
        self.assertEqual((told.version, told.told), (3, [(bob, "terminated", "rejected")]))
        self.assertEqual(told.ids, known_as)

    def test_s01_an_undecided_watcher_is_accepted_and_notified_at_once(self):
        user, bob = self.new_user(), self.new_user("bob")
        subscription, notify = self.watching(user, bob, expires=120)
        self.assert_status(subscription.answer, 200)
        self.assertEqual(subscription.answer.get("expires"), "120")
        self.assertTrue(subscription.answer.to_tag)
        self.assertTrue(address(subscription.answer.get("contact")).startswith("sip:"))
        self.assertTrue(notify.get("subscription-state").startswith("pending"))
        subscription.phone.assert_quiet()

    def test_s04_a_fetch_shows_an_undecided_watcher_nothing(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.published(self.phone(), user, note="secret")
        subscription, notify = self.watching(user, bob, expires=0)
        self.assertEqual(subscription.answer.get("expires"), "0")
        self.assertEqual(notify.get("subscription-state"), "terminated;reason=timeout")
        self.assertEqual(notify.body, b"")
        self.assertEqual(self.subscriptions(user), [])
        subscription.phone.assert_quiet()

    def test_s12_a_pending_watcher_hears_nothing_of_changes(self):
        user, bob = self.new_user(), self.new_user("bob")
        subscription, _ = self.watching(user, bob)
        self.published(self.phone(), user, note="secret")
        subscription.phone.assert_quiet()
        self.assert_status(subscription.refresh(600, headers=self.asserted(bob)), 200)
        notify = subscription.notify()
        self.assertTrue(notify.get("subscription-state").startswith("pending"))
        self.assertEqual(notify.body, b"")

    def test_w03_a_watcher_that_was_approved_before_comes_as_active(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        self.watching(user, bob)
        told = self.told(winfo)
        self.assertEqual((told.version, told.told), (1, [(bob, "active", "subscribe")]))

    def test_s11_a_blocked_watcher_is_403_and_told_nothing(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("block", user, bob)
        phone = self.phone()
        for expires in (600, 0):
            answer = phone.subscribe(user, expires=expires, from_uri=bob, headers=self.asserted(bob)).answer
            self.assert_status(answer, 403)
        phone.assert_quiet()
        self.assertEqual(self.subscriptions(user), [])
        # Nor can a program watch in its name.
        self.system.presencectl("watch", user.partition(":")[2], "--watcher", bob, "--count", "1", code=5)

    def test_s11_s12_a_program_waits_is_approved_and_blocked_like_a_phone(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.published(self.phone(), user, note="secret")
        watch = Process([self.system.bin / "presencectl", "--server", self.system.core_address, "watch",
                         user.partition(":")[2], "--watcher", bob, "-o", "jsonl"])
        self.addCleanup(watch.stop)
        watch.wait_for("SUBSCRIPTION_STATE_PENDING")
        self.assertFalse([line for line in watch.lines if "secret" in line])
        self.decide("approve", user, bob)
        watch.wait_for("secret")
        self.decide("block", user, bob)
        watch.wait_for("TERMINATION_REASON_REJECTED")
        self.eventually(lambda: self.subscriptions(user) == [])

    def test_s23_a_program_cannot_watch_a_domain_that_is_not_served(self):
        self.system.presencectl("watch", "alice@elsewhere.example", "--count", "1", code=3)

    def test_n06_what_changes_while_a_notify_is_unanswered_comes_in_one_document(self):
        user, bob, carol, dave = self.new_user(), self.new_user("bob"), self.new_user("carol"), self.new_user("dave")
        winfo, _ = self.own_winfo(user)
        winfo.phone.is_answering = False
        self.watching(user, bob)
        waiting = winfo.notify()
        self.watching(user, carol)
        self.decide("approve", user, carol)
        self.watching(user, dave)
        winfo.phone.answer(waiting)
        winfo.phone.is_answering = True
        merged = winfo.phone.wait(lambda m: m.is_request and m.data != waiting.data)
        told = WatcherInfo(merged.text)
        self.assertEqual(merged.cseq, waiting.cseq + 1)
        self.assertEqual(told.part, ("partial", 2))
        self.assertEqual(sorted(told.told), sorted([(carol, "active", "approved"), (dave, "pending", "subscribe")]))

    def test_w01_w07_the_full_document_lists_each_subscription_once(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        for _ in range(2):
            # Named by what the proxy vouches for, and not by From.
            self.subscribed(self.phone(), user, from_uri="sip:anonymous@anonymous.invalid",
                            headers=self.asserted(bob))
        winfo, first = self.own_winfo(user)
        first = WatcherInfo(first.text)
        self.assertEqual(first.part, ("full", 0))
        self.assertEqual(first.told, [(bob, "active", "subscribe")] * 2)
        self.assertEqual(len(set(first.ids)), 2)
        for version in (1, 2):
            winfo.refresh(600, headers=self.asserted(user))
            again = WatcherInfo(winfo.notify().text)
            self.assertEqual(again.part, ("full", version))
            self.assertEqual(again.ids, first.ids)
        self.watching(user, bob)
        self.assertEqual(self.told(winfo).version, 3)

    def test_w01_w03_w05_a_program_of_the_presentity_sees_who_watches(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        self.watching(user, bob, expires=600)
        watch = Process([self.system.bin / "presencectl", "--server", self.system.core_address, "watch",
                         user.partition(":")[2], "--event", "presence.winfo", "--watcher", user, "-o", "jsonl"])
        self.addCleanup(watch.stop)

        def told(version):
            line = watch.wait_for(rf'version=\\"{version}\\"').string
            return WatcherInfo(json.loads(line)["state"]["document"]["text"])
        full = told(0)
        self.assertEqual((full.state, full.told), ("full", [(bob, "active", "subscribe")]))
        subscription, _ = self.watching(user, bob, expires=600)
        came = told(1)
        self.assertEqual((came.state, came.told), ("partial", [(bob, "active", "subscribe")]))
        subscription.refresh(0, headers=self.asserted(bob))
        gone = told(2)
        self.assertEqual((gone.state, gone.told, gone.ids), ("partial", [(bob, "terminated", "timeout")], came.ids))

    def test_w02_nobody_else_sees_who_watches(self):
        user, bob = self.new_user(), self.new_user("bob")
        phone = self.phone()
        for expires in (600, 0):
            answer = phone.subscribe(user, expires=expires, event="presence.winfo", from_uri=bob,
                                     headers=self.asserted(bob)).answer
            self.assert_status(answer, 403)
        # Not even one who may see the state.
        self.decide("approve", user, bob)
        self.assert_status(phone.subscribe(user, event="presence.winfo", from_uri=bob,
                                           headers=self.asserted(bob)).answer, 403)
        self.system.presencectl("watch", user.partition(":")[2], "--event", "presence.winfo", "--watcher", bob,
                                "--count", "1", code=5)
        phone.assert_quiet()

    def test_w05_an_expired_watcher_is_shown_as_terminated(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        self.watching(user, bob, expires=1)
        came = self.told(winfo)
        gone = self.told(winfo)
        self.assertEqual(gone.told, [(bob, "terminated", "timeout")])
        self.assertEqual((gone.version, gone.ids), (came.version + 1, came.ids))

    def test_w05_a_watcher_whose_notify_failed_is_shown_as_terminated(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        subscription, _ = self.watching(user, bob)
        came = self.told(winfo)
        subscription.phone.notify_status = 481
        self.published(self.phone(), user)
        subscription.notify()
        gone = self.told(winfo)
        self.assertEqual(gone.told, [(bob, "terminated", "timeout")])
        self.assertEqual((gone.version, gone.ids), (came.version + 1, came.ids))

    def test_w08_a_fetch_leaves_only_the_undecided_behind(self):
        user, bob, carol = self.new_user(), self.new_user("bob"), self.new_user("carol")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        self.watching(user, bob, expires=0)
        winfo.phone.assert_quiet()
        self.watching(user, carol, expires=0)
        self.assertEqual(self.told(winfo).told, [(carol, "waiting", "timeout")])
        # There is somebody to decide on, and the decision holds.
        listed = self.listed("watcher", user)
        self.assertIn((carol.partition(":")[2], "SUBSCRIPTION_STATE_WAITING"), [(w["watcher"], w["state"]) for w in listed])
        self.decide("approve", user, carol)
        _, notify = self.watching(user, carol)
        self.assertTrue(notify.get("subscription-state").startswith("active"))

    def test_s15_the_asserted_identity_of_a_trusted_peer_names_the_watcher(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        _, notify = self.subscribed(self.phone(), user, from_uri="sip:anonymous@example.com",
                                    headers=self.asserted(bob))
        self.assertTrue(notify.get("subscription-state").startswith("active"))
        self.assertEqual([row["watcher"] for row in self.subscriptions(user)], [bob.partition(":")[2]])

    def test_s15_of_two_asserted_uris_either_may_be_the_one_decided_about(self):
        user, bob, phone = self.new_user(), self.new_user("bob"), "tel:+12025550142"
        both = [("P-Asserted-Identity", f"<{bob}>, <{phone}>")]
        self.published(self.phone(), user, note="secret")
        subscription, pending = self.subscribed(self.phone(), user, from_uri="sip:anonymous@example.com", headers=both)
        self.assertTrue(pending.get("subscription-state").startswith("pending"))
        self.system.presencectl("watcher", "approve", user.partition(":")[2], phone)
        self.assertIn("secret", subscription.notify().text)
        _, notify = self.subscribed(self.phone(), user, from_uri="sip:anonymous@example.com", headers=both)
        self.assertIn("secret", notify.text)
        # By name it is the SIP one.
        self.assertEqual({row["watcher"] for row in self.subscriptions(user)}, {bob.partition(":")[2]})

    def test_o03_update_watchers_decides_anew_and_ends_who_may_not_watch(self):
        user, bob, carol = self.new_user(), self.new_user("bob"), self.new_user("carol")
        name = user.partition(":")[2]

        def update():
            told = json.loads(self.system.presencectl("update-watchers", name, "-o", "json"))
            return told["examined"], told["notified"], told["terminated"]
        self.published(self.phone(), user, note="secret")
        waiting, _ = self.watching(user, bob)
        self.watching(user, carol)
        self.assertEqual(update(), (2, 0, 0))
        waiting.phone.assert_quiet()
        self.assertEqual({row["state"] for row in self.subscriptions(user)}, {"SUBSCRIPTION_STATE_PENDING"})
        self.decide("approve", user, bob)
        self.decide("block", user, carol)
        update()
        self.assertIn("secret", waiting.notify().text)
        self.assertEqual([(row["watcher"], row["state"]) for row in self.subscriptions(user)],
                         [(bob.partition(":")[2], "SUBSCRIPTION_STATE_ACTIVE")])
        waiting.phone.assert_quiet()

    def test_o05_authorization_is_told_for_each_state(self):
        user, bob, carol = self.new_user(), self.new_user("bob"), self.new_user("carol")
        name = user.partition(":")[2]

        def state_of(watcher, code):
            told = self.system.presencectl("authorization", name, watcher.partition(":")[2], "-o", "json", code=code)
            return json.loads(told)["state"]
        self.decide("approve", user, bob)
        self.assertEqual(state_of(bob, 0), "SUBSCRIPTION_STATE_ACTIVE")
        self.assertEqual(state_of(carol, 3), "SUBSCRIPTION_STATE_PENDING")
        self.watching(user, carol, expires=0)
        self.assertEqual(state_of(carol, 3), "SUBSCRIPTION_STATE_WAITING")
        self.decide("block", user, carol)
        self.assertEqual(state_of(carol, 3), "SUBSCRIPTION_STATE_TERMINATED")


class TimersOff(Scenario):
    """Nothing expires by itself; Cleanup does it by hand."""

    core = ("--set", "expiry.sweep_interval=0s", "--set", "publish.min_expires=1s", "--set", "subscribe.min_expires=1s")

    def cleanup(self, *options):
        counts = json.loads(self.system.presencectl("cleanup", *options, "-o", "json"))["counts"]
        return {count["kind"].removeprefix("CLEANUP_KIND_"): int(count["removed"]) for count in counts}

    def test_o03_cleanup_removes_what_has_expired_and_counts_it(self):
        short, long = self.new_user(), self.new_user()
        for user, expires in ((long, 600), (short, 1)):
            self.published(self.phone(), user, expires=expires)
            self.subscribed(self.phone(), user, expires=expires)
        self.eventually(lambda: self.cleanup("--dry-run")["SUBSCRIPTIONS"] == 1
                        and self.cleanup("--dry-run")["PUBLICATIONS"] == 1)
        counts = self.cleanup()
        self.assertEqual((counts["PUBLICATIONS"], counts["SUBSCRIPTIONS"]), (1, 1))
        self.assertEqual({row["presentity"] for row in self.rows()}, {long.partition(":")[2]})
        self.eventually(lambda: {row["presentity"] for row in self.subscriptions()} == {long.partition(":")[2]})
        counts = self.cleanup()
        self.assertEqual((counts["PUBLICATIONS"], counts["SUBSCRIPTIONS"]), (0, 0))


class RejectedAfterAccepting(Scenario):
    """As the module did it."""

    core = ("--set", "policy.reject=after_accept")

    def test_s11_a_blocked_watcher_is_accepted_and_told_that_it_is_rejected(self):
        user, phone = self.new_user(), self.phone()
        self.published(self.phone(), user, note="secret")
        self.system.presencectl("watcher", "block", user.partition(":")[2], "bob@example.com")
        for expires in (600, 0):
            with self.subTest(expires):
                subscription, notify = self.subscribed(phone, user, expires=expires)
                self.assertTrue(subscription.answer.to_tag)
                self.assertEqual(notify.get("subscription-state"), "terminated;reason=rejected")
                self.assertNotIn("secret", notify.text)
                self.assertEqual(self.subscriptions(user), [])
                self.assert_status(subscription.refresh(600), 481)
        phone.assert_quiet()


class Strangers(Scenario):
    """Nobody is trusted."""

    dev = False
    core = ("--domain", "example.com", "--set", "policy.unknown_watcher=pending")
    gateway = ("--domain", "example.com")

    def test_s15_what_a_stranger_asserts_is_ignored(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.system.presencectl("watcher", "approve", user.partition(":")[2], bob.partition(":")[2])
        _, notify = self.subscribed(self.phone(), user, from_uri="sip:mallory@example.com",
                                    headers=[("P-Asserted-Identity", f"<{bob}>")])
        self.assertTrue(notify.get("subscription-state").startswith("pending"))


if __name__ == "__main__":
    unittest.main()
