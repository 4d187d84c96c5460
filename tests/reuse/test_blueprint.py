"""Estimators for candidates are those that `clone` and `set_params` make."""

import inspect
import itertools
import sys
from collections import Counter

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from hpsearch import ExhaustiveSearchCV
from hpsearch.reuse.blueprint import Blueprint


class Counted(ClassifierMixin, BaseEstimator):
    """Says in an attribute how many there were before it."""

    numbers = itertools.count()

    def __init__(self, depth=1):
        self.depth = depth
        self.number = next(self.numbers)


class Guarded(ClassifierMixin, BaseEstimator):
    """Notes what is set."""

    def __init__(self, depth=1):
        self.depth = depth

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        vars(self).setdefault("noted", []).append(name)


class Renamed(ClassifierMixin, BaseEstimator):
    """Keeps its parameter behind a property, and doubles what is set by `set_params`."""

    def __init__(self, depth=1):
        self.depth = depth

    @property
    def depth(self):
        return self._depth

    @depth.setter
    def depth(self, value):
        self._depth = value


class Doubling(DummyClassifier):
    def set_params(self, **params):
        return super().set_params(**{k: v * 2 for k, v in params.items()})


class Remembering(DummyClassifier):
    """Carries something over into its clones."""

    def __sklearn_clone__(self):
        made = DummyClassifier.__sklearn_clone__(self)
        made.generation_ = getattr(self, "generation_", 0) + 1
        return made


def described(model):
    """All that a model holds, by value."""
    if isinstance(model, (list, tuple)):
        return type(model), [described(v) for v in model]
    if isinstance(model, dict):
        return {k: described(v) for k, v in model.items()}
    if hasattr(model, "get_params") and not isinstance(model, type):
        return type(model), described(vars(model))
    if isinstance(model, np.random.RandomState):
        return repr(model.get_state())
    return type(model), repr(model)


def changeable(value):
    """The objects that a fit could change, by identity."""
    kinds = (dict, list, np.ndarray, np.random.RandomState)
    inner = [*value.get_params().values()] if hasattr(value, "get_params") else []
    inner += [*value] if isinstance(value, (list, tuple)) else []
    own = hasattr(value, "get_params") or isinstance(value, kinds)
    return ({id(value)} if own else set()).union(*map(changeable, inner))


def assert_as_cloned(estimator, params):
    before = described(estimator)
    blueprint = Blueprint(estimator)
    made, again = blueprint.make(params), blueprint.make(params)
    expected = clone(estimator).set_params(**clone(params, safe=False))
    assert described(made) == described(expected) == described(again)
    if "RandomState" not in repr(expected):  # of which the address is told
        assert repr(made) == repr(expected)
    own = [changeable(v) for v in (made, again, estimator, expected)]
    own.append(changeable([*params.values()]))
    assert not any(a & b for a, b in itertools.combinations(own, 2))
    assert described(estimator) == before


def has_defaults(kind):
    parameters = inspect.signature(kind).parameters.values()
    return all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters)


KINDS = [kind for _, kind in all_estimators() if has_defaults(kind)]


@pytest.mark.filterwarnings("ignore:Class .* is deprecated:FutureWarning")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_any_estimator_of_scikit_learn(kind):
    estimator = kind()
    params = estimator.get_params(deep=False)
    assert_as_cloned(estimator, {})
    for name, value in params.items():
        if isinstance(value, (int, float, str)):
            assert_as_cloned(estimator, {name: value})


