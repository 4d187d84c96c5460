"""Spaces and dimensions: values to coordinates and back, and what is refused."""

import math
import pickle
from collections import OrderedDict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, expon, loguniform, norm, poisson, randint, uniform
from sklearn.base import clone
from sklearn.model_selection import ParameterSampler
from sklearn.svm import SVC

from hpsearch import Categorical, GPSearchCV, Integer, Ordinal, Real
from hpsearch.dimensions import Dimension, Frozen
from hpsearch.optimizers import GridOptimizer
from hpsearch.space import Point, Space
from tests.doubling import Doubling

properties = settings(max_examples=100, derandomize=True, deadline=None)
units = st.floats(0, 1)
finite = st.floats(-1e300, 1e300, allow_subnormal=False)
positive = st.floats(1e-300, 1e300, allow_subnormal=False)
integers = st.integers(-(10**9), 10**9)


@st.composite
def reals(draw):
    """Draw a `Real` dimension, linear or logarithmic."""
    is_log = draw(st.booleans())
    ends = sorted(draw(st.tuples(*2 * [positive if is_log else finite])))
    assume(ends[0] < ends[1])
    return Real(*ends, log=is_log)


@st.composite
def integer_ranges(draw):
    """Draw an `Integer` dimension, linear or logarithmic."""
    is_log = draw(st.booleans())
    low = draw(st.integers(1, 10**6) if is_log else integers)
    return Integer(low, low + draw(st.integers(1, 10**6)), log=is_log)


plain_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.tuples(st.integers())
)
categories = st.lists(plain_values, min_size=1, max_size=8).map(Categorical)
orders = st.lists(st.one_of(st.integers(), finite), min_size=1, max_size=8).map(Ordinal)
frozen = st.sampled_from([uniform(-2, 5), loguniform(1e-3, 1e3), expon(), norm(), randint(2, 9)])
dimensions = st.one_of(reals(), integer_ranges(), categories, orders, frozen.map(Frozen))


@given(dimension=dimensions, unit=units)
@properties
def test_every_coordinate_is_a_value(dimension, unit):
    """Decoding gives a value of the dimension, and encoding that gives a coordinate in [0, 1]."""
    value = dimension.decode(unit)
    at = dimension.encode(value)
    assert 0 <= at <= 1
    assert isinstance(dimension, Dimension)


@given(dimension=dimensions, unit=units)
@properties
def test_a_coordinate_settles(dimension, unit):
    """Where values are counted, a value comes back from its coordinate: equal values meet."""
    if dimension.levels is not None:
        value = dimension.decode(unit)
        again = dimension.decode(dimension.encode(value))
        assert repr(again) == repr(value)  # NaN is not equal to itself
        assert type(again) is type(value)


@given(dimension=reals(), unit=units)
@properties
def test_reals_come_back(dimension, unit):
    """A real number comes back up to rounding, and never leaves its range."""
    value = dimension.decode(unit)
    assert dimension.low <= value <= dimension.high
    assert type(value) is float
    again = dimension.decode(dimension.encode(value))
    if dimension.log:
        spread = math.log(dimension.high) - math.log(dimension.low)
        size = max(abs(math.log(dimension.high)), abs(math.log(dimension.low)))
        assert abs(math.log(again) - math.log(value)) <= 1e-12 * (spread + size)
    else:
        size = max(abs(dimension.low), abs(dimension.high))
        assert abs(again / 2 - value / 2) <= 1e-12 * size


@given(dimension=reals())
@properties
def test_reals_reach_both_ends(dimension):
    """The ends of a range belong to it, exactly."""
    assert dimension.decode(0.0) == pytest.approx(dimension.low, rel=1e-9)
    assert dimension.decode(1.0) == pytest.approx(dimension.high, rel=1e-9)
    assert dimension.encode(dimension.low) == 0.0
    assert dimension.encode(dimension.high) == 1.0


@given(dimension=integer_ranges(), place=st.integers(0, 10**6))
@properties
def test_integers_come_back(dimension, place):
    """Every integer of a range has a cell of its own, and is a plain int."""
    value = min(dimension.low + place, dimension.high)
    again = dimension.decode(dimension.encode(value))
    assert again == value
    assert type(again) is int


