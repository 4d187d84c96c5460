"""The loop, with fakes behind its protocols: no process, no estimator, no clock.

Calls end in the order that the fake executor says, so that what is asynchronous can be tested
exactly.
"""

import itertools
import math
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.budget import Budget
from hpsearch.loop import Loop
from hpsearch.optimizers import RandomOptimizer, SpaceExhausted
from hpsearch.optimizers.plain import ListedOptimizer
from hpsearch.protocols import Limits
from hpsearch.pruners import NoPruner, RacingPruner, Verdict
from hpsearch.trial import FitTimeout, SplitResult, Stage, Status, Trial, WorkerLost

N_SPLITS = 3
SIZES = st.integers(1, 4)
properties = settings(max_examples=60, derandomize=True, deadline=None)


def first(pending):
    return 0


def last(pending):
    return len(pending) - 1


class FakeExecutor:
    """Runs a call when it is waited for; `which` picks it from those in flight."""

    def __init__(self, slots=1, which=first):
        self.slots = slots
        self.which = which
        self.pending = []
        self.in_flight = []  # how many, at each wait

    def submit(self, key, call, timeout=None):
        self.pending.append((key, call))

    def wait(self, timeout=None):
        self.in_flight.append(len(self.pending))
        key, call = self.pending.pop(self.which(self.pending))
        try:
            return key, call()
        except Exception as error:  # noqa: BLE001 - as executors do
            return key, error


class FakeEvaluator:
    """Scores a task by a function of the candidate and the split; remembers what it ran."""

    horizon = 1  # nothing shares work

    def __init__(self, score=lambda params, split: float(params["x"]), seconds=0.0):
        self.score = score
        self.seconds = seconds
        self.ran = []
        self.jobs = []

    def plan(self, tasks, slots):
        return [(task,) for task in tasks]

    def prepare(self, job):
        self.jobs.append(job)
        return partial(self._run, job)

    def _run(self, job):
        results = []
        for task in job:
            self.ran.append((task.params["x"], task.split))
            score = self.score(task.params, task.split)
            details = {"fit_time": self.seconds}
            status = Status.FAILED if math.isnan(score) else Status.COMPLETE
            error = "failed" if math.isnan(score) else None
            scores = {"score": score}
            results.append(SplitResult(task.split, task.resource, scores, details, status, error))
        return results

    def lost(self, task, status, error):
        return SplitResult(task.split, task.resource, {}, {}, status, error)


class Learner:
    """Asks 0, 1, 2, ...; remembers what it had been told at each ask."""

    learns = True

    def __init__(self, n=100):
        self.n = n
        self.told = []
        self.knew = []

    def ask(self):
        if len(self.knew) == self.n:
            raise SpaceExhausted
        self.knew.append([x for x, _ in self.told])
        return {"x": len(self.knew) - 1}

    def tell(self, params, score, *, noise=None, cost=None):
        self.told.append((params["x"], score))

    def expect(self, params):
        self.knew.append(None)


def listed(n=100):
    return ListedOptimizer({"x": x} for x in range(n))


def make_loop(optimizer=None, evaluator=None, executor=None, n_trials=5, **options):
    limits = Limits(n_trials)
    return Loop(
        optimizer or listed(),
        evaluator or FakeEvaluator(),
        executor or FakeExecutor(),
        metric="score",
        n_splits=N_SPLITS,
        limits=limits,
        **options,
    )


@given(
    order=st.lists(st.integers(0, 7), max_size=40), slots=st.integers(1, 4), learns=st.booleans()
)
@properties
def test_any_order_gives_the_same_table(order, slots, learns):
    """In whatever order results come: trials by number, splits in order, every task once."""
    picks = iter(order)
    executor = FakeExecutor(slots, lambda pending: next(picks, 0) % len(pending))
    evaluator = FakeEvaluator()
    trials = make_loop(Learner() if learns else None, evaluator, executor, n_trials=7).run()
    assert [trial.number for trial in trials] == list(range(7))
    assert [trial.params for trial in trials] == [{"x": x} for x in range(7)]
    assert all([r.split for r in trial.results] == [0, 1, 2] for trial in trials)
    assert all(trial.status is Status.COMPLETE for trial in trials)
    assert sorted(evaluator.ran) == [(x, split) for x in range(7) for split in range(N_SPLITS)]


@given(slots=st.integers(1, 5))
@properties
def test_every_slot_is_busy(slots):
    """Until nothing is left to start, a learner has as many calls in flight as there are slots."""
    executor = FakeExecutor(slots, last)
    make_loop(Learner(), executor=executor, n_trials=6).run()
    full = 6 * N_SPLITS - slots + 1
    assert executor.in_flight == [slots] * full + list(range(slots - 1, 0, -1))


