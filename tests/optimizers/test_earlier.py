"""Scores of an earlier search: they say where to look, fade, and are never own scores."""

import math

import numpy as np
import pytest

from hpsearch.optimizers import GPOptimizer, RandomOptimizer, TPEOptimizer

SPACE = {"x": (-5.0, 10.0), "y": (1e-3, 1e3, "log-uniform"), "c": ["a", "b", "c"]}
learners = pytest.mark.parametrize("cls", [TPEOptimizer, GPOptimizer])


def score_of(params):
    shape = (params["x"] - 3) ** 2 / 10 + (math.log10(params["y"]) + 1) ** 2
    return -shape - (params["c"] != "b")


def alike(params):
    """A score on other data: the optimum is near, the scale another."""
    return 50 + 7 * score_of(params | {"x": params["x"] + 0.5, "y": params["y"] * 1.5})


def trials(score_of, n=40, seed=9):
    drawn = RandomOptimizer(SPACE, seed)
    return [(params, score_of(params)) for params in (drawn.ask() for _ in range(n))]


def best_of(cls, n, seed, **options):
    optimizer, best = cls(SPACE, random_state=seed, **options), -math.inf
    for _ in range(n):
        params = optimizer.ask()
        best = max(best, score_of(params))
        optimizer.tell(params, score_of(params))
    return best


@pytest.mark.parametrize(("cls", "n", "n_alone"), [(GPOptimizer, 6, 12), (TPEOptimizer, 12, 12)])
def test_hint_is_worth_evaluations(cls, n, n_alone):
    """With scores of a similar problem, n evaluations get further than as many or more without."""
    hint = trials(alike)
    hinted = np.mean([best_of(cls, n, seed, prior_trials=hint) for seed in range(5)])
    alone = np.mean([best_of(cls, n_alone, seed) for seed in range(5)])
    assert hinted > alone


@learners
def test_misleading_hint_fades(cls):
    """Scores that say the contrary cost evaluations, and not the result."""
    hint = trials(lambda params: -score_of(params))
    misled = np.mean([best_of(cls, 50, seed, prior_trials=hint) for seed in range(3)])
    random = np.mean([best_of(RandomOptimizer, 50, seed) for seed in range(3)])
    assert misled > random / 2  # scores are negative


@learners
def test_scale_of_the_hint_does_not_matter(cls):
    """Scores of another unit and from another zero say the same."""
    hint = trials(alike)
    scaled = [(params, 1024 * score) for params, score in hint]
    a, b = (cls(SPACE, random_state=0, prior_trials=given) for given in (hint, scaled))
    for _ in range(8):
        params = a.ask()
        assert params == b.ask()
        for optimizer in (a, b):
            optimizer.tell(params, score_of(params))


@learners
def test_hint_is_no_history(cls):
    """Candidates of the earlier search are no own candidates: they may be asked again."""
    space = {"c": ["a", "b", "c"], "d": [True, False]}
    hint = [({"c": c, "d": d}, float(d)) for c in "abc" for d in (True, False)]
    optimizer = cls(space, random_state=0, prior_trials=hint)
    assert len(optimizer.history) == 0
    asked = list(optimizer)
    assert len(asked) == 6
    assert asked[0]["d"]


@learners
def test_same_hint_same_ask(cls):
    """Told the same history, a new optimizer with the same hint asks what the old one would."""
    hint = trials(alike)
    old, new = (cls(SPACE, random_state=3, prior_trials=hint) for _ in range(2))
    for _ in range(12):
        params = old.ask()
        old.tell(params, score_of(params))
        new.tell(params, score_of(params))
    assert [old.ask() for _ in range(3)] == [new.ask() for _ in range(3)]


@learners
@pytest.mark.parametrize(
    "scores", [[math.nan] * 20, [1.0] * 20, [math.nan, math.inf, 0.5] * 6, [1e300, -1e300] * 9]
)
def test_hard_hints(cls, scores):
    """Failed, constant and exploding scores of the earlier search do not stop this one."""
    params = [params for params, _ in trials(alike, n=len(scores))]
    hint = list(zip(params, scores, strict=True))
    assert best_of(cls, 15, seed=0, prior_trials=hint) > -math.inf


@learners
def test_many_hints(cls):
    """Of thousands of scores some are taken, the best among them."""
    assert best_of(cls, 8, seed=0, prior_trials=trials(alike, n=2000)) > -1.0


@learners
def test_candidates_outside_are_left_out(cls):
    """What the space has not is no hint; if it has none, that is said."""
    hint = trials(alike)
    beyond = [({"x": 99.0, "y": 1.0, "c": "a"}, 1.0), ({"z": 1}, 2.0)]
    a, b = (cls(SPACE, random_state=0, prior_trials=given) for given in (hint, hint + beyond))
    assert a.ask() == b.ask()
    with pytest.raises(ValueError, match=r"prior_trials: no candidate .* 'x': .*99"):
        cls(SPACE, prior_trials=beyond)


@learners
@pytest.mark.parametrize("given", [[{"x": 1.0}], [({"x": 1.0}, "good")], [(1.0, {})], [3]])
def test_what_is_not_a_pair_is_refused(cls, given):
    """The message says which element, and how to get them from an earlier search."""
    with pytest.raises(TypeError, match=r"prior_trials\[0\].*cv_results_"):
        cls(SPACE, prior_trials=given)


def asks(cls, hint, n=6):
    optimizer = cls(SPACE, random_state=0, prior_trials=hint)
    asked = []
    for _ in range(n):
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], score_of(asked[-1]))
    return asked


@learners
def test_what_a_hint_says(cls):
    """Infinity is a failure; what comes twice is as it was last; failures alone say nothing."""
    hint = trials(alike, n=25)
    infinite, failed = (
        [(params, bad if i % 5 == 0 else score) for i, (params, score) in enumerate(hint)]
        for bad in (math.inf, math.nan)
    )
    assert asks(cls, infinite) == asks(cls, failed) != asks(cls, hint)
    assert asks(cls, [(params, -score) for params, score in hint] + hint) == asks(cls, hint)
    assert asks(cls, [(params, math.nan) for params, _ in hint]) == asks(cls, [])


@learners
def test_messages_of_a_hint(cls):
    """Which element is no pair, and why no candidate lies in the space, of the first one."""
    with pytest.raises(TypeError, match=r"prior_trials\[2\]: \['x'\] is not a pair"):
        cls(SPACE, prior_trials=[*trials(alike, n=2), ["x"]])
    with pytest.raises(ValueError, match=r"in the space.*99"):
        cls(SPACE, prior_trials=[({"x": 99.0, "y": 1.0, "c": "a"}, 1.0), ({"z": 1}, 2.0)])