@given(dimension=integer_ranges())
@properties
def test_integers_reach_both_ends(dimension):
    """Also on a logarithmic scale, and also from the outermost coordinates."""
    assert dimension.decode(0.0) == dimension.low
    assert dimension.decode(1.0) == dimension.high
    assert dimension.decode(dimension.cell(0)) == dimension.low
    assert dimension.decode(dimension.cell(dimension.levels - 1)) == dimension.high


@pytest.mark.parametrize("high", [2, 3, 10, 100, 4096])
def test_logarithmic_integers_draw_both_ends(high):
    """Both ends are drawn about as often as their share of the logarithmic scale."""
    drawn = Integer(1, high, log=True).rvs(4000, random_state=0)
    assert drawn.min() == 1
    width = math.log(high + 0.5) - math.log(0.5)
    at_low = np.mean(drawn == 1)
    assert at_low == pytest.approx(math.log(3) / width, abs=0.03)
    assert drawn.max() > 0.9 * high
    if high <= 100:
        assert drawn.max() == high


@given(dimension=dimensions)
@properties
def test_order_is_kept(dimension):
    """In an ordered dimension greater coordinates stand for greater values."""
    if dimension.ordered:
        values = [dimension.decode(unit) for unit in np.linspace(0, 1, 9)]
        assert values == sorted(values)


@given(values=st.lists(plain_values, min_size=1, max_size=8))
@properties
def test_listed_values_are_handed_back(values):
    """The very objects: a bool stays a bool, an int an int, and 1, 1.0 and True are three."""
    space = Space.of({"p": values})
    for value in values:
        found = space.decode(space.encode({"p": value}))["p"]
        assert type(found) is type(value)
        assert found is value or found == value
        assert any(found is v for v in values)


@pytest.mark.parametrize(
    "value",
    [True, 1, 1.0, np.float32(0.5), None, (1, 2), [1, 2], {"a": 1}, np.arange(3), SVC(), len],
    ids=lambda v: type(v).__name__,
)
def test_values_of_any_type(value):
    """Whatever stands in a list, and wherever, is a value, and comes back as the same object."""
    for listed in (["other", value], [value, "other"], [0.5, "other", value, "another"]):
        space = Space.of({"p": listed})
        assert space.decode(space.encode({"p": value}))["p"] is value


def test_equal_values_of_other_types_are_apart():
    """1, 1.0 and True are equal for Python and three values for an estimator."""
    dimension = Categorical([1, 1.0, True])
    assert dimension.levels == 3
    assert [type(dimension.decode(u)) for u in (0.1, 0.5, 0.9)] == [int, float, bool]


@pytest.mark.parametrize(
    "values",
    [
        [[1], np.array([1])],
        [np.array([1]), np.array([1.0])],
        [[np.arange(3)], [np.arange(3, 6)]],  # whose comparison raises
        [{"a": 1}, OrderedDict(a=1)],
    ],
    ids=["list and array", "dtypes", "no comparison", "dict and subclass"],
)
def test_values_without_a_hash_are_apart(values):
    """Those of other types, of other dtypes, and those that do not compare."""
    dimension = Categorical(values)
    assert dimension.levels == 2
    assert [dimension.decode(dimension.encode(v)) is v for v in values] == [True, True]


def test_a_sequence_of_what_was_listed():
    """As the list was, with what is in it twice; there are as many levels as distinct values."""
    dimension = Ordinal([3, 1, 3, 2])
    assert (list(dimension), len(dimension), dimension.levels) == ([3, 1, 3, 2], 4, 3)
    assert [dimension[i] for i in range(4)] == [3, 1, 3, 2]
    assert dimension[1:3] == [1, 3]


def test_repeated_values_are_one():
    """A value that is listed twice is one candidate."""
    assert Space.of({"p": ["a", "b", "a"]}).size == 2
    assert Space.of({"p": [3, 1, 3, 2]}).size == 3


def test_long_lists_are_quick_to_read():
    """Reading a list compares each value with few others: the comparisons are counted."""
    n_compared = 0

    class Told(int):
        def __eq__(self, other):
            nonlocal n_compared
            n_compared += 1
            return int(self) == int(other)

        __hash__ = int.__hash__

    Categorical([Told(i) for i in range(2000)])
    assert n_compared < 20_000


