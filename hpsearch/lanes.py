"""One pool of workers for several searches: the next begins where those before leave a slot idle.

Each search runs in a thread of its own as it would alone, with a `Lane` for an executor. The
executor behind the lanes is used by one thread alone, the caller's, to which lanes send what they
want done: so it needs no locks, Ctrl-C arrives where it can end them all, and what the user gave to
look on is called where it would be called anyway.

A search that has no more to run waits for its last fits, and refits, while the next one runs: only
then are two under way, so that their data is not in every worker at once.

When a process dies, each search finds out which call is to blame by running suspects alone. From
then on the executor holds the calls of one search at a time, so that alone is alone.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Any, Generic, Self, TypeVar

from joblib import parallel_config

from hpsearch.executors import JoblibExecutor
from hpsearch.trial import WorkerLost

T = TypeVar("T")
SOON, LATER = 0.002, 0.05  # seconds between two looks at what lanes want: one may speak; none will


class Abandoned(BaseException):
    """Raised in a lane whose search is to end at once: another one failed, or Ctrl-C."""


class State(Enum):
    """Where the thread of a lane is."""

    STARTING = "before its first fit"
    BUSY = "between two results"
    WAITING = "for a result"
    LEFT = "after its last fit: it refits, and scores"
    DONE = "over"


class Lane:
    """An executor for one search, of slots that others use too.

    Parameters
    ----------
    pool : Lanes
        Whose slots they are.
    """

    def __init__(self, pool: Lanes[Any]) -> None:
        self._pool = pool
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.state = State.STARTING
        self.shared: list[Any] = []  # what the executor holds for it
        self.n_given = 0  # results, put in
        self._n_taken = 0  # and taken out, which is known in the lane's own thread
        self.result: Any = None
        self.error: BaseException | None = None

    @property
    def slots(self) -> int:
        """How many calls run at a time, if no other search has any."""
        return self._pool.executor.slots

    @property
    def can_kill(self) -> bool:
        """Whether a call can be ended before it returns."""
        return self._pool.executor.can_kill

    def __enter__(self) -> Self:
        self.ask(partial(self._pool.enter, self))
        return self

    def __exit__(self, *_: object) -> None:
        self.ask(partial(self._pool.leave, self))

    def share(self, value: T) -> Callable[[], T]:
        """Make an object available to calls."""
        source: Callable[[], T] = self.ask(partial(self._pool.share, self, value))
        return source

    def submit(self, key: int, call: Callable[[], Any], timeout: float | None = None) -> None:
        """Run a call as soon as a slot is free."""
        self._pool.requests.put(partial(self._pool.submit, self, key, call, timeout))

    def wait(self, timeout: float | None = None) -> tuple[int, Any] | None:
        """Return the key of a call that ended, and what came of it; None after `timeout` seconds.

        Raises
        ------
        Abandoned
            If the search is to end.
        """
        self._pool.requests.put(partial(self._pool.await_result, self, self._n_taken))
        try:
            ended = self.inbox.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(ended, Abandoned):
            raise ended
        self._n_taken += 1
        return ended  # type: ignore[no-any-return]

    def ask(self, call: Callable[[], T]) -> T:
        """Have something done by the caller's thread; return or raise what it does."""
        reply: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._pool.requests.put(partial(self._pool.answer, call, reply))
        value, error = reply.get()
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]


