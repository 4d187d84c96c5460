import ctypes
import gc
import sys
import threading
import types
import weakref

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, SelectPercentile
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, GPSearchCV
from tests.reuse.same import assert_same, n_shared, shared

BINARY = make_classification(60, 8, random_state=0)
IRIS = load_iris(return_X_y=True)
SPARSE = sp.csr_matrix(np.where(BINARY[0] > 0.3, BINARY[0], 0)), BINARY[1]
TEXTS = (
    [f"{'good' if i % 2 else 'bad'} w{i % 7} w{i % 5} x{i}" for i in range(40)],
    np.arange(40) % 2,
)
TREE = DecisionTreeClassifier(random_state=0)
DEPTHS = {"decisiontreeclassifier__max_depth": [1, 2, 3]}
LR = LogisticRegression()
CS = {"logisticregression__C": [0.1, 1, 10]}

CASES = {
    "two steps": (make_pipeline(StandardScaler(), PCA(3), LR), CS, BINARY),
    "both vary": (
        make_pipeline(StandardScaler(), SelectKBest(), LR),
        {**CS, "selectkbest__k": [2, 4, "all"], "standardscaler__with_mean": [True, False]},
        BINARY,
    ),
    "a step replaced": (
        make_pipeline(StandardScaler(), LR),
        {**CS, "standardscaler": [StandardScaler(), MinMaxScaler(), "passthrough", None]},
        BINARY,
    ),
    "a list of grids": (
        make_pipeline(StandardScaler(), SelectKBest(), LR),
        [{**CS, "selectkbest__k": [2]}, {**CS, "selectkbest": [SelectPercentile()]}],
        BINARY,
    ),
    "flags": (
        make_pipeline(PolynomialFeatures(2), LR),
        {
            **CS,
            "polynomialfeatures__degree": [1, 2],
            "polynomialfeatures__include_bias": [True, False],
        },
        BINARY,
    ),
    "copies refused": (
        make_pipeline(
            StandardScaler(copy=False), MinMaxScaler(copy=False), Normalizer(copy=False), LR
        ),
        {**CS, "minmaxscaler__feature_range": [(0, 1), (-1, 1)]},
        BINARY,
    ),
    "sparse": (
        make_pipeline(StandardScaler(with_mean=False, copy=False), SelectKBest(), LR),
        {**CS, "selectkbest__k": [2, 5]},
        SPARSE,
    ),
    "texts": (
        make_pipeline(TfidfVectorizer(), MultinomialNB()),
        {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)], "multinomialnb__alpha": [0.1, 1, 10]},
        TEXTS,
    ),
    "texts in two steps": (
        make_pipeline(CountVectorizer(), TfidfTransformer(), SGDClassifier(random_state=0)),
        {"tfidftransformer__use_idf": [True, False], "sgdclassifier__alpha": [0.01, 0.1]},
        TEXTS,
    ),
    "nested": (
        make_pipeline(make_pipeline(StandardScaler(), PCA(4)), SelectKBest(k=2), LR),
        {**CS, "pipeline__pca__whiten": [True, False], "selectkbest__k": [1, 2]},
        BINARY,
    ),
    "nested last": (
        make_pipeline(StandardScaler(), make_pipeline(PCA(4), LR)),
        {f"pipeline__{k}": v for k, v in CS.items()},
        BINARY,
    ),
    "random generator": (
        make_pipeline(Nystroem(n_components=5, random_state=np.random.RandomState(3)), LR),
        CS,
        BINARY,
    ),
    "memory": (
        Pipeline([("scale", StandardScaler()), ("lr", LR)], memory=joblib.Memory(None)),
        {"lr__C": [0.1, 1]},
        BINARY,
    ),
    "three classes": (
        make_pipeline(PCA(2), SVC(probability=False)),
        {"svc__C": [0.1, 1, 10]},
        IRIS,
    ),
    "no last step": (
        Pipeline([("scale", StandardScaler()), ("pca", PCA(2)), ("last", "passthrough")]),
        {"pca__whiten": [True, False]},
        BINARY,
    ),
}


