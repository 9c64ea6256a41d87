"""PUBLISH over the wire: RFC 3903 section 6, step by step."""

import json
import time
import unittest

from scenario import SLACK, Scenario, basics, pidf

PACKAGES = {"presence", "presence.winfo"}


class Publish(Scenario):
    def test_p02_without_event_or_with_an_unknown_one_is_489_with_the_packages(self):
        phone, user = self.phone(), self.new_user()
        for event in (None, "no-such-package", "presence.winfo", "presence.winfo.winfo"):
            with self.subTest(event):
                answer = phone.publish(user, pidf(user), event=event)
                self.assert_status(answer, 489)
                self.assertEqual(set(answer.tokens("allow-events")), PACKAGES)
        self.assertEqual(self.rows(user), [])

    def test_p03_of_two_faults_the_earlier_step_answers(self):
        phone, user = self.phone(), self.new_user()
        self.assert_status(phone.publish(user, pidf(user), event="nonsense", etag="stale"), 489)
        self.assert_status(phone.publish(user, pidf(user), etag="stale", expires=1), 412)
        self.assert_status(phone.publish(user, "<broken", expires=1), 423)

    def test_p04_the_first_is_answered_with_expires_and_one_tag_and_is_listed(self):
        phone, user = self.phone(user="alice"), self.new_user()
        answer = phone.publish(user, pidf(user), expires=600)
        self.assert_status(answer, 200)
        self.assertLessEqual(int(answer.get("expires")), 600)
        self.assertGreater(int(answer.get("expires")), 0)
        self.assertEqual(len(answer.all("sip-etag")), 1)
        self.assertRegex(answer.get("sip-etag"), r"^[A-Za-z0-9.!%*_+`'~-]+$")
        listed = [(row["presentity"], row["event"], row["etag"]) for row in self.rows(user)]
        self.assertEqual(listed, [(user.partition(":")[2], "presence", answer.get("sip-etag"))])

    def test_p05_two_devices_are_two_publications_in_one_state(self):
        desk, mobile, user = self.phone(), self.phone(), self.new_user()
        first = desk.publish(user, pidf(user, "open", "desk", "t-desk"))
        second = mobile.publish(user, pidf(user, "closed", "mobile", "t-mobile"))
        tags = {first.get("sip-etag"), second.get("sip-etag")}
        self.assertEqual(len(tags), 2)
        self.assertEqual({row["etag"] for row in self.rows(user)}, tags)
        _, notify = self.subscribed(self.phone(), user)
        for said in ('id="t-desk"', 'id="t-mobile"', "<note>desk</note>", "<note>mobile</note>"):
            self.assertIn(said, notify.text)
        self.assertEqual(sorted(basics(notify.text)), ["closed", "open"])

    def test_p06_p07_a_tag_that_is_not_current_is_412_and_changes_nothing(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        other = self.published(phone, self.new_user())
        before = self.rows(user)
        watcher = self.phone()
        self.subscribed(watcher, user)
        unknown = tag[:-1] + ("A" if tag[-1] != "A" else "B")
        for stale in (unknown, other, "abc"):
            with self.subTest(stale):
                for document, expires in ((pidf(user, "closed"), 600), ("", 600), ("", 0)):
                    self.assert_status(phone.publish(user, document, etag=stale, expires=expires), 412)
        self.assertEqual(self.rows(user), before)
        watcher.assert_quiet()

    def test_p08_a_tag_that_is_no_single_token_is_400(self):
        phone, user = self.phone(), self.new_user()
        for tag in ("a b", "", '"quoted"', "a, b"):
            with self.subTest(tag):
                self.assert_status(phone.publish(user, pidf(user), etag=tag), 400)
        twice = phone.publish(user, pidf(user), etag="a", headers=[("SIP-If-Match", "b")])
        self.assert_status(twice, 400)
        self.assertEqual(self.rows(user), [])

    def test_p09_a_refresh_gives_a_new_tag_and_tells_nobody(self):
        phone, watcher, user = self.phone(), self.phone(), self.new_user()
        old = self.published(phone, user)
        self.subscribed(watcher, user)
        answer = phone.publish(user, etag=old, expires=600)
        self.assert_status(answer, 200)
        self.assertNotEqual(answer.get("sip-etag"), old)
        self.assert_status(phone.publish(user, etag=old, expires=600), 412)
        self.assertEqual([row["etag"] for row in self.rows(user)], [answer.get("sip-etag")])
        watcher.assert_quiet()

    def test_p10_a_modification_reaches_every_watcher(self):
        phone, user = self.phone(), self.new_user()
        tag = self.published(phone, user)
        subscriptions = [self.subscribed(self.phone(), user)[0] for _ in range(3)]
        answer = phone.publish(user, pidf(user, "closed", "gone"), etag=tag)
        self.assert_status(answer, 200)
        self.assertNotEqual(answer.get("sip-etag"), tag)
        for subscription in subscriptions:
            notify = subscription.notify()
            self.assertEqual(basics(notify.text), ["closed"])
            self.assertIn("gone", notify.text)
        self.assert_status(phone.publish(user, pidf(user), etag=tag), 412)

    def test_p11_a_removal_leaves_the_rest_and_at_last_closed(self):
        phone, user = self.phone(), self.new_user()
        first = phone.publish(user, pidf(user, "open", "", "t1")).get("sip-etag")
        second = phone.publish(user, pidf(user, "open", "", "t2")).get("sip-etag")
        subscription, _ = self.subscribed(self.phone(), user)
        answer = phone.publish(user, etag=first, expires=0)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "0")
        self.assert_status(phone.publish(user, etag=answer.get("sip-etag"), expires=600), 412)
        rest = subscription.notify()
        self.assertNotIn('id="t1"', rest.text)
        self.assertIn("t2", rest.text)
        self.assert_status(phone.publish(user, etag=second, expires=0), 200)
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        self.assertEqual(self.rows(user), [])

    def test_p12_a_first_one_with_expires_0_is_checked_and_not_stored(self):
        phone, watcher, user = self.phone(), self.phone(), self.new_user()
        self.subscribed(watcher, user)
        answer = phone.publish(user, pidf(user), expires=0)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "0")
        self.assertTrue(answer.get("sip-etag"))
        self.assert_status(phone.publish(user, "<broken", expires=0), 400)
        self.assert_status(phone.publish(user, etag=answer.get("sip-etag"), expires=600), 412)
        self.assertEqual(self.rows(user), [])
        watcher.assert_quiet()

    def test_p13_neither_body_nor_tag_is_400(self):
        self.assert_status(self.phone().publish(self.new_user()), 400)

    def test_p14_what_is_no_lifetime_is_400(self):
        phone, user = self.phone(), self.new_user()
        for expires in ("soon", "-1", "1.5", "", "600;x=y", 4294967296, 99999999999):
            with self.subTest(expires):
                self.assert_status(phone.publish(user, pidf(user), expires=expires), 400)
        self.assertEqual(self.rows(user), [])

    def test_p15_too_brief_is_423_with_the_minimum(self):
        phone, user = self.phone(), self.new_user()
        answer = phone.publish(user, pidf(user), expires=59)
        self.assert_status(answer, 423)
        self.assertEqual(answer.get("min-expires"), "60")
        self.assertEqual(self.rows(user), [])
        self.assert_status(phone.publish(user, pidf(user), expires=60), 200)

    def test_p16_another_content_type_or_encoding_is_415(self):
        phone, user = self.phone(), self.new_user()
        answer = phone.publish(user, "hello", content_type="text/plain")
        self.assert_status(answer, 415)
        self.assertEqual(answer.tokens("accept"), ["application/pidf+xml"])
        answer = phone.publish(user, pidf(user), headers=[("Content-Encoding", "gzip")])
        self.assert_status(answer, 415)
        self.assertEqual(answer.tokens("accept-encoding"), ["identity"])
        self.assertEqual(self.rows(user), [])

    def test_p17_hostile_xml_is_refused_and_the_old_state_kept(self):
        phone, user, fetched = self.phone(), self.new_user(), self.listener()
        tag = self.published(phone, user, note="as before")
        before = self.rows(user)
        # That none of it costs 50 ms is shown in tests/unit/presence-core/packages/xml/hostile_xml_test.cc.
        host, port = fetched.socket.getsockname()

        def entity(where):
            return f'<!DOCTYPE p [<!ENTITY a SYSTEM "{where}">]>' + pidf(user, note="&a;").partition("\n")[2]
        bomb = "<!DOCTYPE p [" + "".join(
            f'<!ENTITY a{i} "{("&a%d;" % (i - 1)) * 10 if i else "ha"}">' for i in range(10)) + "]><p>&a9;</p>"
        for document in ("<presence", pidf(user).replace("</tuple>", ""), entity("file:///etc/passwd"),
                         entity(f"http://{host}:{port}/"), f'<!DOCTYPE p SYSTEM "http://{host}:{port}/"><p/>', bomb,
                         "<a>" * 2000, "\x00\x01\x02", "x" * 1200):
            with self.subTest(document[:50]):
                self.assert_status(phone.publish(user, document, etag=tag), 400)
        self.assertFalse(fetched.has_callers())
        self.assertEqual(self.rows(user), before)

    def test_p17_an_oversize_document_is_refused_and_the_old_state_kept(self):
        phone, user = self.phone("tcp"), self.new_user()
        tag = self.published(phone, user, note="as before")
        before = self.rows(user)
        self.assert_status(phone.publish(user, pidf(user, note="x" * 40000), etag=tag), 413)
        self.assertEqual(self.rows(user), before)
        self.assert_status(phone.publish(user, etag=tag, expires=600), 200)

    def test_p18_on_udp_the_body_ends_with_the_datagram(self):
        phone, user = self.phone(), self.new_user()
        headers = [("Event", "presence"), ("Content-Type", "application/pidf+xml")]
        data = phone.request("PUBLISH", user, headers, pidf(user), has_length=False)
        self.assert_status(phone.ask_bytes(data), 200)
        self.assertEqual(self.rows(user)[0]["document"]["text"], pidf(user))
        user = self.new_user()
        short = phone.request("PUBLISH", user, headers + [("Content-Length", "5000")], pidf(user), has_length=False)
        self.assert_status(phone.ask_bytes(short), 400)
        self.assertEqual(self.rows(user), [])
        document = pidf(user).encode()
        longer = phone.request("PUBLISH", user, headers + [("Content-Length", str(len(document)))],
                               document + b"and more", has_length=False)
        self.assert_status(phone.ask_bytes(longer), 200)
        self.assertEqual(self.rows(user)[0]["document"]["text"], pidf(user))

    def test_p18_on_tcp_a_message_without_length_is_400_and_the_connection_ends(self):
        phone, user = self.phone("tcp"), self.new_user()
        headers = [("Event", "presence"), ("Content-Type", "application/pidf+xml")]
        data = phone.request("PUBLISH", user, headers, pidf(user), has_length=False)
        self.assert_status(phone.ask_bytes(data), 400)
        self.assertTrue(phone.wait_for_close())
        self.assertEqual(self.rows(user), [])

    def test_p19_record_route_and_contact_are_ignored(self):
        phone, user = self.phone(), self.new_user()
        answer = phone.publish(user, pidf(user), headers=[("Record-Route", "<sip:10.0.0.1;lr>"),
                                                          ("Contact", "<sip:alice@10.0.0.2>")])
        self.assert_status(answer, 200)
        self.assertEqual(answer.all("record-route") + answer.all("contact"), [])

    def test_p22_of_a_hundred_modifications_with_one_tag_one_wins(self):
        user = self.new_user()
        tag = self.published(self.phone(), user)
        watcher, _ = self.subscribed(self.phone(), user)
        phones = [self.phone() for _ in range(100)]
        headers = [("Event", "presence"), ("Content-Type", "application/pidf+xml"), ("SIP-If-Match", tag)]
        for number, phone in enumerate(phones):
            phone.send_bytes(phone.request("PUBLISH", user, headers, pidf(user, note=f"by {number}.")))
        answers = [phone.wait(lambda m: not m.is_request) for phone in phones]
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [412] * 99)
        winner = next(number for number, answer in enumerate(answers) if answer.status == 200)
        row, = self.rows(user)
        self.assertEqual(row["etag"], answers[winner].get("sip-etag"))
        self.assertIn(f"by {winner}.", row["document"]["text"])
        self.assertIn(f"by {winner}.", watcher.notify().text)
        watcher.phone.assert_quiet()

    def test_p25_options_tells_what_is_served(self):
        answer = self.phone().ask("OPTIONS", "sip:example.com")
        self.assert_status(answer, 200)
        self.assertLessEqual({"PUBLISH", "SUBSCRIBE", "OPTIONS"}, set(answer.tokens("allow")))
        self.assertEqual(set(answer.tokens("allow-events")), PACKAGES)
        self.assertEqual(answer.tokens("accept"), ["application/pidf+xml"])

    def test_p30_a_method_or_scheme_that_is_not_served(self):
        phone, user = self.phone(), self.new_user()
        for method in ("REGISTER", "MESSAGE", "INFO", "INVITE"):
            with self.subTest(method):
                answer = phone.ask(method, user)
                self.assert_status(answer, 405)
                self.assertLessEqual({"PUBLISH", "SUBSCRIBE", "OPTIONS"}, set(answer.tokens("allow")))
                self.assertNotIn(method, answer.tokens("allow"))
        self.assert_status(phone.ask("FROBNICATE", user), 501)
        self.assert_status(phone.publish("http://example.com/alice", pidf(user)), 416)
        self.assert_status(phone.subscribe("http://example.com/alice").answer, 416)

    def test_a_retransmission_is_answered_with_the_same_bytes(self):
        phone, user = self.phone(), self.new_user()
        data = phone.request("PUBLISH", user, [("Event", "presence"), ("Content-Type", "application/pidf+xml")],
                             pidf(user))
        first, second = phone.ask_bytes(data), phone.ask_bytes(data)
        self.assertEqual(first.data, second.data)
        self.assertEqual(len(self.rows(user)), 1)


