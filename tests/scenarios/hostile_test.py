"""What must not be served has one right answer, or none, each by its clause; and the next PUBLISH works.

Whether nothing was answered is not a matter of waiting: the OPTIONS sent after it is answered by the gateway itself,
and datagrams keep their order on loopback, so its answer comes after all that went before.
"""

import random
import re
import socket
import unittest

from scenario import Scenario, pidf

FAULT = re.compile(r'sip_gateway_malformed_total\{fault="([^"]*)",done="(\w+)"\}')


class Hostile(Scenario):
    def setUp(self):
        self.before = self.faults()

    def tearDown(self):
        for transport in ("udp", "tcp"):
            user = self.new_user("well")
            self.published(self.phone(transport, user="well"), user)

    def faults(self):
        """{(fault, "answered" or "dropped"): how often}"""
        samples = self.system.gateway_metrics()
        return {FAULT.match(name).groups(): value for name, value in samples.items() if FAULT.match(name)}

    def assert_faults(self, expected):
        """These and no others since the test began: {fault: (answered, dropped)}."""
        came = {}
        for (fault, done), value in self.faults().items():
            count = int(value - self.before.get((fault, done), 0))
            if count:
                answered, dropped = came.get(fault, (0, 0))
                came[fault] = (answered + count, dropped) if done == "answered" else (answered, dropped + count)
        self.assertEqual(came, expected)

    def publish_bytes(self, phone, user, headers=(), body=None, event="presence", **options):
        own = [("Event", event), ("Content-Type", "application/pidf+xml"), *headers]
        return phone.request("PUBLISH", user, own, pidf(user) if body is None else body, **options)

    def subscribe_bytes(self, phone, user, headers=(), event="presence", **options):
        own = [("Event", event), ("Contact", f"<{phone.contact}>"), *headers]
        return phone.request("SUBSCRIBE", user, own, **options)

    def answers_to(self, phone, *datagrams):
        """The status of everything that comes back, in order."""
        for data in datagrams:
            phone.send_bytes(data)
        phone.send_bytes(phone.request("OPTIONS", "sip:example.com", call_id="fence"))
        statuses = []
        while (message := phone.wait(lambda m: not m.is_request)).get("call-id") != "fence":
            statuses.append(message.status)
        self.assertEqual(message.status, 200)
        return statuses

    def assert_refused(self, phone, data, status, clause):
        with self.subTest(clause):
            self.assertEqual(self.answers_to(phone, data), [status])

    def assert_refused_and_closed(self, data, status, clause):
        """On a connection: one answer, then its end."""
        with self.subTest(clause):
            stream = self.phone("tcp")
            stream.send_bytes(data)
            self.assertTrue(stream.wait_for_close())
            self.assertEqual([message.status for message in stream.inbox], [status])

    # ---- Frames ----

    def test_a_truncated_datagram_is_400_if_it_says_whom_to_answer_else_dropped(self):
        # RFC 3261 section 18.3: a request whose body is too short gets a 400. Section 8.2.6.2: an answer repeats Via,
        # From, To, Call-ID and CSeq, so what ends before the last of these has none.
        phone, user = self.phone(), self.new_user()
        whole = self.publish_bytes(phone, user)
        answerable = whole.index(b"\r\n", whole.index(b"\r\nCSeq:") + 2) + 2
        head = whole.index(b"\r\n\r\n") + 4
        silent, cut_head, cut_body = answerable - 1, head - answerable, len(whole) - head
        for begin in range(1, len(whole), 100):  # in bunches that a socket buffer holds
            cuts = range(begin, min(begin + 100, len(whole)))
            expected = [400] * sum(cut >= answerable for cut in cuts)
            self.assertEqual(self.answers_to(phone, *(whole[:cut] for cut in cuts)), expected)
        self.assert_faults({"Unterminated Head": (cut_head, silent),
                            "Content-Length Longer Than Message": (cut_body, 0)})
        self.assertEqual(self.rows(user), [])

    def test_a_truncated_request_on_a_connection_that_ends_is_dropped(self):
        # RFC 3261 section 18.3: on a stream the rest may still come; a peer that has finished sends none.
        user = self.new_user()
        for cut in (20, 200, -1):
            stream = self.phone("tcp")
            stream.send_bytes(self.publish_bytes(stream, user)[:cut])
            stream.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(stream.wait_for_close())
            self.assertEqual((stream.inbox, stream.buffer), ([], b""))
        self.assert_faults({})
        self.assertEqual(self.rows(user), [])

    def test_a_length_that_is_not_that_of_the_body(self):
        phone, user = self.phone(), self.new_user()
        size = len(pidf(user).encode())
        for value, clause in ((size + 1, "18.3: the body ends before its length"), (99999999, "18.3"),
                              (-1, "20.14: 1*DIGIT"), ("abc", "20.14"), ("5 5", "20.14"),
                              (2**32 + size, "20.14: no wrap-around")):
            data = self.publish_bytes(phone, user, headers=[("Content-Length", str(value))], has_length=False)
            self.assert_refused(phone, data, 400, f"{clause}: {value}")
        self.assert_faults({"Content-Length Longer Than Message": (2, 0), "Malformed Content-Length": (4, 0)})
        self.assertEqual(self.rows(user), [])
        # 18.3: what is beyond it is dropped, and the request served.
        data = self.publish_bytes(phone, user) + b"PUBLISH"
        self.assert_status(phone.ask_bytes(data), 200)

    def test_a_length_beyond_the_limit_ends_the_connection(self):
        stream, user = self.phone("tcp"), self.new_user()
        for value, status, clause in ((99999999, 513, "21.5.7: before a byte of it has come"), ("abc", 400, "20.14")):
            data = self.publish_bytes(stream, user, body="", headers=[("Content-Length", str(value))], has_length=False)
            self.assert_refused_and_closed(data, status, clause)
        self.assert_faults({"Message Too Large": (1, 0), "Malformed Content-Length": (1, 0)})

    def test_a_line_end_that_is_not_crlf_is_400(self):
        # RFC 3261 section 7: each line ends in CRLF. What stands in a line with a CR or NUL of its own is not repeated.
        phone, user = self.phone(), self.new_user()
        broken = [("LF", lambda data: data.replace(b"\r\n", b"\n"), "Bare LF in Head"),
                  ("one LF", lambda data: data.replace(b"Event: presence\r\n", b"Event: presence\n"), "Bare LF in Head"),
                  ("CR", lambda data: data.replace(b"Event: presence\r\n", b"Event: presence\r"), "Bare CR in Head"),
                  ("NUL", lambda data: data.replace(b"Event: presence", b"Event: pres\x00ence"), "NUL in Head")]
        for name, change, _ in broken:
            self.assert_refused(phone, change(self.publish_bytes(phone, user)), 400, name)
            self.assert_refused_and_closed(change(self.publish_bytes(self.phone("tcp"), user)), 400, f"{name}, TCP")
        self.assert_faults({"Bare LF in Head": (4, 0), "Bare CR in Head": (2, 0), "NUL in Head": (2, 0)})
        self.assertEqual(self.rows(user), [])

    def test_a_head_that_is_too_large_is_refused(self):
        # RFC 3261 sections 21.4.1 and 21.5.7; the limits are ours: 256 fields, 8 KiB a field, 16 KiB in all.
        phone, user = self.phone(), self.new_user()
        for headers, status in (([("X", "y")] * 5000, 400), ([("X", "y" * 9000)], 513),
                                ([("X", "y" * 4000)] * 5, 513)):
            data = self.publish_bytes(phone, user, headers=headers)
            self.assert_refused(phone, data, status, f"{len(headers)} fields")
            data = self.publish_bytes(self.phone("tcp"), user, headers=headers)
            self.assert_refused_and_closed(data, status, f"{len(headers)} fields, TCP")
        self.assert_faults({"Too Many Header Fields": (2, 0), "Header Field Too Large": (2, 0),
                            "Message Head Too Large": (2, 0)})
        self.assertEqual(self.rows(user), [])

    def test_binary_is_dropped(self):
        # RFC 3261 section 7.1: no start line, no message; and nobody who could be answered.
        noise = random.Random(4475)
        phone = self.phone()
        data = [noise.randbytes(size) for size in (1, 2, 20, 500, 1400)] + [b"\x00" * 100]
        self.assertEqual(self.answers_to(phone, *data), [])
        tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise.randbytes(400) + b"\r\n\r\n"
        stream = self.phone("tcp")
        stream.send_bytes(tls)
        self.assertTrue(stream.wait_for_close())
        self.assertEqual((stream.inbox, stream.buffer), ([], b""))
        dropped = {key: value - self.before.get(key, 0) for key, value in self.faults().items()}
        self.assertEqual(sum(value for (_, done), value in dropped.items() if done == "dropped"), len(data) + 1)
        self.assertEqual(sum(value for (_, done), value in dropped.items() if done == "answered"), 0)

    # ---- Header fields ----

    def test_folded_header_fields_are_served_as_one_line(self):
        # RFC 3261 section 7.3.1.
        for transport in ("udp", "tcp"):
            phone, user = self.phone(transport), self.new_user()
            data = self.publish_bytes(phone, user, headers=[("Subject", "first line\r\n  second line")])
            for name in (b"Event", b"Content-Type", b"Call-ID", b"CSeq", b"From", b"Content-Length"):
                data = data.replace(b"\r\n" + name + b": ", b"\r\n" + name + b" :\r\n\t ", 1)
            phone.send_bytes(data)
            answer = phone.wait(lambda m: not m.is_request)
            self.assert_status(answer, 200)
            self.assertEqual(len(self.rows(user)), 1)

    def test_compact_forms_are_served(self):
        # RFC 3261 section 7.3.3.
        for transport in ("udp", "tcp"):
            phone, user = self.phone(transport), self.new_user()
            body = pidf(user)
            data = phone.print("PUBLISH", user, [
                ("v", phone.via()), ("Max-Forwards", "70"), ("f", "<sip:bob@example.com>;tag=1"), ("t", f"<{user}>"),
                ("i", "compact-forms"), ("CSeq", "1 PUBLISH"), ("o", "presence"), ("c", "application/pidf+xml"),
                ("l", str(len(body.encode())))], body)
            phone.send_bytes(data)
            self.assert_status(phone.response("compact-forms", "1 PUBLISH"), 200)

    def test_duplicated_single_header_fields_are_400(self):
        # RFC 3261 section 7.3.1, RFC 4475 section 3.3.8; two lengths, even equal ones, RFC 4475 section 3.3.9.
        phone, user = self.phone(), self.new_user()
        doubles = {"Event": "dialog", "Call-ID": "another", "CSeq": "2 PUBLISH", "Expires": "5", "Content-Length": "3",
                   "From": "<sip:eve@example.com>;tag=x", "To": "<sip:eve@example.com>", "Max-Forwards": "1",
                   "Content-Type": "text/plain", "SIP-If-Match": "b"}
        single = {"Expires": "600", "SIP-If-Match": "a"}  # those that not every request has
        for name, value in doubles.items():
            headers = [(name, single[name])] if name in single else []
            data = self.publish_bytes(phone, user, headers=headers + [(name, value)])
            self.assert_refused(phone, data, 400, name)
        self.assert_faults({f"Multiple {name}": (1, 0) for name in doubles})
        stream = self.phone("tcp")
        self.assert_refused_and_closed(self.publish_bytes(stream, user, headers=[("Content-Length", "3")]), 400,
                                       "two lengths, TCP")
        self.assertEqual(self.rows(user), [])

    def test_p08_p14_p18_what_sofia_alone_accepts_is_400(self):
        phone, user = self.phone(), self.new_user()
        publish, subscribe = self.publish_bytes, self.subscribe_bytes
        whole = publish(phone, user)
        for data, clause in (
                (publish(phone, user, headers=[("SIP-If-Match", "a b")]), "RFC 3903 12: one entity-tag, a token"),
                (publish(phone, user, headers=[("Expires", "99999999999")]), "RFC 3261 20.19: below 2^32"),
                (subscribe(phone, user, headers=[("Expires", "99999999999")]), "RFC 3261 20.19, SUBSCRIBE"),
                (publish(phone, user, headers=[("Expires", "-1")]), "RFC 3261 20.19: 1*DIGIT"),
                (publish(phone, user, event="presence, dialog"), "RFC 6665 8.4: one event-type, a token"),
                (subscribe(phone, user, event="presence, dialog"), "RFC 6665 8.4, SUBSCRIBE"),
                (whole.replace(b"Event: presence\r\n", b"Event: presence\r"), "RFC 3261 7: a bare CR ends no line"),
                (whole[:-1], "RFC 3261 18.3: a length beyond the datagram"),
                (publish(phone, user, headers=[("X", "y")] * 5000), "RFC 3261 21.4.1: 5,000 header fields")):
            self.assert_refused(phone, data, 400, clause)
        self.assert_faults({"Malformed SIP-If-Match": (1, 0), "Malformed Expires": (3, 0), "Malformed Event": (2, 0),
                            "Bare CR in Head": (1, 0), "Content-Length Longer Than Message": (1, 0),
                            "Too Many Header Fields": (1, 0)})
        self.assertEqual((self.rows(user), self.subscriptions(user)), ([], []))

    def test_hops_and_versions_are_checked(self):
        phone, user = self.phone(), self.new_user()
        whole = self.publish_bytes(phone, user)
        self.assert_refused(phone, whole.replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1), 505, "21.5.6")
        self.assert_refused(phone, whole.replace(b" SIP/2.0\r\n", b" SIP/2.0 \r\n", 1), 400, "7.1: no space after it")
        # We are where it stops: 20.22 and 8.1.1.6 have it rejected by whom it reaches with no hop left.
        self.assert_refused(phone, whole.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"), 483, "8.1.1.6")
        self.assert_faults({"Version Not Supported": (1, 0), "Malformed Start Line": (1, 0)})
        self.assertEqual(self.rows(user), [])

    def test_what_must_never_be_answered_is_not(self):
        # RFC 3261 section 18.1.2: a response without a transaction is dropped; 17.1.1.3: an ACK has no answer.
        phone = self.phone()
        before = self.system.gateway_metrics()
        response = (b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
                    b"To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n")
        ack = phone.request("ACK", "sip:alice@example.com")
        self.assertEqual(self.answers_to(phone, response, response.replace(b": 0", b": 9"), ack,
                                         ack.replace(b"CSeq: 1", b"CSeq: x")), [])
        after = self.system.gateway_metrics()
        self.assertEqual(after["sip_gateway_responses_dropped_total"],
                         before["sip_gateway_responses_dropped_total"] + 1)
        self.assert_faults({"Content-Length Longer Than Message": (0, 1), "Malformed CSeq": (0, 1)})

    # ---- Bytes that are not UTF-8 ----

    def test_a_latin_1_user_agent_is_served_and_disturbs_nobody(self):
        phone, user = self.phone(), self.new_user()
        connections = len([line for line in self.system.gateway.lines if "connected to core" in line])
        for call, field, status in (("agent", ("User-Agent", "Caf#"), 200), ("event", ("o", "presence;id=#"), 400)):
            event = [] if call == "event" else [("Event", "presence")]
            request = phone.request("SUBSCRIBE", user, [*event, ("Contact", f"<{phone.contact}>"), field], call_id=call)
            phone.send_bytes(request.replace(b"#", b"\xe9"))
            self.assert_status(phone.response(call, "1 SUBSCRIBE"), status)
        self.assertEqual(connections, len([line for line in self.system.gateway.lines if "connected to core" in line]))

    # ---- Streams that are in order ----

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


if __name__ == "__main__":
    unittest.main()
