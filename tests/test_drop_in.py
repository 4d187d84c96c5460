"""Our two classical classes against scikit-learn's own, on the same work: a table of cases.

A new case joins by one function in the table. Each function returns fresh objects, since a random
state or a one-shot iterator is used up by the search that gets it.
"""

import inspect
import pickle
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import parallel_backend, parallel_config
from scipy import sparse
from scipy.stats import expon, loguniform, randint
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, make_scorer, mean_squared_error, recall_score
from sklearn.metrics.pairwise import linear_kernel
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    ParameterGrid,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from hpsearch import ExhaustiveSearchCV, GPSearchCV, SampledSearchCV, TPESearchCV

PAIRS = {
    "exhaustive": (ExhaustiveSearchCV, GridSearchCV),
    "sampled": (SampledSearchCV, RandomizedSearchCV),
}
EVERY_CLASS = [ExhaustiveSearchCV, SampledSearchCV, GPSearchCV, TPESearchCV]
X, Y = load_iris(return_X_y=True)
ROWS = np.random.default_rng(0).permutation(len(X))[:90]
X, Y = X[ROWS], Y[ROWS]
GROUPS = np.arange(len(X)) % 6
WEIGHTS = np.random.default_rng(1).uniform(0.1, 2.0, len(X))


@dataclass
class Case:
    """One search: what is searched, over what, with what."""

    estimator: Any
    space: Any
    options: dict = field(default_factory=dict)
    X: Any = field(default_factory=lambda: X)
    y: Any = field(default_factory=lambda: Y)
    fit_params: dict = field(default_factory=dict)
    routing: bool = False
    is_serial: bool = False  # draws from the global random state inside fits


class FailsSometimes(ClassifierMixin, BaseEstimator):
    """Predicts the first class; some values make its fit fail."""

    def __init__(self, parameter=0):
        self.parameter = parameter

    def fit(self, X, y):
        if self.parameter == 2 or (self.parameter == 3 and y[0] == Y[0]):
            raise ValueError(f"does not take {self.parameter}")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Holder(ClassifierMixin, BaseEstimator):
    """Takes any value for its parameter and uses its text."""

    def __init__(self, value=None):
        self.value = value

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.answer_ = self.classes_[len(repr(self.value)) % len(self.classes_)]
        return self

    def predict(self, X):
        return np.full(len(X), self.answer_)


def two_scores(estimator, X, y):
    predicted = estimator.predict(X)
    return {
        "hits": accuracy_score(y, predicted),
        "recall": recall_score(y, predicted, average="macro"),
    }


def one_score(estimator, X, y):
    return accuracy_score(y, estimator.predict(X))


def fails_on_ten(estimator, X, y):
    if estimator.C == 10:
        raise ValueError("no score for 10")
    return accuracy_score(y, estimator.predict(X))


def least_recall(results):
    return int(np.argmin(results["mean_test_recall"]))


def weights_score(y_true, y_pred, sample_weight=None):
    return accuracy_score(y_true, y_pred, sample_weight=sample_weight)


# The table ---------------------------------------------------------------------------------------


def plain():
    return Case(SVC(), {"C": [0.1, 1, 10], "kernel": ["rbf", "linear"]})


def train_scores():
    return Case(SVC(), {"C": [0.1, 1, 10]}, {"return_train_score": True, "cv": 3})


def no_candidate_values():
    return Case(SVC(), {})


def list_of_dicts():
    return Case(
        SVC(),
        [{"kernel": ["linear"], "C": [1, 10]}, {"kernel": ["rbf"], "gamma": [0.1, 1.0]}, {}],
    )


def estimators_as_candidates():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    return Case(
        pipeline,
        [
            {"model": [SVC(), KNeighborsClassifier()], "scale": [MinMaxScaler(), "passthrough"]},
            {"model": [LogisticRegression(max_iter=500)], "model__C": [0.1, 1.0]},
        ],
    )


def odd_values():
    arrays = [np.array([1, 2]), np.arange(3.0)]
    return Case(Holder(), {"value": [None, (1, 2), (3,), *arrays, "text", 1, True, {"a": 1}, [1]]})


def floats_and_ints():
    return Case(Holder(), {"value": [1, 2.5, 3]})


def float32s():
    return Case(Holder(), {"value": np.array([0.5, 1.5], dtype=np.float32)})


