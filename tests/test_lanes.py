"""Several searches in one pool: when the next begins, whose turn it is, and how all of them end."""

import threading
import time
from collections import deque

import pytest

from hpsearch.lanes import Lanes
from hpsearch.trial import WorkerLost


class Fake:
    """Runs calls when all searches wait; `dies` names calls that take their process with them.

    As with processes: those that run beside one that dies are lost with it.
    """

    can_kill = True

    def __init__(self, slots=2, dies=()):
        self.slots, self.dies = slots, set(dies)
        self.calls = deque()
        self.batches = []  # the names of the calls that ran side by side
        self.abandoned = []
        self.ended = deque()

    def submit(self, key, call, timeout=None):
        self.calls.append((key, call))

    def wait(self, timeout):
        self._fill()
        if not self.ended:
            time.sleep(timeout)
            return None
        return self.ended.popleft()

    def _fill(self):
        if self.ended or not self.calls:
            return
        batch = [c for c in self.calls if c[1]() != "hangs"][: self.slots]
        self.calls = deque(c for c in self.calls if c not in batch)
        names = [call() for _, call in batch]
        self.batches.append(names)
        is_lost = bool(self.dies & set(names))
        self.ended = deque(
            (key, WorkerLost("died") if is_lost else name)
            for (key, _), name in zip(batch, names, strict=True)
        )

    def abandon(self, keys):
        self.abandoned += keys
        self.calls = deque(c for c in self.calls if c[0] not in keys)
        self.ended = deque(e for e in self.ended if e[0] not in keys)

    def share(self, value):
        return lambda: value

    def unshare(self, source):
        pass


def search(name, n_calls):
    """Run calls as a search does: all at once, suspects of a crash again and alone."""

    def run(lane):
        told = {}
        with lane:
            for key in range(n_calls):
                lane.submit(key, lambda key=key: f"{name}{key}")
            suspects, left = deque(), n_calls
            while left:
                key, outcome = lane.wait()
                left -= 1
                if isinstance(outcome, WorkerLost):
                    suspects.append(key)
                else:
                    told[key] = outcome
            for key in suspects:
                lane.submit(key, lambda key=key: f"{name}{key}")
                _, outcome = lane.wait()
                told[key] = "to blame" if isinstance(outcome, WorkerLost) else outcome
        return told

    return run


def test_the_next_begins_where_a_slot_is_idle():
    """The fifth call of one runs beside the first of the other, and none runs alone."""
    fake = Fake(slots=2)
    found = Lanes(fake).run([search("a", 5), search("b", 3)])
    assert found == [{i: f"a{i}" for i in range(5)}, {i: f"b{i}" for i in range(3)}]
    assert [sorted(batch) for batch in fake.batches][2] in (["a4", "b0"], ["a4"])
    assert sum(map(len, fake.batches)) == 8
    assert len(fake.batches) <= 5


def test_one_that_fills_all_slots_is_alone():
    """The next does not begin before: only two sets of data are in the workers."""
    begun = []

    def first(lane):
        with lane:
            for key in range(6):
                lane.submit(key, lambda: "a")
            for _ in range(5):
                lane.wait()
                begun.append(len(begun_by_second))
            lane.wait()

    begun_by_second = []

    def second(lane):
        with lane:
            begun_by_second.append(1)

    Lanes(Fake(slots=2)).run([first, second])
    assert begun[:3] == [0, 0, 0]


@pytest.mark.parametrize("bad", ["a0", "a4", "b0", "b2"])
def test_a_crash_is_blamed_on_whom_it_is_due(bad):
    """Whatever ran beside it: in its own search, or in another."""
    found = Lanes(Fake(slots=3, dies=[bad])).run([search("a", 5), search("b", 4), search("c", 1)])
    told = {
        f"{name}{i}": v for name, each in zip("abc", found, strict=True) for i, v in each.items()
    }
    assert told == {name: "to blame" if name == bad else name for name in told}
    assert len(told) == 10


def test_what_a_lane_asks_is_done_by_the_caller():
    """In its thread, and what is raised there is raised in the lane."""

    def run(lane):
        assert lane.ask(threading.current_thread) is threading.main_thread()
        assert threading.current_thread() is not threading.main_thread()
        with pytest.raises(ZeroDivisionError):
            lane.ask(lambda: 1 / 0)
        return "done"

    assert Lanes(Fake()).run([run]) == ["done"]


def test_a_failure_ends_all():
    """It is raised, and the others stop where they wait."""
    ended = []

    def endless(lane):
        try:
            with lane:
                for key in range(10**9):
                    lane.submit(key, lambda: "x")
                    lane.wait()
        finally:
            ended.append("endless")

    def failing(lane):
        with lane:
            lane.submit(0, lambda: "x")
            lane.wait()
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        Lanes(Fake(slots=3)).run([endless, failing])
    assert ended == ["endless"]


def test_interrupted():
    """Ctrl-C arrives in the caller's thread, and ends the searches."""

    class Interrupted(Fake):
        def wait(self, timeout):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Lanes(Interrupted()).run([search("a", 3), search("b", 3)])


def test_calls_that_nobody_waits_for():
    """A search that stops early leaves nothing behind in the slots of the others."""

    def hasty(lane):
        with lane:
            lane.submit(0, lambda: "x")
            for key in range(1, 4):
                lane.submit(key, lambda: "hangs")
            assert lane.wait() == (0, "x")
            assert lane.wait(timeout=0.01) is None

    fake = Fake(slots=2)
    Lanes(fake).run([hasty, search("b", 2)])
    assert len(fake.abandoned) == 3
