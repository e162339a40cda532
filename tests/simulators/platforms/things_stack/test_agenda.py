"""The queue of what the servers have to do later."""

from __future__ import annotations

from simulators.platforms.things_stack.agenda import Agenda


def test_jobs_run_in_the_order_of_their_times_and_of_equal_times_the_older_first() -> None:
    agenda, done = Agenda(), []
    for due_us, name in ((30, "late"), (10, "first"), (20, "a"), (20, "b")):
        agenda.at(due_us, lambda _, name=name: done.append(name))  # type: ignore[misc]

    agenda.run(20)

    assert (done, agenda.next_us) == (["first", "a", "b"], 30)


def test_a_cancelled_job_is_neither_run_nor_waited_for() -> None:
    agenda, done = Agenda(), []
    agenda.at(10, done.append).cancel()

    agenda.run(10)

    assert (done, agenda.next_us) == ([], None)


def test_what_a_job_adds_for_the_same_moment_runs_in_the_same_turn() -> None:
    agenda, done = Agenda(), []
    agenda.at(10, lambda now_us: agenda.at(now_us, done.append) and None)

    agenda.run(10)

    assert done == [10]
