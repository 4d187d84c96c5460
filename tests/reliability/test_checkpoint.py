"""The checkpoint file: going on, telling searches apart, and files that are no good."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from hpsearch import (
    CheckpointError,
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    SampledSearchCV,
    SQLiteJournal,
    TPESearchCV,
    minimize,
)
from hpsearch.fingerprint import describe

from .processes import in_proc

X, y = load_iris(return_X_y=True)
SPACE = {"C": (0.01, 100.0, "log-uniform"), "gamma": (1e-4, 1.0, "log-uniform")}
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1, "scale"]}


class Stop(Exception):
    """Ends a search from inside a fit."""


class Stopping(SVC):
    """An SVC that stops the search, by an exception that is raised on, at a given fit."""

    n_fits = 0
    stop_at = None

    def fit(self, X, y, sample_weight=None):
        Stopping.n_fits += 1
        if Stopping.n_fits == Stopping.stop_at:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


class Made(ClassifierMixin, BaseEstimator):
    """Of a class that it is given."""

    def __init__(self, kind, C=1.0):
        self.kind = kind
        self.C = C

    def fit(self, X, y):
        self.model_ = self.kind(C=self.C).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)


@pytest.fixture(autouse=True)
def _counting():
    Stopping.n_fits, Stopping.stop_at = 0, None


def same(results, expected):
    for key, values in expected.items():
        if "time" not in key:
            np.testing.assert_array_equal(results[key], values, err_msg=key)


SEARCHES = {
    "exhaustive": lambda **kw: ExhaustiveSearchCV(Stopping(), GRID, cv=3, **kw),
    "sampled": lambda **kw: SampledSearchCV(Stopping(), GRID, n_iter=7, cv=3, random_state=0, **kw),
    "gp": lambda **kw: GPSearchCV(Stopping(), SPACE, n_iter=9, cv=3, random_state=0, **kw),
    "tpe": lambda **kw: TPESearchCV(Stopping(), SPACE, n_iter=9, cv=3, random_state=0, **kw),
}


@pytest.mark.parametrize("stop_at", [4, 5, 20])
@pytest.mark.parametrize("name", SEARCHES)
def test_interrupted_and_resumed_equals_never_interrupted(name, stop_at, tmp_path):
    """Bit for bit with one worker, and no fit is done twice."""
    expected = SEARCHES[name]().fit(X, y).cv_results_
    total, Stopping.n_fits = Stopping.n_fits, 0
    file = tmp_path / "run.sqlite"
    Stopping.stop_at = stop_at
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        SEARCHES[name](checkpoint=file, refit=False).fit(X, y)
    resumed = SEARCHES[name](checkpoint=file).fit(X, y)
    same(resumed.cv_results_, expected)
    assert Stopping.n_fits == total + 1  # the one that stopped the search ran again


@pytest.mark.parametrize("name", SEARCHES)
def test_a_finished_search_is_not_done_again(name, tmp_path):
    """A second fit reads everything but the refit from the file."""
    first = SEARCHES[name](checkpoint=tmp_path / "run.sqlite").fit(X, y)
    Stopping.n_fits = 0
    second = SEARCHES[name](checkpoint=tmp_path / "run.sqlite").fit(X, y)
    assert Stopping.n_fits == 1
    for key, values in first.cv_results_.items():  # times too
        np.testing.assert_array_equal(second.cv_results_[key], values, err_msg=key)


def test_more_candidates_extend_a_search(tmp_path):
    """A learner with more candidates goes on as if it had been asked for so many at first."""
    file = tmp_path / "run.sqlite"
    options = {"cv": 3, "random_state": 0}
    GPSearchCV(Stopping(), SPACE, n_iter=4, checkpoint=file, **options).fit(X, y)
    longer = GPSearchCV(Stopping(), SPACE, n_iter=9, checkpoint=file, **options).fit(X, y)
    assert Stopping.n_fits == 9 * 3 + 2
    same(longer.cv_results_, GPSearchCV(SVC(), SPACE, n_iter=9, **options).fit(X, y).cv_results_)


def test_more_candidates_extend_a_sampled_search_over_lists(tmp_path):
    """Draws without replacement are others for another n_iter: what is known comes first."""
    file = tmp_path / "run.sqlite"
    rows = []
    for n_iter in (2, 5, 8):
        search = SampledSearchCV(
            Stopping(), GRID, n_iter=n_iter, cv=3, random_state=0, checkpoint=file
        ).fit(X, y)
        assert search.cv_results_["params"][: len(rows)] == rows
        rows = search.cv_results_["params"]
        assert len(rows) == n_iter == len({json.dumps(p) for p in rows})
    assert Stopping.n_fits == 8 * 3 + 3


def test_more_candidates_of_lists_that_hold_arrays(tmp_path):
    """Arrays among the values are told apart too, and so are 1 and True."""
    priors = [None, *(np.array([p, 0.5, 0.5 - p]) for p in (0.1, 0.2, 0.3))]
    space = {"priors": priors, "var_smoothing": [1, True, 1e-9]}

    def search(n_iter):
        options = {"random_state": 0, "checkpoint": tmp_path / "run.sqlite"}
        return SampledSearchCV(GaussianNB(), space, n_iter=n_iter, cv=3, **options).fit(X, y)

    first, more = search(4).trials_, search(12).trials_
    assert len(more) == 12
    assert len({(id(t.params["priors"]), repr(t.params["var_smoothing"])) for t in more}) == 12
    assert [t.params for t in more[:4]] == [t.params for t in first]


def test_candidates_that_are_no_plain_values_come_back_as_they_were(tmp_path):
    """Estimators, arrays and None among the candidates are found again by their place."""
    pipe = make_pipeline(StandardScaler(), SVC())
    scalers = [StandardScaler(), MinMaxScaler(), None]
    space = {"standardscaler": scalers, "svc__C": (0.1, 10.0)}

    def search():
        return GPSearchCV(
            pipe, space, n_iter=5, cv=3, random_state=0, checkpoint=tmp_path / "run.sqlite"
        )

    first, second = search().fit(X, y), search().fit(X, y)
    for a, b in zip(first.trials_, second.trials_, strict=True):
        assert a.params["standardscaler"] is b.params["standardscaler"]
        assert a.params["svc__C"] == b.params["svc__C"]


def test_numbers_and_keys_of_numpy_are_written_down(tmp_path):
    """Class weights by numpy's labels, and its numbers as first candidates and own values."""
    weights = [dict.fromkeys(np.unique(y), 1.0), None]
    started = [{"C": np.float32(0.3), "gamma": np.float64(0.2), "class_weight": None}]
    space = {**SPACE, "class_weight": weights}

    def search(checkpoint):
        return GPSearchCV(
            Stopping(C=np.int64(2), gamma=0.1), space, n_iter=6, cv=3, random_state=0,
            initial_params=started, checkpoint=checkpoint,
        ).fit(X, y)  # fmt: skip

    first, again = search(tmp_path / "run.sqlite"), search(tmp_path / "run.sqlite")
    assert Stopping.n_fits == 6 * 3 + 2
    same(again.cv_results_, first.cv_results_)
    same(again.cv_results_, search(None).cv_results_)


