"""Racing over splits: what is dropped, against brute force and closed forms."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, GPSearchCV, RacingPruner, SampledSearchCV, StopSearch
from hpsearch.pruners import Verdict
from hpsearch.pruners._looks import tail_probabilities
from hpsearch.trial import Board, SplitResult, Stage, Status, Trial

properties = settings(max_examples=200, derandomize=True, deadline=None)


def trial(number, scores, status=Status.COMPLETE):
    results = [SplitResult(i, scores={"score": float(s)}) for i, s in enumerate(scores)]
    return Trial(number, {"x": number}, status, results)


def board_of(complete, n_splits, paused=(), optimum=math.inf):
    trials = [*complete, *paused]
    return Board("score", n_splits, trials, complete, list(paused), {}, optimum)


@given(table=st.lists(st.lists(st.integers(0, 10), min_size=4, max_size=4), min_size=2, max_size=8))
@properties
def test_level_0_never_drops_the_winner(table):
    """Only what perfect scores could not save is dropped: brute force over all endings."""
    pruner = RacingPruner(level=0)
    table = np.array(table) / 10
    best = None
    for number, scores in enumerate(table):
        for m in range(1, 4):
            if best is None:
                break
            board = board_of([trial(0, best)], 4, optimum=1.0)
            verdict = pruner.judge(trial(number, scores[:m], Status.RUNNING), board)
            # Over all ways to end, in tenths: is there one that would beat the best?
            most = (scores[:m].sum() + (4 - m)) / 4
            assert (verdict is Verdict.STOP) == (most < best.mean() - 1e-9)
        if best is None or scores.mean() > best.mean():
            best = scores


def test_unknown_optimum_drops_nothing_at_level_0():
    """Without a greatest value nothing is out of reach."""
    board = board_of([trial(0, [1, 1, 1])], 3)
    assert RacingPruner(level=0).judge(trial(1, [-99.0]), board) is Verdict.PAUSE
    given = RacingPruner(level=0, best_possible=1.0)
    assert given.judge(trial(1, [-99.0]), board) is Verdict.STOP


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("margin", [0, 0.05, 2])
@pytest.mark.parametrize(("n", "n_better"), [(2, 2), (4, 3), (6, 3), (9, 5)])
def test_chance_is_that_of_the_two_way_model(n, n_better, margin, learns):
    """The chance to win, against the model's formulas written out with numpy and scipy."""
    rng = np.random.default_rng(0)
    n_splits = 5
    table = rng.normal(size=(n, 1)) + rng.normal(size=(1, n_splits)) + rng.normal(size=(n, 5))
    board = board_of([trial(i, row) for i, row in enumerate(table)], n_splits)
    board = replace(board, learns=learns)
    means = table.mean(axis=1)
    low = np.sort(means)[-n_better]
    spread = means.max() - low
    poor = (lambda x: (spread / (spread + low - x)) ** 4) if learns else (lambda x: 0)
    weight = np.array([1 if x >= low else poor(x) for x in means])
    centred = table - means[:, None]
    effects = weight @ centred / weight.sum()
    squares = weight @ ((centred - effects) ** 2).sum(axis=1)
    best = table[table.mean(axis=1).argmax()]
    needed = best.mean() + margin * best.std(ddof=1) / math.sqrt(n_splits)
    for m in range(1, n_splits):
        own = rng.normal(size=m) - 1
        clean = own - effects[:m]
        freedom = (weight.sum() - 1) * (n_splits - 1) + m - 1
        own_squares = ((clean - clean.mean()) ** 2).sum()
        left = (n_splits - m) / (n_splits * m)
        spread = (squares + own_squares) / freedom * (1 + 1 / weight.sum()) * left
        chance = student.cdf((clean.mean() - needed) / math.sqrt(spread), freedom)
        for level in np.linspace(0.01, 0.99, 99):
            pruner = RacingPruner(level=level, margin=margin)
            verdict = pruner.judge(trial(9, own, Status.RUNNING), board)
            bound = tail_probabilities(level, 5, 2 if learns else 1)[m - 1]
            assert (verdict is Verdict.STOP) == (chance < bound)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("n_splits", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("level", [0.01, 0.1, 0.5])
def test_all_looks_together_spend_the_level(level, n_splits, power):
    """Of candidates that end level with the best one, simulated, each look drops its share."""
    n = 200_000
    residuals = np.random.default_rng(0).normal(size=(n, n_splits))
    residuals -= residuals.mean(axis=1, keepdims=True)
    m = np.arange(1, n_splits)
    sums = residuals.cumsum(axis=1)[:, :-1] / np.sqrt(m * (n_splits - m) / n_splits)
    dropped = norm.cdf(sums) < tail_probabilities(level, n_splits, power)
    first = np.bincount(dropped.argmax(axis=1)[dropped.any(axis=1)], minlength=n_splits - 1) / n
    expected = level / m**power / (1 / m**power).sum()
    error = 5 * np.sqrt(expected * (1 - expected) / n)
    assert (abs(first - expected) < error).all()
    assert abs(dropped.any(axis=1).mean() - level) < 5 * math.sqrt(level * (1 - level) / n)


@pytest.mark.parametrize("margin", [0, 0.5])
@pytest.mark.parametrize("learns", [False, True])
def test_the_level_is_kept(learns, margin):
    """Of winners by the margin and a hair no more than `level` are dropped, if the model holds."""
    rng = np.random.default_rng(1)
    pruner, n_splits = RacingPruner(level=0.1, margin=margin), 10
    n_dropped, n_races = 0, 1000
    order = [8, 9, *range(8)] if learns else list(range(10))
    for _ in range(n_races):
        effects = rng.normal(size=n_splits)
        table = effects + rng.normal(size=(8, n_splits))
        table -= table.mean(axis=1, keepdims=True)  # all alike
        table[0] += 1e-7
        winner = effects + rng.normal(size=n_splits)
        by = margin * table[0].std(ddof=1) / math.sqrt(n_splits)
        winner += 1e-6 + by - winner.mean()
        board = board_of([trial(i, row) for i, row in enumerate(table)], n_splits)
        board = replace(board, learns=learns)
        results = [SplitResult(i, scores={"score": float(winner[i])}) for i in order]
        assert pruner.stage(Trial(8, {}, results=results[:4]), board).splits == tuple(order[:4])
        n_dropped += any(
            pruner.judge(Trial(8, {}, results=results[:m]), board) is Verdict.STOP
            for m in range(1, n_splits)
        )
    assert n_dropped <= 0.1 * n_races


def test_failed_scores_are_lost():
    """A score that is not a number cannot win."""
    board = board_of([trial(0, [0.5, 0.5])], 2)
    assert RacingPruner().judge(trial(1, [math.nan]), board) is Verdict.STOP


def test_first_candidate_runs_all_splits():
    """There is nothing to compare the first one with."""
    first = trial(0, [0.5], Status.PAUSED)
    move = RacingPruner().promote(board_of([], 3, [first]))
    assert move == (first, Stage((0, 1, 2)))


def test_order_is_that_of_the_numbers():
    """Whatever the scores, lest the splits' effects are those of lucky ones; a leader runs all."""
    best = trial(0, [0.5, 0.7, 0.6])
    behind, ahead = trial(1, [0.45], Status.PAUSED), trial(2, [0.55], Status.PAUSED)
    pruner = RacingPruner()
    assert pruner.promote(board_of([best], 3, [ahead, behind])) == (behind, Stage((0, 1)))
    assert pruner.promote(board_of([best], 3, [ahead])) == (ahead, Stage((0, 1, 2)))
    learning = replace(board_of([best], 3, [ahead]), learns=True)  # it begins with the last split
    assert pruner.promote(learning) == (ahead, Stage((2, 0)))


def test_a_learner_begins_each_candidate_with_another_split():
    """And goes on round from there, when resumed too; candidates of other searches do alike."""
    pruner = RacingPruner(level=0.1, burn_in=2)
    plain = board_of([], 3)
    learning = replace(plain, learns=True)
    fresh = [Trial(number, {}) for number in range(4)]
    assert [pruner.stage(t, plain).splits for t in fresh] == [(0, 1)] * 4
    assert [pruner.stage(t, learning).splits for t in fresh] == [(0, 1), (1, 2), (2, 0), (0, 1)]
    begun = Trial(2, {}, results=[SplitResult(i, scores={"score": 0.5}) for i in (0, 2)])
    assert RacingPruner().stage(begun, learning).splits == (2, 0)
    best, waits = trial(0, [0.5, 0.7, 0.6]), Trial(2, {}, Status.PAUSED, begun.results)
    board = replace(board_of([best], 3, [waits]), learns=True, memo={})
    assert pruner.promote(board) == (waits, Stage((2, 0, 1)))


@pytest.mark.parametrize("learns", [False, True])
def test_one_bad_split_does_not_drop_all_that_are_alike(learns):
    """Of five equal winners that are bad on the first split, a learner keeps four."""
    rng = np.random.default_rng(0)
    table = 0.5 + rng.normal(0, 0.01, size=(6, 5))
    winner = np.array([0.40, 0.60, 0.61, 0.60, 0.59])
    assert winner.mean() > table.mean(axis=1).max()
    board = replace(board_of([trial(i, row) for i, row in enumerate(table)], 5), learns=learns)
    pruner, verdicts = RacingPruner(level=0.4), []
    for number in range(5, 10):
        alike = Trial(number, {})
        for split in pruner.stage(alike, board).splits:
            alike.results.append(SplitResult(split, scores={"score": winner[split]}))
        verdicts.append(pruner.judge(alike, board))
    assert verdicts.count(Verdict.STOP) == (1 if learns else 5)


def test_automatic_level_and_margin_are_higher_in_a_search_that_learns():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(8, 5)) / 10
    plain = board_of([trial(i, row) for i, row in enumerate(table)], 5)
    learning = replace(plain, learns=True, memo={})
    verdicts = []
    for score in np.linspace(-0.3, 0.3, 601):
        own = trial(9, [score], Status.RUNNING)
        verdicts.append([RacingPruner().judge(own, board) for board in (plain, learning)])
        given = [RacingPruner(level=0.1, margin=0), RacingPruner(level=0.6, margin=0.05)]
        expected = [given[0].judge(own, plain), given[1].judge(own, learning)]
        assert verdicts[-1] == expected
    assert [Verdict.PAUSE, Verdict.STOP] in verdicts


