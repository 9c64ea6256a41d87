"""Processes come and go."""

import contextlib
import socket
import time
import unittest

from scenario import Scenario, pidf


@contextlib.contextmanager
def held(address):
    """Nobody else gets the address meanwhile, such as the core of another test."""
    host, _, port = address.rpartition(":")
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, int(port)))
        yield


class Outage(Scenario):
    @classmethod
    def tearDownClass(cls):
        cls.system.stop()

    def test_without_a_core_a_request_is_503_with_retry_after_and_served_when_it_is_back(self):
        phone, user = self.phone(), self.new_user()
        self.published(phone, user)
        listen = self.system.core_address
        self.assertEqual(self.system.core.stop(), 0)
        with held(listen):
            start = time.monotonic()
            answer = phone.publish(user, pidf(user))
            self.assert_status(answer, 503)
            self.assertTrue(answer.get("retry-after"))
            self.assertLess(time.monotonic() - start, 8.0)
        lines = len(self.system.gateway.lines)
        self.system.start_core(listen)
        self.system.gateway.wait_for("connected to core", after=lines)
        self.assert_status(phone.publish(user, pidf(user)), 200)

    def test_a_new_gateway_serves_the_subscriptions_of_the_old_one(self):
        phone, user = self.phone(), self.new_user()
        subscription, first = self.subscribed(phone, user)
        self.assertEqual(self.system.gateway.stop(), 0)
        self.system.start_gateway()
        self.published(self.phone(), user, note="by the new one")
        notify = subscription.notify()
        self.assertIn("by the new one", notify.text)
        self.assertGreater(notify.cseq, first.cseq)
        self.assert_status(subscription.refresh(600), 200)


if __name__ == "__main__":
    unittest.main()