class Mute:
    """Cannot even be printed."""

    def __repr__(self):
        raise RuntimeError


def test_whatever_an_objective_returns_beside_its_value_its_value_is_kept(tmp_path):
    """Keys that are no text, circles, and what cannot be printed: written as well as can be."""
    circle = {}
    circle["again"] = circle

    def objective(params):
        extra = {"table": {(1, 2): 3}, "circle": circle, "mute": Mute(), "n": 7}
        return {"loss": params["x"], **extra}

    def run():
        options = {"n_iter": 3, "random_state": 0, "checkpoint": tmp_path / "run.sqlite"}
        return minimize(objective, {"x": (0.0, 1.0)}, **options)

    first, again = run(), run()
    assert again.best_value == first.best_value
    assert again.trials[0].results[0].details["info"]["n"] == 7
    assert again.trials[0].results[0].details["info"]["table"] == {"(1, 2)": 3}


def test_a_search_without_seeds_is_resumed_with_those_it_had(tmp_path):
    """Splits and draws that nobody seeded are the file's in the second run."""
    file = tmp_path / "run.sqlite"

    def search(n_iter):
        cv = KFold(3, shuffle=True)
        return SampledSearchCV(Stopping(), SPACE_OF_LISTS, n_iter=n_iter, cv=cv, checkpoint=file)

    first, second = search(4).fit(X, y), search(4).fit(X, y)
    same(second.cv_results_, first.cv_results_)
    assert Stopping.n_fits == 4 * 3 + 2


