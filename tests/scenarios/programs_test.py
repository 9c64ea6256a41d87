"""Programs over gRPC, through presencectl: they see what phones do, and the other way round."""

import json
import pathlib
import tempfile
import unittest

from scenario import Process, Scenario, basics, pidf

# Exit codes of presencectl.
FAILED, USAGE, CONFLICT = 1, 2, 6


class ProgramScenario(Scenario):
    def publish(self, user, *options, code=0):
        """Returns the answer, or nothing if it was refused."""
        told = self.system.presencectl("publish", user.partition(":")[2], *options, "-o", "json", code=code)
        return json.loads(told) if told else None

    def publish_document(self, user, document, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "document.xml"
            path.write_text(document, encoding="utf-8")
            return self.publish(user, "--file", path, *options)

    def assert_refused(self, reason, user, document, *options, content_type="application/pidf+xml"):
        """A document that the core does not take, and why."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "document.xml"
            path.write_text(document, encoding="utf-8")
            self.assertEqual(self.system.refusal("publish", user.partition(":")[2], "--file", path,
                                                 "--content-type", content_type, *options), reason)

    def watch(self, user, *options, code=0):
        """What a watch prints."""
        told = self.system.presencectl("watch", user.partition(":")[2], *options, "-o", "jsonl", code=code)
        return [json.loads(line) for line in told.splitlines()]


class Programs(ProgramScenario):
    def test_p04_p09_p10_p11_the_life_of_a_publication(self):
        user = self.new_user()
        subscription, _ = self.subscribed(self.phone(), user)
        first = self.publish(user, "--open", "--note", "from gRPC", "--expires", "10m")
        self.assertEqual(first["expiry"], "600s")
        self.assertEqual([row["etag"] for row in self.rows(user)], [first["etag"]])
        self.assertIn("from gRPC", subscription.notify().text)

        refreshed = self.publish(user, "--etag", first["etag"])
        self.assertNotEqual(refreshed["etag"], first["etag"])
        subscription.phone.assert_quiet()

        changed = self.publish(user, "--closed", "--note", "and again", "--etag", refreshed["etag"])
        self.assertIn("and again", subscription.notify().text)
        for stale in (first["etag"], refreshed["etag"]):
            self.publish(user, "--open", "--etag", stale, code=CONFLICT)

        self.system.presencectl("unpublish", user.partition(":")[2], "--etag", changed["etag"])
        self.assertEqual(basics(subscription.notify().text), ["closed"])
        self.assertEqual(self.rows(user), [])
        self.publish(user, "--etag", changed["etag"], code=CONFLICT)

    def test_p06_p07_a_tag_that_is_not_current_is_a_conflict_and_changes_nothing(self):
        user = self.new_user()
        self.publish(user, "--open")
        before = self.rows(user)
        self.publish(user, "--closed", "--etag", "abc", code=CONFLICT)
        self.publish(user, "--closed", "--etag", "0" * 24, code=CONFLICT)
        self.assertEqual(self.rows(user), before)

    def test_p02_p15_p16_p17_what_is_refused_leaves_nothing(self):
        user = self.new_user()
        for event in ("no-such-package", "presence.winfo", "presence.winfo.winfo"):
            self.assert_refused("UNKNOWN_EVENT", user, pidf(user), "--event", event)
        self.assert_refused("INTERVAL_TOO_BRIEF", user, pidf(user), "--expires", "59s")
        self.assert_refused("UNSUPPORTED_CONTENT", user, "hello", content_type="text/plain")
        self.assert_refused("BAD_DOCUMENT", user, "<broken")
        self.assert_refused("DOCUMENT_TOO_LARGE", user, pidf(user, note="x" * 40000))
        self.publish(user, "--open", "--expires", "59s", code=USAGE)
        self.assertEqual(self.rows(user), [])

    def test_p03_of_two_faults_the_earlier_step_answers(self):
        user = self.new_user()
        self.assert_refused("UNKNOWN_EVENT", user, pidf(user), "--event", "no-such-package", "--etag", "stale")
        self.assert_refused("ETAG_MISMATCH", user, pidf(user), "--etag", "stale", "--expires", "1s")
        self.assert_refused("INTERVAL_TOO_BRIEF", user, "<broken", "--expires", "1s")

    def test_p05_a_phone_and_a_program_are_two_devices(self):
        user = self.new_user()
        self.published(self.phone(), user, note="the phone")
        self.publish_document(user, pidf(user, "closed", "the program", "t-program"))
        _, notify = self.subscribed(self.phone(), user)
        self.assertIn("the phone", notify.text)
        self.assertIn("the program", notify.text)
        self.assertEqual(len(self.rows(user)), 2)

    def test_p14_a_lifetime_is_clamped_or_defaulted(self):
        self.assertEqual(self.publish(self.new_user(), "--open")["expiry"], "3600s")
        self.assertEqual(self.publish(self.new_user(), "--open", "--expires", "30d")["expiry"], "86400s")

    def test_s23_an_unknown_event_cannot_be_watched(self):
        self.assertEqual(self.system.refusal("watch", "alice@example.com", "--event", "no-such-package"),
                         "UNKNOWN_EVENT")

    def test_p10_a_watch_shows_what_phones_publish(self):
        user = self.new_user()
        tag = self.published(self.phone(), user, note="at first")
        watch = Process([self.system.bin / "presencectl", "--server", self.system.core_address, "watch",
                         user.partition(":")[2]])
        self.addCleanup(watch.stop)
        watch.wait_for("at first")
        self.phone().publish(user, pidf(user, "closed", "afterwards"), etag=tag)
        watch.wait_for("afterwards")


class Resuming(ProgramScenario):
    """A stream goes on from its token."""

    def token(self, user):
        lines = self.watch(user, "--count", "1")
        return [line["resumeToken"] for line in lines if line.get("resumeToken")][-1]

    def notes(self, lines):
        return [line["state"]["document"]["text"].partition("<note>")[2].partition("</note>")[0]
                for line in lines if "state" in line]

    def test_o08_what_was_missed_comes_once(self):
        user = self.new_user()
        tag = self.published(self.phone(), user, note="seen")
        token = self.token(user)
        tag = self.phone().publish(user, pidf(user, note="overtaken"), etag=tag).get("sip-etag")
        self.phone().publish(user, pidf(user, note="missed"), etag=tag)
        lines = self.watch(user, "--resume", token, "--for", "1s")
        self.assertEqual(self.notes(lines), ["missed"])
        self.assertFalse([line for line in lines if "reset" in line])

    def test_o08_a_current_token_brings_nothing_again_and_then_what_changes(self):
        user = self.new_user()
        tag = self.published(self.phone(), user, note="seen")
        token = self.token(user)
        self.assertEqual(self.notes(self.watch(user, "--resume", token, "--for", "1s")), [])
        self.phone().publish(user, pidf(user, note="after"), etag=tag)
        self.assertEqual(self.notes(self.watch(user, "--resume", token, "--count", "1")), ["after"])

    def test_o08_a_token_of_another_life_brings_a_reset_and_the_whole_state(self):
        user = self.new_user()
        self.published(self.phone(), user, note="in another life")
        token = self.token(user)
        address = self.system.core_address
        self.assertEqual(self.system.core.stop(), 0)
        lines = len(self.system.gateway.lines)
        self.system.start_core(address)
        self.system.gateway.wait_for("connected to core", after=lines)
        self.published(self.phone(), user, note="in this one")
        told = self.watch(user, "--resume", token, "--count", "1")
        kinds = [next(kind for kind in ("reset", "state") if kind in line) for line in told
                 if "reset" in line or "state" in line]
        # A life of a core is none of the state's in db-only.
        self.assertEqual(kinds, ["state"] if self.system.is_shared else ["reset", "state"])
        self.assertEqual(self.notes(told), ["in this one"])

    def test_o08_a_token_of_another_watch_is_refused(self):
        user, other = self.new_user(), self.new_user()
        self.watch(other, "--resume", self.token(user), "--count", "1", code=FAILED)


if __name__ == "__main__":
    unittest.main()