class Lanes(Generic[T]):
    """Searches that share an executor.

    Parameters
    ----------
    executor : JoblibExecutor
        Entered and left by the caller.
    """

    def __init__(self, executor: JoblibExecutor) -> None:
        self.executor = executor
        self.requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lanes: list[Lane] = []  # those that were started, in order
        self._in_flight: dict[int, tuple[Lane, int, Callable[[], None]]] = {}  # how to send again
        self._held: list[tuple[Lane, Callable[[], None]]] = []
        self._n_sent = 0
        self._is_careful = False  # a process died
        self._is_ending = False

    def run(self, searches: Sequence[Callable[[Lane], T]]) -> list[T]:
        """Run searches; return what they return, in order.

        Parameters
        ----------
        searches : sequence of callables
            Each takes the lane that is its executor.

        Raises
        ------
        BaseException
            What the first to fail raised; the others are ended.
        """
        left = deque(searches)
        try:
            while left or any(lane.state is not State.DONE for lane in self._lanes):
                if left and self._has_room():
                    self._start(left.popleft())
                self._serve()
                self._raise_failure()
        except BaseException:
            self._end()
            raise
        return [lane.result for lane in self._lanes]

    def _raise_failure(self) -> None:
        for lane in self._lanes:
            if lane.error is not None:
                raise lane.error

    def _has_room(self) -> bool:
        """Whether a slot would stay idle, whatever the searches that run do next."""
        states = {lane.state for lane in self._lanes}
        if self._is_careful:
            return states <= {State.DONE}
        is_quiet = not states & {State.STARTING, State.BUSY}
        return is_quiet and len(self._in_flight) < self.executor.slots

    def _start(self, search: Callable[[Lane], T]) -> None:
        lane = Lane(self)
        self._lanes.append(lane)
        threading.Thread(target=self._run_one, args=(lane, search), daemon=True).start()

    def _run_one(self, lane: Lane, search: Callable[[Lane], T]) -> None:
        """In the thread of a lane."""
        try:
            # A refit must not reach for the processes of the pool: what it runs beside itself, it
            # runs in threads, as it would in a worker.
            with parallel_config(backend="threading"):
                lane.result = search(lane)
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            lane.error = error
        self.requests.put(partial(_set_state, lane, State.DONE))

    def _serve(self) -> None:
        """Do what lanes want, or hand on a result, or wait a moment for either."""
        request = None
        with suppress(queue.Empty):
            request = self.requests.get(timeout=0 if self._in_flight else LATER)
        if request is not None:
            request()
            return
        if not self._in_flight:
            return
        is_busy = any(lane.state is State.BUSY for lane in self._lanes)
        ended = self.executor.wait(SOON if is_busy else LATER)
        if ended is not None:
            self._hand_on(*ended)

    def _hand_on(self, number: int, outcome: Any) -> None:
        lane, key, send = self._in_flight.pop(number)
        if isinstance(outcome, WorkerLost):
            self._is_careful = True
            if lane is not self._foremost():  # whose turn it is not: it runs again, later
                self._held.append((lane, send))
                self._send_held()
                return
        lane.state = State.BUSY
        lane.n_given += 1
        lane.inbox.put((key, outcome))
        self._send_held()

    def _foremost(self) -> Lane | None:
        """The first search that has fits to run."""
        present = (State.BUSY, State.WAITING)
        return next((lane for lane in self._lanes if lane.state in present), None)

    # What lanes ask for, done in the caller's thread.

    def answer(self, call: Callable[[], Any], reply: queue.SimpleQueue[Any]) -> None:
        """Call, and reply with what it returns or raises."""
        if self._is_ending:
            reply.put((None, Abandoned()))
            return
        try:
            reply.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again in the lane
            reply.put((None, error))
        except BaseException:
            reply.put((None, Abandoned()))
            raise

    def enter(self, lane: Lane) -> None:
        """Note that a search has fits to run."""
        lane.state = State.BUSY

    def leave(self, lane: Lane) -> None:
        """Note that a search has no more; end what it does not wait for."""
        gone = [number for number, (owner, *_) in self._in_flight.items() if owner is lane]
        for number in gone:
            del self._in_flight[number]
        self.executor.abandon(gone)
        self._held = [(owner, send) for owner, send in self._held if owner is not lane]
        for source in lane.shared:
            self.executor.unshare(source)
        lane.shared.clear()
        lane.state = State.LEFT
        self._send_held()

    def share(self, lane: Lane, value: Any) -> Any:
        """Make an object available to calls, until the lane is left."""
        source = self.executor.share(value)
        lane.shared.append(source)
        return source

    def submit(self, lane: Lane, key: int, call: Callable[[], Any], timeout: float | None) -> None:
        """Send a call to the executor, at once or when it is the lane's turn."""
        if self._is_ending:
            return
        self._held.append((lane, partial(self._send, lane, key, call, timeout)))
        self._send_held()

    def await_result(self, lane: Lane, n_taken: int) -> None:
        """Note that a search waits, unless it has been given what it waits for."""
        if lane.state is State.BUSY and lane.n_given == n_taken:
            lane.state = State.WAITING

    def _send(self, lane: Lane, key: int, call: Callable[[], Any], timeout: float | None) -> None:
        again = partial(self._send, lane, key, call, timeout)
        self._in_flight[self._n_sent] = (lane, key, again)
        self.executor.submit(self._n_sent, call, timeout)
        self._n_sent += 1

    def _send_held(self) -> None:
        held, self._held = self._held, []
        foremost = self._foremost()
        for lane, send in held:
            others = any(owner is not lane for owner, *_ in self._in_flight.values())
            if self._is_careful and (others or lane is not foremost):
                self._held.append((lane, send))
            else:
                send()

    def _end(self) -> None:
        """End the searches that have fits to run; what refits is left to itself."""
        self._is_ending = True
        for lane in self._lanes:
            lane.inbox.put(Abandoned())
        running = (State.STARTING, State.BUSY, State.WAITING)
        while any(lane.state in running for lane in self._lanes):
            self.requests.get()()


def _set_state(lane: Lane, state: State) -> None:
    lane.state = state
