"""What must not be served is answered or dropped as RFC 3261 says, and the next PUBLISH works."""

import random
import socket
import unittest

from scenario import QUIET, Scenario, Silence, pidf


class Hostile(Scenario):
    def tearDown(self):
        self.assert_works()

    def publish_bytes(self, phone, user, headers=(), body=None, **options):
        own = [("Event", "presence"), ("Content-Type", "application/pidf+xml"), *headers]
        return phone.request("PUBLISH", user, own, pidf(user) if body is None else body, **options)

    def assert_refused_or_dropped(self, phone, data):
        """No 200. Returns the status or None."""
        phone.send_bytes(data)
        try:
            answer = phone.wait(lambda m: not m.is_request, QUIET)
        except Silence:
            return None
        self.assertGreaterEqual(answer.status, 400, answer)
        return answer.status

    def test_truncated_datagrams_are_never_served(self):
        user = self.new_user()
        phone = self.phone()
        whole = self.publish_bytes(phone, user)
        for cut in range(0, len(whole) - 1, 37):
            phone.send_bytes(whole[:cut])
        # Whatever was answered, it was not 200; a whole one after it is.
        for message in iter(lambda: phone.read(QUIET), None):
            self.assertGreaterEqual(message.status, 400, message)
        self.assertEqual(self.rows(user), [])

    def test_binary_over_udp_and_tcp_is_dropped(self):
        noise = random.Random(4475)
        phone = self.phone()
        for size in (1, 2, 20, 500, 1400):
            phone.send_bytes(noise.randbytes(size))
        phone.send_bytes(b"\x00" * 100)
        stream = self.phone("tcp")
        stream.send_bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise.randbytes(400) + b"\r\n\r\n")
        self.assertTrue(stream.wait_for_close())

    def test_a_folded_header_is_served_as_one_line(self):
        phone, user = self.phone(), self.new_user()
        data = self.publish_bytes(phone, user, headers=[("Subject", "first line\r\n  second line")])
        self.assert_status(phone.ask_bytes(data), 200)

    def test_compact_forms_are_served(self):
        phone, user = self.phone(), self.new_user()
        body = pidf(user)
        data = phone.print("PUBLISH", user, [
            ("v", phone.via()), ("Max-Forwards", "70"), ("f", "<sip:bob@example.com>;tag=1"), ("t", f"<{user}>"),
            ("i", "compact-forms"), ("CSeq", "1 PUBLISH"), ("o", "presence"), ("c", "application/pidf+xml"),
            ("l", str(len(body.encode())))], body)
        phone.send_bytes(data)
        self.assert_status(phone.response("compact-forms", "1 PUBLISH"), 200)

    def test_duplicated_single_headers_are_400(self):
        phone, user = self.phone(), self.new_user()
        for name, value in (("Event", "dialog"), ("Call-ID", "another"), ("CSeq", "2 PUBLISH"), ("Expires", "5"),
                            ("Content-Length", "3")):
            with self.subTest(name):
                extra = [("Expires", "600")] if name == "Expires" else []
                data = self.publish_bytes(phone, user, headers=extra + [(name, value)])
                self.assertIn(self.assert_refused_or_dropped(phone, data), (400, None))
        self.assertEqual(self.rows(user), [])

    def test_a_line_end_that_is_not_crlf_is_refused(self):
        phone, user = self.phone(), self.new_user()
        whole = self.publish_bytes(phone, user)
        self.assert_refused_or_dropped(phone, whole.replace(b"\r\n", b"\n"))
        self.assert_refused_or_dropped(phone, whole.replace(b"Event: presence\r\n", b"Event: presence\r"))
        self.assert_refused_or_dropped(phone, whole.replace(b"Event: presence", b"Event: pres\x00ence"))
        self.assertEqual(self.rows(user), [])

    def test_five_thousand_headers_are_refused(self):
        phone, user = self.phone(), self.new_user()
        data = self.publish_bytes(phone, user, headers=[("X", "y")] * 5000)
        self.assert_refused_or_dropped(phone, data)
        stream = self.phone("tcp")
        stream.send_bytes(data)
        self.assertTrue(stream.wait_for_close())
        self.assertEqual(self.rows(user), [])

    def test_an_oversized_message_on_tcp_ends_the_connection(self):
        stream = self.phone("tcp")
        user = self.new_user()
        head = stream.request("PUBLISH", user, [("Event", "presence"), ("Content-Type", "application/pidf+xml"),
                                                ("Content-Length", "99999999")], has_length=False)
        stream.send_bytes(head)
        self.assertTrue(stream.wait_for_close())

    def test_values_sofia_accepts_without_a_mark_are_400(self):
        phone, user = self.phone(), self.new_user()
        for headers in ([("SIP-If-Match", "a b")], [("Expires", "-1")]):
            with self.subTest(headers):
                self.assert_status(phone.ask_bytes(self.publish_bytes(phone, user, headers=headers)), 400)
        data = phone.request("PUBLISH", user, [("Event", "presence, dialog"),
                                               ("Content-Type", "application/pidf+xml")], pidf(user))
        self.assertIn(phone.ask_bytes(data).status, (400, 489))
        self.assertEqual(self.rows(user), [])

    def test_hops_and_versions_are_checked(self):
        phone, user = self.phone(), self.new_user()
        whole = self.publish_bytes(phone, user)
        self.assert_status(phone.ask_bytes(whole.replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1)), 505)
        other = self.publish_bytes(phone, user, call_id="hops")
        answer = phone.ask_bytes(other.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
        # RFC 3261 section 16.3: a proxy answers 483. The end point may serve it: it forwards nothing.
        self.assertIn(answer.status, (200, 483))

    def test_pieces_and_pipelines_on_tcp_are_framed(self):
        stream, user, other = self.phone("tcp"), self.new_user(), self.new_user()
        first = self.publish_bytes(stream, user, call_id="first")
        second = self.publish_bytes(stream, other, call_id="second")
        both = b"\r\n\r\n" + first + second
        for start in range(0, len(both), 100):
            stream.send_bytes(both[start:start + 100])
        self.assert_status(stream.response("first", "1 PUBLISH"), 200)
        self.assert_status(stream.response("second", "1 PUBLISH"), 200)

    def test_a_half_closed_peer_still_gets_its_answer(self):
        stream, user = self.phone("tcp"), self.new_user()
        stream.send_bytes(self.publish_bytes(stream, user, call_id="half"))
        stream.socket.shutdown(socket.SHUT_WR)
        self.assert_status(stream.response("half", "1 PUBLISH"), 200)

    def test_responses_to_nothing_are_dropped(self):
        phone = self.phone()
        phone.send_bytes(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
                         b"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n")
        phone.assert_quiet()


if __name__ == "__main__":
    unittest.main()