def test_slow_split_does_not_block():
    """One split that never ends keeps one slot; the others go on to all other candidates."""
    evaluator = FakeEvaluator()
    executor = FakeExecutor(2, lambda pending: len(pending) - 1)  # the oldest call ends last
    trials = make_loop(Learner(), evaluator, executor, n_trials=4).run()
    assert evaluator.ran[-1] == (0, 0)
    assert len(evaluator.ran) == 4 * N_SPLITS
    assert trials[0].status is Status.COMPLETE


def test_a_free_slot_takes_the_next_candidate():
    """A candidate is asked for as soon as a slot has no split left of those before."""
    learner = Learner()
    executor = FakeExecutor(2, last)
    make_loop(learner, executor=executor, n_trials=3).run()
    assert learner.knew == [[], [], [1]]  # candidate 0 still waits for its first split


def test_one_slot_learns_from_each():
    """With one slot every ask knows the score of every candidate before."""
    learner = Learner()
    make_loop(learner, n_trials=5).run()
    assert learner.knew == [list(range(k)) for k in range(5)]


@given(
    order=st.lists(st.integers(0, 7), max_size=40),
    slots=st.integers(1, 6),
    window=st.integers(1, 4),
)
@properties
def test_a_window_says_what_an_ask_knows(order, slots, window):
    """In whatever order results come, on however many slots: the same ones, and no more."""
    picks = iter(order)
    executor = FakeExecutor(slots, lambda pending: next(picks, 0) % len(pending))
    learner = Learner()
    make_loop(learner, executor=executor, n_trials=8, window=window).run()
    assert learner.knew == [list(range(k - window + 1)) for k in range(8)]
    assert max(executor.in_flight) == min(slots, window * N_SPLITS)  # none is left idle for it


def test_told_once_with_the_mean():
    """The optimizer is told the mean over the splits, once a candidate, when it is complete."""
    learner = Learner()
    scores = {0: 1.0, 1: 2.0, 2: 6.0}
    evaluator = FakeEvaluator(lambda params, split: params["x"] + scores[split])
    make_loop(learner, evaluator, FakeExecutor(3, last), n_trials=4).run()
    assert sorted(learner.told) == [(x, x + 3.0) for x in range(4)]


class Noting(Learner):
    """Remembers how sure what it was told is, and what it took."""

    def tell(self, params, score, *, noise=None, cost=None):
        super().tell(params, score)
        self.known = {**getattr(self, "known", {}), params["x"]: (noise, cost)}


@pytest.mark.parametrize("pruner", [None, RacingPruner()], ids=["all splits", "a race"])
def test_told_what_a_whole_evaluation_takes(pruner):
    """Seconds of all splits, also where few were run; how far off a guess at the rest may be."""
    learner = Noting()
    evaluator = FakeEvaluator(lambda params, split: (params["x"] * 7) % 10 + split / 2, seconds=2.5)
    trials = make_loop(learner, evaluator, n_trials=12, pruner=pruner).run()
    assert all(cost == 2.5 * N_SPLITS for _, cost in learner.known.values())
    noise = {x: noise for x, (noise, _) in learner.known.items()}
    whole = [noise[t.number] for t in trials[:-1] if t.status is Status.COMPLETE]
    part = [noise[t.number] for t in trials[:-1] if t.status is Status.PRUNED]
    assert not any(whole)
    assert bool(part) is (pruner is not None)
    assert all(noise > 0 for noise in part)