@given(
    given_space=st.dictionaries(
        st.text(min_size=1), st.one_of(reals(), integer_ranges(), categories, orders), max_size=4
    ),
    seed=st.integers(0, 2**32 - 1),
)
@properties
def test_candidates_come_back(given_space, seed):
    """Candidates to points and back: a snapped point is a fixed point, and hashable."""
    space = Space.of(given_space)
    drawn = space.point(np.random.default_rng(seed).random(space.n_coordinates))
    point = space.snap(drawn)
    params = space.decode(point)
    assert params.keys() == given_space.keys()
    assert hash(point) == hash(Point(*point))
    assert repr(space.decode(space.snap(point))) == repr(params) or any(
        isinstance(d, Real) for d in given_space.values()
    )
    assert space.allows(point)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
@properties
def test_points_of_a_finite_space(sizes):
    """Going through a finite space gives every candidate once, in the order of a grid."""
    from sklearn.model_selection import ParameterGrid

    given_space = {f"p{i}": [f"{i}{j}" for j in range(n)] for i, n in enumerate(sizes)}
    space = Space.of(given_space)
    candidates = [space.decode(point) for point in space.points()]
    assert candidates == list(ParameterGrid(given_space))
    assert space.size == len(candidates) == len(set(space.points()))


def test_branches_are_one_space():
    """A list of dicts: a candidate belongs to the branch that has its names and values."""
    space = Space.of([{"k": ["rbf"], "g": (0.1, 1.0)}, {"k": ["linear"]}, {}])
    assert space.encode({"k": "linear"}) == Point(1, (0.5,))
    assert space.encode({}) == Point(2, ())
    assert space.encode({"k": "rbf", "g": 0.1}).branch == 0
    with pytest.raises(ValueError, match="not in the space"):
        space.encode({"k": "linear", "g": 0.1})
    assert {space.point([u, 0.3, 0.7]).branch for u in (0.0, 0.4, 0.99, 1.0)} == {0, 1, 2}


def test_ranges_as_tuples():
    """A tuple of two numbers is a range, of integers if both are; a list is always values."""
    space = Space.of(
        {
            "real": (0.5, 2.0),
            "log": (1e-3, 1e3, "log-uniform"),
            "whole": (1, 9),
            "loglog": (1, 4096, "log-uniform"),
            "list": [1, 9],
            "values": ("a", "b"),
            "three": (1, 2, 3),
        }
    )
    assert space.branches == [
        {
            "list": space.branches[0]["list"],
            "log": Real(1e-3, 1e3, log=True),
            "loglog": Integer(1, 4096, log=True),
            "real": Real(0.5, 2.0),
            "three": space.branches[0]["three"],
            "values": space.branches[0]["values"],
            "whole": Integer(1, 9),
        }
    ]
    assert isinstance(space.branches[0]["list"], Categorical)
    assert list(space.branches[0]["list"]) == [1, 9]
    assert list(space.branches[0]["values"]) == ["a", "b"]
    assert list(space.branches[0]["three"]) == [1, 2, 3]


BAD = {
    "low above high": ({"C": (10.0, 1.0)}, ValueError, ["'C'", "10.0", "low must be less"]),
    "one point": ({"C": (1.0, 1.0)}, ValueError, ["'C'", "[1.0]"]),
    "log of zero": ({"C": (0.0, 1.0, "log-uniform")}, ValueError, ["'C'", "above 0"]),
    "log of less": ({"C": (-1, 5, "log-uniform")}, ValueError, ["'C'", "-1", "above 0"]),
    "not a number": ({"C": (float("nan"), 1.0)}, ValueError, ["'C'", "nan", "finite"]),
    "no end": ({"C": (0.0, float("inf"))}, ValueError, ["'C'", "inf", "finite"]),
    "no such prior": ({"C": (1.0, 2.0, "lognormal")}, ValueError, ["'C'", "lognormal", "uniform"]),
    "empty": ({"C": []}, ValueError, ["'C'", "empty"]),
    "empty tuple": ({"C": ()}, ValueError, ["'C'", "empty"]),
    "empty array": ({"C": np.array([])}, ValueError, ["'C'", "empty"]),
    "number": ({"C": 1.0}, TypeError, ["'C'", "1.0", "[1.0]"]),
    "text": ({"C": "rbf"}, TypeError, ["'C'", "'rbf'", "['rbf']"]),
    "set": ({"C": {1, 2}}, TypeError, ["'C'", "list"]),
    "None": ({"C": None}, TypeError, ["'C'", "[None]"]),
    "two dimensions": ({"C": np.ones((2, 2))}, ValueError, ["'C'", "(2, 2)"]),
    "a name that is no text": ({1: [1]}, TypeError, ["1", "strings"]),
    "no space": (7, TypeError, ["7", "dict"]),
    "no branches": ([], ValueError, ["empty"]),
    "a branch that is none": ([{"C": [1]}, 3], TypeError, ["3", "dict"]),
}


