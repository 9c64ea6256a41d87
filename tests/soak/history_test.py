"""A lie of each kind is found, and what is allowed is not taken for one."""

import math
import unittest

import history
from history import EMPTY, Dialog, Judge, Publications, View, WinfoView


class History(unittest.TestCase):
    window = 0.0

    def setUp(self):
        self.judge = Judge(self.window)
        self.publications = Publications(self.judge, "alice")
        self.view = View(self.publications, "bob")
        self.dialog = Dialog(self.judge, "bob")

    def publish(self, count=1, at=0.0, is_answered=True):
        for _ in range(count):
            number = self.publications.asks()
            if is_answered:
                self.publications.answered(number, at)

    def remove(self, at=0.0):
        self.publications.answered(self.publications.asks(is_removal=True), at)

    def crash(self, at):
        self.judge.crash_begins(at)
        self.judge.crash_ends(at + 0.1)

    def assert_found(self, rule):
        self.assertEqual([violation.rule for violation in self.judge.violations], [rule])

    def assert_clean(self):
        self.assertEqual(self.judge.violations, [])


class Dialogs(History):
    def notify(self, cseq, branch=None, body=b"", is_terminated=False):
        return self.dialog.takes(branch or f"branch {cseq}", cseq, body, is_terminated, at=1.0)

    def test_rising_cseqs_with_gaps_and_repetitions_are_allowed(self):
        self.assertTrue(self.notify(1))
        self.assertFalse(self.notify(1))
        self.assertTrue(self.notify(300))
        self.assertFalse(self.notify(1), "late, and known")
        self.assert_clean()

    def test_a_cseq_that_falls_is_found(self):
        self.notify(2)
        self.notify(1)
        self.assert_found(history.CSEQ)

    def test_a_cseq_that_is_used_twice_is_found(self):
        self.notify(2)
        self.notify(2, branch="another")
        self.assert_found(history.CSEQ)

    def test_a_transaction_with_two_bodies_is_found(self):
        self.notify(2, body=b"one")
        self.notify(2, body=b"two")
        self.assert_found(history.CSEQ)

    def test_a_dialog_that_goes_on_after_its_end_is_found(self):
        self.notify(1, is_terminated=True)
        self.notify(2, is_terminated=True)  # the core may not have heard that the end was answered
        self.assert_clean()
        self.notify(3)
        self.assert_found(history.AFTER_END)


class States(History):
    def test_newer_states_and_the_same_again_are_allowed(self):
        self.publish(3)
        for number in (1, 1, 3):
            self.view.show({number}, 1.0)
        self.assert_clean()

    def test_a_state_that_is_older_than_one_shown_is_found(self):
        self.publish(3)
        self.view.show({3}, 1.0)
        self.view.show({2}, 1.0)
        self.assert_found(history.OLDER)

    def test_a_new_dialog_that_begins_with_less_than_was_acknowledged_is_found(self):
        self.publish(3)
        self.view.begin()
        self.view.show({2}, 1.0)
        self.assert_found(history.OLDER)

    def test_a_state_that_nobody_published_is_found(self):
        self.publish(1)
        self.view.show({2}, 1.0)
        self.assert_found(history.UNASKED)

    def test_a_state_that_was_not_answered_yet_may_be_shown(self):
        self.publish(is_answered=False)
        self.view.show({1}, 1.0)
        self.assert_clean()

    def test_nothing_is_shown_after_a_removal_and_not_after_what_followed_it(self):
        self.publish(2)
        self.remove()
        self.view.show({2}, 1.0)
        self.view.show(EMPTY, 1.0)
        self.publish(1)
        self.view.show({4}, 1.0)
        self.assert_clean()
        self.view.show(EMPTY, 1.0)
        self.assert_found(history.OLDER)

    def test_a_publication_that_comes_back_after_its_removal_is_found(self):
        self.publish(2)
        self.remove()
        self.view.begin()
        self.view.show(EMPTY, 1.0)
        self.view.show({2}, 1.0)
        self.assert_found(history.OLDER)

    def test_a_crash_excuses_nothing_where_nothing_may_be_lost(self):
        self.publish(2, at=0.9)
        self.view.show({2}, 0.9)
        self.crash(1.0)
        self.view.show({1}, 2.0)
        self.assert_found(history.OLDER)

    def test_no_subscription_may_be_lost(self):
        self.crash(1.0)
        self.assertFalse(self.judge.may_be_lost(0.9, 0.95))
        self.assertFalse(self.judge.is_doubtful(0.9))