def booleans():
    return Case(Ridge(), {"fit_intercept": [True, False], "positive": [False]}, {}, y=X[:, 0])


def tuple_values():
    return Case(SVC(), {"C": (1, 10)})


def array_values():
    return Case(SVC(), {"C": np.logspace(-2, 2, 3), "degree": range(2, 4)})


def multimetric():
    options = {"scoring": ["accuracy", "recall_macro"], "refit": "recall_macro"}
    return Case(SVC(), {"C": [0.01, 1, 10]}, options)


def multimetric_dict():
    scoring = {"hits": "accuracy", "recall": make_scorer(recall_score, average="macro")}
    options = {"scoring": scoring, "refit": "recall", "return_train_score": True}
    return Case(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3]}, options)


def multimetric_no_refit():
    options = {"scoring": ["accuracy", "recall_macro"], "refit": False}
    return Case(SVC(), {"C": [0.01, 1, 10]}, options)


def callable_gives_a_dict():
    options = {"scoring": two_scores, "refit": "hits"}
    return Case(SVC(), {"C": [0.01, 1, 10]}, options)


def callable_gives_a_dict_and_fits_fail():
    options = {"scoring": two_scores, "refit": "hits", "error_score": 0.0}
    return Case(FailsSometimes(), {"parameter": [2, 0, 1]}, options)


def callable_gives_a_number():
    return Case(SVC(), {"C": [0.01, 1, 10]}, {"scoring": one_score})


def callable_refit():
    options = {"scoring": two_scores, "refit": least_recall}
    return Case(SVC(), {"C": [0.01, 1, 10]}, options)


def no_refit():
    return Case(SVC(), {"C": [0.01, 1, 10]}, {"refit": False})


def some_fits_fail():
    return Case(FailsSometimes(), {"parameter": [0, 1, 2, 3]})


def failures_score_zero():
    return Case(FailsSometimes(), {"parameter": [0, 2, 3]}, {"error_score": 0, "cv": 3})


def one_value_is_refused():
    return Case(SVC(), {"C": [-1, 1, 10]}, {"return_train_score": True})


def scorer_fails_for_one():
    return Case(SVC(), {"C": [1, 10]}, {"scoring": fails_on_ten})


def ties():
    return Case(SVC(), {"C": [1, 1.001, 0.0001, 0.0002, 5]})


def groups():
    return Case(SVC(), {"C": [1, 10]}, {"cv": GroupKFold(3)}, fit_params={"groups": GROUPS})


def groups_left_out():
    return Case(SVC(), {"C": [1, 10]}, {"cv": LeaveOneGroupOut()}, fit_params={"groups": GROUPS})


def groups_shuffled():
    options = {"cv": GroupShuffleSplit(2, random_state=0)}
    return Case(SVC(), {"C": [1, 10]}, options, fit_params={"groups": list(GROUPS)})


def weights():
    return Case(RidgeClassifier(), {"alpha": [0.1, 10]}, fit_params={"sample_weight": WEIGHTS})


def weights_in_scorer():
    options = {"scoring": make_scorer(weights_score)}
    return Case(SVC(), {"C": [0.1, 10]}, options, fit_params={"sample_weight": WEIGHTS})


def weights_in_pipeline():
    pipeline = make_pipeline(StandardScaler(), SVC())
    return Case(pipeline, {"svc__C": [0.1, 10]}, fit_params={"svc__sample_weight": WEIGHTS})


@sklearn.config_context(enable_metadata_routing=True)
def routing():
    model = SVC().set_fit_request(sample_weight=True)
    scorer = make_scorer(weights_score).set_score_request(sample_weight=True)
    return Case(
        model,
        {"C": [0.1, 10]},
        {"cv": GroupKFold(3), "scoring": scorer},
        fit_params={"groups": GROUPS, "sample_weight": WEIGHTS},
        routing=True,
    )


@sklearn.config_context(enable_metadata_routing=True)
def routing_to_fit_alone():
    scoring = {"a": make_scorer(weights_score).set_score_request(sample_weight=False)}
    return Case(
        RidgeClassifier().set_fit_request(sample_weight=True),
        {"alpha": [0.1, 10]},
        {"scoring": scoring, "refit": "a"},
        fit_params={"sample_weight": WEIGHTS},
        routing=True,
    )


