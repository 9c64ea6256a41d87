"""SUBSCRIBE over the wire: RFC 6665 section 4.2.1."""

import time
import unittest
import uuid

from scenario import SLACK, Scenario, address, parameter, pidf


class Subscribe(Scenario):
    def test_s01_the_first_is_200_and_one_notify_at_once(self):
        phone = self.phone()
        subscription, notify = self.subscribed(phone, self.new_user(), expires=600)
        self.assert_status(subscription.answer, 200)
        self.assertEqual(int(subscription.answer.get("expires")), 600)
        self.assertTrue(subscription.answer.to_tag)
        self.assertTrue(address(subscription.answer.get("contact")).startswith("sip:"))
        self.assertTrue(notify.get("subscription-state").startswith("active"))
        phone.assert_quiet()

    def test_s02_an_event_id_belongs_to_the_subscription(self):
        phone, user = self.phone(), self.new_user()
        subscription, notify = self.subscribed(phone, user, event="presence;id=7", expires=600)
        self.assertEqual(parameter(notify.get("event"), "id"), "7")
        before = self.subscriptions(user)
        for event in ("presence;id=8", "presence"):
            with self.subTest(event):
                self.assert_status(subscription.refresh(3600, event=event), 403)
        # It was no refresh: nothing of the first has changed, and nobody is told anything.
        self.assertEqual(self.subscriptions(user), before)
        phone.assert_quiet()
        self.published(self.phone(), user)
        self.assertEqual(parameter(subscription.notify().get("event"), "id"), "7")
        self.assert_status(subscription.refresh(600), 200)
        self.assertEqual(parameter(subscription.notify().get("event"), "id"), "7")
        self.assert_status(subscription.refresh(0), 200)
        last = subscription.notify()
        self.assertTrue(last.get("subscription-state").startswith("terminated"))
        self.assertEqual(parameter(last.get("event"), "id"), "7")

    def test_s02_without_an_id_none_may_come(self):
        phone, user = self.phone(), self.new_user()
        subscription, notify = self.subscribed(phone, user)
        self.assertIsNone(parameter(notify.get("event"), "id"))
        self.assert_status(subscription.refresh(600, event="presence;id=7"), 403)

    def test_s03_expires_is_clamped_defaulted_or_too_brief(self):
        phone, user = self.phone(), self.new_user()
        self.assertEqual(int(phone.subscribe(user, expires=None).answer.get("expires")), 3600)
        owner = phone.subscribe(user, expires=None, event="presence.winfo", from_uri=user).answer
        self.assertEqual(int(owner.get("expires")), 3600)
        clamped = phone.subscribe(user, expires=4000000000).answer
        self.assert_status(clamped, 200)
        self.assertEqual(int(clamped.get("expires")), 24 * 3600)
        stored = len(self.subscriptions(user))
        brief = phone.subscribe(user, expires=59).answer
        self.assert_status(brief, 423)
        self.assertEqual(brief.get("min-expires"), "60")
        self.assertEqual(len(self.subscriptions(user)), stored)

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
        self.assert_status(phone.ask("SUBSCRIBE", user, [("Event", "presence"), ("Contact", f"<{phone.contact}>")],
                                     call_id=subscription.call_id, from_tag=subscription.from_tag, cseq=2,
                                     to=subscription.answer.get("to")), 481)

    def test_s05_a_refresh_moves_the_target_and_brings_full_state(self):
        phone, moved, user = self.phone(), self.phone(), self.new_user()
        self.published(phone, user, note="here")
        subscription, _ = self.subscribed(phone, user)
        subscription.contact = f"<{moved.contact}>"
        answer = subscription.refresh(300)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "300")
        notify = moved.notify(subscription.call_id)
        self.assertEqual(notify.uri, moved.contact)
        self.assertIn("here", notify.text)
        self.assertIn(int(parameter(notify.get("subscription-state"), "expires")), range(290, 301))
        self.assertEqual([row["contact"] for row in self.subscriptions(user)], [moved.contact])
        phone.assert_quiet()

    def test_s06_after_the_end_the_dialog_is_unknown(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, note="the end")
        subscription, _ = self.subscribed(phone, user)
        answer = subscription.refresh(0)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "0")
        notify = subscription.notify()
        self.assertTrue(notify.get("subscription-state").startswith("terminated"))
        self.assertEqual(parameter(notify.get("subscription-state"), "reason"), "timeout")
        self.assertIn("the end", notify.text)
        # The 200 to the NOTIFY races with the next SUBSCRIBE on UDP; it is taken once the row is gone.
        self.eventually(lambda: self.subscriptions(user) == [])
        self.assert_status(subscription.refresh(600), 481)
        self.published(self.phone(), user)
        phone.assert_quiet()

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
        phone.assert_quiet()
        self.assert_status(subscription.refresh(600, cseq=50), 200)

    def test_s08_a_retransmission_gets_the_earlier_answer(self):
        phone, user = self.phone(), self.new_user()
        data = phone.request("SUBSCRIBE", user, [("Event", "presence"), ("Contact", f"<{phone.contact}>")])
        first = phone.ask_bytes(data)
        self.assert_status(first, 200)
        phone.notify(first.get("call-id"))
        self.assertEqual(phone.ask_bytes(data).data, first.data)
        self.assertEqual(len(self.subscriptions(user)), 1)
        phone.assert_quiet()

    def test_s09_a_contact_that_cannot_be_reached_is_400(self):
        phone, user = self.phone(), self.new_user()
        for contact in ("", "*", "<not a uri>", "<mailto:bob@example.com>", "<tel:+12025550100>",
                        "<sip:a@127.0.0.1>, <sip:b@127.0.0.1>", "<sip:a@127.0.0.1>\r\nContact: <sip:b@127.0.0.1>"):
            with self.subTest(contact):
                self.assert_status(phone.subscribe(user, contact=contact).answer, 400)
        self.assertEqual(self.subscriptions(user), [])
        phone.assert_quiet()

    def test_s10_accept_chooses_the_type(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user)
        for headers in ((), [("Accept", "application/pidf+xml")], [("Accept", "text/plain, application/*")]):
            subscription, notify = self.subscribed(phone, user, headers=headers)
            self.assertEqual(notify.get("content-type"), "application/pidf+xml")
        # The latest SUBSCRIBE counts; what it may not have leaves the subscription as it was.
        self.assert_status(subscription.refresh(600, headers=[("Accept", "text/plain")]), 406)
        self.assert_status(subscription.refresh(600), 200)
        self.assertEqual(subscription.notify().get("content-type"), "application/pidf+xml")
        stored = len(self.subscriptions(user))
        for accept in ("text/plain", ""):
            with self.subTest(accept):
                self.assert_status(phone.subscribe(user, headers=[("Accept", accept)]).answer, 406)
        self.assertEqual(len(self.subscriptions(user)), stored)

    def test_s13_the_route_set_of_three_proxies_is_kept(self):
        phone, user = self.phone(), self.new_user()
        here = f"{phone.host}:{phone.port}"
        routes = [f"<sip:{here};lr;hop=1>", f"<sip:{here};lr;hop=2>", f"<sip:{here};lr;hop=3>"]
        subscription, notify = self.subscribed(phone, user, headers=[("Record-Route", ", ".join(routes))])
        self.assertEqual(subscription.answer.tokens("record-route"), routes)
        self.assertEqual(notify.tokens("route"), routes)
        self.assertEqual(notify.uri, phone.contact)
        subscription.refresh(600, headers=[("Record-Route", f"<sip:{here};lr;hop=9>")])
        notify = subscription.notify()
        self.assertEqual(notify.tokens("route"), routes)
        self.assertEqual(notify.uri, phone.contact)

    def test_s13_a_strict_router_comes_first(self):
        phone, user = self.phone(), self.new_user()
        here = f"{phone.host}:{phone.port}"
        _, notify = self.subscribed(phone, user, headers=[("Record-Route", f"<sip:{here};hop=1>, <sip:{here};lr;hop=2>")])
        self.assertEqual(notify.uri, f"sip:{here};hop=1")
        self.assertEqual(notify.tokens("route"), [f"<sip:{here};lr;hop=2>", f"<{phone.contact}>"])

    def test_s14_an_extension_that_is_required_and_unknown_is_420(self):
        phone, user = self.phone(), self.new_user()
        for answer in (phone.subscribe(user, headers=[("Require", "foo")]).answer,
                       phone.publish(user, pidf(user), headers=[("Require", "foo")])):
            self.assert_status(answer, 420)
            self.assertEqual(answer.tokens("unsupported"), ["foo"])
        self.assertEqual(self.rows(user) + self.subscriptions(user), [])

    def test_s16_schemes_and_long_values_are_kept(self):
        phone = self.phone()
        call_id = "c" * 300
        user = self.new_user().replace("sip:", "sips:")
        contact = f"sip:{'u' * 300}@{phone.host}:{phone.port}"
        subscription, notify = self.subscribed(phone, user, call_id=call_id, contact=f"<{contact}>",
                                               from_uri="tel:+12025550199")
        self.assertEqual(notify.uri, contact)
        self.assertEqual(address(notify.get("from")), user)
        self.assertEqual(address(notify.get("to")), "tel:+12025550199")
        for message in (subscription.answer, notify):
            self.assertTrue(address(message.get("contact")).startswith("sips:"), message)
        self.assert_status(subscription.refresh(600), 200)
        self.assertEqual(subscription.notify().get("call-id"), call_id)
        subscription, notify = self.subscribed(phone, "tel:+12025550100", from_uri="sips:bob@example.com")
        self.assertEqual(address(notify.get("from")), "tel:+12025550100")
        self.assertEqual(address(notify.get("to")), "sips:bob@example.com")
        self.assertTrue(address(subscription.answer.get("contact")).startswith("sip:"))

    def test_s23_no_event_or_an_unknown_one_is_489(self):
        phone, user = self.phone(), self.new_user()
        for event in ("", "no-such-package"):
            with self.subTest(event):
                answer = phone.subscribe(user, event=event).answer
                self.assert_status(answer, 489)
                self.assertEqual(set(answer.tokens("allow-events")), {"presence", "presence.winfo"})
        self.assertEqual(self.subscriptions(user), [])
        phone.assert_quiet()


