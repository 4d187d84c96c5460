"""Calls in processes: what is ended, what is kept, and what is done once."""

import os
import re
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hpsearch.executors import JoblibExecutor
from hpsearch.trial import WorkerLost

from .processes import in_proc, is_alive


def hang(note):
    """Say which process this is, and do not end."""
    Path(note).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def count(log):
    """Write a line, and return how many there are."""
    with Path(log).open("a") as file:
        file.write("a line\n")
    return len(Path(log).read_text().splitlines())


def die(code):
    os._exit(code)


def until(is_so):
    """Wait for another process, a minute at most."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_written(path):
    """Whether there is something in a file: it is there before what is written."""
    return path.exists() and path.read_text() != ""


@pytest.fixture
def beside(tmp_path):
    """An executor with a call, 0, that does not end, and one, 1, that has ended."""
    with JoblibExecutor(2) as executor:
        executor.submit(0, partial(hang, tmp_path / "pid"))
        executor.submit(1, partial(count, tmp_path / "log"))
        until(lambda: is_written(tmp_path / "pid"))
        until(lambda: not executor._done.empty())
        yield executor


@in_proc
def test_what_is_abandoned_ends_and_what_has_ended_is_kept(beside, tmp_path):
    """The result that is there already is given out, and is not computed again."""
    pid = int((tmp_path / "pid").read_text())
    beside.abandon([0])
    until(lambda: not is_alive(pid))
    assert beside.wait() == (1, 1)
    beside.submit(2, partial(count, tmp_path / "log"))
    assert beside.wait() == (2, 2)


def test_a_result_that_nobody_waits_for_is_not_given_out(beside, tmp_path):
    """Though it came before it was abandoned."""
    beside.abandon([0])
    beside.abandon([1])
    beside.submit(2, partial(count, tmp_path / "log"))
    assert beside.wait() == (2, 2)


def test_what_waits_for_memory_can_be_abandoned(tmp_path):
    """It never starts."""
    with JoblibExecutor(2, memory=1) as executor:  # one at a time
        executor.submit(0, partial(count, tmp_path / "log"))
        executor.submit(1, partial(count, tmp_path / "never"))
        executor.submit(2, partial(count, tmp_path / "log"))
        executor.abandon([1])
        assert [executor.wait(), executor.wait()] == [(0, 1), (2, 2)]
        assert executor.wait(timeout=0.0) is None
    assert not (tmp_path / "never").exists()


@in_proc
def test_what_runs_ends_with_the_executor(tmp_path):
    """No process is left at it."""
    with JoblibExecutor(2) as executor:
        executor.submit(0, partial(hang, tmp_path / "pid"))
        until(lambda: is_written(tmp_path / "pid"))
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(pid))


def test_a_death_says_how():
    """By the exit code, if the system knows it; the next call runs in a new process."""
    with JoblibExecutor(2) as executor:
        executor.submit(0, partial(die, 37))
        key, outcome = executor.wait()
        assert key == 0
        assert isinstance(outcome, WorkerLost)
        assert re.search(r"exit codes of the workers: \{.*EXIT\(37\)", str(outcome))
        executor.submit(1, os.getpid)
        assert executor.wait()[1] != os.getpid()


def test_what_is_no_longer_shared_is_let_go():
    """At once, and not when the executor ends; what else is shared stays."""
    with JoblibExecutor(2) as executor:
        sources = [executor.share(np.full(3, value)) for value in (1.0, 2.0)]
        executor.unshare(sources[0])
        assert [Path(source.path).exists() for source in sources] == [False, True]
        executor.submit(0, sources[1])
        assert executor.wait()[1].tolist() == [2.0] * 3
    assert not Path(sources[1].path).exists()