@pytest.mark.parametrize(("space", "error", "told"), BAD.values(), ids=BAD)
def test_bad_spaces(space, error, told):
    """Each is an error that names the parameter, what was given, and what to do."""
    with pytest.raises(error) as caught:
        Space.of(space)
    assert [part for part in told if part not in str(caught.value)] == []


@pytest.mark.parametrize(("space", "error", "told"), BAD.values(), ids=BAD)
def test_bad_spaces_of_a_search(space, error, told):
    """A search says the same, before its first fit."""
    with pytest.raises(error):
        GPSearchCV(SVC(), space, n_iter=2).fit(np.zeros((10, 1)), [0, 1] * 5)


BAD_DIMENSIONS = {
    "text": (lambda: Real("1", 2), TypeError, "'1'"),
    "bool": (lambda: Real(False, 2), TypeError, "False"),
    "real ends": (lambda: Integer(1.5, 3), TypeError, "use Real"),
    "order": (lambda: Integer(3, 1), ValueError, "low must be less"),
    "log": (lambda: Integer(0, 3, log=True), ValueError, "above 0"),
    "wide": (lambda: Integer(0, 2**50), ValueError, "2\\*\\*40"),
    "too wide by one": (lambda: Integer(0, 2**40), ValueError, "2\\*\\*40"),
    "prior": (lambda: Real(1, 2, log="log-uniform"), TypeError, "log is True or False"),
    "no values": (lambda: Categorical([]), ValueError, "at least one"),
    "text for a list": (lambda: Categorical("ab"), TypeError, r"\['ab'\]"),
    "no list": (lambda: Ordinal(3), TypeError, r"\[3\]"),
    "text in order": (lambda: Ordinal(["a"]), TypeError, "number"),
    "NaN in order": (lambda: Ordinal([1.0, math.nan]), TypeError, "number"),
    "not frozen": (lambda: Frozen(object()), TypeError, "no cdf and no ppf and no rvs"),
}


@pytest.mark.parametrize(("make", "error", "told"), BAD_DIMENSIONS.values(), ids=BAD_DIMENSIONS)
def test_bad_dimensions(make, error, told):
    """Ends and values are checked where a dimension is made."""
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        (Real(0, 1), 1.5),
        (Real(0, 1), "a"),
        (Real(0, 1), True),
        (Real(0, 1), math.nan),
        (Integer(1, 5), 2.5),
        (Integer(1, 5), 6),
        (Integer(1, 5), None),
        (Integer(1, 5), math.inf),
        (Categorical(["a"]), "b"),
        (Categorical([1, 2]), True),
        (Ordinal([1, 2, 3]), 4),
        (Frozen(uniform(0, 1)), 2),
        (Frozen(randint(1, 4)), 1.5),
        (Frozen(poisson(3)), math.inf),
        (Frozen(norm()), -math.inf),
    ],
)
def test_values_that_do_not_belong(dimension, value):
    """Encoding what does not belong names the value and the dimension."""
    with pytest.raises(ValueError, match="is not in"):
        dimension.encode(value)


def test_numbers_that_are_equal_belong():
    """An int stands for a listed float, and any real number type for a number of a range."""
    assert Categorical([1.0, "auto"]).encode(1) == 0.25
    assert Real(0, 1).encode(Fraction(1, 2)) == 0.5
    assert Real(0, 1).encode(np.float32(0.5)) == 0.5
    assert Integer(1, 3).encode(2.0) == 0.5
    assert Integer(1, 2**40).levels == 2**40


def test_texts_that_are_equal_belong():
    """Whether they are Python's or numpy's."""
    assert Categorical(["a", "b"]).encode(np.str_("b")) == 0.75


@pytest.mark.parametrize("dimension", [Frozen(norm()), Frozen(expon()), Frozen(poisson(3))])
def test_distributions_without_an_end_give_finite_values(dimension):
    """Also from the outermost coordinates; they have no levels to count."""
    assert dimension.levels is None
    low, high = (dimension.encode(dimension.decode(unit)) for unit in (0.0, 1.0))
    assert math.isfinite(dimension.decode(0.0))
    assert math.isfinite(dimension.decode(1.0))
    assert low < 0.1
    assert high > 0.9