PIPELINE = Pipeline([("scale", StandardScaler()), ("pca", PCA(3)), ("svc", SVC(C=3.0))])
NESTED = Pipeline([("before", PIPELINE[:2]), ("after", PIPELINE[2])])
UNION = make_pipeline(FeatureUnion([("pca", PCA(2)), ("best", SelectKBest())]), SVC())
COLUMNS = make_pipeline(
    ColumnTransformer(
        [
            ("numbers", PIPELINE[:2], ["a", "b"]),
            ("kinds", OneHotEncoder(), slice(2, 4)),
            ("others", "drop", [5]),
        ],
        remainder=StandardScaler(),
    ),
    SVC(),
)
BAGGING = BaggingClassifier(DecisionTreeClassifier(max_depth=3))


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (PIPELINE, {"svc__C": 10, "pca__n_components": 2}),
        (PIPELINE, {"pca": "passthrough", "svc__C": 1}),
        (PIPELINE, {"svc": LogisticRegression(), "svc__C": 0.5}),
        (PIPELINE, {"verbose": True}),
        (PIPELINE, {"svc__class_weight": {0: 1.0, 1: 2.0}}),
        (PIPELINE, {"svc__random_state": np.random.RandomState(3)}),
        (NESTED, {"before__pca__n_components": 2, "after__gamma": 0.1}),
        (UNION, {"featureunion__pca__n_components": 1, "svc__C": 2}),
        (UNION, {"featureunion__pca": "drop", "svc__C": 2}),
        (COLUMNS, {"svc__C": 2, "columntransformer__numbers__pca__n_components": 1}),
        (COLUMNS, {"columntransformer__remainder__with_mean": False}),
        (COLUMNS, {"columntransformer__kinds": "passthrough"}),
        (COLUMNS, {"columntransformer__others": StandardScaler()}),
        (make_pipeline(TfidfVectorizer(), SVC()), {"tfidfvectorizer__ngram_range": (1, 2)}),
        (make_pipeline(TfidfVectorizer(stop_words=["a"]), SVC()), {"svc__C": 2}),
        (BAGGING, {"estimator__max_depth": 5, "n_estimators": 3}),
        (BAGGING, {"estimator": None}),
        (make_pipeline(FunctionTransformer(np.log1p), SVC()), {"svc__C": 2}),
        (make_pipeline("passthrough", SVC()), {"svc__C": 2}),
        (StandardScaler().set_output(transform="pandas"), {"with_mean": False}),
        (SVC(random_state=np.random.RandomState(0)), {"C": 2}),
        (SVC(class_weight={0: 1, 1: 2}), {"C": 2}),
        (Guarded(), {"depth": 2}),
        (Renamed(), {"depth": 2}),
        (Doubling(), {"random_state": 4}),
    ],
    ids=lambda given: str(given).partition("(")[0],
)
def test_others(estimator, params):
    assert_as_cloned(estimator, params)


@pytest.mark.parametrize(
    "steps",
    [
        (("svc", SVC()),),
        [["svc", SVC()]],
        [("a", PCA()), ("a", SVC())],
        [],
        [(1, SVC())],
    ],
    ids=str,
)
def test_steps_that_are_not_a_list_of_pairs(steps):
    """They are as wrong in what is made, so that the fit says what is wrong with them."""
    assert_as_cloned(Pipeline(steps), {})


def test_requests_of_metadata_are_carried_over():
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = make_pipeline(StandardScaler(), SVC().set_fit_request(sample_weight=True))
        made = Blueprint(estimator).make({"svc__C": 2})
        assert made[-1].get_metadata_routing().fit.requests == {"sample_weight": True}


def test_a_clone_of_the_class_s_own_is_made_by_it():
    frozen = FrozenEstimator(StandardScaler().fit([[1.0], [2.0]]))
    assert Blueprint(make_pipeline(frozen, SVC())).make({"svc__C": 2})[0] is frozen
    assert Blueprint(Remembering()).make({}).generation_ == 2


class Slotted:
    """Has the methods of an estimator, and no dictionary."""

    __slots__ = ("depth",)

    def __init__(self, depth=1):
        self.depth = depth

    def get_params(self, deep=True):
        return {"depth": self.depth}

    def set_params(self, **params):
        self.depth = params["depth"]
        return self


def test_an_estimator_without_a_dictionary():
    made = Blueprint(Slotted(3)).make({"depth": 4})
    assert type(made) is Slotted
    assert made.depth == 4


def test_what_an_instance_alone_has_is_not_copied():
    blueprint = Blueprint(Counted())
    assert blueprint.make({}).number != blueprint.make({}).number


@pytest.mark.parametrize("name", ["gama", "svc__gama", "scal__copy", "svc__C__x", "", "svc__"])
def test_wrong_names_are_refused_as_scikit_learn_does(name):
    with pytest.raises((ValueError, AttributeError)) as expected:
        clone(PIPELINE).set_params(**{name: 1})
    with pytest.raises(type(expected.value)) as found:
        Blueprint(PIPELINE).make({name: 1})
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(random_state=0),
        make_pipeline(PCA(1), SelectKBest(k=1), SVC()),
        make_pipeline(FeatureUnion([("pca", PCA(1))]), "passthrough", SVC()),
        make_pipeline(ColumnTransformer([("pca", PCA(1), [0, 1])]), SVC()),
    ],
    ids=["alone", "pipeline", "union", "columns"],
)
@pytest.mark.parametrize("reuse", [False, True])
def test_signatures_are_not_read_for_each_candidate(monkeypatch, estimator, reuse):
    reads = Counter()
    original = SVC._get_param_names.__func__

    def counted(cls):
        reads[sys._getframe(2).f_code.co_name] += 1
        return original(cls)

    monkeypatch.setattr(SVC, "_get_param_names", classmethod(counted))
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    name = "C" if isinstance(estimator, SVC) else "svc__C"
    found = []
    for n in (2, 12):
        reads.clear()
        grid = {name: list(np.linspace(1, 2, n))}
        ExhaustiveSearchCV(estimator, grid, cv=2, refit=False, reuse=reuse).fit(X, y)
        found.append(reads["_clone_parametrized"] + reads["set_params"])
    assert found[0] == found[1] > 0