def pandas_frame():
    frame = pd.DataFrame(X, columns=list("abcd"))
    return Case(SVC(), {"C": [1, 10]}, X=frame, y=pd.Series(Y))


def polars_frame():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list("abcd"))
    return Case(SVC(), {"C": [1, 10]}, X=frame, y=polars.Series(Y))


def lists():
    return Case(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, X=X.tolist(), y=Y.tolist())


def sparse_matrix():
    return Case(MultinomialNB(), {"alpha": [0.1, 10]}, X=sparse.csr_matrix(X))


def sparse_array():
    return Case(MultinomialNB(), {"alpha": [0.1, 10]}, X=sparse.csc_array(X))


def precomputed_kernel():
    return Case(SVC(kernel="precomputed"), {"C": [0.1, 10]}, X=linear_kernel(X))


def precomputed_in_a_branch():
    # The kernel of the estimator decides how rows are cut: that of the candidate, not the default.
    return Case(SVC(), {"kernel": ["precomputed"], "C": [0.1, 10]}, X=linear_kernel(X))


def text_targets():
    return Case(SVC(), {"C": [1, 10]}, y=np.array(["a", "b", "c"])[Y])


def many_outputs():
    features, targets = make_multilabel_classification(n_samples=60, random_state=0)
    return Case(
        DecisionTreeClassifier(random_state=0), {"max_depth": [2, 4]}, X=features, y=targets
    )


def regression():
    features, targets = load_diabetes(return_X_y=True)
    options = {"scoring": "neg_mean_squared_error", "cv": KFold(3, shuffle=True, random_state=1)}
    tree = DecisionTreeRegressor(random_state=0)
    return Case(tree, {"max_depth": [1, 3]}, options, X=features[:120], y=targets[:120])


def three_dimensions():
    stack = X.reshape(len(X), 2, 2)
    return Case(DummyClassifier(), {"strategy": ["prior", "most_frequent"]}, X=stack)


def no_targets():
    return Case(KernelDensity(), {"bandwidth": [0.1, 1.0]}, y=None)


def clusters():
    return Case(KMeans(random_state=0, n_init=1), {"n_clusters": [2, 3]}, y=None)


def transformer_at_the_end():
    pipeline = make_pipeline(StandardScaler(), PCA(random_state=0))
    return Case(pipeline, {"pca__n_components": [1, 2]}, y=None)


def pipeline_with_nested_names():
    pipeline = make_pipeline(SelectKBest(), StandardScaler(), SVC())
    return Case(pipeline, {"selectkbest__k": [1, 2, "all"], "svc__C": [1, 10]})


def splitter_repeated():
    return Case(
        SVC(),
        {"C": [1, 10]},
        {"cv": RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)},
    )


def splitter_with_a_generator():
    options = {"cv": StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(4))}
    return Case(SVC(), {"C": [1, 10]}, options)


def splits_that_overlap():
    return Case(
        SVC(), {"C": [1, 10]}, {"cv": StratifiedShuffleSplit(4, test_size=0.5, random_state=0)}
    )


def splits_as_masks():
    masks = [(g != GROUPS, g == GROUPS) for g in range(2)]
    return Case(
        SVC(), {"C": [1, 10]}, {"cv": [(np.flatnonzero(a), np.flatnonzero(b)) for a, b in masks]}
    )


def one_shot_splits():
    # Not a generator: since 1.9 scikit-learn sends the search itself to its workers.
    return Case(SVC(), {"C": [1, 10]}, {"cv": iter(list(KFold(3).split(X)))})


def unseeded_shuffle():
    return Case(SVC(), {"C": [1, 10]}, {"cv": KFold(3, shuffle=True)})


def unseeded_shuffle_split():
    return Case(SVC(), {"C": [0.1, 1, 10]}, {"cv": ShuffleSplit(3)})


def unseeded_estimator():
    tree = DecisionTreeClassifier(max_features=1)
    return Case(tree, {"max_depth": [1, 2, 3]}, {"cv": ShuffleSplit(3)}, is_serial=True)


def estimator_with_a_generator():
    tree = DecisionTreeClassifier(max_features=1, random_state=np.random.RandomState(3))
    return Case(tree, {"max_depth": [1, 2, 3]})