class Lifetimes(Scenario):
    dev = False
    core = ("--domain", "example.com", "--set", "policy.unknown_watcher=allow",
            "--set", "subscribe.min_expires=1s", "--set", "subscribe.grace=0s",
            "--set", "subscribe.replace_same_call_id=true", "--set", "subscribe.cseq_tolerance=5")
    gateway = ("--domain", "example.com",)

    def test_s18_s07_an_expired_subscription_is_told_within_a_second(self):
        phone, user = self.phone(), self.new_user()
        self.published(self.phone(), user, note="to the end")
        sent = time.monotonic()
        subscription, _ = self.subscribed(phone, user, expires=1)
        answered = time.monotonic()
        winfo, first = self.subscribed(self.phone(), user, event="presence.winfo", from_uri=user)
        self.assertIn(">sip:bob@example.com</", first.text)
        notify = subscription.notify()
        told = time.monotonic()
        self.assertTrue(notify.get("subscription-state").startswith("terminated"))
        self.assertEqual(parameter(notify.get("subscription-state"), "reason"), "timeout")
        self.assertGreaterEqual(told - sent, 1.0)
        self.assertLess(told - answered, 1.0 + 1.0 + SLACK)
        self.assertRegex(winfo.notify().text, r'status="terminated" event="timeout"[^>]*>sip:bob@example.com<')
        self.eventually(lambda: [row["event"] for row in self.subscriptions(user)] == ["presence.winfo"])
        for expires in (0, 600):
            self.assert_status(subscription.refresh(expires), 481)
        phone.assert_quiet()

    def test_s17_a_rebooted_phone_replaces_its_old_dialog(self):
        phone, user = self.phone(), self.new_user()
        old, _ = self.subscribed(phone, user, call_id=uuid.uuid4().hex)
        new = phone.subscribe(user, call_id=old.call_id)
        self.assert_status(new.answer, 200)
        self.assertNotEqual(new.answer.to_tag, old.answer.to_tag)
        self.assertEqual([row["id"] for row in self.subscriptions(user)], [new.answer.to_tag])
        self.assert_status(old.refresh(600), 481)
        self.published(self.phone(), user, note="afterwards")
        phone.wait(lambda m: m.is_request and "afterwards" in m.text and m.get("from").endswith(new.answer.to_tag))
        self.assertFalse([m for m in phone.inbox if m.is_request and "afterwards" in m.text])

    def test_s08_a_cseq_within_the_tolerance_is_taken(self):
        subscription, _ = self.subscribed(self.phone(), self.new_user(), cseq=20)
        self.assert_status(subscription.refresh(600, cseq=15), 200)
        self.assert_status(subscription.refresh(600, cseq=14), 500)

    def test_s23_a_domain_that_is_not_served_is_404(self):
        phone = self.phone()
        self.assert_status(phone.subscribe("sip:alice@elsewhere.example").answer, 404)
        self.assertNotIn("alice@elsewhere.example", {row["presentity"] for row in self.subscriptions()})
        phone.assert_quiet()