class PublishAtARealHouse(Scenario):
    """Outside dev mode, with short lifetimes, a trusted peer and a Sender header."""

    dev = False
    core = ("--domain", "example.com", "--set", "policy.unknown_watcher=allow",
            "--set", "publish.min_expires=1s", "--set", "publish.expires_margin=0s")
    gateway = ("--domain", "example.com", "--trusted-peer", "127.0.0.1/32", "--set", "sip.sender_header=true")

    def test_p01_a_domain_that_is_not_served_is_404(self):
        user = "sip:alice@elsewhere.example"
        self.assert_status(self.phone().publish(user, pidf(user)), 404)
        self.system.presencectl("publish", user.partition(":")[2], "--open", code=3)
        self.assertNotIn("alice@elsewhere.example", {row["presentity"] for row in self.rows()})

    def test_p03_a_foreign_domain_comes_before_a_bad_event(self):
        self.assert_status(self.phone().publish("sip:a@elsewhere.example", "x", event="nonsense"), 404)

    def test_p24_expiry_reaches_the_watchers_within_a_second(self):
        phone, user = self.phone(), self.new_user()
        subscription, _ = self.subscribed(self.phone(), user)
        sent = time.monotonic()
        self.published(phone, user, expires=1)
        answered = time.monotonic()
        self.assertEqual(basics(subscription.notify().text), ["open"])
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        told = time.monotonic()
        self.assertGreaterEqual(told - sent, 1.0)
        self.assertLess(told - answered, 1.0 + 1.0 + SLACK)
        self.assertEqual(self.rows(user), [])

    def test_p26_the_sender_is_not_told_of_its_own_change(self):
        phone, sender, other, user = self.phone(), self.phone(user="carol"), self.phone(), self.new_user()
        self.subscribed(sender, user)
        subscription, _ = self.subscribed(other, user)
        answer = phone.publish(user, pidf(user, note="mine"), headers=[("Sender", f"<{sender.contact}>")])
        self.assert_status(answer, 200)
        self.assertIn("mine", subscription.notify().text)
        sender.assert_quiet()
        # Nor when a program publishes for the device.
        self.system.presencectl("publish", user.partition(":")[2], "--closed", "--etag", answer.get("sip-etag"),
                                "--sender", sender.contact)
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        sender.assert_quiet()


