"""A loop in the user's hands: what may happen between an ask and a tell."""

import itertools
import math

import pytest

from hpsearch.optimizers import GPOptimizer, GridOptimizer, RandomOptimizer, TPEOptimizer

OPTIMIZERS = [GridOptimizer, RandomOptimizer, TPEOptimizer, GPOptimizer]
SPACE = {"lr": [1e-4, 1e-3, 1e-2, 1e-1], "units": [16, 32, 64, 128], "act": ["relu", "tanh"]}
every_optimizer = pytest.mark.parametrize("cls", OPTIMIZERS)


def accuracy(params):
    """Best at 1e-2, 64, tanh."""
    far = abs(math.log10(params["lr"]) + 2) + abs(math.log2(params["units"]) - 6)
    return 1 - far / 10 - (params["act"] == "relu") / 5


@every_optimizer
def test_the_classic_loop(cls):
    """Iterate, train, record; when the space is exhausted the loop ends by itself."""
    optimizer, results = cls(SPACE, random_state=0), []
    for params in optimizer:
        results.append((accuracy(params), params))
        optimizer.tell(params, results[-1][0])
    assert len(results) == 32
    assert max(results, key=lambda r: r[0])[1] == {"lr": 1e-2, "units": 64, "act": "tanh"}


@every_optimizer
def test_stopping_half_way(cls):
    """A loop that was left can be entered again where it was."""
    broken, whole = cls(SPACE, random_state=0), cls(SPACE, random_state=0)
    asked = []
    for optimizer, cuts in [(broken, [5, 3, 8]), (whole, [16])]:
        own = []
        for n in cuts:
            for params in itertools.islice(optimizer, n):
                own.append(params)
                optimizer.tell(params, accuracy(params))
        asked.append(own)
    assert asked[0] == asked[1]


@every_optimizer
def test_telling_out_of_order(cls):
    """Several are asked, and told backwards; none comes twice."""
    optimizer, seen = cls(SPACE, random_state=0), []
    for _ in range(6):
        batch = [optimizer.ask() for _ in range(4)]
        for params in reversed(batch):
            optimizer.tell(params, accuracy(params))
        seen += batch
    assert len({tuple(p.items()) for p in seen}) == 24


@every_optimizer
def test_never_telling(cls):
    """An ask that is never told does no harm."""
    optimizer = cls(SPACE, random_state=0)
    assert len({tuple(p.items()) for p in optimizer}) == 32


@every_optimizer
def test_telling_what_was_never_asked(cls):
    """It counts, it is not asked afterwards, and outside the space it is refused in words."""
    optimizer = cls(SPACE, random_state=0)
    mine = {"lr": 1e-2, "units": 64, "act": "tanh"}
    optimizer.tell(mine, accuracy(mine))
    assert mine not in list(optimizer)
    with pytest.raises(ValueError, match=r"'lr'.*0\.5 is not in"):
        optimizer.tell({**mine, "lr": 0.5}, 1.0)
    with pytest.raises(ValueError, match="A branch has the parameters"):
        optimizer.tell({"lr": 1e-2}, 1.0)


@every_optimizer
def test_telling_failures(cls):
    """NaN and infinity are failures: the loop goes on, and no failure passes for the best."""
    optimizer = cls(SPACE, random_state=0)
    scores = itertools.cycle([math.nan, math.inf, -math.inf, None])
    for params in itertools.islice(optimizer, 20):
        bad = next(scores)
        optimizer.tell(params, accuracy(params) if bad is None else bad)
    finite = [s for s in optimizer.history.scores if not math.isnan(s)]
    assert len(finite) == 5
    assert all(map(math.isfinite, finite))


@every_optimizer
def test_told_again_the_later_word_wins(cls):
    """A value that grows while training goes on is told as often as one likes."""
    once, often = cls(SPACE, random_state=0), cls(SPACE, random_state=0)
    for _ in range(12):
        params = once.ask()
        assert often.ask() == params
        for part in (0.1, 0.5):
            often.tell(params, part * accuracy(params))
        for optimizer in (once, often):
            optimizer.tell(params, accuracy(params))
    assert once.ask() == often.ask()