@pytest.mark.parametrize("learns", [False, True])
def test_a_learner_drops_what_can_only_be_as_good(learns):
    """A candidate equal to the best on all splits so far, hence by the model, is no improvement."""
    table = np.array([[0.7, 0.5, 0.8, 0.6], [0.6, 0.5, 0.7, 0.5], [0.6, 0.3, 0.8, 0.6]])
    board = replace(board_of([trial(i, row) for i, row in enumerate(table)], 4), learns=learns)
    equal = trial(4, table[0][:3], Status.PAUSED)
    assert RacingPruner(level=0.6, margin=0).judge(equal, board) is Verdict.PAUSE
    assert RacingPruner(level=0.6, margin=1).judge(equal, board) is Verdict.STOP


def test_dropped_candidates_tell_a_learner_of_the_splits_too():
    """From one complete candidate alone nobody knows what a split does; with two dropped ones."""
    rows = [[0.9, 0.9, 0.9, 0.9], [0.5, 0.501], [0.5, 0.502]]
    best, *dropped = [trial(i, row) for i, row in enumerate(rows)]
    for other in dropped:
        other.status = Status.PRUNED
    poor, alone = trial(3, [0.1], Status.RUNNING), board_of([best], 4)
    assert RacingPruner(level=0.5).judge(poor, alone) is Verdict.PAUSE
    for learns, verdict in ((False, Verdict.PAUSE), (True, Verdict.STOP)):
        known = replace(alone, trials=[best, *dropped], learns=learns, memo={})
        assert RacingPruner(level=0.5).judge(poor, known) is verdict


