"""What is wrong is said before the first fit: which parameter, what was given, what to do."""

import threading

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import (
    Categorical,
    CheckpointError,
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Ordinal,
    Real,
    SampledSearchCV,
    TPESearchCV,
)

X, y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0]}
SPACE = {"C": (0.1, 10.0)}
PIPED = make_pipeline(StandardScaler(), Ridge())
BRANCHES = [{"C": [1.0, 2.0], "gamma": [0.1]}, {"C": [1.0], "kernel": ["linear"]}]
PICKY = r"constraint: it raised KeyError: 'gamma', when given \{'C': 1.0, 'kernel'.*params.get"


class Counting(SVC):
    """Counts its fits."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


class WithoutScore(BaseEstimator):
    def fit(self, X, y=None):
        return self


class RunsItself(ExhaustiveSearchCV):
    """As a subclass of GridSearchCV may."""

    def _run_search(self, evaluate_candidates):
        evaluate_candidates([{"C": 5.0}])


class OnlyDraws:
    def rvs(self, size=None, random_state=None):
        return 1.0


def grid(given=None, estimator=None, **kw):
    return ExhaustiveSearchCV(estimator or Counting(), GRID if given is None else given, **kw)


def sampled(given=None, **kw):
    return SampledSearchCV(Counting(), GRID if given is None else given, **kw)


def gp(given=None, **kw):
    return GPSearchCV(Counting(), SPACE if given is None else given, **kw)


def tpe(given=None, **kw):
    return TPESearchCV(Counting(), SPACE if given is None else given, **kw)


def piped(given, **kw):
    return ExhaustiveSearchCV(make_pipeline(StandardScaler(), Counting()), given, **kw)


CASES = [
    # the space, in all classes
    (grid([]), ValueError, "param_grid"),
    (grid({"C": []}), ValueError, "'C'"),
    (grid({"C": 1}), TypeError, "'C'"),
    (grid({"C": "1"}), TypeError, "'C'"),
    (grid({1: [1]}), TypeError, "names are strings.*1"),
    (grid("C"), ValueError, "'param_grid' parameter"),
    (grid({"c": [1]}), ValueError, r"param_grid\['c'\].*Did you mean 'C'"),
    (grid({"gama": [1]}), ValueError, "Did you mean 'gamma'"),
    (grid([{"C": [1]}, {"degre": [2]}]), ValueError, r"param_grid\[1\]\['degre'\].*'degree'"),
    (piped({"counting__c": [1]}), ValueError, "Did you mean 'counting__C'"),
    (piped({"countin__C": [1]}), ValueError, "Did you mean 'counting__C'"),
    (piped({"C": [1]}), ValueError, "Did you mean 'counting__C'"),
    (
        piped({"counting": [SVC(), LogisticRegression()], "counting__gamma": [1]}),
        ValueError,
        "gamma",
    ),
    (  # it leads through one of two values, and deeper
        piped({"counting": [PIPED, Ridge()], "counting__ridge__alpha": [1]}),
        ValueError,
        r"counting=Ridge\(\), which is tried too, has no parameter 'ridge__alpha'",
    ),
    (  # what the estimator has, and nothing that takes its place
        piped({"standardscaler": ["passthrough"], "standardscaler__with_std": [True]}),
        ValueError,
        "nothing tried as 'standardscaler' has a parameter 'with_std'",
    ),
    (grid({"kernel": ["rbff"]}), ValueError, "'kernel'.*rbff"),
    (grid({"C": [-1.0]}), ValueError, r"'C'.*-1\.0"),
    (grid({"C": [1.0, -1.0]}, error_score="raise"), ValueError, r"'C'.*-1\.0"),
    (grid({"C": [[1], [2]]}), ValueError, "'C'"),
    (grid({"C": Real(1, 2)}), TypeError, r"param_grid\['C'\].*list the values"),
    (sampled([]), ValueError, "param_distributions"),
    (sampled({"C": 1}), TypeError, "'C'"),
    (sampled({"C": []}), ValueError, "'C'"),
    (sampled({"gam": loguniform(1, 2)}), ValueError, "Did you mean 'gamma'"),
    (gp([]), ValueError, "param_distributions|at least one"),
    (gp({"C": (10.0, 1.0)}), ValueError, r"'C'.*low must be less than high"),
    (gp({"C": (1.0, 1.0)}), ValueError, "'C'.*list a single value"),
    (gp({"C": (0.0, 1.0, "log-uniform")}), ValueError, "'C'.*above 0"),
    (gp({"C": (1.0, float("nan"))}), ValueError, "'C'.*finite"),
    (gp({"C": (1.0, float("inf"))}), ValueError, "'C'.*finite"),
    (gp({"C": (1.0, 10.0, "log")}), ValueError, "'C'.*log-uniform"),
    (gp({"C": {1, 2}}), TypeError, "'C'"),
    (gp({"C": {"a": 1}}), TypeError, "'C'"),
    (gp({"C": None}), TypeError, "'C'"),
    (gp({"C": np.ones((2, 2))}), ValueError, r"'C'.*\(2, 2\)"),
    (gp({"C": OnlyDraws()}), TypeError, "'C'.*ppf"),
    (gp({1: [1]}), TypeError, "names are strings"),
    (gp({"C": (-2.0, -1.0)}), ValueError, "'C'"),
    (tpe({"degree": Integer(-3, -1)}), ValueError, "'degree'"),
    (tpe({"c": [1]}), ValueError, r"^param_distributions\['c'\].*Did you mean 'C'"),
    # how many, how long, where
    (sampled(n_iter=0), ValueError, "'n_iter'"),
    (gp(n_iter=-1), ValueError, "'n_iter'"),
    (gp(n_iter=2.5), ValueError, "'n_iter'"),
    (gp(max_time=0), ValueError, "'max_time'"),
    (gp(max_time="1h"), ValueError, "'max_time'"),
    (grid(fit_timeout=-1), ValueError, "'fit_timeout'"),
    (grid(n_jobs="2"), ValueError, "'n_jobs'"),
    (grid(n_jobs=0), ValueError, "n_jobs=0: give how many"),
    (grid(pre_dispatch="many"), ValueError, "pre_dispatch"),
    (grid(verbose=-1), ValueError, "'verbose'"),
    (grid(return_train_score="yes"), ValueError, "'return_train_score'"),
    (gp(random_state="seed"), ValueError, "'random_state'"),
    (grid(checkpoint=5), ValueError, "'checkpoint'"),
    (grid(checkpoint="no/such/folder/run.sqlite"), CheckpointError, "folder that exists"),
    # candidates
    (grid(constraint="C < 1"), ValueError, "'constraint'"),
    (grid(constraint=lambda p: False), ValueError, "constraint"),
    (sampled(constraint=lambda p: False), ValueError, "constraint"),
    (gp(constraint=lambda p: False), ValueError, "constraint"),
    (grid(BRANCHES, constraint=lambda p: p["gamma"] < 1), ValueError, PICKY),
    (sampled(BRANCHES, constraint=lambda p: p["gamma"] < 1), ValueError, PICKY),
    (gp(BRANCHES, constraint=lambda p: p["gamma"] < 1), ValueError, PICKY),
    (tpe(BRANCHES, constraint=lambda p: p["gamma"] < 1), ValueError, PICKY),
    (sampled({"C": uniform(1, 2)}, constraint=lambda p: p.C < 2), ValueError, "constraint.*'C'"),
    (gp(initial_params=[{"C": 100.0}]), ValueError, r"initial_params\[0\].*'C'.*100"),
    (gp(initial_params=[{"c": 1.0}]), ValueError, r"initial_params\[0\]"),
    (gp(initial_params=[5]), TypeError, r"initial_params\[0\]"),
    (gp(optimizer="gp"), ValueError, "'optimizer'"),
    # scores
    (grid(scoring="acuracy"), ValueError, "scoring: 'acuracy'.*Did you mean 'accuracy'"),
    (grid(scoring={"a": "f1_makro"}, refit="a"), ValueError, "Did you mean 'f1_macro'"),
    (grid(scoring=["accuracy", "xyz"], refit=False), ValueError, "scoring: 'xyz'"),
    (grid(scoring=["accuracy", "f1_macro"]), ValueError, "refit"),
    (grid(scoring=["accuracy", "f1_macro"], refit="f1"), ValueError, "refit.*'f1'|'f1'.*"),
    (gp(scoring=["accuracy", "f1_macro"], refit=False), ValueError, "metric="),
    (gp(scoring="accuracy", metric="f1"), ValueError, "metric='f1'"),
    (grid(error_score="rais"), ValueError, "'error_score'"),
    (grid({"x": [1]}, WithoutScore()), TypeError, "score"),
    (
        grid({"fit_intercept": [True]}, LinearRegression(), scoring="roc_auc_ovr"),
        ValueError,
        "needs predict_proba, which LinearRegression",
    ),
    (
        grid({"alpha": [1.0]}, Ridge(), scoring=["r2", "neg_log_loss"], refit="r2"),
        ValueError,
        r"scoring\['neg_log_loss'\].*predict_proba.*Ridge",
    ),
    (grid({"C": [1]}, 5), ValueError, "'estimator'"),
    (grid({"C": [1]}, SVC), TypeError, "instance"),
    (RunsItself(Counting(), GRID), TypeError, "RunsItself has a _run_search.*_candidates"),
    # splits
    (grid(cv=1), ValueError, "n_splits"),
    (grid(cv=1000), ValueError, "n_splits"),
    (grid(cv="five"), ValueError, "'cv'"),
    (grid(cv=GroupKFold(3)), ValueError, "groups"),
]


@pytest.mark.filterwarnings("ignore:passing a class:FutureWarning")  # scikit-learn 1.6 and 1.7
@pytest.mark.parametrize(
    ("search", "error", "words"), CASES, ids=[f"{i}" for i in range(len(CASES))]
)
def test_bad_settings(search, error, words):
    """Each is an error that names what is wrong, and no fit is done."""
    Counting.n_fits = 0
    with pytest.raises(error, match=f"(?s){words}"):
        search.fit(X, y)
    assert Counting.n_fits == 0


def test_a_refit_that_names_no_metric_is_told():
    """scikit-learn takes it in silence, and so it is no error; but it is said."""
    with pytest.warns(UserWarning, match="refit='nope' is not one of the metrics"):
        grid(scoring="accuracy", refit="nope").fit(X, y)


DATA = [
    ((X, y[:-1]), {}, "[Ii]nconsistent.*150.*149|inconsistent"),
    ((X[:0], y[:0]), {}, "0"),
    ((None, y), {}, "X|NoneType"),
    ((X, y), {"sample_weight": np.ones(10)}, "sample_weight.*10.*150"),
    ((X,), {}, "Counting.fit.*'y'.*give targets"),
    ((X, y), {"weights": np.ones(150)}, r"Counting.fit.*'weights'.*fit\(X, y, sample_weight"),
]


def test_a_pipeline_without_targets_is_told():
    """By its last step, unless the candidates have others that need none."""
    Counting.n_fits = 0
    with pytest.raises(ValueError, match=r"Counting.fit.*give targets"):
        piped({"counting__C": [1]}).fit(X)
    assert Counting.n_fits == 0
    assert piped({"counting": [PCA(1)]}).fit(X).best_score_ < 0


@pytest.mark.parametrize("dimension", [Categorical, Ordinal])
@pytest.mark.parametrize("values", ["rbf", 3])
def test_one_value_is_no_list(dimension, values):
    """Letters of a word are not what was meant."""
    with pytest.raises(TypeError, match=f"give a list of values; one alone as .{values!r}"):
        dimension(values)


@pytest.mark.parametrize(("given", "params", "words"), DATA)
def test_bad_data(given, params, words):
    """Rows that do not match are told before the first fit."""
    Counting.n_fits = 0
    with pytest.raises((ValueError, TypeError), match=f"(?s){words}"):
        grid().fit(*given, **params)
    assert Counting.n_fits == 0


class WithLock(SVC):
    """Cannot be sent to another process."""

    def __init__(self, C=1.0, lock=None):
        super().__init__(C=C)
        self.lock = lock


def test_what_cannot_be_sent_to_processes_is_told():
    """The error says what to do."""
    search = grid({"C": [1.0, 2.0]}, WithLock(lock=NotCopied()), n_jobs=2)
    with pytest.raises(TypeError, match="n_jobs=1"):
        search.fit(X, y)


class NotCopied:
    """A parameter that can be copied, as clone does, and not pickled."""

    def __init__(self):
        self.lock = threading.Lock()

    def __deepcopy__(self, memo):
        return self