def reconstruction(model, X, y=None):
    return float(np.sum(model.transform(X)[:, 0]))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_steps(case, n_jobs):
    """Steps are fitted once for all candidates that have them, with scikit-learn's scores."""
    estimator, grid, data = CASES[case]
    settings = {"scoring": reconstruction} if case == "no last step" else {}
    if case in ("copies refused", "sparse"):  # see test_rows_written_and_read_again
        settings["return_train_score"] = False
    search = assert_same(estimator, grid, *data, n_jobs=n_jobs, **settings)
    assert any(what.startswith("prefix") for what in shared(search)) or case == "no last step"


def test_each_step_is_fitted_once():
    """A step is fitted once a split for each value of its own and those before it."""
    FITS.clear()
    pipeline = make_pipeline(Counting("a"), Counting("b"), LR)
    assert_same(pipeline, {**CS, "counting-2__value": [1, 2]}, *BINARY)
    n_theirs = 2 * 3 * 3  # of each step
    assert FITS.count("a") - n_theirs == 3
    assert FITS.count("b") - n_theirs == 2 * 3


FITS = []


class Counting(TransformerMixin, BaseEstimator):
    def __init__(self, name="", value=0):
        self.name = name
        self.value = value

    def fit(self, X, y=None):
        FITS.append(self.name)
        self.n_ = len(X)
        return self

    def transform(self, X):
        return X + self.value


class Sorted(TransformerMixin, BaseEstimator):
    """Much slower to transform than a tree is to predict."""

    def fit(self, X, y=None):
        self.n_ = len(X)
        return self

    def transform(self, X):
        np.sort(np.random.default_rng(0).random(300_000))
        return X


def test_times_of_train_scores_are_nobodys():
    """What training rows are transformed for, to be scored, is in no time, and taken from none."""
    pipeline = make_pipeline(Sorted(), GradientBoostingClassifier(random_state=0))
    sizes = {"gradientboostingclassifier__n_estimators": [1, 2, 3, 4]}  # one job a split
    search = ExhaustiveSearchCV(pipeline, sizes, return_train_score=True)
    results = search.fit(*BINARY).cv_results_
    assert results["mean_score_time"].min() > 0
    assert results["mean_fit_time"].min() > 0


def table():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcd"))
    frame.loc[::7, "a"] = np.nan
    frame["kind"] = np.array(["u", "v", "w"])[rng.integers(0, 3, 60)]
    return frame, (frame["b"] > 0).astype(int)


def columns(numbers=("a", "b", "c", "d")):
    fill = make_pipeline(SimpleImputer(), StandardScaler(copy=False))
    return ColumnTransformer([("fill", fill, list(numbers)), ("kind", OneHotEncoder(), ["kind"])])


