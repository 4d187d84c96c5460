"""What every optimizer promises. A new one joins by one line in OPTIMIZERS."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from hpsearch.optimizers import (
    GPOptimizer,
    GridOptimizer,
    RandomOptimizer,
    SobolOptimizer,
    SpaceExhausted,
    TPEOptimizer,
)
from hpsearch.space import Space

OPTIMIZERS = [GridOptimizer, RandomOptimizer, SobolOptimizer, TPEOptimizer, GPOptimizer]
SPACES = {  # finite, so that a grid can go through them
    "grid": {"C": [0.01, 0.1, 1, 10, 100], "gamma": list(np.logspace(-4, 1, 10))},
    "mixed": {"c": ["a", "b", "c"], "n": (1, 20), "flag": [True, False], "one": [None]},
    "branches": [
        {"kernel": ["rbf"], "C": [0.1, 1, 10], "gamma": [0.01, 0.1, 1]},
        {"kernel": ["linear"], "C": [0.1, 1, 10]},
        {"kernel": ["poly"], "C": [0.1, 1, 10], "degree": (2, 9)},
    ],
    "categories": {"a": ["x", "y", "z"], "b": [None, "auto", 3.0], "c": [True, False]},
    "point": {"a": [1], "b": ["x"]},
    "nothing": {},
}
LARGE_GRID = {"n": list(range(1000))}
LARGE = {"x": (0.0, 1.0), "y": (1e-3, 1e3, "log-uniform"), "n": (1, 9), "c": ["a", "b", "c"]}

every_optimizer = pytest.mark.parametrize("cls", OPTIMIZERS)
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
learners = pytest.mark.parametrize("cls", [TPEOptimizer, GPOptimizer])
few = settings(max_examples=20, derandomize=True, deadline=None)
any_scores = st.lists(st.floats(), max_size=25)


def score_of(params):
    """A deterministic score of any candidate; some fail."""
    value = math.sin(sum(map(ord, repr(sorted(params.items(), key=str)))))
    return math.nan if value > 0.9 else value


def key_of(params):
    return repr(sorted(params.items()))


def play(optimizer, n):
    """Ask and tell n times, or until nothing is left; return what was asked."""
    asked = []
    for params in itertools.islice(optimizer, n):
        asked.append(params)
        optimizer.tell(params, score_of(params))
    return asked


@every_optimizer
@few
@given(scores=any_scores)
def test_survives_any_scores(cls, scores):
    """Whatever is told, the next candidate lies in the space."""
    optimizer = cls(SPACES["grid"], random_state=0)
    for score in scores:
        optimizer.tell(optimizer.ask(), score)
    Space.of(SPACES["grid"]).encode(optimizer.ask())


@learners
@few
@given(scores=any_scores)
def test_survives_any_scores_in_a_large_space(cls, scores):
    """Whatever is told, the next candidate lies in the space, and is a new one."""
    optimizer = cls(LARGE, random_state=0)
    asked = []
    for score in [*scores, 0.0]:
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], score)
        Space.of(LARGE).encode(asked[-1])
    assert len(set(map(key_of, asked))) == len(asked)


@every_optimizer
@every_space
def test_exhausts_a_finite_space(cls, space):
    """Every candidate is asked once, then the space is exhausted."""
    optimizer = cls(space, random_state=0)
    asked = play(optimizer, 500)
    assert len(asked) == len(set(map(key_of, asked))) == Space.of(space).size
    with pytest.raises(SpaceExhausted):
        optimizer.ask()


@every_optimizer
@every_space
def test_same_history_same_ask(cls, space):
    """Told the same history, a new optimizer asks what the old one would have."""
    old, new = cls(space, random_state=3), cls(space, random_state=3)
    for params in play(old, 20):
        new.tell(params, score_of(params))
    assert play(old, 10) == play(new, 10)


@learners
def test_same_history_same_ask_with_points_pending(cls):
    """Pending points, scores out of order, and scores told again are part of the history."""
    old = cls(LARGE, random_state=1)
    asked = [old.ask() for _ in range(6)]
    for step in range(30):
        params = asked[(7 * step) % len(asked)]
        old.tell(params, score_of(params) + step)
        asked.append(old.ask())
    new = cls(LARGE, random_state=1)
    for params in asked:
        new.expect(params)
    for params, score, told in zip(asked, old.history.scores, old.history.told, strict=True):
        if told:
            new.tell(params, score)
    assert [new.ask() for _ in range(3)] == [old.ask() for _ in range(3)]


@every_optimizer
def test_resumes_in_the_middle(cls):
    """A search that stops and resumes is the search that never stopped."""
    space = SPACES["mixed"]
    whole = play(cls(space, random_state=5), 30)
    resumed = cls(space, random_state=5)
    for params in whole[:17]:
        resumed.tell(params, score_of(params))
    assert play(resumed, 13) == whole[17:]


@every_optimizer
def test_asks_are_apart_while_all_are_pending(cls):
    """Asked again and again without being told, an optimizer does not repeat itself."""
    optimizer = cls(SPACES["grid"], random_state=0)
    asked = [optimizer.ask() for _ in range(30)]
    assert len(set(map(key_of, asked))) == 30


@every_optimizer
@every_space
def test_constraint_holds(cls, space):
    """No candidate that the constraint refuses is asked, and every other is."""

    def even(params):
        return len(key_of(params)) % 2 == 0

    constrained = Space.of(space, constraint=even)
    allowed = sum(constrained.allows(point) for point in constrained.points())
    asked = play(cls(constrained, random_state=0), 500)
    assert len(asked) == allowed
    assert all(map(even, asked))


@learners
def test_constraint_holds_in_a_large_space(cls):
    """The model is not led out of where the constraint holds."""
    space = Space.of(LARGE, constraint=lambda params: params["x"] * params["n"] < 1)
    optimizer = cls(space, random_state=0)
    for _ in range(25):
        params = optimizer.ask()
        assert params["x"] * params["n"] < 1
        optimizer.tell(params, params["x"] + params["n"])


@every_optimizer
def test_initial_params_come_first(cls):
    """The user's own candidates are asked before any other, and once."""
    initial = [{"C": 10, "gamma": SPACES["grid"]["gamma"][3]}, {"C": 0.1, "gamma": 10.0}]
    optimizer = cls(SPACES["grid"], random_state=0, initial_params=initial)
    asked = play(optimizer, 30)
    assert asked[:2] == initial
    assert len(set(map(key_of, asked))) == 30