def classes_as_values():
    """A class of estimators has `get_params` too, and is no estimator."""
    return Case(Holder(SVC), {"value": [SVC, DecisionTreeClassifier, [SVC]]})


TABLE = [f for f in list(globals().values()) if inspect.isfunction(f) and f.__annotations__ == {}]
TABLE = [f for f in TABLE if not inspect.signature(f).parameters and f.__module__ == __name__]


# Only for the sampled search: draws ---------------------------------------------------------------


def distributions():
    space = {"C": loguniform(1e-2, 1e2), "gamma": expon(), "kernel": ["rbf", "linear"]}
    return Case(SVC(), space, {"n_iter": 6, "random_state": 3})


def draws_of_a_branching_space():
    space = [{"kernel": ["linear"], "C": expon()}, {"kernel": ["rbf"], "degree": randint(1, 4)}]
    return Case(SVC(), space, {"n_iter": 6, "random_state": 3})


def draws_without_replacement():
    return Case(SVC(), {"C": list(range(1, 30))}, {"n_iter": 5, "random_state": 0})


def draws_from_a_generator():
    space, generator = {"C": expon()}, np.random.RandomState(5)
    return Case(SVC(), space, {"n_iter": 4, "random_state": generator})


def generator_shared_with_the_splitter():
    generator = np.random.RandomState(5)
    options = {"n_iter": 4, "random_state": generator}
    return Case(
        SVC(), {"C": expon()}, options | {"cv": KFold(3, shuffle=True, random_state=generator)}
    )


def global_seed():
    """Candidates are drawn before splits, and splits before the fits draw."""
    tree = DecisionTreeClassifier(max_features=1)
    space, options = {"max_depth": randint(1, 5)}, {"n_iter": 4, "cv": ShuffleSplit(3)}
    return Case(tree, space, options, is_serial=True)


def global_seed_and_no_draws_in_fits():
    return Case(SVC(), {"C": expon()}, {"n_iter": 4, "cv": ShuffleSplit(3)})


def more_draws_than_values():
    return Case(SVC(), {"C": [1, 10, 100]}, {"n_iter": 7})


DRAWS = [
    distributions,
    draws_of_a_branching_space,
    draws_without_replacement,
    draws_from_a_generator,
    generator_shared_with_the_splitter,
    global_seed,
    global_seed_and_no_draws_in_fits,
    more_draws_than_values,
]
ROWS_OF_TABLE = [("exhaustive", f) for f in TABLE] + [("sampled", f) for f in [*TABLE, *DRAWS]]
every_case = pytest.mark.parametrize(
    ("pair", "make"), ROWS_OF_TABLE, ids=[f"{pair}-{make.__name__}" for pair, make in ROWS_OF_TABLE]
)


def fitted(cls, case, n_jobs):
    """Fit a search of the case; return it, and the warnings of this process by category."""
    options = {"n_jobs": n_jobs} | case.options
    if cls in (SampledSearchCV, RandomizedSearchCV):
        options = {"random_state": None, "n_iter": 4} | options
    np.random.seed(11)  # noqa: NPY002 - the global state is the subject
    with (
        warnings.catch_warnings(record=True) as caught,
        sklearn.config_context(enable_metadata_routing=case.routing),
    ):
        warnings.simplefilter("always")
        search = cls(case.estimator, case.space, **options)
        search.fit(case.X, case.y, **case.fit_params)
    return search, [w for w in caught if "will fail" not in str(w.message)]


def text(value):
    """Without the addresses of generators."""
    return re.sub("0x[0-9A-F]+", "", repr(value))


def assert_same_results(ours, theirs):
    """The same keys in the same order; the same dtypes, masks and values, but for the times."""
    assert list(ours) == list(theirs)
    for key, expected in theirs.items():
        got = ours[key]
        assert type(got) is type(expected), key
        if key == "params":
            assert text(got) == text(expected)
            continue
        assert got.dtype == expected.dtype, key
        assert got.shape == expected.shape, key
        if isinstance(expected, np.ma.MaskedArray):
            np.testing.assert_array_equal(np.ma.getmaskarray(got), np.ma.getmaskarray(expected))
            assert text(got.tolist()) == text(expected.tolist()), key
        elif not key.endswith("_time"):
            np.testing.assert_array_equal(got, expected, err_msg=key, strict=True)