SPACE_OF_LISTS = {"C": list(np.logspace(-2, 2, 30)), "gamma": [0.01, 0.1]}

CHANGES = {
    "X differs": lambda: (GPSearchCV(SVC(), SPACE, **OPTIONS), (X + 1, y), {}),
    "y differs": lambda: (GPSearchCV(SVC(), SPACE, **OPTIONS), (X, y[::-1]), {}),
    "the estimator's kernel differs": lambda: (
        GPSearchCV(SVC(kernel="poly"), SPACE, **OPTIONS),
        (X, y),
        {},
    ),
    "the estimator's class differs": lambda: (
        GPSearchCV(Stopping(), SPACE, **OPTIONS),
        (X, y),
        {},
    ),
    "cv differs": lambda: (GPSearchCV(SVC(), SPACE, **(OPTIONS | {"cv": 4})), (X, y), {}),
    "scoring differs": lambda: (
        GPSearchCV(SVC(), SPACE, scoring="f1_macro", **OPTIONS),
        (X, y),
        {},
    ),
    "random_state differs": lambda: (
        GPSearchCV(SVC(), SPACE, **(OPTIONS | {"random_state": 1})),
        (X, y),
        {},
    ),
    "param_distributions differs": lambda: (
        GPSearchCV(SVC(), {"C": (0.01, 100.0)}, **OPTIONS),
        (X, y),
        {},
    ),
    "the search differs": lambda: (TPESearchCV(SVC(), SPACE, **OPTIONS), (X, y), {}),
    "sample_weight, given to fit, differs": lambda: (
        GPSearchCV(SVC(), SPACE, **OPTIONS),
        (X, y),
        {"sample_weight": np.ones(len(y))},
    ),
    "constraint differs": lambda: (
        GPSearchCV(SVC(), SPACE, constraint=lambda p: p["C"] < 50, **OPTIONS),
        (X, y),
        {},
    ),
}
OPTIONS = {"n_iter": 3, "cv": 3, "random_state": 0}


def test_estimators_that_hold_other_classes_are_not_the_same_work(tmp_path):
    """A class as a parameter is told by what it is, as any other value."""
    file = tmp_path / "run.sqlite"
    search = ExhaustiveSearchCV(Made(SVC), {"C": [1, 10]}, cv=3, checkpoint=file).fit(X, y)
    with pytest.raises(CheckpointError, match="the estimator's kind differs"):
        search.set_params(estimator__kind=LinearSVC).fit(X, y)
    again = ExhaustiveSearchCV(Made(SVC), {"C": [1, 10]}, cv=3, checkpoint=file).fit(X, y)
    same(again.cv_results_, search.set_params(estimator__kind=SVC, checkpoint=None).cv_results_)


def test_a_frozen_step_is_told_by_what_it_was_fitted_to(tmp_path):
    """Its parameters are the same whatever it has seen, and its scores are not."""

    def search(rows, path="frozen.sqlite"):
        frozen = FrozenEstimator(PCA(2, random_state=0).fit(rows))
        model = Pipeline([("frozen", frozen), ("svc", Stopping())])
        grid = {"svc__C": [0.1, 10]}
        return ExhaustiveSearchCV(model, grid, cv=3, refit=False, checkpoint=tmp_path / path)

    first = search(X).fit(X, y)
    done = Stopping.n_fits
    same(search(X).fit(X, y).cv_results_, first.cv_results_)
    assert Stopping.n_fits == done
    with pytest.raises(CheckpointError, match="the estimator's frozen differs"):
        search(X[::7]).fit(X, y)
    other = search(X[::7], "other.sqlite").fit(X, y).cv_results_["mean_test_score"]
    assert not np.array_equal(other, first.cv_results_["mean_test_score"])


def scaled_then_reduced(order):
    steps = [("scale", StandardScaler()), ("reduce", PCA(1, random_state=0))]
    return Pipeline([*steps[::order], ("svc", SVC())])