@pytest.mark.parametrize("cls", [GPOptimizer, TPEOptimizer])
def test_openings_of_branches(cls):
    """A branch is tried first with what was given for it, and then with anything."""
    space = [{"arm": [arm], "x": (0.0, 1.0)} for arm in "abc"]
    openings = [{"arm": "a", "x": 0.125}, {"arm": "b", "x": 0.25}]
    optimizer = cls(space, 0, [{"arm": "b", "x": 0.5}], opening_params=openings)
    candidates = []
    for params in itertools.islice(optimizer, 25):
        candidates.append(params)
        optimizer.tell(params, -((params["x"] - 0.4) ** 2))  # no branch is better than another
    of = {arm: [params["x"] for params in candidates if params["arm"] == arm] for arm in "abc"}
    assert candidates[0] == {"arm": "b", "x": 0.5}
    assert of["a"][0] == 0.125
    assert 0.25 not in of["b"]  # it had been tried
    assert all(len(values) > 1 for values in of.values())


@every_optimizer
def test_learns_says_whether_scores_matter(cls):
    """An optimizer that does not learn asks the same whatever it is told; one that does may not."""
    good, bad = cls(SPACES["grid"], random_state=0), cls(SPACES["grid"], random_state=0)
    asked = []
    for _ in range(25):
        asked.append((good.ask(), bad.ask()))
        good.tell(asked[-1][0], asked[-1][0]["C"])
        bad.tell(asked[-1][1], -asked[-1][1]["C"])
    assert all(a == b for a, b in asked) is not cls.learns


@every_optimizer
def test_a_seed_drawn_from_a_generator(cls):
    """Of either kind: the same state gives the same asks, and most states other ones."""
    for kind in (np.random.RandomState, np.random.default_rng):
        seeds = [cls(LARGE_GRID, random_state=kind(state)).seed for state in (3, 3, 4)]
        assert seeds[0] == seeds[1] != seeds[2]


@every_optimizer
@pytest.mark.parametrize(
    ("seed", "error", "told"),
    [
        (-1, ValueError, "must not be negative, got -1"),
        (1.5, TypeError, "must be an int, a generator or None, got 1.5"),
        ("a", TypeError, "must be an int, a generator or None, got 'a'"),
    ],
)
def test_what_is_no_seed_is_refused(cls, seed, error, told):
    """The message says what may be given."""
    with pytest.raises(error, match=told):
        cls(LARGE_GRID, random_state=seed)


def test_sobol_points_are_those_of_scipy():
    """The sequence of that seed from its beginning, each number for its parameter."""
    optimizer = SobolOptimizer({"a": (0.0, 1.0), "b": (0.0, 1.0)}, random_state=7)
    expected = qmc.Sobol(2, bits=32, rng=np.random.default_rng(7)).random(8)
    asked = [list(optimizer.ask().values()) for _ in range(8)]
    np.testing.assert_allclose(asked, expected, atol=1e-15)


@pytest.mark.parametrize("cls", [RandomOptimizer, SobolOptimizer])
def test_what_others_evaluate_is_passed_over(cls):
    """A number of the sequence is used up by it: later asks are those of their numbers."""
    space = {"x": (0.0, 1.0)}
    whole, other = cls(space, random_state=0), cls(space, random_state=0)
    asked = [whole.ask() for _ in range(3)]
    other.expect({"x": 0.123})
    assert [other.ask() for _ in range(2)] == asked[1:]


@pytest.mark.parametrize("cls", [RandomOptimizer, SobolOptimizer])
def test_the_last_of_many_are_drawn_at_random(cls):
    """Where nearly all is known, each of those left is as likely."""
    known, left = range(2997), [2997, 2998, 2999]
    firsts = []
    for seed in range(24):
        optimizer = cls({"n": list(range(3000))}, random_state=seed)
        for n in known:
            optimizer.history.expect(optimizer.space.encode({"n": n}))
        firsts.append(optimizer.ask()["n"])
    assert min(firsts.count(n) for n in left) >= 4


@pytest.mark.parametrize("cls", [RandomOptimizer, SobolOptimizer, TPEOptimizer, GPOptimizer])
def test_narrow_constraints(cls):
    """What one draw in a thousand meets is found; what none meets is said to be so."""
    some = cls(Space.of({"x": (0.0, 1.0)}, lambda params: 0.3 < params["x"] < 0.301), 0)
    assert 0.3 < some.ask()["x"] < 0.301
    none = cls(Space.of({"x": (0.0, 1.0)}, lambda params: False), 0)
    with pytest.raises(ValueError, match=r"rejected by the constraint .* Narrow the space"):
        none.ask()