BRANCHES = {
    "columns": (
        make_pipeline(columns(), LR),
        {**CS, "columntransformer__fill__simpleimputer__strategy": ["mean", "median"]},
        {"prefix columntransformer", "prefix columntransformer__kind"},
    ),
    "columns selected": (
        make_pipeline(
            ColumnTransformer(
                [("n", SimpleImputer(), make_column_selector(dtype_include=float))],
                remainder="drop",
            ),
            LR,
        ),
        {**CS, "columntransformer__n__strategy": ["mean", "median"]},
        {"prefix columntransformer"},
    ),
    "columns replaced": (
        make_pipeline(columns(), LR),
        {**CS, "columntransformer__kind": ["drop", OneHotEncoder(drop="first")]},
        {"prefix columntransformer__fill"},
    ),
    "union": (
        make_pipeline(
            columns(),
            FeatureUnion([("pca", PCA(2)), ("best", SelectKBest())]),
            LR,
        ),
        {**CS, "featureunion__best__k": [1, 2]},
        {"prefix featureunion__pca", "fit featureunion__best", "prefix columntransformer"},
    ),
    "union weighted": (
        make_pipeline(columns(), FeatureUnion([("pca", PCA(2)), ("same", "passthrough")]), LR),
        {**CS, "featureunion__transformer_weights": [None, {"pca": 10.0}]},
        {"prefix featureunion"},
    ),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("case", BRANCHES)
def test_branches(case, n_jobs):
    """Branches of unions and column transformers that stay as they are are fitted once."""
    estimator, grid, expected = BRANCHES[case]
    search = assert_same(estimator, grid, *table(), n_jobs=n_jobs, return_train_score=False)
    assert "prefix columntransformer" in shared(search)
    if n_jobs == 1:  # else a branch may have been fitted in both workers
        assert expected <= shared(search)


class Counted(TransformerMixin, BaseEstimator):
    """Counts what it is asked to transform."""

    n_tables = 0

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        Counted.n_tables += 1
        return X


def test_a_branch_transforms_the_test_rows_once():
    """Whatever the other branches are; its own training rows too."""
    Counted.n_tables = 0
    branches = [("counted", Counted(), [0, 1]), ("best", SelectKBest(), [2, 3, 4, 5])]
    grid = {**CS, "columntransformer__best__k": [1, 2, 3]}
    pipeline = make_pipeline(ColumnTransformer(branches), LR)
    ExhaustiveSearchCV(pipeline, grid, cv=3, refit=False).fit(*BINARY)
    assert Counted.n_tables == 2 * 3


@pytest.mark.parametrize("case", ["union", "columns"])
def test_branches_that_run_in_processes_of_their_own(case):
    """Where the union itself is told to use workers, its branches share nothing, and are right."""
    estimator, grid, _ = BRANCHES[case]
    with joblib.parallel_config(n_jobs=2):
        search = assert_same(estimator, grid, *table(), return_train_score=False)
    assert "prefix columntransformer" in shared(search)


@pytest.mark.parametrize("container", ["pandas", "polars", "list", "object", "float32", "fortran"])
def test_containers(container):
    """Whatever the rows come in."""
    X, y = BINARY
    given = {
        "pandas": lambda: pytest.importorskip("pandas").DataFrame(X).add_prefix("x"),
        "polars": lambda: pytest.importorskip("polars").DataFrame(X),
        "list": X.tolist,
        "object": lambda: X.astype(object),
        "float32": lambda: X.astype(np.float32),
        "fortran": lambda: np.asfortranarray(X),
    }[container]()
    steps = StandardScaler(copy=False), SelectKBest(k=3), MinMaxScaler(copy=False), LR
    grid = {**CS, "selectkbest__k": [2, 4]}
    search = assert_same(make_pipeline(*steps), grid, given, y, return_train_score=False)
    assert "prefix standardscaler" in shared(search)


def test_tables_between_steps():
    """Steps that give tables, each of which a later step may write to."""
    pd = pytest.importorskip("pandas")
    X, y = pd.DataFrame(BINARY[0]).add_prefix("x"), pd.Series(BINARY[1])

    def widen(frame):
        frame["twice"] = 2 * frame["x0"]
        frame.loc[:, "x1"] += 1
        return frame

    pipeline = make_pipeline(
        StandardScaler(copy=False).set_output(transform="pandas"),
        FunctionTransformer(widen),
        MinMaxScaler(copy=False).set_output(transform="pandas"),
        LR,
    )
    grid = {**CS, "minmaxscaler__clip": [True, False]}
    search = assert_same(pipeline, grid, X, y, return_train_score=False)
    assert "prefix functiontransformer" in shared(search)


@pytest.mark.parametrize("scoring", [None, ["accuracy", "roc_auc"]])
def test_rows_written_and_read_again(scoring):
    """Rows that a step wrote to and a score reads again are no candidate's but its own."""
    pipeline = make_pipeline(StandardScaler(copy=False), LR)
    options = {"scoring": scoring, "return_train_score": scoring is None}
    assert shared(assert_same(pipeline, CS, *BINARY, **options)) == set()
    numpys = {**CS, "standardscaler__copy": np.array([False])}
    assert_same(make_pipeline(StandardScaler(), LR), numpys, *BINARY, **options)
    grid = {**CS, "standardscaler": [StandardScaler(copy=False), MinMaxScaler()]}
    search = assert_same(make_pipeline(StandardScaler(), LR), grid, *BINARY)
    assert n_shared(search, "prefix standardscaler") == 2 * 3


class Writer(ClassifierMixin, BaseEstimator):
    """Writes to what it is given, in fit and predict."""

    def __init__(self, by=1.0):
        self.by = by

    def fit(self, X, y):
        X *= self.by
        self.classes_ = np.unique(y)
        self.mean_ = X.mean()
        return self

    def predict(self, X):
        X -= self.mean_
        return self.classes_[(X.sum(axis=1) * self.by > 0).astype(int)]


def test_a_step_that_writes():
    """A candidate that writes to its rows gets rows of its own, and the others are unharmed."""
    pipeline = make_pipeline(StandardScaler(), Writer())
    grid = {"writer__by": [1.0, -2.0, 3.0, -4.0, 5.0, 0.5]}
    search = assert_same(pipeline, grid, *BINARY)
    assert {trial.status.value for trial in search.trials_} == {"complete"}
    assert_same(Writer(), {"by": [1.0, -2.0, 3.0]}, *BINARY)


def unlocked(array):
    """The same memory, whether it may be written to or not."""
    reach = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True))
    memory = (ctypes.c_char * (reach + array.itemsize)).from_address(array.ctypes.data)
    return np.ndarray(array.shape, array.dtype, memory, 0, array.strides)