def test_infinite_scores_are_not_the_ones_to_beat():
    """A complete candidate that has one is no winner, and no part of the model."""
    endless, finite = trial(0, [math.inf, 0.1, 0.2]), trial(1, [0.5, 0.6, 0.4])
    own = trial(2, [0.7], Status.RUNNING)
    pruner = RacingPruner(level=0.9)
    assert pruner.judge(own, board_of([endless], 3)) is Verdict.PAUSE
    assert pruner.judge(own, board_of([endless, finite], 3, optimum=1.0)) is Verdict.PAUSE
    assert pruner.promote(board_of([endless], 3, [own])) == (own, Stage((0, 1, 2)))


def test_what_is_made_of_the_trials_is_forgotten_as_one_ends():
    """Dropped or complete: else the next candidate would be judged by less than there is."""
    kept = []

    def look(event):
        if event.kind == "closed":
            kept.append("field" in event.board.memo)

    search = search_trees(pruner="race", watch=look)
    assert any(t.status is Status.PRUNED for t in search.trials_)
    assert len(kept) == 25
    assert not any(kept)


@pytest.mark.parametrize("level", [-0.1, 1.0, math.nan, "often", True])
def test_level_is_a_probability(level):
    with pytest.raises(ValueError, match="level"):
        RacingPruner(level=level)