def test_cells_of_a_discrete_distribution():
    """Each value is in the middle of the probability that it has: by hand."""
    dimension = Frozen(binom(2, 0.5))  # 1/4, 1/2, 1/4
    assert dimension.levels == 3
    assert [dimension.cell(level) for level in range(3)] == pytest.approx([0.125, 0.5, 0.875])
    assert Frozen(randint(5, 9)).cell(0) == pytest.approx(0.125)
    assert [params["n"] for params in GridOptimizer({"n": randint(5, 9)})] == [5, 6, 7, 8]


class Squared:
    """A distribution that somebody wrote: no support, no name."""

    def cdf(self, value):
        return min(max(value, 0.0), 1.0) ** 0.5

    def ppf(self, unit):
        return unit**2

    def rvs(self, size=None, random_state=None):
        return np.random.RandomState(random_state).uniform(size=size) ** 2

    def __repr__(self):
        return "Squared()"


def test_a_distribution_of_the_users_own():
    """It needs no more than `cdf`, `ppf` and `rvs`."""
    space = Space.of({"x": Squared()})
    assert space.decode(Point(0, (0.5,))) == {"x": 0.25}
    assert space.encode({"x": 0.25}).units == (0.5,)
    assert repr(space.branches[0]["x"]) == "Squared()"


def test_distributions_print_as_they_were_written():
    """By which those of two branches are told apart."""
    assert repr(Frozen(uniform(1, scale=2))) == "uniform(1, scale=2)"
    assert repr(Frozen(uniform(1, scale=2))) != repr(Frozen(uniform(1, scale=3)))


def test_draws_of_a_distribution():
    """What scipy draws, one value or as many as asked for, by the same seed."""
    dimension = Frozen(uniform(1, 2))
    assert dimension.rvs(random_state=3) == uniform(1, 2).rvs(random_state=3)
    drawn = dimension.rvs((2, 3), random_state=3)
    np.testing.assert_array_equal(drawn, uniform(1, 2).rvs((2, 3), random_state=3))


@given(dimension=st.one_of(reals(), integer_ranges()), seed=st.integers(0, 2**31 - 1))
@properties
def test_draws(dimension, seed):
    """`rvs` draws within the range, one value or an array, the same for the same seed."""
    one = dimension.rvs(random_state=np.random.RandomState(seed))
    assert type(one) is (int if isinstance(dimension, Integer) else float)
    assert dimension.low <= one <= dimension.high
    many = dimension.rvs((2, 3), random_state=seed)
    assert many.shape == (2, 3)
    np.testing.assert_array_equal(many, dimension.rvs((2, 3), random_state=seed))
    assert dimension.low <= many.min() <= many.max() <= dimension.high


def test_scikit_learns_sampler_takes_our_dimensions():
    """Ranges have `rvs`, and listed values are sequences: all dimensions go into a sampler."""
    space = {
        "a": Real(1e-3, 1e3, log=True),
        "b": Integer(1, 8, log=True),
        "c": Categorical([*"xyz"]),
    }
    space |= {"d": Ordinal([3, 1, 2])}
    drawn = list(ParameterSampler(space, 50, random_state=0))
    assert all(1e-3 <= p["a"] <= 1e3 and type(p["b"]) is int for p in drawn)
    assert {p["c"] for p in drawn} == set("xyz")
    assert {p["d"] for p in drawn} == {1, 2, 3}
    assert min(p["b"] for p in drawn) == 1
    assert max(p["b"] for p in drawn) == 8


@given(dimension=st.one_of(reals(), integer_ranges()))
@properties
def test_dimensions_are_values(dimension):
    """Dimensions are equal by content, print as they are written, pickle and clone."""
    namespace = {"Real": Real, "Integer": Integer}
    assert eval(repr(dimension), namespace) == dimension
    assert pickle.loads(pickle.dumps(dimension)) == dimension
    assert hash(pickle.loads(pickle.dumps(dimension))) == hash(dimension)
    assert clone(dimension, safe=False) == dimension


def test_ranges_of_other_kinds_are_not_equal():
    """Though their ends are: the values are of other types."""
    assert Real(1, 9) != Integer(1, 9)
    assert Real(1, 9) != Real(1, 9, log=True)


def test_a_dimension_of_the_users_own():
    """A class with the five names of `Dimension` is used as it is."""
    space = Space.of({"p": Doubling()})
    assert [space.decode(point)["p"] for point in space.points()] == [1, 2, 4, 8]