class Unseen(Writer):
    """Writes to what it is given, and numpy does not notice."""

    def fit(self, X, y):
        return super().fit(unlocked(X), y)

    def predict(self, X):
        return super().predict(X.copy())


def unseen_scaling(X, by=2):
    own = unlocked(X)
    own *= by
    return X


def test_what_writes_to_read_only_rows_unseen(monkeypatch):
    """As torch does with a tensor that is a view of an array: nothing is lent to such a part."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    by = [1.0, -2.0, 3.0, -4.0]
    assert_same(Unseen(), {"by": by}, *BINARY)
    assert_same(make_pipeline(StandardScaler(), Unseen()), {"unseen__by": by}, *BINARY)
    function = FunctionTransformer(unseen_scaling)
    assert_same(make_pipeline(PCA(3), function, LR), CS, *BINARY)
    scales = {"functiontransformer__kw_args": [{"by": 2}, {"by": 30}, {"by": 0.1}]}
    assert_same(make_pipeline(PCA(3), function, LR), scales, *BINARY)
    search = assert_same(make_pipeline(StandardScaler(), LR), CS, *BINARY)
    assert n_shared(search, "prefix standardscaler") == 2 * 3  # these do not


class Stretching(TransformerMixin, BaseEstimator):
    """Multiplies, by a factor that its caller may give."""

    def fit(self, X, y=None):
        return self

    def transform(self, X, by=2.0):
        return X * by


def test_a_scorer_that_gives_a_step_more_than_rows():
    """A shared step that a scorer calls with arguments of its own heeds them."""

    def stretched(model, X, y):
        step = model[0]
        found = step.transform(X), step.transform(X, 3.0), step.transform(X, by=5.0)
        return sum(float(f[:, 0].sum()) for f in found) + model.score(X, y)

    search = assert_same(make_pipeline(Stretching(), LR), CS, *BINARY, scoring=stretched)
    assert "prefix stretching" in shared(search)


def test_numbers_of_numpy_are_shared_as_others_are():
    """Equal values are equal settings, also if each branch of the space has its own objects."""
    pipeline = make_pipeline(SelectKBest(), LR)

    def n_taken_over(values):
        grids = [{**CS, "selectkbest__k": values()}, {"selectkbest__k": values()}]
        return n_shared(assert_same(pipeline, grids, *BINARY), "prefix selectkbest")

    expected = n_taken_over(lambda: [2, 4])
    assert expected == 6 * 3
    assert n_taken_over(lambda: np.array([2, 4])) == expected


def test_a_scorer_that_writes():
    """So does a candidate whose scorer writes to the test rows."""

    def writing(model, X, y):
        X += 1
        return model.score(X, y)

    pipeline = make_pipeline(StandardScaler(), LR)
    assert_same(pipeline, CS, *BINARY, scoring=writing)


def words(texts):
    return [text.split() for text in texts]


class Sorting(TransformerMixin, BaseEstimator):
    """Changes the lists that it is given."""

    def __init__(self, reverse=False):
        self.reverse = reverse

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        for tokens in X:
            tokens.sort(reverse=self.reverse)
            tokens.pop()
        return [" ".join(tokens) for tokens in X]

    def __sklearn_is_fitted__(self):
        return True


def test_contents_that_can_change():
    """What holds objects that could be changed is not shared."""
    pipeline = make_pipeline(FunctionTransformer(words), Sorting(), CountVectorizer(), LR)
    search = assert_same(pipeline, {**CS, "sorting__reverse": [False, True]}, *TEXTS)
    assert "prefix functiontransformer" not in shared(search)


class Failing(TransformerMixin, BaseEstimator):
    def __init__(self, fails=True):
        self.fails = fails

    def fit(self, X, y=None):
        if self.fails:
            raise ValueError("the step failed")
        return self

    def transform(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failing_step(n_jobs):
    """A step that fails does so for each of its candidates, with its traceback."""
    pipeline = make_pipeline(StandardScaler(), Failing(), LR)
    grid = {**CS, "failing__fails": [True, False]}
    search = assert_same(pipeline, grid, *BINARY, n_jobs=n_jobs)
    failed = [trial for trial in search.trials_ if trial.status.value == "failed"]
    assert len(failed) == 3
    assert all("in fit\n" in t.error and "the step failed" in t.error for t in failed)


def test_fit_params_and_weights():
    """Parameters of the steps' fits are those of the split."""
    weight = np.linspace(0.1, 2, 60)
    names = "standardscaler__sample_weight", "logisticregression__sample_weight"
    search = assert_same(
        make_pipeline(StandardScaler(), LR), CS, *BINARY, fit_params=dict.fromkeys(names, weight)
    )
    assert "prefix standardscaler" in shared(search)