@pytest.mark.parametrize("margin", [-0.1, math.inf, math.nan, "some", True])
def test_margin_is_a_number_of_standard_errors(margin):
    with pytest.raises(ValueError, match="margin"):
        RacingPruner(margin=margin)


@pytest.mark.parametrize("burn_in", [0, 1.5, True])
def test_burn_in_is_a_count(burn_in):
    with pytest.raises(ValueError, match="burn_in"):
        RacingPruner(burn_in=burn_in)


GRID = {"max_depth": [1, 2, 3, 5, 8], "min_samples_leaf": [1, 5, 20, 60, 150]}


def search_trees(**options):
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0)
    cv = KFold(10, shuffle=True, random_state=0)
    return ExhaustiveSearchCV(tree, GRID, cv=cv, **options).fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("pruner", [RacingPruner(level=0.02), "bound"])
def test_same_winner_for_fewer_fits(pruner, n_jobs):
    """The winner is scikit-learn's, or one as good; pruned rows are blank, and rank last."""
    X, y = load_breast_cancer(return_X_y=True)
    cv = KFold(10, shuffle=True, random_state=0)
    full = GridSearchCV(DecisionTreeClassifier(random_state=0), GRID, cv=cv).fit(X, y)
    search = search_trees(pruner=pruner, n_jobs=n_jobs)
    if pruner == "bound" or n_jobs == 1:  # else another one of the same score may come first
        assert search.best_params_ == full.best_params_
    assert search.best_score_ == full.best_score_
    n_fits = sum(len(t.results) for t in search.trials_)
    assert n_fits < (240 if pruner == "bound" else 200)
    means, ranks = search.cv_results_["mean_test_score"], search.cv_results_["rank_test_score"]
    pruned = np.array([t.status is Status.PRUNED for t in search.trials_])
    assert pruned.any()
    assert np.isnan(means[pruned]).all()
    assert np.array_equal(means[~pruned], full.cv_results_["mean_test_score"][~pruned])
    assert ranks[pruned].min() > ranks[~pruned].max()
    for trial, row in zip(search.trials_, range(len(pruned)), strict=True):
        for split in range(10):
            score = search.cv_results_[f"split{split}_test_score"][row]
            ran = [r for r in trial.results if r.split == split]
            assert [r.scores["score"] for r in ran] == ([] if math.isnan(score) else [score])
            if ran:
                assert score == full.cv_results_[f"split{split}_test_score"][row]


def test_bound_needs_no_more_than_the_race():
    """The exact bound alone runs at least as many fits as the race, which has it too."""
    fits = [sum(len(t.results) for t in search_trees(pruner=p).trials_) for p in ("race", "bound")]
    assert fits[0] < fits[1]