class WriteBack(History):
    """A crash may cost what is younger than 1.5 s."""

    window = 1.5

    def setUp(self):
        super().setUp()
        self.publish(3, at=1.0)  # must survive a crash at 3.0
        self.publish(3, at=2.0)  # need not
        self.view.show({6}, 2.0)

    def test_one_older_state_is_allowed_after_a_crash(self):
        self.crash(3.0)
        self.view.show({4}, 4.0)
        self.view.show({5}, 4.0)
        self.assert_clean()

    def test_a_second_older_state_is_found(self):
        self.crash(3.0)
        self.view.show({5}, 4.0)
        self.view.show({4}, 4.0)
        self.assert_found(history.OLDER)

    def test_an_older_state_without_a_crash_is_found(self):
        self.view.show({5}, 2.5)
        self.assert_found(history.OLDER)

    def test_one_that_is_older_than_the_crash_must_have_left_is_found(self):
        self.crash(3.0)
        self.view.show({2}, 4.0)
        self.assert_found(history.OLDER)

    def test_each_crash_excuses_one(self):
        self.crash(3.0)
        self.view.show({5}, 4.0)
        self.publications.found({5}, 4.0)
        self.publish(1, at=6.0)
        self.view.show({7}, 6.0)
        self.crash(7.0)
        self.view.show({5}, 8.0)
        self.assert_clean()

    def test_a_reader_finds_that_too_much_is_lost(self):
        self.crash(3.0)
        self.publications.found({2}, 4.0)
        self.assert_found(history.LOST)

    def test_what_was_lost_and_how_old_it_was_is_counted(self):
        self.crash(3.0)
        self.assertEqual(self.publications.found({4}, 4.0), 4)
        self.assertEqual(self.judge.losses, [1.0])
        self.assertEqual(self.publications.floor, 4)
        self.assert_clean()

    def test_a_removal_that_was_lost_leaves_what_was_there(self):
        self.remove(at=2.5)
        self.view.show(EMPTY, 2.5)
        self.crash(3.0)
        self.view.show({6}, 4.0)
        self.assertEqual(self.publications.found({6}, 4.0), 6)
        self.assert_clean()

    def test_nothing_is_lost_where_the_last_removal_is_all_there_is(self):
        self.remove(at=2.2)
        self.publish(at=2.3)
        self.remove(at=2.5)
        self.crash(3.0)
        self.assertEqual(self.publications.found(EMPTY, 4.0), 9)
        self.assertEqual(self.judge.losses, [])
        self.assert_clean()

    def test_subscriptions_are_lost_only_if_they_are_young(self):
        self.crash(3.0)
        self.assertFalse(self.judge.may_be_lost(0.9, 1.0))
        self.assertTrue(self.judge.may_be_lost(1.9, 2.0))
        self.assertFalse(self.judge.may_be_lost(3.2, 3.3), "of the next life")

    def test_answers_that_the_dead_may_have_given_are_in_doubt(self):
        self.assertFalse(self.judge.is_doubtful(2.0))
        self.crash(3.0)
        self.assertTrue(self.judge.is_doubtful(3.05))
        self.assertFalse(self.judge.is_doubtful(3.2))


class Memory(History):
    window = math.inf

    def test_everything_may_be_lost_and_nothing_comes_back(self):
        self.publish(3)
        self.view.show({3}, 1.0)
        self.crash(3.0)
        self.view.show(EMPTY, 4.0)
        self.publish(1, at=5.0)
        self.view.begin()
        self.view.show({4}, 5.0)
        self.assert_clean()
        self.view.show(EMPTY, 6.0)
        self.assert_found(history.OLDER)


class Versions(unittest.TestCase):
    def setUp(self):
        self.judge = Judge()
        self.view = WinfoView(self.judge, "alice")

    def assert_found(self, *rules):
        self.assertEqual([violation.rule for violation in self.judge.violations], list(rules))

    def test_steps_of_one_and_jumps_to_full_documents_are_allowed(self):
        self.view.show(0, True, [("1", "bob", "active")])
        self.view.show(1, False, [("2", "carol", "active")])
        self.view.show(300, True, [("2", "carol", "active")])
        self.view.show(301, False, [("2", "carol", "terminated"), ("3", "dave", "pending")])
        self.assert_found()
        self.assertEqual(self.view.watchers, ["dave"])

    def test_a_partial_document_after_a_gap_is_found(self):
        self.view.show(0, True, [])
        self.view.show(2, False, [])
        self.assert_found(history.VERSION)

    def test_a_partial_document_at_the_beginning_is_found(self):
        self.view.show(0, False, [])
        self.assert_found(history.VERSION)

    def test_a_version_that_is_used_twice_or_falls_is_found(self):
        self.view.show(5, True, [])
        self.view.show(5, True, [])
        self.view.show(4, True, [])
        self.assert_found(history.VERSION, history.VERSION)


if __name__ == "__main__":
    unittest.main()
