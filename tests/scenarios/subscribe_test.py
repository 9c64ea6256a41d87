"""SUBSCRIBE and NOTIFY over the wire: RFC 6665."""

import time
import unittest
import uuid

from scenario import PATIENCE, Scenario, Silence, address, parameter, pidf


class Subscribe(Scenario):
    def test_s01_the_first_is_200_and_one_notify_at_once(self):
        phone = self.phone()
        subscription, notify = self.subscribed(phone, self.new_user(), expires=600)
        self.assert_status(subscription.answer, 200)
        self.assertLessEqual(int(subscription.answer.get("expires")), 600)
        self.assertTrue(subscription.answer.to_tag)
        self.assertTrue(subscription.answer.get("contact"))
        self.assertTrue(notify.get("subscription-state").startswith("active"))
        phone.assert_quiet()

    def test_n01_n02_a_notify_has_all_it_owes(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        subscription, first = self.subscribed(phone, user, expires=600)
        self.assertEqual(first.get("event"), "presence")
        self.assertEqual(first.get("content-type"), "application/pidf+xml")
        for name in ("contact", "max-forwards", "via", "to", "from"):
            self.assertTrue(first.get(name), name)
        self.assertEqual(first.uri, phone.contact)
        self.assertEqual(parameter(first.get("from"), "tag"), subscription.answer.to_tag)
        self.assertEqual(parameter(first.get("to"), "tag"), subscription.from_tag)
        state = first.get("subscription-state")
        self.assertLessEqual(int(parameter(state, "expires")), int(subscription.answer.get("expires")))
        phone.publish(user, pidf(user, "closed"), etag=tag)
        second = subscription.notify()
        self.assertEqual(second.cseq, first.cseq + 1)
        subscription.refresh(0)
        last = subscription.notify().get("subscription-state")
        self.assertEqual(parameter(last, "reason"), "timeout")
        self.assertIsNone(parameter(last, "expires"))
        self.assertIsNone(parameter(last, "retry-after"))

    def test_s02_an_event_id_belongs_to_the_subscription(self):
        phone, user = self.phone(), self.new_user()
        subscription, notify = self.subscribed(phone, user, event="presence;id=7")
        self.assertEqual(parameter(notify.get("event"), "id"), "7")
        self.published(self.phone(), user)
        self.assertEqual(parameter(subscription.notify().get("event"), "id"), "7")
        other = subscription.refresh(600, event="presence;id=8")
        self.assertIn(other.status, (200, 403))

    def test_s03_expires_is_clamped_defaulted_or_too_brief(self):
        phone, user = self.phone(), self.new_user()
        self.assertEqual(int(phone.subscribe(user, expires=None).answer.get("expires")), 3600)
        clamped = phone.subscribe(user, expires=4000000000).answer
        self.assert_status(clamped, 200)
        self.assertLess(int(clamped.get("expires")), 4000000000)
        brief = phone.subscribe(user, expires=1).answer
        self.assert_status(brief, 423)
        self.assertGreater(int(brief.get("min-expires")), 1)

    def test_s04_a_fetch_is_told_once_and_not_stored(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, note="fetched")
        subscription, notify = self.subscribed(phone, user, expires=0)
        self.assertEqual(subscription.answer.get("expires"), "0")
        self.assertTrue(notify.get("subscription-state").startswith("terminated"))
        self.assertEqual(parameter(notify.get("subscription-state"), "reason"), "timeout")
        self.assertIn("fetched", notify.text)
        self.assertEqual(self.subscriptions(user), [])
        phone.assert_quiet()

    def test_s05_a_refresh_moves_the_target_and_brings_full_state(self):
        phone, moved, user = self.phone(), self.phone(), self.new_user()
        self.published(phone, user, note="here")
        subscription, _ = self.subscribed(phone, user)
        subscription.contact = f"<{moved.contact}>"
        self.assert_status(subscription.refresh(300), 200)
        notify = moved.notify(subscription.call_id)
        self.assertIn("here", notify.text)
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_s06_after_the_end_the_dialog_is_unknown(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, note="the end")
        subscription, _ = self.subscribed(phone, user)
        answer = subscription.refresh(0)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "0")
        notify = subscription.notify()
        self.assertTrue(notify.get("subscription-state").startswith("terminated"))
        self.assertIn("the end", notify.text)
        # The 200 to the NOTIFY races with the next SUBSCRIBE on UDP; it is taken once the row is gone.
        self.eventually(lambda: self.subscriptions(user) == [])
        self.assert_status(subscription.refresh(600), 481)

    def test_s07_an_unknown_to_tag_is_481(self):
        phone, user = self.phone(), self.new_user()
        for expires in (600, 0):
            answer = phone.ask("SUBSCRIBE", user, [("Event", "presence"), ("Expires", str(expires)),
                                                   ("Contact", f"<{phone.contact}>")], to=f"<{user}>;tag=nobody")
            self.assert_status(answer, 481)

    def test_s08_cseq_may_jump_up_and_not_go_back(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user, cseq=10)
        self.assert_status(subscription.refresh(600, cseq=9), 500)
        self.assert_status(subscription.refresh(600, cseq=50), 200)

    def test_s09_a_contact_that_cannot_be_reached_is_400(self):
        phone, user = self.phone(), self.new_user()
        for contact in ("", "*", "<not a uri>", "<mailto:bob@example.com>", "<sip:a@127.0.0.1>, <sip:b@127.0.0.1>"):
            with self.subTest(contact):
                self.assert_status(phone.subscribe(user, contact=contact).answer, 400)
        self.assertEqual(self.subscriptions(user), [])

    def test_s10_accept_chooses_the_type(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user)
        _, notify = self.subscribed(phone, user)
        self.assertEqual(notify.get("content-type"), "application/pidf+xml")
        for accept in ("text/plain", ""):
            with self.subTest(accept):
                self.assert_status(phone.subscribe(user, headers=[("Accept", accept)]).answer, 406)

    def test_s13_the_route_set_of_three_proxies_is_kept(self):
        phone, user = self.phone(), self.new_user()
        here = f"{phone.host}:{phone.port}"
        routes = [f"<sip:{here};lr;hop=1>", f"<sip:{here};lr;hop=2>", f"<sip:{here};lr;hop=3>"]
        subscription, notify = self.subscribed(phone, user, headers=[("Record-Route", ", ".join(routes))])
        self.assertEqual(subscription.answer.tokens("record-route"), routes)
        self.assertEqual(notify.tokens("route"), routes)
        self.assertEqual(notify.uri, phone.contact)
        subscription.refresh(600, headers=[("Record-Route", f"<sip:{here};lr;hop=9>")])
        self.assertEqual(subscription.notify().tokens("route"), routes)

    def test_s13_a_strict_router_comes_first(self):
        phone, user = self.phone(), self.new_user()
        here = f"{phone.host}:{phone.port}"
        _, notify = self.subscribed(phone, user, headers=[("Record-Route", f"<sip:{here};hop=1>, <sip:{here};lr;hop=2>")])
        self.assertEqual(notify.uri, f"sip:{here};hop=1")
        self.assertEqual(notify.tokens("route"), [f"<sip:{here};lr;hop=2>", f"<{phone.contact}>"])

    def test_s14_an_extension_that_is_required_and_unknown_is_420(self):
        answer = self.phone().subscribe(self.new_user(), headers=[("Require", "foo")]).answer
        self.assert_status(answer, 420)
        self.assertEqual(answer.tokens("unsupported"), ["foo"])

    def test_s16_schemes_and_long_values_are_kept(self):
        phone = self.phone()
        call_id = "c" * 300
        user = self.new_user().replace("sip:", "sips:")
        subscription, notify = self.subscribed(phone, user, call_id=call_id,
                                               contact=f"<sip:{'u' * 300}@{phone.host}:{phone.port}>")
        self.assertEqual(address(notify.get("from")), user)
        self.assertTrue(address(subscription.answer.get("contact")).startswith("sips:"))
        _, notify = self.subscribed(phone, "tel:+12025550100")
        self.assertEqual(address(notify.get("from")), "tel:+12025550100")

    def test_s23_no_event_or_an_unknown_one_is_489(self):
        phone, user = self.phone(), self.new_user()
        for event in ("", "no-such-package"):
            with self.subTest(event):
                answer = phone.subscribe(user, event=event).answer
                self.assert_status(answer, 489)
                self.assertIn("presence", answer.tokens("allow-events"))
        self.assertEqual(self.subscriptions(user), [])
        phone.assert_quiet()

    def eventually(self, holds):
        """Asks again until it holds; each question takes a process, so nothing spins."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if holds():
                return
        self.fail("did not come true")


class Notify(Scenario):
    def test_n03_some_answers_end_the_subscription(self):
        for status in (404, 481, 489, 604):
            with self.subTest(status):
                phone, publisher, user = self.phone(), self.phone(), self.new_user()
                subscription, _ = self.subscribed(phone, user)
                phone.notify_status = status
                phone.notify_headers = [("Retry-After", "1")]
                tag = self.published(publisher, user)
                subscription.notify()
                self.assertTrue(self.comes_true(lambda: self.subscriptions(user) == []))
                publisher.publish(user, pidf(user, "closed"), etag=tag)
                phone.assert_quiet()

    def test_n05_other_failures_do_not_and_the_latest_state_follows(self):
        phone, publisher, user = self.phone(), self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        phone.notify_status, phone.notify_headers = 503, [("Retry-After", "1")]
        tag = self.published(publisher, user, note="refused")
        subscription.notify()
        refused = time.monotonic()
        phone.notify_status, phone.notify_headers = 200, []
        publisher.publish(user, pidf(user, note="latest"), etag=tag)
        notify = subscription.notify()
        self.assertIn("latest", notify.text)
        self.assertGreaterEqual(time.monotonic() - refused, 0.9)
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_n06_one_in_flight_and_then_only_the_newest(self):
        phone, publisher, user = self.phone(), self.phone(), self.new_user()
        subscription, first = self.subscribed(phone, user)
        phone.is_answering = False
        tag = self.published(publisher, user, note="one")
        waiting = subscription.notify()
        tag = publisher.publish(user, pidf(user, note="two"), etag=tag).get("sip-etag")
        publisher.publish(user, pidf(user, note="three"), etag=tag)
        # Only the retransmission of the first may come until it is answered.
        try:
            while True:
                self.assertEqual(subscription.notify(seconds=1.2).data, waiting.data)
        except Silence:
            pass
        phone.answer(waiting)
        phone.is_answering = True
        newest = phone.wait(lambda m: m.is_request and m.cseq == waiting.cseq + 1)
        self.assertIn("three", newest.text)

    def test_n08_a_tcp_subscription_is_notified_on_its_connection(self):
        phone, user = self.phone("tcp"), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        self.published(self.phone(), user, note="same flow")
        self.assertIn("same flow", subscription.notify().text)

    def test_n12_what_is_too_large_for_a_datagram_is_never_cut(self):
        phone, user = self.phone(), self.new_user()
        # Over TCP, since a request of this size has to come that way; the watcher serves UDP alone.
        self.published(self.phone("tcp"), user, note="long " * 800)
        subscription, notify = self.subscribed(phone, user)
        self.assertIn("long " * 800, notify.text)
        self.assertTrue(notify.get("via").startswith("SIP/2.0/UDP"))

    def test_n07_a_dead_watcher_delays_nobody(self):
        user = self.new_user()
        dead = self.phone()
        self.subscribed(dead, user)
        dead.close()
        alive = [self.subscribed(self.phone(), user)[0] for _ in range(3)]
        start = time.monotonic()
        self.published(self.phone(), user, note="alive")
        for subscription in alive:
            self.assertIn("alive", subscription.notify().text)
        self.assertLess(time.monotonic() - start, 3.0)

    def comes_true(self, holds):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if holds():
                return True
        return False


class Lifetimes(Scenario):
    dev = False
    core = ("--domain", "example.com", "--set", "policy.unknown_watcher=allow",
            "--set", "subscribe.min_expires=1s", "--set", "subscribe.grace=0s",
            "--set", "subscribe.replace_same_call_id=true", "--set", "notify.min_interval=1s")
    gateway = ("--domain", "example.com",)

    def test_s18_an_expired_subscription_is_told_within_a_second(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user, expires=1)
        notify = subscription.notify()
        self.assertTrue(notify.get("subscription-state").startswith("terminated"))
        self.assertEqual(parameter(notify.get("subscription-state"), "reason"), "timeout")
        self.assertEqual(self.subscriptions(user), [])

    def test_s17_a_rebooted_phone_replaces_its_old_dialog(self):
        phone, user = self.phone(), self.new_user()
        call_id = uuid.uuid4().hex
        self.subscribed(phone, user, call_id=call_id)
        subscription = phone.subscribe(user, call_id=call_id)
        self.assert_status(subscription.answer, 200)
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_s23_a_domain_that_is_not_served_is_404(self):
        phone = self.phone()
        self.assert_status(phone.subscribe("sip:alice@elsewhere.example").answer, 404)
        phone.assert_quiet()

    def test_n11_changes_come_at_most_once_an_interval_and_the_last_always(self):
        phone, publisher, user = self.phone(), self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        tag = None
        start = time.monotonic()
        for number in range(20):
            tag = publisher.publish(user, pidf(user, note=f"change {number}."), etag=tag).get("sip-etag")
        told = []
        while not told or "change 19." not in told[-1].text:
            told.append(subscription.notify())
        self.assertLessEqual(len(told), time.monotonic() - start + 2)


class ShortTimers(Scenario):
    """Timer F is 64 * T1: 640 ms here."""

    core = ("--set", "notify.t1=10ms")
    gateway = ("--set", "sip.t1=10ms", "--set", "sip.t2=100ms")

    def test_n04_a_watcher_that_never_answers_is_removed(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        phone.is_answering = False
        self.published(self.phone(), user)
        subscription.notify()
        end = time.monotonic() + PATIENCE
        while self.subscriptions(user) and time.monotonic() < end:
            phone.read(0.05)
        self.assertEqual(self.subscriptions(user), [])


class OverIPv6(Scenario):
    host = "::1"

    def test_n09_contacts_are_bracketed_and_say_the_transport_once(self):
        for transport in ("udp", "tcp"):
            with self.subTest(transport):
                subscription, notify = self.subscribed(self.phone(transport), self.new_user())
                for message in (subscription.answer, notify):
                    contact = address(message.get("contact"))
                    self.assertIn("[::1]", contact)
                    self.assertLessEqual(contact.count("transport="), 1)


if __name__ == "__main__":
    unittest.main()