def test_several_metrics_one_drives():
    """With more than one metric the one of `refit` decides, and all are reported."""
    search = search_trees(scoring=["accuracy", "roc_auc"], refit="roc_auc", pruner="race")
    full = search_trees(scoring=["accuracy", "roc_auc"], refit="roc_auc")
    assert search.best_params_ == full.best_params_
    assert np.isnan(search.cv_results_["mean_test_accuracy"]).any()
    with pytest.raises(ValueError, match="refit='accuracy'"):
        search_trees(scoring=["accuracy", "roc_auc"], refit=False, pruner="race")


class Told(ClassifierMixin, BaseEstimator):
    """Scores x, and a known difference of the splits."""

    def __init__(self, x=0.0):
        self.x = x

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y):
        return self.x + X[:, 0].mean()


def test_learner_is_told_comparable_scores():
    """What a GP is told of a pruned candidate has the splits' differences taken out."""
    X, y = load_iris(return_X_y=True)
    cv = KFold(5)  # iris is sorted: splits differ by far more than candidates
    told = {}

    class Spy(GPSearchCV._optimizer_class):
        def propose(self, history, rng):
            points = history.points
            told.update(
                zip([self.space.decode(p)["x"] for p in points], history.scores, strict=True)
            )
            return super().propose(history, rng)

    search = GPSearchCV(
        Told(), {"x": (0.0, 1.0)}, n_iter=15, cv=cv, pruner="race", random_state=0, optimizer=Spy
    ).fit(X, y)
    assert any(t.status is Status.PRUNED for t in search.trials_)
    offset = np.mean([X[test, 0].mean() for _, test in cv.split(X)])
    for x, score in told.items():
        assert math.isnan(score) or score == pytest.approx(x + offset)


@pytest.mark.parametrize("pruner", ["race", "halving", "hyperband"])
@pytest.mark.parametrize("search", [SampledSearchCV, GPSearchCV])
def test_deterministic_for_any_n_jobs(search, pruner):
    """The same seed gives the same trials, splits and scores with one worker and with two."""
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0)
    space = {"max_depth": list(range(1, 20)), "min_samples_leaf": list(range(1, 60))}
    given = {"n_iter": 14, "cv": 5, "pruner": pruner, "random_state": 0, "deterministic": 3}
    found = [search(tree, space, n_jobs=n, **given).fit(X, y) for n in (1, 2)]
    tables = [[(t.params, t.status, *map(plain, t.results)) for t in s.trials_] for s in found]
    assert tables[0] == tables[1]


def plain(result):
    return result.split, result.resource, result.scores


class Resumable:
    """A search of trees that are much alike, to be stopped after some results and resumed."""

    def __init__(self, search, pruner, **given):
        self.X, self.y = load_iris(return_X_y=True)
        self.X = self.X + np.random.default_rng(0).normal(0, 0.8, self.X.shape)
        space = {"max_depth": list(range(1, 12)), "min_samples_leaf": list(range(1, 30))}
        tree = DecisionTreeClassifier(random_state=0)
        given = {"cv": 5, "random_state": 0, "refit": False} | given
        self.make = partial(search, tree, space, pruner=pruner, **given)

    def run(self, n_results=math.inf, **others):
        """Return the trials, and the number of fits."""
        seen = []

        def stop(event):
            seen.extend([event] * (event.kind == "result"))
            if len(seen) == n_results:
                raise StopSearch

        return self.make(watch=stop, **others).fit(self.X, self.y).trials_, len(seen)


def written(trials):
    return [(t.params, t.status, *map(plain, t.results)) for t in trials]