@pytest.mark.parametrize("by", ["a scorer", "the pipeline's own score"])
def test_routed_metadata(by):
    """Metadata that is routed to steps and scorers."""
    scoring = make_scorer(accuracy_score) if by == "a scorer" else None
    if scoring is None:
        pytest.importorskip("sklearn", "1.7")  # before, a search takes no request of a step for it
    with config_context(enable_metadata_routing=True):
        scale = StandardScaler().set_fit_request(sample_weight=True)
        last = LogisticRegression().set_fit_request(sample_weight=True)
        last.set_score_request(sample_weight=True)
        if scoring is not None:
            scoring.set_score_request(sample_weight=True)
        options = {"scoring": scoring, "fit_params": {"sample_weight": np.linspace(0.1, 2, 60)}}
        search = assert_same(make_pipeline(scale, last), CS, *BINARY, **options)
    assert "prefix standardscaler" in shared(search)


class Fitted(TransformerMixin, BaseEstimator):
    """Holds one fitted scaler; a clone is the same object, as that of a FrozenEstimator."""

    def __init__(self, scale):
        self.scale = scale

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.scale.transform(X)


class Passes(BaseEstimator):
    """Has no `transform` of its own: what it lacks is asked of the scaler inside."""

    def __init__(self, scale=None):
        self.scale = scale

    def fit(self, X, y=None):
        self.scale_ = clone(self.scale).fit(X)
        return self

    def __getattr__(self, name):
        if name != "transform" or "scale" not in vars(self):
            raise AttributeError(name)
        return vars(self).get("scale_", self.scale).transform