ATTRIBUTES = ("best_index_", "best_score_", "n_splits_", "multimetric_", "feature_names_in_")


def assert_same_search(ours, theirs, case):
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    for name in ATTRIBUTES:
        assert hasattr(ours, name) == hasattr(theirs, name), name
        if hasattr(theirs, name):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
            assert type(getattr(ours, name)) is type(getattr(theirs, name)), name
    assert text(getattr(ours, "best_params_", 0)) == text(getattr(theirs, "best_params_", 0))
    assert type(ours.scorer_) is type(theirs.scorer_)
    assert text(getattr(ours, "best_estimator_", 0)) == text(getattr(theirs, "best_estimator_", 0))
    if hasattr(theirs, "best_estimator_"):
        assert ours.refit_time_ >= 0
        for method in ("predict", "predict_proba", "decision_function", "transform"):
            assert hasattr(ours, method) == hasattr(theirs, method), method
            if hasattr(theirs, method):
                expected = getattr(theirs, method)(case.X)
                np.testing.assert_array_equal(getattr(ours, method)(case.X), expected)


@every_case
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_same_as_scikit_learn(pair, make, n_jobs):
    """Same candidates, order, `cv_results_`, winner and predictions, bit for bit."""
    ours, theirs = PAIRS[pair]
    case = make()
    if n_jobs == 2 and case.is_serial:
        pytest.skip("fits draw from the global random state of whatever process they run in")
    control, their_warnings = fitted(theirs, make(), n_jobs)
    search, our_warnings = fitted(ours, case, n_jobs)
    assert_same_search(search, control, case)
    if n_jobs == 1:
        assert {w.category for w in our_warnings} == {w.category for w in their_warnings}


@pytest.mark.parametrize("make", [plain, some_fits_fail, groups, pandas_frame, sparse_matrix])
def test_same_with_threads(make):
    """The threading backend gives what processes give."""
    control, _ = fitted(GridSearchCV, make(), 1)
    with parallel_config("threading"):
        search, _ = fitted(ExhaustiveSearchCV, make(), 2)
    assert_same_search(search, control, make())


def test_same_under_the_older_way_to_set_a_backend():
    """`joblib.parallel_backend` sets the number of workers where `n_jobs` is None."""
    control, _ = fitted(GridSearchCV, plain(), None)
    with parallel_backend("threading", n_jobs=2):
        search, _ = fitted(ExhaustiveSearchCV, plain(), None)
    assert_same_search(search, control, plain())


def svc(options, space=None, **rest):
    return Case(SVC(), {"C": [1, 10]} if space is None else space, options, **rest)


REFUSED = {
    "a fit that fails": lambda: Case(
        FailsSometimes(), {"parameter": [0, 2]}, {"error_score": "raise"}
    ),
    "every fit fails": lambda: Case(FailsSometimes(2), {"parameter": [2, 2]}),
    "no metric to refit by": lambda: svc({"scoring": ["accuracy", "recall_macro"]}),
    "no metric, known late": lambda: svc({"scoring": two_scores}),
    "no such metric": lambda: svc({"scoring": "nope"}),
    "no such metric to refit by": lambda: svc({"scoring": ["accuracy"], "refit": "nope"}),
    "one split": lambda: svc({"cv": 1}),
    "no splits": lambda: svc({"cv": []}),
    "exhausted splits": lambda: svc({"cv": iter([])}),
    "groups are missing": lambda: svc({"cv": GroupKFold(3)}),
    "refit out of range": lambda: svc({"refit": lambda results: 7}),
    "refit gives text": lambda: svc({"refit": lambda results: "one"}),
    "empty values": lambda: svc({}, {"C": []}),
    "space of numbers": lambda: svc({}, [1]),
    "a value alone": lambda: svc({}, {"C": 1}),
    "no such parameter": lambda: svc({}, {"nope": [1]}),
    "rows do not match": lambda: svc({}, y=Y[:-1]),
    "no such fit parameter": lambda: svc({"error_score": "raise"}, fit_params={"nope": 1}),
    "error_score": lambda: svc({"error_score": "no"}),
    "verbose": lambda: svc({"verbose": -1}),
    "pre_dispatch": lambda: svc({"pre_dispatch": None}),
    "estimator": lambda: Case(object(), {}),
}
ONLY_GRIDS = {
    "text for values": lambda: svc({}, {"C": "abc"}),
    "two dimensions": lambda: svc({}, {"C": np.ones((2, 2))}),
}
refused = [(pair, name, make) for pair in PAIRS for name, make in REFUSED.items()]
refused += [("exhaustive", name, make) for name, make in ONLY_GRIDS.items()]


