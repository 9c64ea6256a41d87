"""NOTIFY to a Contact that is a name: RFC 3263, through a gateway and a name server of the test's own."""

import unittest

from scenario import PATIENCE, NameServer, Scenario, free_port


class Locating(Scenario):
    """T1 is 10 ms, so that a target that says nothing is left after 640 ms."""

    @classmethod
    def setUpClass(cls):
        cls.dns = NameServer()
        cls.gateway = ("--dns-server", cls.dns.address, "--set", "sip.t1=10ms", "--set", "sip.t2=100ms")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            cls.dns.close()

    def subscribed_at(self, contact):
        """A subscription whose NOTIFYs go to `contact`, and the presentity."""
        user = self.new_user()
        subscription = self.phone().subscribe(user, contact=f"<{contact}>")
        self.assert_status(subscription.answer, 200)
        return subscription, user

    def results(self, result):
        return self.system.gateway_metrics().get(f'sip_gateway_notify_results_total{{result="{result}"}}', 0)

    def assert_told_on(self, phone, subscription, user, contact):
        """The first NOTIFY has come to `phone`, and so does one of a change."""
        first = phone.notify(subscription.call_id)
        self.assertEqual(first.uri, contact)  # RFC 3263 section 4: the name stays in the Request-URI
        self.published(self.phone(), user, note="news")
        second = phone.notify(subscription.call_id)
        self.assertEqual(second.cseq, first.cseq + 1)
        self.assertIn("news", second.text)
        subscription.phone.assert_quiet()
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_srv_says_the_port(self):
        # RFC 3263 sections 4.1 and 4.2: no NAPTR, no port, so SRV.
        desk, contact = self.phone(user="desk"), "sip:bob@srv.example.test"
        self.dns.service("_sip._udp.srv.example.test", (10, desk.port, "desk.example.test"))
        self.assert_told_on(desk, *self.subscribed_at(contact), contact)

    def test_naptr_says_the_transport(self):
        # RFC 3263 section 4.1: the lowest order that we can speak; TLS, which comes first, we cannot.
        desk, contact = self.listener(user="desk"), "sip:bob@naptr.example.test"
        self.dns.pointers("naptr.example.test", (10, "SIPS+D2T", "tls.example.test"),
                          (20, "SIP+D2T", "tcp.example.test"), (30, "SIP+D2U", "udp.example.test"))
        port = desk.socket.getsockname()[1]
        self.dns.service("tcp.example.test", (10, port, "desk.example.test"))
        self.dns.service("udp.example.test", (10, free_port(), "desk.example.test"))
        subscription, user = self.subscribed_at(contact)
        self.assert_told_on(self.accepted(desk), subscription, user, contact)

    def test_a_port_in_the_contact_is_that_of_its_address(self):
        # RFC 3263 section 4.2: with a port there is no SRV.
        desk = self.phone(user="desk")
        contact = f"sip:bob@port.example.test:{desk.port}"
        self.dns.host("port.example.test")
        self.dns.service("_sip._udp.port.example.test", (10, free_port(), "wrong.example.test"))
        self.assert_told_on(desk, *self.subscribed_at(contact), contact)

    def test_a_target_that_says_nothing_is_followed_by_the_next(self):
        # RFC 3263 section 4.3: after Timer F the next target, as a new transaction.
        mute, desk = self.phone(user="mute"), self.phone(user="desk")
        mute.is_answering = False
        contact = "sip:bob@mute.example.test"
        self.dns.service("_sip._udp.mute.example.test", (10, mute.port, "mute1.example.test"),
                         (20, desk.port, "mute2.example.test"))
        subscription, user = self.subscribed_at(contact)
        tried = mute.notify(subscription.call_id)
        first = desk.notify(subscription.call_id)
        self.assertEqual(first.cseq, tried.cseq)
        self.assertNotEqual(first.get("via"), tried.get("via"))
        self.published(self.phone(), user, note="news")
        # The one that failed is not waited for again.
        self.assertIn("news", desk.notify(subscription.call_id).text)
        while (message := mute.read(0)) is not None:
            mute.inbox.append(message)
        self.assertEqual({m.cseq for m in mute.inbox} - {tried.cseq}, set())
        self.assertEqual(len(self.subscriptions(user)), 1)

    def test_a_target_that_refuses_udp_is_followed_by_the_next(self):
        # RFC 3261 section 18.4: an ICMP error is a transport error; RFC 3263 section 4.3.
        desk, contact = self.phone(user="desk"), "sip:bob@udp.example.test"
        self.dns.service("_sip._udp.udp.example.test", (10, free_port(), "udp1.example.test"),
                         (20, desk.port, "udp2.example.test"))
        self.assert_told_on(desk, *self.subscribed_at(contact), contact)

    def test_a_target_that_refuses_tcp_is_followed_by_the_next(self):
        desk, contact = self.listener(user="desk"), "sip:bob@tcp.example.test;transport=tcp"
        port = desk.socket.getsockname()[1]
        self.dns.service("_sip._tcp.tcp.example.test", (10, free_port(), "tcp1.example.test"),
                         (20, port, "tcp2.example.test"))
        subscription, user = self.subscribed_at(contact)
        self.assert_told_on(self.accepted(desk), subscription, user, contact)

    def test_a_target_that_answers_503_is_followed_by_the_next(self):
        # RFC 3263 section 4.3: a 503 is a failure of the target.
        busy, desk = self.phone(user="busy"), self.phone(user="desk")
        busy.notify_status = 503
        contact = "sip:bob@busy.example.test"
        self.dns.service("_sip._udp.busy.example.test", (10, busy.port, "busy1.example.test"),
                         (20, desk.port, "busy2.example.test"))
        subscription, user = self.subscribed_at(contact)
        busy.notify(subscription.call_id)
        self.assert_told_on(desk, subscription, user, contact)

    def test_a_name_nobody_knows_keeps_the_subscription_until_it_is_known(self):
        # N05: not to be reached now is no word of the watcher's; told again, after a pause.
        desk, contact = self.phone(user="desk"), "sip:bob@late.example.test"
        before = self.results("unreachable")
        subscription, user = self.subscribed_at(contact)
        self.eventually(lambda: self.results("unreachable") == before + 1)
        self.assertEqual(len(self.subscriptions(user)), 1)
        self.dns.service("_sip._udp.late.example.test", (10, desk.port, "late1.example.test"))
        self.assertEqual(desk.notify(subscription.call_id, 3 * PATIENCE).uri, contact)

    def test_a_contact_that_can_never_be_reached_ends_the_subscription(self):
        # RFC 3263 section 4.1: SCTP is none of ours, and waiting makes it none.
        before = self.results("unsendable")
        _, user = self.subscribed_at("sip:bob@sctp.example.test;transport=sctp")
        self.eventually(lambda: self.subscriptions(user) == [])
        self.assertEqual(self.results("unsendable"), before + 1)


if __name__ == "__main__":
    unittest.main()
