"""Racing over splits: a candidate stops once it is unlikely to win on the splits it has left.

All candidates meet the same splits, so what is easy or hard about a split can be told from the
candidate (Maron & Moore, 1994; Birattari et al., 2002). What is judged is not which candidate is
better in general but whether this one will have the greatest mean score when all splits are done,
since that is what the search goes by: only the splits left are uncertain, so most races are short.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from hpsearch.dimensions import is_number
from hpsearch.pruners._looks import tail_probabilities
from hpsearch.pruners._two_way import TwoWay
from hpsearch.pruners.base import Move, NoPruner, Verdict
from hpsearch.trial import Board, Stage, Status, Trial

LEVEL, LEVEL_WITH_LEARNER = 0.1, 0.6
MARGIN_WITH_LEARNER = 0.05
MIN_BETTER = 3  # candidates that the model is made of, once so many are complete
MAX_DROPPED = 100  # the latest, that a learner's is made of as well: they say enough of the splits
SLACK = 1e-9  # relative: sums in another order than scikit-learn's must not decide


@dataclass(frozen=True)
class RacingPruner(NoPruner):
    """Stop candidates that are unlikely to win, after as few splits as that takes.

    Parameters
    ----------
    level : float or "auto", default="auto"
        The probability, at most, of dropping a candidate that would have won by the margin, if
        scores vary over the splits as the model in the notes has it. "auto" is 0.1, and 0.6 in a
        search that learns from its results. Most candidates of such a search are near the best, so
        that more has to be dropped to save as much, and it can be: one that is dropped has others
        like it, judged on other splits, and its scores still tell where to look. With 0 a candidate
        stops only when perfect scores on the splits left would not be enough: no candidate is
        dropped that would have won, and none at all if the greatest value of the metric is not
        known.
    margin : float or "auto", default="auto"
        By how much a candidate has to beat the best one, in standard errors of the best one's mean
        score over the splits: to win by less, or to be just as good, is not worth the fits. "auto"
        is 0, and 0.05 in a search that learns from its results. The candidates of such a search
        become so alike that many would run all splits over a difference that means nothing.
    burn_in : int, default=1
        Splits that every candidate runs.
    best_possible : float or None, default=None
        The greatest value that the metric can take, for a metric of your own; those of
        scikit-learn are known.

    Notes
    -----
    The score of a candidate on a split is modelled as the sum of the candidate's level, the
    split's effect, and a normal residual; effects and the residuals' variance s**2 are estimated
    from the n best complete candidates (half of them, but three if there are). After m of K splits
    a candidate's final mean is expected to be its mean so far without the effects of those splits,
    with variance ``s**2 * (1 + 1 / n) * (K - m) / (K * m)``. It is dropped where a t-distributed
    final mean beats the best one by the margin with a probability below a bound. There are K - 1
    occasions to drop it; their bounds are such that a candidate that ends at the margin is dropped
    with the probability `level` on one of them, in proportion to 1 / m on the m-th. One that leads
    runs all its splits; another waits after each of them.

    In a search that learns, candidate number i begins with split i, counted round: were it always
    the first one, a split that happens to be bad for the winner would drop all that are like it.
    There one that leads waits too, since it mostly leads by a hair, and bounds are in proportion to
    1 / m**2, since most of what a search learns of a candidate comes with the first splits. Few
    candidates are complete, but those dropped ran all splits between them, so that the model is of
    all by weighted least squares: the better half counts in full, others less, the further below.
    Other searches run the splits in one order, so that candidates can share work.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV, RacingPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> grid = {"C": [10, 1, 0.01, 0.001], "kernel": ["linear", "rbf"]}
    >>> search = ExhaustiveSearchCV(SVC(), grid, cv=10, pruner=RacingPruner()).fit(X, y)
    >>> search.best_params_, search.trials_
    ({'C': 10, 'kernel': 'linear'}, <8 trials: 3 complete, 5 pruned>)
    """

    level: float | Literal["auto"] = "auto"
    margin: float | Literal["auto"] = "auto"
    burn_in: int = 1
    best_possible: float | None = None

    def __post_init__(self) -> None:
        if self.level != "auto" and not (is_number(self.level) and 0 <= self.level < 1):
            raise ValueError(
                f"level must be a probability in [0, 1) or 'auto', got {self.level!r}."
            )
        if self.margin != "auto" and not (is_number(self.margin) and 0 <= self.margin < math.inf):
            raise ValueError(
                f"margin must be a number of standard errors, 0 or more, or 'auto', got "
                f"{self.margin!r}."
            )
        if isinstance(self.burn_in, bool) or int(self.burn_in) != self.burn_in or self.burn_in < 1:
            raise ValueError(f"burn_in must be an integer of 1 or more, got {self.burn_in!r}.")

    def stage(self, trial: Trial, board: Board) -> Stage:
        """Return the first splits, as many as are begun."""
        run = {result.split for result in trial.results}
        n_begun = max(
            (n for n, split in enumerate(_order(trial, board), 1) if split in run), default=0
        )
        return _first(max(n_begun, min(self.burn_in, board.n_splits)), trial, board)

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        """Return whether a trial is done, is dropped, or waits for its turn."""
        if len(trial.results) == board.n_splits:
            return Verdict.DONE
        return Verdict.STOP if self._is_lost(trial, board) else Verdict.PAUSE

    def promote(self, board: Board) -> Move | None:
        """Return the first of those that wait, or one that is lost by now."""
        if not board.paused:
            return None
        lost = next((trial for trial in board.paused if self._is_lost(trial, board)), None)
        if lost is not None:
            return lost, Verdict.STOP
        running, is_first = board.stages.values(), Field.of(board) is None
        if is_first and any(len(s.splits) == board.n_splits for s in running):
            return None  # there will soon be one to compare with
        # In the order of numbers: the model of the splits would be wrong if it came from candidates
        # that were taken for their luck on the first of them.
        trial = min(board.paused, key=lambda trial: trial.number)
        runs_all = is_first or (not board.learns and _lead(trial, board) > 0)
        n = board.n_splits if runs_all else len(trial.results) + 1
        return trial, _first(n, trial, board)

    def hasten(self, board: Board) -> Move | None:
        """Return the most promising of those that run, and one more split for it."""
        narrow = [i for i, stage in board.stages.items() if len(stage.splits) < board.n_splits]
        if not narrow:
            return None
        running = [board.trials[i] for i in narrow]
        trial = max(running, key=lambda trial: _lead(trial, board))
        return trial, _first(len(board.stages[trial.number].splits) + 1, trial, board)

    def _level(self, board: Board) -> float:
        if self.level != "auto":
            return self.level
        return LEVEL_WITH_LEARNER if board.learns else LEVEL

    def _margin(self, board: Board) -> float:
        if self.margin != "auto":
            return self.margin
        return MARGIN_WITH_LEARNER if board.learns else 0.0

    def _is_lost(self, trial: Trial, board: Board) -> bool:
        """Whether a trial has failed, cannot win, or is unlikely to."""
        field = Field.of(board)
        if not trial.results or field is None:
            return False
        scores = _scores(trial, board.metric)
        if not np.isfinite(scores).all():
            return True
        m, n_splits = len(scores), board.n_splits
        most = board.optimum if self.best_possible is None else self.best_possible
        at_best = (math.fsum(scores) + (n_splits - m) * most) / n_splits
        if at_best < field.best - SLACK * abs(field.best):
            return True
        level = self._level(board)
        if level == 0:
            return False
        splits = sorted(result.split for result in trial.results)
        difference, deviation, freedom = field.outlook(scores, splits)
        difference -= self._margin(board) * field.error
        if freedom == 0 or deviation == 0:
            return False
        chance = float(stdtr(freedom, difference / deviation))
        return chance < tail_probabilities(level, n_splits, 2 if board.learns else 1)[m - 1]


@dataclass(frozen=True, eq=False)
class Field:
    """What a trial runs against: the best complete candidate, and the model of the scores."""

    best: float  # the greatest mean score
    error: float  # its standard error over the splits
    table: NDArray[Any]  # what the model is made of, (n, K), NaN where a split was not run
    is_even: bool  # whether all of these count in full

    @cached_property
    def model(self) -> TwoWay:
        """The model of these scores."""
        return TwoWay.of(self.table, is_even=self.is_even)

    @classmethod
    def of(cls, board: Board) -> Field | None:
        """Return that of a board, made anew only when a trial has ended; None if none is complete.

        Scores that are not finite are not of a complete candidate.
        """
        if "field" not in board.memo:
            board.memo["field"] = cls._made(board)
        field: Field | None = board.memo["field"]
        return field

    @classmethod
    def _made(cls, board: Board) -> Field | None:
        complete = _table(board.complete, board)
        if not len(complete):
            return None
        means = complete.mean(axis=1)
        best = complete[means.argmax()]
        error = float(best.std(ddof=1)) / math.sqrt(board.n_splits)
        if board.learns:
            dropped = (t for t in reversed(board.trials) if t.status is Status.PRUNED)
            table = np.vstack([complete, _table(islice(dropped, MAX_DROPPED), board)])
        else:
            n_better = max(MIN_BETTER, (len(means) + 1) // 2)
            table = complete[np.argsort(-means, kind="stable")[:n_better]]
        return cls(float(means.max()), error, table, is_even=not board.learns)

    def outlook(self, scores: NDArray[Any], splits: Sequence[int]) -> tuple[float, float, float]:
        """Return how the final mean of a trial with these scores should differ from the best one.

        The mean difference, its standard deviation, and the degrees of freedom of that.
        """
        m, n_splits = len(scores), len(self.model.effects)
        own = scores - self.model.effects[list(splits)]
        freedom = self.model.freedom + m - 1
        squares = self.model.squares + float(((own - own.mean()) ** 2).sum())
        variance = squares / max(freedom, 1) * (1 + 1 / self.model.n)
        deviation = math.sqrt(variance * (n_splits - m) / (n_splits * m))
        return float(own.mean()) - self.best, deviation, freedom


def _lead(trial: Trial, board: Board) -> float:
    """By how much a trial should beat the best one; its mean score if none is complete."""
    if not trial.results:
        return -math.inf
    field = Field.of(board)
    if field is None:
        return float(_scores(trial, board.metric).mean())
    scored = {r.split: r.scores.get(board.metric, math.nan) for r in trial.results}
    own = [score - field.model.effects[split] for split, score in scored.items()]
    return float(np.mean(own)) - field.best


def _scores(trial: Trial, metric: str) -> NDArray[Any]:
    """Scores in the order of the splits."""
    results = sorted(trial.results, key=lambda result: result.split)
    return np.array([result.scores.get(metric, math.nan) for result in results])


def _table(trials: Iterable[Trial], board: Board) -> NDArray[Any]:
    """Scores of trials that have only finite ones, (n, K), NaN where a split was not run."""
    rows = []
    for trial in trials:
        scores = _scores(trial, board.metric)
        if len(scores) and np.isfinite(scores).all():
            row = np.full(board.n_splits, np.nan)
            row[sorted(result.split for result in trial.results)] = scores
            rows.append(row)
    return np.array(rows).reshape(len(rows), board.n_splits)


def _first(n: int, trial: Trial, board: Board) -> Stage:
    return Stage(tuple(_order(trial, board)[:n]))


def _order(trial: Trial, board: Board) -> list[int]:
    """Return the splits as the trial is to run them.

    A learner's candidates are much alike. Each begins with the next split, or else one bad split
    would drop the winner with all that are like it. Candidates that do not come of the scores so
    far are few of a kind, and share more work if they run the same splits.
    """
    start = trial.number % board.n_splits if board.learns else 0
    return [(start + i) % board.n_splits for i in range(board.n_splits)]