def on_columns(columns):
    scaled = ColumnTransformer([("scale", StandardScaler(), columns)])
    return Pipeline([("scale", scaled), ("svc", SVC())])


@pytest.mark.parametrize(
    ("build", "one", "other"), [(scaled_then_reduced, 1, -1), (on_columns, [0, 1], [2, 3])]
)
def test_the_order_of_steps_and_their_columns_are_part_of_the_work(build, one, other, tmp_path):
    """They stand in the list of steps alone, and no step's own parameters tell them."""

    def search(part, checkpoint):
        grid = {"svc__C": [0.1, 10]}
        return ExhaustiveSearchCV(build(part), grid, cv=3, checkpoint=checkpoint).fit(X, y)

    both = SQLiteJournal(tmp_path / "run.sqlite", if_different="add")
    for part in (one, other):
        expected = search(part, None).cv_results_["mean_test_score"]
        np.testing.assert_array_equal(search(part, both).cv_results_["mean_test_score"], expected)
    search(one, tmp_path / "alone.sqlite")
    with pytest.raises(CheckpointError, match=r"(steps|transformers) differs"):
        search(other, tmp_path / "alone.sqlite")


@pytest.mark.parametrize("name", ["sampled", "gp"])
def test_a_number_of_candidates_of_numpy(name, tmp_path):
    """As of an array of sizes; the file takes it as any other."""
    search = SEARCHES[name](checkpoint=tmp_path / "run.sqlite").set_params(n_iter=np.int64(5))
    assert len(search.fit(X, y).trials_) == 5
    assert len(search.set_params(n_iter=np.int32(6)).fit(X, y).trials_) == 6


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, float])
def test_a_seed_is_told_by_its_value(kind, tmp_path):
    """Those of np.arange too: each is a search of its own, and the same as with an int."""
    file = SQLiteJournal(tmp_path / "run.sqlite", if_different="add")

    def found(seed, **options):
        return minimize(lambda p: p["x"], {"x": (0.0, 1.0)}, n_iter=3, random_state=seed, **options)

    values = [found(kind(seed), checkpoint=file).best_value for seed in (0, 1, 2)]
    assert values == [found(seed).best_value for seed in (0, 1, 2)]
    assert [found(seed, checkpoint=file).best_value for seed in (0, 1, 2)] == values


def test_a_generator_is_the_seed_of_a_search_with_a_checkpoint(tmp_path):
    """Two that begin alike give the same search, wherever they are written down."""

    def found(name):
        rng = np.random.default_rng(5)
        space, file = {"x": (0.0, 1.0)}, tmp_path / name
        return minimize(lambda p: p["x"], space, n_iter=3, random_state=rng, checkpoint=file)

    assert found("a.sqlite").best_value == found("b.sqlite").best_value


def below(most):
    """Return metrics that differ in a default alone."""

    def metric(estimator, X, y, most=most, *, least=-most):
        return min(estimator.score(X, y), most) + least

    return metric


def test_the_defaults_of_a_function_are_part_of_it(tmp_path):
    """A metric whose default was changed is another one, though its code is the same."""
    grid, file = {"C": [0.1, 10]}, tmp_path / "run.sqlite"
    search = ExhaustiveSearchCV(SVC(), grid, cv=3, scoring=below(0.5), checkpoint=file)
    search.fit(X, y)
    with pytest.raises(CheckpointError, match="scoring differs"):
        search.set_params(scoring=below(0.6)).fit(X, y)
    again = search.set_params(scoring=below(0.5)).fit(X, y)
    assert again.best_score_ == 0.0


def scaled(by):
    """Return a class of objectives, and one of dimensions, that differ in their code alone."""

    class Loss:
        def __call__(self, params):
            return params["x"] * by

    class Scale:
        levels, ordered = 4, True

        def encode(self, value):
            return self.cell([by * i for i in range(4)].index(value))

        def decode(self, unit):
            return by * min(int(unit * 4), 3)

        def cell(self, level):
            return (level + 0.5) / 4

    return Loss(), Scale()