@pytest.mark.parametrize(
    ("pair", "make"), [(p, make) for p, _, make in refused], ids=[f"{p}-{n}" for p, n, _ in refused]
)
def test_refuses_what_scikit_learn_refuses(pair, make):
    """What scikit-learn refuses is refused by an exception of the same type."""
    ours, theirs = PAIRS[pair]
    with pytest.raises(Exception) as expected:  # the control says which
        fitted(theirs, make(), 1)
    with pytest.raises(expected.type):
        fitted(ours, make(), 1)


def test_error_of_a_worker_comes_through():
    """With `error_score="raise"` the exception of a fit in another process is the one raised."""
    with pytest.raises(ValueError, match="does not take 2"):
        fitted(ExhaustiveSearchCV, REFUSED["a fit that fails"](), 2)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
def test_signature_begins_with_scikit_learns(ours, theirs):
    """Positional and keyword parameters, with their defaults; ours follow, by keyword only."""
    got = inspect.signature(ours).parameters
    expected = inspect.signature(theirs).parameters
    for name, parameter in expected.items():
        assert got[name].kind == parameter.kind, name
        assert got[name].default is parameter.default or got[name].default == parameter.default
    assert list(got)[: len(expected)] == list(expected)
    extras = list(got.values())[len(expected) :]
    assert all(p.kind is p.KEYWORD_ONLY for p in extras)
    assert (
        inspect.signature(ours.fit).parameters.keys()
        == inspect.signature(theirs.fit).parameters.keys()
    )


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
def test_every_parameter_by_position_or_keyword(ours, theirs):
    """Both forms of a call store what scikit-learn's class stores, and do nothing else."""
    model, space = SVC(), {"C": [1]}
    for search in (
        ours(model, space),
        ours(estimator=model, **{list(inspect.signature(ours).parameters)[1]: space}),
    ):
        control = theirs(model, space)
        got, expected = search.get_params(deep=False), control.get_params(deep=False)
        assert text({k: got[k] for k in expected}) == text(expected)
        assert search.estimator is model
    with pytest.raises(TypeError):
        ours(model, space, "accuracy")


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
def test_is_a_search_of_scikit_learn(ours, theirs):
    """Code that asks for the methods and properties of the base class finds them all."""
    missing = {n for n in dir(theirs) if not n.startswith("_")} - set(dir(ours))
    assert missing == set()
    from sklearn.model_selection._search import BaseSearchCV

    assert issubclass(ours, BaseSearchCV)


def make_search(cls, estimator, space, **options):
    """Make a search of two candidates at most, the same at each fit."""
    if cls not in (ExhaustiveSearchCV, GridSearchCV):
        size = len(ParameterGrid(space))
        options = {"n_iter": min(size, 2), "random_state": 0} | options
    return cls(estimator, space, **options)