@pytest.mark.filterwarnings("ignore:The search ended before any candidate was complete")
@pytest.mark.parametrize("pruner", [None, "race", "halving", "hyperband"])
@pytest.mark.parametrize("search", [SampledSearchCV, GPSearchCV])
def test_deterministic_goes_the_same_way_when_resumed(search, pruner, tmp_path):
    """Stopped anywhere and resumed, it ends as if it never had been, and fits nothing twice."""
    resumable = Resumable(search, pruner, n_iter=12, deterministic=3)
    whole, n_fits = resumable.run()
    for n_results in range(3, n_fits, 9):
        file = tmp_path / f"{n_results}.sqlite"
        stopped, _ = resumable.run(n_results, checkpoint=file)
        # No time for anything: all is kept.
        kept, n_more = resumable.run(checkpoint=file, max_time=1e-9)
        assert n_more == 0
        for trials in (stopped, kept):
            assert sum(len(t.results) for t in trials) == n_results
        resumed, n_more = resumable.run(checkpoint=file, n_jobs=1 + n_results % 2)
        assert written(resumed) == written(whole)
        assert n_more == n_fits - n_results


@pytest.mark.filterwarnings("ignore:The search ended before any candidate was complete")
@pytest.mark.parametrize("pruner", ["race", "halving", "hyperband"])
@pytest.mark.parametrize("search", [SampledSearchCV, GPSearchCV])
def test_one_worker_goes_the_same_way_when_resumed(search, pruner, tmp_path):
    """Also where one that leads was stopped between its splits, and among equals."""
    resumable = Resumable(search, pruner, n_iter=25)
    whole, n_fits = resumable.run()
    for n_results in range(2, n_fits, 7 if pruner == "race" else n_fits // 4):
        file = tmp_path / f"{n_results}.sqlite"
        resumable.run(n_results, checkpoint=file)
        kept, n_more = resumable.run(checkpoint=file, max_time=1e-9)
        assert (sum(len(t.results) for t in kept), n_more) == (n_results, 0)
        resumed, n_more = resumable.run(checkpoint=file)
        assert written(resumed) == written(whole)
        assert n_more == n_fits - n_results


@pytest.mark.filterwarnings("ignore:The search ended before any candidate was complete")
@pytest.mark.parametrize(("n_results", "n_iter"), [(100, 25), (60, 35), (math.inf, 25)])
@pytest.mark.parametrize("pruner", ["race", "halving"])
def test_what_three_workers_did_is_kept_by_one(pruner, n_results, n_iter, tmp_path):
    """Whatever one worker would have done: what has ended stays so, and no fit is done again."""
    resumable = Resumable(SampledSearchCV, pruner, n_iter=25)
    before, n_fits = resumable.run(n_results, checkpoint=tmp_path / "run.sqlite", n_jobs=3)
    for _ in range(2):  # and again, when it has ended
        after, n_more = resumable.run(checkpoint=tmp_path / "run.sqlite", n_iter=n_iter)
        assert sum(len(t.results) for t in after) == n_fits + n_more
        for old, new in zip(before, after, strict=False):
            assert {plain(r)[:2] for r in old.results} <= {plain(r)[:2] for r in new.results}
            assert old.status is not Status.COMPLETE or new.status is Status.COMPLETE
        assert n_results < math.inf or written(after) == written(before)
        before, n_fits = after, n_fits + n_more
    assert n_more == 0


@pytest.mark.filterwarnings("ignore:The search ended before any candidate was complete")
@pytest.mark.parametrize("pruner", ["race", "halving", "hyperband"])
def test_what_has_ended_stays_so_if_more_is_asked_for_and_stopped_at_once(pruner, tmp_path):
    """Also what had been raised only because no more candidates were to come then."""
    resumable = Resumable(SampledSearchCV, pruner, n_iter=12)
    before, n_fits = resumable.run(checkpoint=tmp_path / "run.sqlite")
    after, n_more = resumable.run(1, checkpoint=tmp_path / "run.sqlite", n_iter=60)
    assert (n_fits > 12, n_more) == (True, 1)
    assert sum(t.status is Status.COMPLETE for t in before) > 0
    for old, new in zip(before, after, strict=False):
        assert (new.params, new.status) == (old.params, old.status)
        assert {plain(r)[:2] for r in old.results} <= {plain(r)[:2] for r in new.results}