class PublishWithALifetimeRaised(Scenario):
    """What is too brief is raised; what has expired goes silently."""

    core = ("--set", "publish.min_expires=2s", "--set", "publish.default_expires=500s",
            "--set", "publish.max_expires=1000s", "--set", "min_expires_action=raise",
            "--set", "publish.expire_silently=true")

    def test_p15_what_is_too_brief_gets_the_minimum_and_not_the_default(self):
        user = self.new_user()
        answer = self.phone().publish(user, pidf(user), expires=1)
        self.assert_status(answer, 200)
        self.assertEqual(answer.get("expires"), "2")
        told = self.system.presencectl("publish", user.partition(":")[2], "--open", "--expires", "1s", "-o", "json")
        self.assertEqual(json.loads(told)["expiry"], "2s")

    def test_p24_silent_expiry_tells_nobody(self):
        user = self.new_user()
        subscription, _ = self.subscribed(self.phone(), user)
        self.published(self.phone(), user, expires=2)
        self.assertEqual(basics(subscription.notify().text), ["open"])
        self.eventually(lambda: not self.rows(user))
        subscription.phone.assert_quiet()
        _, notify = self.subscribed(self.phone(), user)
        self.assertEqual(basics(notify.text), ["closed"])


class PublishForALongTime(Scenario):
    core = ("--set", "publish.min_expires=2h", "--set", "publish.default_expires=3h",
            "--set", "publish.max_expires=5h", "--set", "publish.expires_margin=10s")

    def test_p14_the_granted_lifetime_is_the_maximum_or_the_default_less_the_margin(self):
        for asked, granted in ((4294967295, 5 * 3600 - 10), (5 * 3600 + 1, 5 * 3600 - 10), (None, 3 * 3600 - 10),
                               (4 * 3600, 4 * 3600 - 10)):
            with self.subTest(asked):
                user = self.new_user()
                answer = self.phone().publish(user, pidf(user), expires=asked)
                self.assert_status(answer, 200)
                self.assertEqual(int(answer.get("expires")), granted)
                lifetime = ["--expires", f"{min(asked, 30 * 24 * 3600)}s"] if asked else []
                told = self.system.presencectl("publish", user.partition(":")[2], "--open", *lifetime, "-o", "json")
                self.assertEqual(json.loads(told)["expiry"], f"{granted}s")

    def test_p15_even_an_hour_is_refused_where_the_minimum_is_more(self):
        user = self.new_user()
        answer = self.phone().publish(user, pidf(user), expires=3600)
        self.assert_status(answer, 423)
        self.assertEqual(answer.get("min-expires"), "7200")
        self.assertEqual(self.system.refusal("publish", user.partition(":")[2], "--open", "--expires", "1h"),
                         "INTERVAL_TOO_BRIEF")
        self.assertEqual(self.rows(user), [])


if __name__ == "__main__":
    unittest.main()