FROZEN = FrozenEstimator(StandardScaler().fit(BINARY[0]))
SHARED_OBJECTS = {
    "a frozen step": (make_pipeline(FROZEN, PCA(3), LR), CS),
    "its own clone": (make_pipeline(Fitted(FROZEN.estimator), LR), CS),
    "in a union": (
        make_pipeline(FeatureUnion([("a", Fitted(FROZEN.estimator)), ("b", PCA(2))]), LR),
        {**CS, "featureunion__b__whiten": [True, False]},
    ),
    "no method of its class": (
        make_pipeline(Passes(StandardScaler()), LR),
        {**CS, "passes__scale__with_mean": [True, False]},
    ),
    "a frozen last step": (
        make_pipeline(StandardScaler(), FrozenEstimator(LogisticRegression().fit(*BINARY))),
        {"standardscaler__with_mean": [True, False], "standardscaler__with_std": [True, False]},
    ),
}


@pytest.mark.parametrize("n_jobs", [1, 2])  # in threads scikit-learn's own fits of them collide
@pytest.mark.parametrize("name", SHARED_OBJECTS)
def test_steps_that_candidates_do_not_own(name, n_jobs):
    """One object for all of them is left as the user gave it, and scores as in scikit-learn."""
    pipeline, grid = SHARED_OBJECTS[name]
    before = {id(step): dict(vars(step)) for step in parts_of(pipeline)}
    search = assert_same(pipeline, grid, *BINARY, n_jobs=n_jobs, refit=True)
    search.predict(BINARY[0])
    for step in parts_of(pipeline):
        assert vars(step) == before[id(step)]


def test_steps_after_a_frozen_one():
    """They are shared, and so is what it makes of the rows, of training and of test."""
    FITS.clear()
    calls = []
    frozen = FrozenEstimator(FunctionTransformer(lambda X: calls.append(len(X)) or X[:, ::-1]))
    pipeline = make_pipeline(frozen, Counting("a"), Counting("b"), LR)
    grid = {**CS, "counting-2__value": [1, 2]}
    search = assert_same(pipeline, grid, *BINARY)
    n_theirs = 2 * 3 * 3  # of each step
    assert FITS.count("a") - n_theirs == 3
    assert FITS.count("b") - n_theirs == 2 * 3
    assert n_shared(search, "prefix frozenestimator") == 5 * 3
    assert calls.count(20) - n_theirs == 3
    assert calls.count(40) - 2 * n_theirs == 2 * 3  # to fit, and for the train scores


def test_frozen_steps_instead_of_each_other():
    """Two that are tried for one step are two, though both are of one class."""
    others = [FrozenEstimator(FunctionTransformer(f)) for f in (np.abs, np.negative, np.abs)]
    pipeline = make_pipeline(others[0], Counting("a"), LR)
    search = assert_same(pipeline, {**CS, "frozenestimator": others}, *BINARY)
    assert n_shared(search, "prefix counting") == 2 * 3 * 3


def test_a_frozen_step_can_be_copied():
    """A scorer may pickle the pipeline, copy it, and fit a clone of it."""

    def copying(model, X, y):
        import copy
        import pickle

        twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
        other = clone(model).fit(X[::2], y[::2])
        return twin.score(X, y) + other.score(X, y) + twin[:-1].transform(X).sum()

    assert_same(make_pipeline(FROZEN, PCA(3), LR), CS, *BINARY, scoring=copying)


def parts_of(pipeline):
    return [part for part in pipeline.get_params().values() if hasattr(part, "get_params")]


def test_several_metrics():
    """Several metrics, each of which predicts anew."""
    metrics = ["accuracy", "roc_auc", "neg_log_loss"]
    search = assert_same(make_pipeline(PCA(3), LR), CS, *BINARY, scoring=metrics)
    assert "prefix pca" in shared(search)


