"""NOTIFY over the wire: RFC 6665 section 4.2.2, RFC 5057."""

import threading
import time
import unittest

from scenario import PATIENCE, QUIET, SLACK, Scenario, Silence, WatcherInfo, address, parameter, pidf

# RFC 6665 section 4.2.2 and RFC 5057 section 5.1: these end the subscription, the others do not.
FATAL = (404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 502, 604)
PASSING = (400, 401, 403, 407, 500, 503)


def state(notify):
    return notify.get("subscription-state").partition(";")[0]


class Notify(Scenario):
    def own_winfo(self, user):
        return self.subscribed(self.phone(), user, event="presence.winfo", from_uri=user)

    def test_n01_n02_a_notify_has_all_it_owes(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        subscription, first = self.subscribed(phone, user, expires=600)
        phone.publish(user, pidf(user, "closed"), etag=tag)
        second = subscription.notify()
        subscription.refresh(300)
        third = subscription.notify()
        subscription.refresh(0)
        last = subscription.notify()

        for number, notify in enumerate((first, second, third, last)):
            with self.subTest(number):
                self.assertEqual(notify.get("event"), "presence")
                self.assertEqual(notify.get("content-type"), "application/pidf+xml")
                self.assertEqual(address(notify.get("contact")), address(subscription.answer.get("contact")))
                self.assertGreater(int(notify.get("max-forwards")), 0)
                self.assertEqual(notify.uri, phone.contact)
                self.assertEqual(parameter(notify.get("from"), "tag"), subscription.answer.to_tag)
                self.assertEqual(parameter(notify.get("to"), "tag"), subscription.from_tag)
                self.assertEqual(notify.cseq, first.cseq + number)
        for notify, granted in ((first, 600), (second, 600), (third, 300)):
            self.assertEqual(state(notify), "active")
            self.assertIn(int(parameter(notify.get("subscription-state"), "expires")), range(granted - 60, granted + 1))
            self.assertIsNone(parameter(notify.get("subscription-state"), "reason"))
        self.assertEqual(last.get("subscription-state"), "terminated;reason=timeout")

    def test_n01_the_version_of_watcher_information_steps_by_one(self):
        user = self.new_user()
        winfo, notify = self.own_winfo(user)
        for version in range(4):
            self.assertEqual(WatcherInfo(notify.text).version, version)
            self.subscribed(self.phone(), user)
            notify = winfo.notify()

    def test_n03_some_answers_end_the_subscription(self):
        ended = []
        for status in FATAL:
            with self.subTest(status):
                phone, publisher, user = self.phone(), self.phone(), self.new_user()
                winfo, _ = self.own_winfo(user)
                subscription, _ = self.subscribed(phone, user)
                self.assertEqual(WatcherInfo(winfo.notify().text).told, [("sip:bob@example.com", "active", "subscribe")])
                phone.notify_status, phone.notify_headers = status, [("Retry-After", "1")]
                tag = self.published(publisher, user)
                subscription.notify()
                self.assertEqual(WatcherInfo(winfo.notify().text).told, [("sip:bob@example.com", "terminated", "timeout")])
                self.assertEqual([row["event"] for row in self.subscriptions(user)], ["presence.winfo"])
                self.assert_status(subscription.refresh(600), 481)
                publisher.publish(user, pidf(user, "closed"), etag=tag)
                ended.append((status, phone, time.monotonic()))
        for status, phone, told in ended:
            # Past the Retry-After that must not count.
            with self.subTest(status):
                phone.assert_quiet(max(told + 1.0 - time.monotonic(), 0) + QUIET)

    def test_n05_other_failures_do_not_and_the_latest_state_follows_after_retry_after(self):
        refused = {}
        for status in PASSING:
            phone, publisher, user = self.phone(), self.phone(), self.new_user()
            subscription, _ = self.subscribed(phone, user)
            phone.notify_status, phone.notify_headers = status, [("Retry-After", "2")]
            tag = self.published(publisher, user, note="refused")
            when = time.monotonic()
            subscription.notify()
            phone.notify_status, phone.notify_headers = 200, []
            publisher.publish(user, pidf(user, note="latest"), etag=tag)
            refused[status] = subscription, when
        for status, (waited, notify) in self.waits(refused).items():
            with self.subTest(status):
                self.assertGreaterEqual(waited, 2.0)
                self.assertIn("latest", notify.text)
                self.assertEqual(state(notify), "active")
                subscription, _ = refused[status]
                self.assertEqual(len(self.subscriptions(subscription.uri)), 1)
                subscription.phone.assert_quiet(0)

    def waits(self, subscriptions):
        """How long after its time each subscription is notified, and the NOTIFY; all are listened to at once."""
        told = {}
        end = time.monotonic() + 2 * PATIENCE
        while len(told) < len(subscriptions) and time.monotonic() < end:
            for name in subscriptions.keys() - told.keys():
                subscription, when = subscriptions[name]
                try:
                    notify = subscription.notify(seconds=0.02)
                except Silence:
                    continue
                told[name] = time.monotonic() - when, notify
        self.assertEqual(told.keys(), subscriptions.keys())
        return told

    def test_n05_without_retry_after_it_follows_too(self):
        refused = []
        for status in PASSING:
            phone, user = self.phone(), self.new_user()
            subscription, _ = self.subscribed(phone, user)
            phone.notify_status = status
            self.published(self.phone(), user, note="in the end")
            subscription.notify()
            phone.notify_status = 200
            refused.append((status, subscription, user))
        for status, subscription, user in refused:
            with self.subTest(status):
                self.assertIn("in the end", subscription.notify(seconds=2 * PATIENCE).text)
                self.assertEqual(len(self.subscriptions(user)), 1)

    def test_n06_one_in_flight_and_then_only_the_newest(self):
        phone, publisher, user = self.phone(), self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
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
        newest = phone.wait(lambda m: m.is_request and m.data != waiting.data)
        self.assertEqual(newest.cseq, waiting.cseq + 1)
        self.assertIn("three", newest.text)
        phone.assert_quiet()

    def test_n07_a_dead_watcher_delays_nobody(self):
        user = self.new_user()
        phones = [self.phone(transport) for transport in ("udp", "tcp")]
        # One that answers nothing, one whose connection is stuck, and one each that has gone.
        silent = [self.phone(transport) for transport in ("udp", "tcp")]
        for phone in phones + silent:
            self.subscribed(phone, user)
        for phone in phones:
            phone.close()
        alive = [self.subscribed(self.phone(), user)[0] for _ in range(3)]
        tag = None
        for note in ("first", "second", "third"):
            answer = self.phone().publish(user, pidf(user, note=note), etag=tag)
            told = time.monotonic()
            tag = answer.get("sip-etag")
            for subscription in alive:
                self.assertIn(note, subscription.notify().text)
            self.assertLess(time.monotonic() - told, 1.0 + SLACK)

    def test_n08_a_tcp_subscription_is_notified_on_its_connection(self):
        # A Contact that leads elsewhere shows which way was taken.
        elsewhere = self.listener()
        phone, user = self.phone("tcp"), self.new_user()
        subscription, _ = self.subscribed(phone, user, contact=f"<{elsewhere.contact}>")
        self.published(self.phone(), user, note="same flow")
        notify = subscription.notify()
        self.assertIn("same flow", notify.text)
        self.assertEqual(notify.uri, elsewhere.contact)
        self.assertTrue(notify.get("via").startswith("SIP/2.0/TCP"))
        self.assertFalse(elsewhere.has_callers())

    def test_n08_a_lost_connection_is_replaced_by_one_to_the_contact(self):
        contact, user = self.listener(), self.new_user()
        lost = self.phone("tcp")
        subscription, first = self.subscribed(lost, user, contact=f"<{contact.contact}>")
        lost.close()
        self.published(self.phone(), user, note="new flow")
        notify = self.accepted(contact).notify(subscription.call_id)
        self.assertIn("new flow", notify.text)
        self.assertEqual(notify.cseq, first.cseq + 1)
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_n08_a_lost_connection_is_replaced_by_one_to_the_edge_proxy(self):
        proxy, user = self.listener(), self.new_user()
        route = f"<{proxy.contact.replace('bob@', '')};lr>"
        lost = self.phone("tcp")
        subscription, _ = self.subscribed(lost, user, headers=[("Record-Route", route)],
                                          contact="<sip:bob@192.0.2.1:5060;transport=tcp>")
        lost.close()
        self.published(self.phone(), user, note="by the edge")
        notify = self.accepted(proxy).notify(subscription.call_id)
        self.assertIn("by the edge", notify.text)
        self.assertEqual(notify.uri, "sip:bob@192.0.2.1:5060;transport=tcp")
        self.assertEqual(notify.tokens("route"), [route])

    def test_n08_without_a_way_it_waits_for_the_refresh(self):
        user = self.new_user()
        lost = self.phone("tcp")
        subscription, _ = self.subscribed(lost, user)
        lost.close()
        self.published(self.phone(), user, note="missed")
        self.eventually(lambda: not self.subscriptions(user)[0]["notifyInFlight"])
        subscription.phone = self.phone("tcp")
        subscription.contact = f"<{subscription.phone.contact}>"
        self.assert_status(subscription.refresh(600), 200)
        self.assertIn("missed", subscription.notify().text)

    def test_n12_what_is_too_large_for_a_datagram_goes_over_tcp(self):
        phone, listener = self.phone_of_both_transports()
        user = self.new_user()
        self.published(self.phone("tcp"), user, note="long " * 800)
        subscription = phone.subscribe(user)
        self.assert_status(subscription.answer, 200)
        notify = self.accepted(listener).notify(subscription.call_id)
        self.assertIn("long " * 800, notify.text)
        self.assertEqual(notify.get("content-type"), "application/pidf+xml")
        self.assertTrue(notify.get("via").startswith("SIP/2.0/TCP"))
        phone.assert_quiet()

    def test_n12_over_tcp_refused_it_comes_whole_over_udp(self):
        phone, user = self.phone(), self.new_user()
        # Over TCP, since a request of this size has to come that way; the watcher serves UDP alone.
        self.published(self.phone("tcp"), user, note="long " * 800)
        for headers in ((), [("Accept", "application/pidf+xml, message/external-body")]):
            subscription, notify = self.subscribed(phone, user, headers=headers)
            self.assertIn("long " * 800, notify.text)
            self.assertTrue(notify.get("via").startswith("SIP/2.0/UDP"))

    def test_n12_what_fits_no_datagram_is_not_cut_and_what_fits_comes_later(self):
        publisher, phone, user = self.phone("tcp"), self.phone(), self.new_user()
        tags = [publisher.publish(user, pidf(user, note=name * 30000, tuple_id=name)).get("sip-etag") for name in "abc"]
        subscription = phone.subscribe(user)
        self.assert_status(subscription.answer, 200)
        self.eventually(lambda: self.subscriptions(user)[0]["localCseq"] > 0)
        for tag in tags[1:]:
            self.assert_status(publisher.publish(user, etag=tag, expires=0), 200)
        notify = subscription.notify(2 * PATIENCE)
        self.assertIn("a" * 30000, notify.text)
        self.assertNotIn("b" * 30000, notify.text)
        phone.assert_quiet()

    def test_n12_the_limit_counts_the_headers(self):
        for size, transport in ((300, "UDP"), (900, "TCP")):
            with self.subTest(size):
                phone, listener = self.phone_of_both_transports()
                user = self.new_user()
                self.published(self.phone("tcp"), user, note="x" * size)
                subscription = phone.subscribe(user)
                taker = phone if transport == "UDP" else self.accepted(listener)
                notify = taker.notify(subscription.call_id)
                self.assertIn(f"SIP/2.0/{transport} ", notify.get("via"))
                self.assertEqual(len(notify.data) > 1300, transport == "TCP")
                self.assertLess(len(notify.body), 1300)


class AtMostOnceASecond(Scenario):
    core = ("--set", "notify.min_interval=1s")

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
        phone.assert_quiet()

    def test_n11_a_subscribe_gets_its_own_at_once(self):
        phone, publisher, user = self.phone(), self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        start = time.monotonic()
        for number in range(10):
            self.assert_status(subscription.refresh(600), 200)
            subscription.notify()
        # Held back to one a second, they would have taken ten.
        self.assertLess(time.monotonic() - start, 9.0)
        self.published(publisher, user, note="and the change")
        self.assertIn("and the change", subscription.notify().text)


class ShortTimers(Scenario):
    """Timer F is 64 * T1: 640 ms here."""

    core = ("--set", "notify.t1=10ms")
    gateway = ("--set", "sip.t1=10ms", "--set", "sip.t2=100ms")

    def unanswered(self, phone, user):
        """One whose NOTIFY of a change came and was not answered, and the tag of the publication."""
        subscription, _ = self.subscribed(phone, user)
        phone.is_answering = False
        tag = self.published(self.phone(), user, note="unanswered")
        return subscription, subscription.notify(), tag


class TimeoutRemoves(ShortTimers):
    def test_n04_a_watcher_that_never_answers_is_removed(self):
        phone, user = self.phone(), self.new_user()
        winfo, _ = self.subscribed(self.phone(), user, event="presence.winfo", from_uri=user)
        subscription, _, tag = self.unanswered(phone, user)
        winfo.notify()
        self.assertEqual(WatcherInfo(winfo.notify().text).told, [("sip:bob@example.com", "terminated", "timeout")])
        self.assertEqual([row["event"] for row in self.subscriptions(user)], ["presence.winfo"])
        self.assert_status(subscription.refresh(600), 481)
        while phone.read(QUIET):  # what is left of the retransmissions
            pass
        phone.inbox.clear()
        self.phone().publish(user, pidf(user, "closed"), etag=tag)
        phone.assert_quiet()

    def test_n04_an_answer_of_408_is_a_timeout(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(phone, user)
        phone.notify_status = 408
        self.published(self.phone(), user)
        subscription.notify()
        self.eventually(lambda: not self.subscriptions(user))


class TimeoutKeeps(ShortTimers):
    core = ShortTimers.core + ("--set", "notify.on_timeout=keep")

    def test_n04_a_watcher_that_never_answers_is_kept_and_told_the_next_change(self):
        phone, user = self.phone(), self.new_user()
        subscription, waiting, tag = self.unanswered(phone, user)
        self.eventually(lambda: not self.subscriptions(user)[0]["notifyInFlight"])
        self.phone().publish(user, pidf(user, note="the next"), etag=tag)
        notify = phone.wait(lambda m: m.is_request and m.cseq != waiting.cseq)
        self.assertEqual(notify.cseq, waiting.cseq + 1)
        self.assertIn("the next", notify.text)


class TimeoutRetries(ShortTimers):
    core = ShortTimers.core + ("--set", "notify.on_timeout=retry")

    def test_n04_a_watcher_that_never_answers_is_told_again(self):
        phone, user = self.phone(), self.new_user()
        _, waiting, _ = self.unanswered(phone, user)
        again = phone.wait(lambda m: m.is_request and m.cseq != waiting.cseq, 2 * PATIENCE)
        self.assertEqual(again.cseq, waiting.cseq + 1)
        self.assertIn("unanswered", again.text)


class LostConnectionsEnd(Scenario):
    """What a time-out does is another matter."""

    core = ("--set", "notify.on_timeout=keep")
    gateway = ("--set", "notify.on_flow_lost=remove")

    def test_n08_without_a_way_it_is_removed_where_configured(self):
        phone, user = self.phone("tcp"), self.new_user()
        self.subscribed(phone, user)
        phone.close()
        self.published(self.phone(), user)
        self.eventually(lambda: not self.subscriptions(user))


class Crowd(threading.Thread):
    """Watchers of one presentity, all on one socket, whose NOTIFYs are answered as they come."""

    STEP = 200  # what the kernel's buffers hold

    def __init__(self, phone, user, size):
        super().__init__(daemon=True)
        self.phone, self.user, self.size = phone, user, size
        self.answered = 0
        self.notified = {}
        self.is_ended = False

    def take(self, until):
        while not until():
            message = self.phone.read(PATIENCE)
            if message is None:
                raise Silence(f"{len(self.notified)} of {self.size}")
            if message.is_request:
                self.notified[message.get("call-id")] = message.text
            elif message.status == 200:
                self.answered += 1
            else:
                raise AssertionError(message)

    def subscribe(self):
        for first in range(0, self.size, self.STEP):
            for number in range(first, first + self.STEP):
                self.phone.send_bytes(self.phone.request(
                    "SUBSCRIBE", self.user, [("Event", "presence"), ("Contact", f"<{self.phone.contact}>")],
                    from_uri=f"sip:w{number}@example.com", call_id=f"c{number}"))
            last = first + self.STEP
            self.take(lambda: len(self.notified) >= last and self.answered >= last)
        self.notified.clear()

    def run(self):
        """Until each was notified once more."""
        self.take(lambda: len(self.notified) == self.size)
        self.is_ended = True


class TenThousand(Scenario):
    def test_n13_every_one_of_ten_thousand_watchers_is_told(self):
        user, other = self.new_user(), self.new_user("other")
        beside, _ = self.subscribed(self.phone(), other)
        crowd = Crowd(self.phone(), user, 10000)
        crowd.subscribe()
        crowd.start()
        self.published(self.phone(), user, note="to all")
        # Somebody else's watcher does not wait for the ten thousand. In what order they are instructed is shown
        # in tests/unit/presence-core/engine/notifier_test.cc.
        self.published(self.phone(), other, note="beside")
        self.assertIn("beside", beside.notify().text)
        self.assertLess(len(crowd.notified), crowd.size)
        crowd.join()
        self.assertTrue(crowd.is_ended)
        self.assertTrue(all("to all" in text for text in crowd.notified.values()))
        self.assertEqual(len(self.subscriptions(user)), crowd.size)
        self.assertEqual(set(crowd.notified), {row["callId"] for row in self.subscriptions(user)})


class OverIPv6(Scenario):
    host = "::1"

    def test_n09_contacts_are_bracketed_and_say_the_transport_once(self):
        port = self.system.sip[1]
        for transport, contact in (("udp", f"sip:[::1]:{port}"), ("tcp", f"sip:[::1]:{port};transport=tcp")):
            with self.subTest(transport):
                phone = self.phone(transport)
                subscription, notify = self.subscribed(phone, self.new_user())
                for message in (subscription.answer, notify):
                    self.assertEqual(message.get("contact"), f"<{contact}>")
                self.assertTrue(notify.get("via").startswith(f"SIP/2.0/{transport.upper()} [::1]:"))
                self.assertEqual(notify.uri, phone.contact)


if __name__ == "__main__":
    unittest.main()