@pytest.mark.parametrize("cls", EVERY_CLASS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_pickles(cls, n_jobs):
    """A fitted search goes through pickle and predicts, reports and refits as before."""
    search = make_search(cls, SVC(), {"C": [1, 10, 100]}, n_jobs=n_jobs).fit(X, Y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert_same_results(again.cv_results_, search.cv_results_)
    assert again.trials_[1].params == search.trials_[1].params
    assert again.fit(X, Y).best_params_ == search.best_params_


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_tells_values_that_are_classes_by_their_names(cls):
    """In the plan, the summary and `cv_results_`."""
    search = cls(Holder(KMeans), {"value": [SVC, DecisionTreeClassifier]}, cv=3)
    if cls is not ExhaustiveSearchCV:
        search.set_params(n_iter=2)
    search.plan(X, Y, n_probes=1)
    search.fit(X, Y)
    assert set(search.cv_results_["param_value"]) == {SVC, DecisionTreeClassifier}
    name = search.best_params_["value"].__name__
    assert f"value={name} (candidate" in search.summary().lines[1]


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_clones(cls):
    """A clone has the same parameters and none of the results; it shares nothing."""
    generator = np.random.RandomState(0)
    options = {} if cls is ExhaustiveSearchCV else {"random_state": generator}
    search = make_search(cls, SVC(C=3), {"C": [1, 10]}, cv=3, **options)
    before = repr(search.get_params())
    twin = clone(search.fit(X, Y))
    assert not [name for name in vars(twin) if name.endswith("_") and not name.startswith("_")]
    assert repr(search.get_params()).split("RandomState")[0] == before.split("RandomState")[0]
    assert twin.estimator is not search.estimator
    assert twin.fit(X, Y).best_params_ == search.best_params_


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_fit_changes_no_argument(cls):
    """Estimators, spaces and data given by the user are as they were after a fit."""
    candidate, data = SVC(), X.copy()
    pipeline = Pipeline([("model", KNeighborsClassifier())])
    space = {"model": [candidate, KNeighborsClassifier(3)]}
    search = make_search(cls, pipeline, space).fit(data, Y)
    assert "support_" not in vars(candidate)
    assert "classes_" not in vars(pipeline.named_steps["model"])
    assert space["model"][0] is candidate
    assert any(params["model"] is candidate for params in search.cv_results_["params"])
    np.testing.assert_array_equal(data, X)


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_html(cls):
    """The diagram names the estimator before the fit and the best one after it."""
    search = make_search(cls, make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 10]})
    before = search._repr_html_()
    assert "estimator: Pipeline" in before
    assert cls.__name__ in before
    assert "best_estimator_: Pipeline" in search.fit(X, Y)._repr_html_()


MODELS = {
    "classifier": SVC(),
    "regressor": Ridge(),
    "kernel": SVC(kernel="precomputed"),
    "sparse": LogisticRegression(),
    "pipeline": make_pipeline(StandardScaler(), SVC()),
    "clusters": KMeans(),
    "transformer": PCA(),
    "text": Holder(),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_tags(cls, model):
    """A search is what its estimator is: outer cross-validations stratify, checks are met."""
    search, control = cls(model, {}), GridSearchCV(model, {})
    assert get_tags(search) == get_tags(control)
    assert is_classifier(search) == is_classifier(model)
    assert is_regressor(search) == is_regressor(model)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("refit", [True, False])
def test_delegates_as_scikit_learn_does(ours, theirs, refit):
    """Before and after the fit the same methods exist, and absence is told in the same words."""
    names = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
    names += ["inverse_transform", "score_samples", "classes_", "n_features_in_"]
    for model in (SVC(), PCA(1), KernelDensity(), Ridge()):
        pair = [make_search(cls, model, {}, refit=refit) for cls in (ours, theirs)]
        for is_fitted in (False, True):
            if is_fitted:
                pair = [
                    search.fit(X, None if hasattr(model, "score_samples") else Y) for search in pair
                ]
            for name in names:
                told = [absence(search, name) for search in pair]
                assert told[0] == told[1], name


def absence(search, name):
    try:
        getattr(search, name)
    except AttributeError as error:
        return str(error).replace(type(search).__name__, "Search")
    return None


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
def test_score_uses_the_metric(ours, theirs):
    """`score` uses the metric of the search, as scikit-learn's class does."""
    options = {"scoring": ["neg_mean_squared_error", "r2"], "refit": "neg_mean_squared_error"}
    pair = [make_search(cls, Ridge(), {"alpha": [1, 10]}, **options) for cls in (ours, theirs)]
    pair = [search.fit(X, X[:, 0]) for search in pair]
    assert pair[0].score(X, X[:, 0]) == pair[1].score(X, X[:, 0])
    assert pair[0].score(X, X[:, 0]) == -mean_squared_error(X[:, 0], pair[0].predict(X))


@pytest.mark.parametrize("verbose", [1, 2, 3, 10])
def test_verbose_prints_as_scikit_learn_does(capsys, verbose):
    """The lines that people read and parse, but for the times; level 1 may draw a bar besides."""
    told = []
    for cls in (GridSearchCV, ExhaustiveSearchCV):
        cls(SVC(), {"C": [1, 10], "kernel": ["rbf"]}, cv=2, verbose=verbose).fit(X, Y)
        lines = re.sub(r"total time=.*|\.\.+", "", capsys.readouterr().out)
        told.append([line.strip() for line in lines.splitlines()])
    assert told[0] == told[1]