def test_the_code_of_objects_is_part_of_them(tmp_path):
    """A callable of a class, and a dimension of one's own, are what their methods do."""
    (loss, scale), (other_loss, other_scale) = scaled(2), scaled(3)
    options = {"optimizer": "grid", "checkpoint": tmp_path / "run.sqlite"}
    assert minimize(loss, {"x": scale}, **options).best_value == 0
    with pytest.raises(CheckpointError, match="the objective differs"):
        minimize(other_loss, {"x": scale}, **options)
    with pytest.raises(CheckpointError, match="the space differs"):
        minimize(loss, {"x": other_scale}, **options)
    assert len(minimize(loss, {"x": scale}, **options).trials) == 4


class Unwritable(SVC):
    """Fails for one candidate, with half a character and a NUL in the text."""

    def fit(self, X, y, sample_weight=None):
        if self.C == 1:
            raise FileNotFoundError("no caf\udce9 \0")  # as os.fsdecode gives it
        return super().fit(X, y, sample_weight)


@pytest.mark.filterwarnings("ignore:Some fits failed", "ignore:One or more of the test scores")
def test_any_error_and_any_number_can_be_written_down(tmp_path):
    """What a failed fit says, and what a metric returns, does not end the search."""

    def metric(estimator, X, y):
        return np.longdouble(estimator.score(X, y))

    grid = {"C": [0.1, 1, 10]}
    options = {"cv": 3, "scoring": metric, "checkpoint": tmp_path / "run.sqlite"}
    first = ExhaustiveSearchCV(Unwritable(), grid, **options)
    with pytest.warns(FitFailedWarning):
        first.fit(X, y)
    with pytest.warns(FitFailedWarning):
        second = clone(first).fit(X, y)
    same(second.cv_results_, first.cv_results_)
    assert "caf" in second.trials_[1].error
    first.report(tmp_path / "report.html")
    assert "caf\\udce9" in (tmp_path / "report.html").read_text(encoding="utf-8")


OF_TEXTS = """
import sys
import threading
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from hpsearch import ExhaustiveSearchCV

texts, y = ["the good dog", "a bad cat"] * 9, [1, 0] * 9
words = frozenset(["good", "bad", "worse"])
drop = FunctionTransformer(lambda X: [t for t in X if t not in {"a", "b", "c"}], kw_args=None)
drop.set_params(inv_kw_args={"words": words})
frozen = FrozenEstimator(TfidfVectorizer(stop_words="english").fit(texts))
model = make_pipeline(drop, frozen, LogisticRegression())
grid = {"logisticregression__C": [1, 10]}
told = lambda event: print(event.kind)
ExhaustiveSearchCV(model, grid, checkpoint="run.sqlite", watch=told).fit(texts, y)
"""


def test_order_and_addresses_in_a_process_do_not_matter(tmp_path):
    """Sets are in another order in each process, and a vectorizer notes where its words are."""
    told = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", OF_TEXTS]
        env = os.environ | {"PYTHONHASHSEED": seed}
        out = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
        told.append(out.stdout.split())
    assert told[0].count(b"result") == 2 * 5
    assert told[1].count(b"result") == 0


OF_TABLES = """
import sys
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from hpsearch import CheckpointError, ExhaustiveSearchCV

def less(X, means, table):
    return X - means

X, y = load_iris(return_X_y=True, as_frame=True)
numeric = X.columns[int(sys.argv[1]):].astype(object)  # scikit-learn 1.6 takes no other strings
scale = ColumnTransformer([("scale", StandardScaler(), numeric)])
given = {"means": pd.Series([0.5]).mean(), "table": pd.DataFrame({"a": ["b", "c"]})}
model = make_pipeline(scale, FunctionTransformer(less, kw_args=given), SVC())
search = ExhaustiveSearchCV(
    model, {"svc__C": [1, 10]}, checkpoint="run.sqlite", watch=lambda event: print(event.kind)
)
try:
    search.fit(X, y)
except CheckpointError as error:
    print(error)
"""


def test_indices_and_tables_of_pandas_are_told_by_their_content(tmp_path):
    """The columns of a transformer are often an index. Another process goes on; others are told."""
    pytest.importorskip("pandas")
    told = []
    for first_column in ("0", "0", "1"):
        command = [sys.executable, "-c", OF_TABLES, first_column]
        out = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        told.append(out.stdout)
    assert [text.split().count("result") for text in told] == [2 * 5, 0, 0]
    assert "transformers differs" in told[2]


