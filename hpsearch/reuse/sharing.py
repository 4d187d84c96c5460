"""Fitting a candidate out of what other candidates have fitted.

A `Sharing` lives in the process (and thread) that fits, as long as its search. Nothing is
recognised by its contents: every array that it hands out has a token, and what is computed from
the thing with this token, by the part with these values, has the same result each time.

Fitted steps come in by the `memory` of a pipeline (`step_memory`). What `transform` gives for the
test rows is kept by the fitted step itself (`shadows`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from joblib import effective_n_jobs

from hpsearch import _sklearn as bridge
from hpsearch.reuse.anatomy import Part, children_of
from hpsearch.reuse.family import shallow_copy
from hpsearch.reuse.fitted import Fitted
from hpsearch.reuse.ledger import Ledger
from hpsearch.reuse.lending import aligned, frozen, lent, n_bytes
from hpsearch.reuse.shadows import SharedTransform, shadowed, unshadowed_copy
from hpsearch.reuse.step_memory import StepMemory
from hpsearch.reuse.store import Store
from hpsearch.reuse.values import Key, is_own

TRANSFORMS = ("fit_transform", "transform")


class Token:
    """Stands for one array or table, whoever holds a handle to it."""

    __slots__ = ()


@dataclass(eq=False, slots=True)
class Step:
    """A fitted step as one value of its parameters has it, with what it made of which input."""

    key: Key
    part: Part
    token: Token
    is_branch: bool = False
    estimator: Any = None
    output: Any = None
    made: dict[Any, tuple[Token, Any]] = field(default_factory=dict)


class Sharing:
    """What the candidates of a search share where this is.

    Parameters
    ----------
    store : Store
        Keeps what may be wanted again.
    keeps_models : bool
        Whether later jobs may want fitted models too: true for an optimizer that learns.
    """

    def __init__(self, store: Store, *, keeps_models: bool) -> None:
        self._store = store
        self._keeps_models = keeps_models
        self._wanted: dict[Key, list[Any]] = {}
        self._models: dict[Key, Fitted] = {}  # of this job
        self._handles: dict[int, tuple[Any, Any]] = {}  # id: (the handle, token)
        self._scope: list[Any] = [None]  # tokens of the tables that branches take columns from
        self._shared: Counter[str] = Counter()
        self._last: Callable[..., Any] | None = None
        self.rows: Any = None  # what the task's last fit holds of another's (see `Fitted`)
        self.ledger = Ledger()

    # A job, and a task of it

    def begin_job(
        self, parts: Sequence[tuple[Any, Part]], wanted: Mapping[Key, Sequence[Any]]
    ) -> None:
        """Look at the candidates of a job: (token of the rows, anatomy), in order.

        `wanted` holds the values, by the key of a part, that candidates of other jobs have.
        """
        self.ledger = Ledger()
        self._wanted = {}
        for root, whole in parts:
            for part in whole.walk():
                key = root, part.key
                if key not in self._wanted:
                    self._wanted[key] = [v for v in wanted.get(part.key, ()) if v != part.value]
                self._wanted[key].append(part.value)

    def end_job(self) -> None:
        self._handles.clear()
        self._models.clear()

    def begin_task(self, place: int) -> None:
        self.ledger.task = place
        self._handles.clear()
        self._shared.clear()
        self.rows = None

    def note(self, what: str, part: Part | None = None) -> None:
        """Note that the running task took something over."""
        self._shared[f"{what} {part.path}" if part and part.path else what] += 1

    def shared(self) -> tuple[str, ...]:
        """What the task took over instead of computing it."""
        return tuple(self._shared)

    # Handles

    def hand_out(self, value: Any, token: Any) -> Any:
        """Return a handle of the borrower's own to something frozen, to be known by its token."""
        handle = lent(value)
        self._handles[id(handle)] = handle, token
        return handle

    def token_of(self, handle: Any) -> Any:
        """The token of what was handed out to this task; None for anything else."""
        held, token = self._handles.get(id(handle), (None, None))
        return token if held is handle else None

    # Fitting

    def fit(
        self,
        estimator: Any,
        part: Part,
        root: Any,
        X: Any,
        y: Any,
        params: Mapping[str, Any],
        last: Callable[..., Any] | None = None,
    ) -> None:
        """Fit a candidate, or give it what fitting would.

        Parameters
        ----------
        estimator : estimator
            The candidate's own; it ends up fitted.
        part : Part
            Its anatomy.
        root : hashable
            Stands for the rows X and y, the same whenever they are.
        X, y, params
            What its `fit` is given.
        last : callable or None, default=None
            Fits the last step, the estimator itself if there are no steps, in the place of its
            own `fit`; it is given that first.
        """
        targets = () if y is None else (y,)
        self._last = last
        self._fit(estimator, part, root, root, X, targets, params)

    def _fit(
        self,
        estimator: Any,
        part: Part,
        root: Any,
        token: Any,
        X: Any,
        targets: tuple[Any, ...],
        params: Mapping[str, Any],
    ) -> None:
        if not part.steps:
            self._fit_leaf(estimator, part, root, token, X, targets, params)
            return
        with self._linked(estimator, part, root, token) as memory:
            last, last_part = estimator.steps[-1][1], part.steps[-1]
            with ExitStack() as stack:
                if last_part is not None and is_own(last, "fit"):

                    def fit_last(X: Any, *targets: Any, **params: Any) -> Any:
                        self._fit(last, last_part, root, memory.token, X, targets, params)
                        return last

                    stack.enter_context(shadowed(last, fit=fit_last))
                type(estimator).fit(estimator, X, *targets, **params)

    def _fit_leaf(
        self,
        estimator: Any,
        part: Part,
        root: Any,
        token: Any,
        X: Any,
        targets: tuple[Any, ...],
        params: Mapping[str, Any],
    ) -> None:
        fit = self._last or type(estimator).fit
        values = self._wanted.get((root, part.key), ())
        if token is None or not part.is_shareable or (len(values) < 2 and not self._keeps_models):
            fit(estimator, X, *targets, **params)
            return
        key = ("model", token, part.path, part.fit_values)
        found = self._models.get(key) or self._store.get(key)
        if found is None or not found.serves(part):

            def run(own: Any) -> None:
                fit(own, X, *targets, **params)

            found = Fitted(None, None)
            with self.ledger.making(found):
                found.at = self._fit_at(estimator, part, values, X, run)
            found.estimator = unshadowed_copy(estimator)
            if token is root and any(value is X for value in vars(estimator).values()):
                found.rows = X
            self._models[key] = found
            if self._keeps_models:
                self._keep(key, found)
            if found.at == part.value:
                return
        else:
            bridge.validate(estimator)
            self.ledger.use(found)
            self.note("submodel" if part.family else "fit", part)
            self.rows = found.rows
        found.give_to(estimator, part)

    def _fit_at(
        self, estimator: Any, part: Part, values: Sequence[Any], X: Any, run: Callable[[Any], Any]
    ) -> Any:
        """Fit at the value that serves the most; return it. The parameter is left as it was."""
        if part.family is None:
            run(estimator)
            return None
        at = part.family.fitted_at([*values, part.value], estimator, X) if len(values) > 1 else None
        if at is None or at == part.value:
            run(estimator)
            return part.value
        unfitted = dict(vars(estimator))
        try:
            part.family.set_value(estimator, at)
            run(estimator)
        except Exception:  # noqa: BLE001 - of a value that is not this candidate's
            estimator.__dict__.clear()
            estimator.__dict__.update(unfitted)
            run(estimator)
            at = part.value
        part.family.set_value(estimator, part.value)
        return at

    def _keep(self, key: Key, found: Any) -> None:
        held = found.estimator, found.output
        self._store.put(key, found, seconds=self.ledger.seconds_of(found), n_bytes=n_bytes(held))

    # Steps of a pipeline

    @contextmanager
    def _linked(self, pipeline: Any, part: Part, root: Any, token: Any) -> Iterator[StepMemory]:
        """Let the pipeline take its steps from here while it is fitted."""
        given = pipeline.memory
        memory = StepMemory(self, given, pipeline, part, root, token)
        pipeline.memory = memory
        try:
            yield memory
        finally:
            pipeline.memory = given

    def fit_step(
        self,
        estimator: Any,
        part: Part,
        root: Any,
        token: Any,
        X: Any,
        run: Callable[[], Any],
        *,
        is_branch: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Return what a step makes of its training rows, the fitted step, and the token of that.

        `run` fits the estimator given, in place, and returns the first two; it is called if nobody
        has done so. The token is None if what is returned cannot be shared.
        """
        key = ("step", token, part.path, part.values)
        step = self._store.get(key)
        if step is not None:
            self.ledger.use(step)
            self.note("prefix", part)
            fitted = shallow_copy(step.estimator)
            self._remember(fitted, step)
            return self.hand_out(step.output, step.token), fitted, step.token
        step = Step(key, part, Token(), is_branch)
        with self.ledger.making(step):
            output, fitted = self._make_step(estimator, part, root, token, X, run)
        shareable = frozen(aligned(output))
        if shareable is None:
            return output, fitted, None
        step.output = lent(shareable)  # its own handle: somebody may hold the one it came as
        step.estimator = unshadowed_copy(fitted)
        self._keep(key, step)
        self._remember(fitted, step)
        return self.hand_out(step.output, step.token), fitted, step.token

    def _make_step(
        self, estimator: Any, part: Part, root: Any, token: Any, X: Any, run: Callable[[], Any]
    ) -> tuple[Any, Any]:
        if not part.is_shareable:
            with self._inside(estimator, part, root, token):
                output, fitted = run()
                return output, fitted
        key = ("fitted", token, part.path, part.fit_values)
        values = self._wanted.get((root, part.key), ())
        found = self._store.get(key)
        if found is None or not found.serves(part):
            made: list[Any] = []
            found = Fitted(None, None)
            with self.ledger.making(found):
                found.at = self._fit_at(estimator, part, values, X, lambda _: made.append(run()))
            output, fitted = made[-1]
            found.estimator = unshadowed_copy(fitted)
            if found.at == part.value:
                self._keep(key, found)
                return output, fitted
            found.output = frozen(output)
            self._keep(key, found)
        else:
            bridge.validate(estimator)
            self.ledger.use(found)
            self.note("submodel" if part.family else "fit", part)
        found.give_to(estimator, part)
        output = None
        if part.family is not None and found.output is not None:
            output = part.family.output(found.estimator, found.output, part.value)
        return estimator.transform(X) if output is None else output, estimator

    def _remember(self, fitted: Any, step: Step) -> None:
        fitted.transform = SharedTransform(self, step, fitted)

    def transformed(self, step: Step, X: Any, compute: Callable[[], Any]) -> Any:
        """Return what a fitted step makes of a table; `compute` does it if nobody has."""
        token = self._scope[-1] if step.is_branch else self.token_of(X)
        if token is None:
            with self._scoped(None):
                return compute()
        if token not in step.made:
            made = Token()
            with self.ledger.making(made), self._scoped(token if step.part.branches else None):
                output = compute()
            shareable = frozen(aligned(output))
            if shareable is None:
                return output
            step.made[token] = made, lent(shareable)
            self._store.grow(step.key, n_bytes(shareable))
        made, output = step.made[token]
        self.ledger.use(made)
        return self.hand_out(output, made)

    @contextmanager
    def _scoped(self, token: Any) -> Iterator[None]:
        """Say whose columns a branch is given; None where that cannot be known."""
        self._scope.append(token)
        try:
            yield
        finally:
            self._scope.pop()

    @contextmanager
    def _inside(self, estimator: Any, part: Part, root: Any, token: Any) -> Iterator[None]:
        """Let the parts of a step take from here what they can, while it is fitted."""
        with ExitStack() as stack:
            if part.steps:
                stack.enter_context(self._linked(estimator, part, root, token))
            # Branches that run in other processes cannot come back here.
            elif part.branches and effective_n_jobs(None) == 1:
                for name, child in children_of(estimator).items():
                    below = part.branches.get(name)
                    can = hasattr(child, "fit_transform") and is_own(child, *TRANSFORMS)
                    if below is not None and can:
                        stack.enter_context(self._branch(child, below, root, token))
            yield

    def _branch(self, child: Any, part: Part, root: Any, token: Any) -> Any:
        """Let a branch of a union be fitted here; a column transformer's is not cloned for it."""

        def fit_transform(X: Any, *targets: Any, **params: Any) -> Any:
            def run() -> Any:
                return type(child).fit_transform(child, X, *targets, **params), child

            output, fitted, _ = self.fit_step(child, part, root, token, X, run, is_branch=True)
            if fitted is not child:
                step = fitted.transform.step
                vars(child).update(vars(fitted))
                self._remember(child, step)
            return output

        return shadowed(child, fit_transform=fit_transform, __sklearn_clone__=lambda: child)
