"""Watcher information and decisions over the wire: RFC 3857, RFC 3858, and gRPC through presencectl."""

import json
import re
import time
import unittest

from scenario import PATIENCE, Scenario, parameter

KINDS = re.compile(r"<watcher\s[^>]*>")


def watchers(document):
    """The watcher elements of a watcherinfo document, as dictionaries."""
    return [dict(re.findall(r'([\w-]+)="([^"]*)"', element)) for element in KINDS.findall(document)]


def version(document):
    return int(re.search(r'<watcherinfo\b[^>]*\bversion="(\d+)"', document).group(1))


def kind(document):
    return re.search(r'<watcherinfo\b[^>]*\bstate="(\w+)"', document).group(1)


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

    def test_s12_w03_w04_a_watcher_waits_until_it_is_approved(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.published(self.phone(), user, note="secret")
        winfo, first = self.own_winfo(user)
        self.assertEqual((kind(first.text), version(first.text), watchers(first.text)), ("full", 0, []))

        subscription, pending = self.subscribed(self.phone(), user, from_uri=bob, headers=self.asserted(bob))
        self.assertTrue(pending.get("subscription-state").startswith("pending"))
        self.assertNotIn("secret", pending.text)
        told = winfo.notify()
        self.assertEqual((kind(told.text), version(told.text)), ("partial", 1))
        self.assertEqual([(w["status"], w["event"]) for w in watchers(told.text)], [("pending", "subscribe")])

        self.decide("approve", user, bob)
        active = subscription.notify()
        self.assertTrue(active.get("subscription-state").startswith("active"))
        self.assertIn("secret", active.text)
        told = winfo.notify()
        self.assertEqual(version(told.text), 2)
        self.assertEqual([(w["status"], w["event"]) for w in watchers(told.text)], [("active", "approved")])

        self.decide("block", user, bob)
        last = subscription.notify()
        self.assertEqual(parameter(last.get("subscription-state"), "reason"), "rejected")
        self.assertNotIn("secret", last.text)
        told = winfo.notify()
        self.assertEqual([(w["status"], w["event"]) for w in watchers(told.text)], [("terminated", "rejected")])

    def test_s11_a_blocked_watcher_is_403_and_told_nothing(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("block", user, bob)
        phone = self.phone()
        self.assert_status(phone.subscribe(user, from_uri=bob, headers=self.asserted(bob)).answer, 403)
        phone.assert_quiet()
        self.assertEqual(self.subscriptions(user), [])

    def test_w01_w07_the_full_document_lists_each_subscription_once(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        for _ in range(2):
            self.subscribed(self.phone(), user, from_uri=bob, headers=self.asserted(bob))
        winfo, first = self.own_winfo(user)
        self.assertEqual((kind(first.text), version(first.text)), ("full", 0))
        self.assertEqual(len({w["id"] for w in watchers(first.text)}), 2)
        self.assertEqual(first.text.count(bob), 2)
        winfo.refresh(600, headers=self.asserted(user))
        again = winfo.notify()
        self.assertEqual((kind(again.text), version(again.text)), ("full", 1))
        self.assertEqual({w["id"] for w in watchers(again.text)}, {w["id"] for w in watchers(first.text)})

    def test_w02_nobody_else_sees_who_watches(self):
        user, bob = self.new_user(), self.new_user("bob")
        answer = self.phone().subscribe(user, event="presence.winfo", from_uri=bob,
                                        headers=self.asserted(bob)).answer
        self.assert_status(answer, 403)

    def test_w05_an_expired_watcher_is_shown_as_terminated(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        self.subscribed(self.phone(), user, expires=1, from_uri=bob, headers=self.asserted(bob))
        events = []
        while ("terminated", "timeout") not in events:
            events += [(w["status"], w["event"]) for w in watchers(winfo.notify().text)]

    def test_w08_a_fetch_leaves_only_the_undecided_behind(self):
        user, bob, carol = self.new_user(), self.new_user("bob"), self.new_user("carol")
        self.decide("approve", user, bob)
        winfo, _ = self.own_winfo(user)
        self.subscribed(self.phone(), user, expires=0, from_uri=bob, headers=self.asserted(bob))
        winfo.phone.assert_quiet()
        self.subscribed(self.phone(), user, expires=0, from_uri=carol, headers=self.asserted(carol))
        self.assertEqual([w["status"] for w in watchers(winfo.notify().text)], ["waiting"])

    def test_s15_the_asserted_identity_of_a_trusted_peer_names_the_watcher(self):
        user, bob = self.new_user(), self.new_user("bob")
        self.decide("approve", user, bob)
        _, notify = self.subscribed(self.phone(), user, from_uri="sip:anonymous@example.com",
                                    headers=self.asserted(bob))
        self.assertTrue(notify.get("subscription-state").startswith("active"))
        self.assertIn(bob.partition(":")[2], self.subscriptions(user)[0])


    def test_o05_authorization_is_told_for_each_state(self):
        user, bob, carol = self.new_user(), self.new_user("bob"), self.new_user("carol")
        name = user.partition(":")[2]

        def state_of(watcher, code):
            told = self.system.presencectl("authorization", name, watcher.partition(":")[2], "-o", "json", code=code)
            return json.loads(told)["state"]
        self.decide("approve", user, bob)
        self.assertEqual(state_of(bob, 0), "SUBSCRIPTION_STATE_ACTIVE")
        self.assertEqual(state_of(carol, 3), "SUBSCRIPTION_STATE_PENDING")
        self.decide("block", user, carol)
        self.assertEqual(state_of(carol, 3), "SUBSCRIPTION_STATE_TERMINATED")


class TimersOff(Scenario):
    """Nothing expires by itself; Cleanup does it by hand."""

    core = ("--set", "expiry.sweep_interval=0s", "--set", "publish.min_expires=1s",
            "--set", "publish.expires_margin=0s")

    def test_o03_cleanup_removes_what_has_expired_and_counts_it(self):
        phone, short, long = self.phone(), self.new_user(), self.new_user()
        self.published(phone, long, expires=600)
        self.published(phone, short, expires=1)
        removed = 0
        end = time.monotonic() + PATIENCE
        while removed == 0 and time.monotonic() < end:
            counts = json.loads(self.system.presencectl("cleanup", "-o", "json"))["counts"]
            removed += sum(int(c["removed"]) for c in counts if c["kind"] == "CLEANUP_KIND_PUBLICATIONS")
        self.assertEqual(removed, 1)
        self.assertEqual(self.rows(short), [])
        self.assertEqual(len(self.rows(long)), 1)


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


class OverGrpc(Scenario):
    """What presencectl sees is what phones did, and the other way round."""

    def test_p04_p10_a_program_publishes_and_a_phone_is_told(self):
        user = self.new_user()
        name = user.partition(":")[2]
        subscription, _ = self.subscribed(self.phone(), user)
        done = json.loads(self.system.presencectl("publish", name, "--open", "--note", "from gRPC", "-o", "json"))
        self.assertIn("from gRPC", subscription.notify().text)
        self.system.presencectl("publish", name, "--closed", "--note", "and again", "--etag", done["etag"])
        self.assertIn("and again", subscription.notify().text)

    def test_p06_a_stale_tag_is_a_conflict(self):
        user = self.new_user().partition(":")[2]
        self.system.presencectl("publish", user, "--open", "--etag", "stale", code=6)

    def test_o08_a_watch_goes_on_from_its_token(self):
        user = self.new_user()
        name = user.partition(":")[2]
        self.published(self.phone(), user, note="seen")
        lines = self.system.presencectl("watch", name, "--count", "1", "-o", "jsonl").splitlines()
        token = [json.loads(line)["resumeToken"] for line in lines if json.loads(line).get("resumeToken")][-1]
        self.system.presencectl("publish", name, "--closed", "--note", "missed")
        resumed = self.system.presencectl("watch", name, "--resume", token, "--count", "1", "-o", "jsonl")
        self.assertIn("missed", resumed)


if __name__ == "__main__":
    unittest.main()