@pytest.mark.parametrize("words", CHANGES)
def test_a_difference_is_said_in_words(words, tmp_path):
    """Another work is never mixed with what the file holds."""
    file = tmp_path / "run.sqlite"
    GPSearchCV(SVC(), SPACE, checkpoint=file, **OPTIONS).fit(X, y)
    before = file.read_bytes()
    search, given, params = CHANGES[words]()
    with pytest.raises(CheckpointError, match=words):
        search.set_params(checkpoint=file).fit(*given, **params)
    assert file.read_bytes() == before


def test_what_does_not_change_scores_does_not_matter(tmp_path):
    """More workers, other verbosity, another refit: the same search."""
    file = tmp_path / "run.sqlite"
    first = GPSearchCV(SVC(), SPACE, checkpoint=file, **OPTIONS).fit(X, y)
    second = GPSearchCV(
        SVC(), SPACE, checkpoint=file, n_jobs=2, refit=False, max_time=1e6, **OPTIONS
    ).fit(X, y)
    same(second.cv_results_, first.cv_results_)


def test_a_table_of_a_class_of_ones_own_is_told_by_its_code_too(monkeypatch):
    """What its methods make of the same content may be something else."""
    pandas = pytest.importorskip("pandas")

    class Table(pandas.DataFrame):
        def level(self):
            return 1

    monkeypatch.setitem(globals(), "Table", Table)  # where pickle looks for it
    Table.__qualname__ = "Table"
    table = Table({"a": ["b", "c"]})
    before = describe(table)
    assert before == describe(table.copy().pipe(Table))
    monkeypatch.setattr(Table, "level", lambda self: 2)
    assert describe(table) != before


def test_dimensions_are_spelled_as_in_older_files():
    """The file that a class is in is nothing that a search depends on: its old words stay."""
    spelled = describe(Integer(1, 3))
    assert spelled == "hpsearch.dimensions.Integer({'low': 1, 'high': 3, 'log': False})"


def test_several_searches_live_in_one_file(tmp_path):
    """With if_different="add", nested cross-validation can be resumed as a whole."""
    journal = SQLiteJournal(tmp_path / "run.sqlite", if_different="add")
    search = SampledSearchCV(
        Stopping(), SPACE_OF_LISTS, n_iter=3, cv=3, random_state=0, checkpoint=journal
    )
    first = cross_val_score(clone(search), X, y, cv=3)
    n_fits = Stopping.n_fits
    np.testing.assert_array_equal(cross_val_score(clone(search), X, y, cv=3), first)
    assert Stopping.n_fits == n_fits + 3  # the refits


def _search(file):
    return GPSearchCV(SVC(), SPACE, checkpoint=file, **OPTIONS)