def test_time_is_left_for_the_refit_of_the_best(monkeypatch):
    """Which has the rows of all splits; that of any other candidate will not be run."""
    now = itertools.count(0.0, 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    budget = Budget(Limits(max_time=100.0))
    assert budget.seconds_left() == 100
    for score, seconds, left in [(0.5, 8.0, 84), (0.9, 4.0, 92), (0.7, 30.0, 92), (0.9, 2.0, 92)]:
        results = [SplitResult(i, details={"fit_time": seconds, "score_time": 1}) for i in range(2)]
        budget.note_complete(Trial(0, {}, Status.COMPLETE, results), score)
        assert budget.seconds_left() == left
    unrefitted = Budget(Limits(max_time=100.0, refits=False))
    unrefitted.note_complete(Trial(0, {}, Status.COMPLETE, results), 0.9)
    assert unrefitted.seconds_left() == 100
    assert Budget(Limits()).seconds_left() is None


def test_failure_is_told_as_nan():
    """A split that fails makes a failed candidate, and its score is not a number."""
    learner = Learner()
    evaluator = FakeEvaluator(
        lambda params, split: math.nan if params["x"] == 1 and split == 2 else 1.0
    )
    trials = make_loop(learner, evaluator, n_trials=3).run()
    assert [trial.status for trial in trials] == [Status.COMPLETE, Status.FAILED, Status.COMPLETE]
    assert [math.isnan(score) for _, score in learner.told] == [False, True, False]
    assert trials[1].error == "failed"


def test_no_learner_no_waiting():
    """What does not learn is asked ahead: twice the slots are in flight, or `n_ahead`."""
    executor = FakeExecutor(2)
    make_loop(executor=executor).run()
    assert max(executor.in_flight) == 4
    executor = FakeExecutor(2)
    make_loop(executor=executor, n_ahead=7).run()
    assert max(executor.in_flight) == 7


def test_candidates_are_made_as_they_are_needed():
    """No more candidates are asked for than are in flight or done."""
    n_asked = 0

    def candidates():
        nonlocal n_asked
        for x in range(10**6):
            n_asked += 1
            yield {"x": x}

    class Enough(Exception):
        pass

    def score(params, split):
        if params["x"] == 5:
            raise Enough
        return 1.0

    loop = make_loop(ListedOptimizer(candidates()), FakeEvaluator(score), n_trials=None)
    with pytest.raises(Enough):
        loop.run()
    assert n_asked <= 8


def test_exhausted_optimizer_ends_the_search():
    """All that was started is finished, and the search ends without an error."""
    trials = make_loop(RandomOptimizer({"x": [1, 2, 3]}, random_state=0), n_trials=10).run()
    assert sorted(trial.params["x"] for trial in trials) == [1, 2, 3]
    assert all(trial.status is Status.COMPLETE for trial in trials)


def test_no_candidates():
    """Nothing to ask is no error here."""
    assert make_loop(listed(0)).run() == []


def test_short_fits_travel_together():
    """Of an optimizer that does not learn, fits of no time form larger and larger jobs."""
    evaluator = FakeEvaluator()
    make_loop(listed(400), evaluator, FakeExecutor(2), n_trials=400).run()
    sizes = [len(job) for job in evaluator.jobs]
    assert sizes[0] == 1
    assert max(sizes) > 20
    assert sizes[-1] < max(sizes)  # no slot is left without work at the end
    assert len(evaluator.ran) == 400 * N_SPLITS


@pytest.mark.parametrize(
    ("optimizer", "slots", "seconds"),
    [(Learner(400), 2, 0.0), (listed(), 1, 0.0), (listed(), 2, 9.0)],
)
def test_other_fits_travel_alone(optimizer, slots, seconds):
    """A learner's, those of one process, and long ones: a job is a fit."""
    evaluator = FakeEvaluator(seconds=seconds)
    make_loop(optimizer, evaluator, FakeExecutor(slots), n_trials=50).run()
    assert {len(job) for job in evaluator.jobs} == {1}


def test_exception_comes_through():
    """An exception of a call ends the search; what was done is on the board."""

    def score(params, split):
        if params["x"] == 2:
            raise ZeroDivisionError
        return 1.0

    loop = make_loop(evaluator=FakeEvaluator(score))
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert [trial.status for trial in loop.board.trials][:2] == [Status.COMPLETE] * 2
    assert all(trial.status is not Status.RUNNING for trial in loop.board.trials)


def test_interrupt_keeps_what_is_done():
    """Ctrl-C while waiting ends the loop quietly: complete trials stay, the others are closed."""

    class Interrupted(FakeExecutor):
        def wait(self, timeout=None):
            if len(self.in_flight) == 4:
                raise KeyboardInterrupt
            return super().wait(timeout)

    loop = make_loop(executor=Interrupted())
    trials = loop.run()
    assert loop.interrupted
    assert trials[0].status is Status.COMPLETE
    assert all(trial.status is Status.PRUNED for trial in trials[1:])


def raising(params, split, *, when, error):
    if (params["x"], split) == when:
        raise error
    return 1.0


def test_lost_worker_costs_one_candidate():
    """Calls in flight when a process died run again alone; only the one that kills is given up."""
    lost = partial(raising, when=(1, 0), error=WorkerLost("gone"))
    trials = make_loop(evaluator=FakeEvaluator(lost), executor=FakeExecutor(2)).run()
    expected = [Status.COMPLETE, Status.CRASHED, *[Status.COMPLETE] * 3]
    assert [trial.status for trial in trials] == expected
    assert "gone" in trials[1].error


def test_innocents_are_not_given_up():
    """A call that was only near a dying process has its result in the end."""
    n_lost = 0

    def score(params, split):
        nonlocal n_lost
        if params["x"] == 1 and not n_lost:
            n_lost += 1
            raise WorkerLost("gone")
        return 1.0

    trials = make_loop(evaluator=FakeEvaluator(score), executor=FakeExecutor(2)).run()
    assert [trial.status for trial in trials] == [Status.COMPLETE] * 5


def test_fit_that_takes_too_long():
    """It costs its candidate, whose other splits are not run any more."""
    evaluator = FakeEvaluator(partial(raising, when=(2, 0), error=FitTimeout("too long")))
    trials = make_loop(Learner(), evaluator).run()
    assert [trial.status for trial in trials].count(Status.TIMEOUT) == 1
    assert trials[2].status is Status.TIMEOUT
    assert [run for run in evaluator.ran if run[0] == 2] == [(2, 0)]


class Recorder:
    def __init__(self, learner=None):
        self.heard = []
        self.learner = learner

    def asked(self, trial):
        self.heard.append(("asked", trial.number))

    def finished(self, trial, result):
        if self.learner is not None:
            assert trial.number not in [x for x, _ in self.learner.told]
        self.heard.append(("finished", trial.number, result.split))

    def closed(self, trial):
        assert trial.status is not Status.RUNNING
        self.heard.append(("closed", trial.number))


def test_journal_hears_everything_first():
    """Each trial and result is written down, before the optimizer hears of it."""
    learner = Learner()
    journal = Recorder(learner)
    make_loop(learner, n_trials=2, journal=journal).run()
    one = [("asked", 0), *(("finished", 0, s) for s in range(3)), ("closed", 0)]
    assert journal.heard[:5] == one
    assert len(journal.heard) == 10


def test_watchers_see_each_step():
    """Started, a result a split, closed, and finished at last; with the board as it is."""
    heard = []

    def watch(event):
        number = None if event.trial is None else event.trial.number
        heard.append((event.kind, number, len(event.board.trials)))

    make_loop(n_trials=2, executor=FakeExecutor(1), watch=[watch]).run()
    kinds = [kind for kind, _, _ in heard]
    assert kinds.count("started") == kinds.count("closed") == 2
    assert kinds.count("result") == 6
    assert heard[-1] == ("finished", None, 2)
    assert heard[0] == ("started", 0, 1)


def test_goes_on_where_it_stopped():
    """Restored trials are told, unfinished ones get their missing splits, then come new ones."""
    stopped = make_loop(evaluator=FakeEvaluator(), executor=FakeExecutor(), n_trials=2)
    trials = stopped.run()
    trials[1].results[1:] = []
    trials[1].status = Status.RUNNING
    learner, evaluator = Learner(), FakeEvaluator()
    loop = make_loop(learner, evaluator, n_trials=3)
    loop.restore(trials)
    again = loop.run()
    assert evaluator.ran == [(1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert [trial.status for trial in again] == [Status.COMPLETE] * 3
    assert learner.told == [(0, 0.0), (1, 1.0), (2, 2.0)]


class OneByOne(NoPruner):
    """Gives up a candidate whose first split scores below 2."""

    def stage(self, trial, board):
        return Stage((0,))

    def judge(self, trial, board):
        if len(trial.results) == 1 and board.score(trial) >= 2:
            return Stage((0, 1, 2))
        return Verdict.DONE if len(trial.results) == 3 else Verdict.STOP


def test_stages():
    """A pruner decides stage by stage; splits that have run are not run again."""
    learner, evaluator = Learner(), FakeEvaluator()
    trials = make_loop(learner, evaluator, n_trials=4, pruner=OneByOne()).run()
    assert [trial.status.value for trial in trials] == ["pruned", "pruned", "complete", "complete"]
    assert evaluator.ran == [(0, 0), (1, 0), *((x, s) for x in (2, 3) for s in range(3))]
    # Before each ask, and again once more is known of how far off a part of the splits may be.
    assert dict(learner.told) == {x: float(x) for x in range(3)}
    assert list(dict(learner.told)) == [0, 1, 2]


class Pausing(NoPruner):
    """Runs one split of each candidate, then the others of the best."""

    def stage(self, trial, board):
        return Stage((0,))

    def judge(self, trial, board):
        return Verdict.PAUSE if len(trial.results) == 1 else Verdict.DONE

    def promote(self, board):
        if len(board.trials) < 4 or len(board.paused) < 4:
            return None
        return max(board.paused, key=board.score), Stage((0, 1, 2))


def test_paused_trials_are_taken_up():
    """A paused trial that is promoted runs before a new one is asked for."""
    evaluator = FakeEvaluator()
    trials = make_loop(Learner(), evaluator, n_trials=4, pruner=Pausing()).run()
    assert trials[3].status is Status.COMPLETE
    assert [trial.status for trial in trials[:3]] == [Status.PRUNED] * 3
    assert evaluator.ran == [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2)]