def test_precomputed_kernel():
    """Rows of a kernel are cut on both sides, and only for those that take a kernel."""
    X, y = BINARY
    grid = {"kernel": ["precomputed", "linear"], "C": [0.1, 1]}
    assert_same(SVC(), grid, X @ X.T, y)


def pipelines_memory(model, X, y):
    return float(model.memory is None) + float(model[:-1].transform(X).mean())


def test_scorers_see_a_pipeline_of_their_own():
    """A scorer sees the pipeline as given: its memory, its fitted steps, a copy of it too."""
    pipeline = make_pipeline(StandardScaler(), LR)
    assert_same(pipeline, CS, *BINARY, scoring=pipelines_memory)

    def copying(model, X, y):
        import copy
        import pickle

        twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
        return twin.score(X, y) + twin[:-1].transform(X).sum()

    assert_same(pipeline, CS, *BINARY, scoring=copying)


def test_users_memory_is_used(tmp_path):
    """With a memory of the user's, what is fitted is found there by the next search."""
    memory = joblib.Memory(tmp_path, verbose=0)
    FITS.clear()
    pipeline = Pipeline([("a", Counting("a")), ("lr", LR)], memory=memory)
    for _ in range(2):
        search = ExhaustiveSearchCV(pipeline, {"lr__C": [0.1, 1, 10]}, cv=3, refit=False)
        search.fit(*BINARY)
        assert n_shared(search, "prefix a") == 2 * 3
    assert FITS.count("a") == 3


def test_rows_are_unharmed():
    """The user's own arrays stay as they are, writeable and with the same contents."""
    X, y = BINARY[0].copy(), BINARY[1].copy()
    weight = np.ones(60)
    pipeline = make_pipeline(StandardScaler(copy=False), LR)
    search = ExhaustiveSearchCV(pipeline, CS, cv=3, refit=False)
    search.fit(X, y, logisticregression__sample_weight=weight)
    assert X.flags.writeable
    assert y.flags.writeable
    assert weight.flags.writeable
    assert np.array_equal(X, BINARY[0])
    assert pipeline.memory is None


class Heavy(TransformerMixin, BaseEstimator):
    """Remembers weakly what it made."""

    made = []  # noqa: RUF012 - shared by all clones on purpose

    def __init__(self, value=0):
        self.value = value

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        out = np.asarray(X) + self.value
        self.made.append(weakref.ref(out))
        return out

    def __sklearn_is_fitted__(self):
        return True


@pytest.mark.parametrize("backend", ["serial", "threading"])
def test_nothing_is_kept(backend):
    """After the search nothing that was shared is left, though the search is."""
    Heavy.made.clear()
    n_threads = threading.active_count()
    grid = {**CS, "heavy__value": [0, 1]}
    search = ExhaustiveSearchCV(
        make_pipeline(Heavy(), LR), grid, cv=3, refit=False, n_jobs=1 if backend == "serial" else 2
    )
    if backend == "serial":
        search.fit(*BINARY)
    else:
        with joblib.parallel_config("threading"):
            search.fit(*BINARY)
    gc.collect()
    assert Heavy.made
    assert [ref for ref in Heavy.made if ref() is not None] == []
    assert threading.active_count() <= n_threads + (backend != "serial") * 8


def test_while_learning():
    """A search that learns finds the steps of earlier candidates, and smaller models."""
    from sklearn.ensemble import RandomForestClassifier

    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(random_state=0))
    space = {"randomforestclassifier__n_estimators": (1, 30)}
    results = {}
    for reuse in (True, False):
        search = GPSearchCV(
            pipeline, space, n_iter=8, random_state=0, cv=3, refit=False, reuse=reuse
        )
        results[reuse] = search.fit(*BINARY)
    for split in range(3):
        name = f"split{split}_test_score"
        expected = results[False].cv_results_[name]
        assert np.array_equal(results[True].cv_results_[name], expected)
    assert n_shared(results[True], "prefix standardscaler") == 7 * 3
    assert n_shared(results[True], "submodel randomforestclassifier") > 0
