"""Points to rows and back, in spaces of every kind."""

import numpy as np
import pytest
from scipy.stats import norm, randint

from hpsearch.optimizers._columns import Columns, Table
from hpsearch.optimizers.history import History
from hpsearch.space import Point, Space

SPACES = {
    "mixed": {
        "c": ["a", "b", "c"],
        "flag": [True, False],
        "i": (1, 5),
        "log": (1, 4000, "log-uniform"),
        "many": (0, 10**9),
        "one": ["only"],
        "list": [0.1, 1, 10, 100],
        "x": (0.0, 1.0),
        "normal": norm(0, 1),
        "draw": randint(3, 9),
    },
    "branches": [
        {"kernel": ["rbf"], "C": (0.1, 10.0), "gamma": (1e-3, 1.0, "log-uniform")},
        {"kernel": ["linear"], "C": (0.1, 10.0)},
        {"kernel": ["poly"], "C": (0.1, 99.0), "degree": [2, 3, 4]},
    ],
    "constants": [{"a": [1]}, {"b": ["x"]}],
}


def draw(space, n):
    rng = np.random.default_rng(0)
    return [space.snap(space.point(rng.random(space.n_coordinates))) for _ in range(n)]


@pytest.mark.parametrize("name", SPACES)
def test_there_and_back(name):
    """The row of a point stands for that very point, up to the last digit."""
    space = Space.of(SPACES[name])
    columns = Columns(space)
    points = draw(space, 50)
    back = [columns.point(row) for row in columns.rows(points)]
    assert [point.branch for point in back] == [point.branch for point in points]
    for a, b in zip(back, points, strict=True):
        np.testing.assert_allclose(a.units, b.units, atol=1e-15)


@pytest.mark.parametrize("name", SPACES)
def test_settled_rows_are_points(name):
    """Snapping a whole matrix at once ends where the space snaps one point."""
    space = Space.of(SPACES[name])
    columns = Columns(space)
    units = np.random.default_rng(0).random((50, len(columns)))
    rows = columns.settle(np.full_like(units, np.nan), units)
    again = columns.rows([columns.point(row) for row in rows])
    np.testing.assert_allclose(again, rows, atol=2e-9)  # 10**9 integers are a continuum


def test_settled_rows_keep_what_they_have():
    """In another branch they get what they lack there, and lose what it has not."""
    columns = Columns(Space.of([{"k": ["a"], "x": (0.0, 1.0)}, {"k": ["b"], "y": (0.0, 1.0)}]))
    rows = columns.rows([Point(0, (0.5, 0.25)), Point(1, (0.5, 0.75))])
    units = np.full(rows.shape, 0.125)
    np.testing.assert_array_equal(columns.settle(rows, units), rows)
    rows[0, 0] = 1.0  # the last branch has the end of the interval
    settled = columns.settle(rows, units)
    np.testing.assert_array_equal(settled, [[0.75, np.nan, 0.125], [0.75, np.nan, 0.75]])
    assert columns.branches(rows).tolist() == [1, 1]


def test_coordinates_go_to_the_nearest_cell():
    """Of evenly spaced cells and of others; a cell stays where it is."""
    units = np.random.default_rng(0).random(500)
    for column in Columns(Space.of({"even": (1, 5), "log": (1, 40, "log-uniform")})).columns:
        nearest = column.cells[np.abs(units[:, None] - column.cells).argmin(axis=1)]
        np.testing.assert_array_equal(column.snap(units), nearest)
        np.testing.assert_array_equal(column.snap(column.cells), column.cells)


def test_branches_share_what_is_alike():
    """C of two branches is one column, C of another range its own, a constant none."""
    columns = Columns(Space.of(SPACES["branches"]))
    assert [c.branches for c in columns.columns] == [(0, 1, 2), (0, 1), (2,), (0,), (2,)]
    assert columns.groups == [[0], [1], [2, 4], [3]]


def test_features_measure_alikeness():
    """Two different values of an unordered parameter are at distance 1, whichever they are."""
    space = Space.of({"c": ["a", "b", "c"], "x": (0.0, 1.0)})
    columns = Columns(space)
    given = [{"c": c, "x": 0.25} for c in "abc"]
    features = columns.features(columns.rows([space.encode(params) for params in given]))
    squared = ((features[:, None] - features) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared, 1 - np.eye(3), atol=1e-12)
    assert columns.group.tolist() == [0, 0, 0, 1]


def test_table_follows_its_history():
    """Rows that are kept are those that would be made anew; another history starts afresh."""
    space = Space.of(SPACES["branches"])
    columns = Columns(space)
    table, history = Table(columns), History()
    for point in draw(space, 10):
        history.expect(point)
        np.testing.assert_array_equal(table.rows(history), columns.rows(history.points))
    assert len(table.rows(History())) == 0


def test_the_first_new_point():
    """What was asked is passed over, if its last digit is another one, and what is not allowed."""
    space = Space.of({"x": (0.0, 1.0)}, constraint=lambda params: params["x"] < 0.8)
    table, history = Table(Columns(space)), History()
    history.expect(Point(0, (0.3,)))
    rows = np.array([[0.3], [0.3 + 1e-12], [0.9], [0.7], [0.5]])
    assert table.first_new(rows, history) == Point(0, (0.7,))
    assert table.first_new(rows[:3], history) is None


def test_what_is_missing_lies_in_the_middle():
    """Of a number that a branch lacks; of a parameter without order no value is more alike."""
    space = Space.of([{"k": ["a"], "x": (0.0, 1.0), "c": ["u", "v", "w"]}, {"k": ["b"]}])
    columns = Columns(space)
    lacks = columns.features(columns.rows([space.encode({"k": "b"})]))[0]
    has = columns.features(
        columns.rows([space.encode({"k": "a", "x": 0.5, "c": c}) for c in "uvw"])
    )
    squared = ((has - lacks) ** 2).sum(axis=1)
    assert squared == pytest.approx([squared[0]] * 3)
    assert lacks[columns.group == 2].tolist() == [0.5]


def test_long_ranges_are_a_continuum():
    """Up to 4096 values have cells of their own, more do not."""
    cells = [c.cells for c in Columns(Space.of({"a": (1, 4096), "b": (1, 4097)})).columns]
    assert len(cells[0]) == 4096
    assert cells[1] is None