def _foreign(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE other (x)")


def _newer(path):
    _search(path).fit(X, y)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")


def _truncated(path):
    _search(path).fit(X, y)
    path.write_bytes(path.read_bytes()[:5000])


BAD_FILES = {
    "random bytes": lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "text": lambda path: path.write_text("not a database, but long enough " * 20),
    "a foreign database": _foreign,
    "a newer schema": _newer,
    "truncated": _truncated,
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_refused_and_left_as_it_was(what, tmp_path):
    """An error that names the file, before the first fit; not a byte is changed."""
    file = tmp_path / "run.sqlite"
    BAD_FILES[what](file)
    before = file.read_bytes()
    with pytest.raises(CheckpointError, match=r"run\.sqlite"):
        GPSearchCV(Stopping(), SPACE, checkpoint=file, **OPTIONS).fit(X, y)
    assert Stopping.n_fits == 0
    assert file.read_bytes() == before


@in_proc
def test_a_refused_file_is_closed(tmp_path):
    """Also while the error is kept, as a notebook keeps the last one."""
    file = tmp_path / "run.sqlite"
    _search(file).fit(X, y)
    with pytest.raises(CheckpointError, match="differs") as kept:
        SQLiteJournal(file, if_different="refuse").open({"the search": "another"}).__enter__()
    assert kept.tb is not None
    opened = [os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()]
    assert not [name for name in opened if name.startswith(str(file))]


def test_a_folder_that_is_not_there_is_told_before_the_first_fit(tmp_path):
    """The error says what to do."""
    with pytest.raises(CheckpointError, match="a folder that exists"):
        _search(tmp_path / "nowhere" / "run.sqlite").fit(X, y)


def test_a_file_in_use_is_refused(tmp_path):
    """A second process on the same file gets a clear error."""
    file = tmp_path / "run.sqlite"
    with (
        SQLiteJournal(file).open({"the search": "another"}),
        pytest.raises(CheckpointError, match="in use"),
    ):
        _search(file).fit(X, y)


@pytest.mark.parametrize("sync_seconds", [1e-9, 1e9])
def test_what_a_power_failure_may_cost(sync_seconds, tmp_path, monkeypatch):
    """Results go to the disk itself as often as was asked for, and not more often."""
    told, fsync = [], os.fsync

    def synced(descriptor):
        fsync(descriptor)
        told.append("synced")

    monkeypatch.setattr(os, "fsync", synced)
    journal = SQLiteJournal(tmp_path / "run.sqlite", sync_seconds=sync_seconds)
    search = _search(journal).set_params(watch=lambda event: told.append(event.kind))
    n_fits = sum(len(trial.results) for trial in search.fit(X, y).trials_)
    n_synced = told[: told.index("finished")].count("synced")
    assert n_synced >= n_fits if sync_seconds < 1 else n_synced <= 1


def test_what_cannot_be_told_by_its_content_is_refused(tmp_path):
    """A search that could not be known again is not begun; the error says what is in its way."""

    class Locked(Made):
        def fit(self, X, y, lock=None):
            return super().fit(X, y)

    file = tmp_path / "run.sqlite"
    search = ExhaustiveSearchCV(Locked(Stopping), {"C": [1, 10]}, cv=3, checkpoint=file)
    with pytest.raises(TypeError, match="a lock cannot be told from another by its content"):
        search.fit(X, y, lock=threading.Lock())
    assert (Stopping.n_fits, file.exists()) == (0, False)


def test_an_interrupt_while_a_file_is_closed_leaves_it_free(tmp_path, monkeypatch):
    """The line that was interrupted can be run again in the same session, at once."""

    def interrupt(_):
        raise KeyboardInterrupt

    def press(event):
        if event.kind == "finished":  # what is left to do is to close the file
            monkeypatch.setattr(os, "fsync", interrupt)

    search = _search(SQLiteJournal(tmp_path / "run.sqlite", sync_seconds=0.001))
    with pytest.raises(KeyboardInterrupt):
        search.set_params(watch=press).fit(X, y)
    monkeypatch.undo()
    told = []
    search.set_params(watch=lambda event: told.append(event.kind)).fit(X, y)
    assert told == ["finished"]


def test_a_hostile_file_runs_nothing(tmp_path):
    """What is in the file is read as numbers and text, whatever it says."""
    file = tmp_path / "run.sqlite"
    _search(file).fit(X, y)
    marker = tmp_path / "ran"
    payload = f"cos\nsystem\n(S'touch {marker}'\ntR."
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE trial SET place=?, params=?", (payload, payload))
    with pytest.raises(CheckpointError):
        _search(file).fit(X, y)
    assert not marker.exists()


FULL_DISK = """
import resource, signal, sys, warnings
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from hpsearch import SampledSearchCV
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    search = SampledSearchCV(
        SVC(), {"C": (0.1, 1.0, 10.0), "gamma": list(range(1, 400))}, n_iter=200, cv=3,
        random_state=0, checkpoint=sys.argv[1],
    ).fit(*load_iris(return_X_y=True))
print(len(search.trials_), sum("can no longer be written" in str(w.message) for w in told))
"""


def test_a_full_disk_does_not_end_the_search(tmp_path):
    """The search lives on in memory and says so once; the file stays usable."""
    file = tmp_path / "run.sqlite"
    out = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(file)], capture_output=True, text=True, check=False
    )
    assert out.stdout.split() == ["200", "1"], out.stderr
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM result").fetchone()[0] > 10