class QuietAtFirst(Scenario):
    """Phones that cannot take the NOTIFY of RFC 6665 section 4.2.1.2, and lifetimes above an hour."""

    core = ("--set", "initial_notify=never", "--set", "subscribe.min_expires=2h", "--set", "subscribe.max_expires=3h")

    def test_s04_a_fetch_is_told_all_the_same(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user, note="fetched")
        subscription = phone.subscribe(user, expires=7200)
        self.assert_status(subscription.answer, 200)
        phone.assert_quiet()
        _, notify = self.subscribed(phone, user, expires=0)
        self.assertEqual(parameter(notify.get("subscription-state"), "reason"), "timeout")
        self.assertIn("fetched", notify.text)

    def test_s03_an_hour_or_more_is_never_too_brief(self):
        phone, user = self.phone(), self.new_user()
        answer = phone.subscribe(user, expires=3599).answer
        self.assert_status(answer, 423)
        self.assertEqual(answer.get("min-expires"), "7200")
        for asked, granted in ((3600, 3600), (7199, 7199), (10800, 10800), (10801, 10800)):
            with self.subTest(asked):
                answer = phone.subscribe(user, expires=asked).answer
                self.assert_status(answer, 200)
                self.assertEqual(int(answer.get("expires")), granted)


class RaisedToTheMinimum(Scenario):
    core = ("--set", "subscribe.min_expires=90s", "--set", "min_expires_action=raise")

    def test_s03_what_is_too_brief_gets_the_minimum_where_configured(self):
        answer = self.phone().subscribe(self.new_user(), expires=5).answer
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "90")


if __name__ == "__main__":
    unittest.main()
