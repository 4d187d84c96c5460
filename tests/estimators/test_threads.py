"""Libraries with threads of their own take their share of the cores, and no more."""

from pathlib import Path

import numpy as np
import pytest
from joblib import cpu_count, parallel_config
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, Workers

TASKS = Path("/proc/self/task")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not TASKS.exists(), reason="counts threads in /proc"),
    pytest.mark.skipif(cpu_count() < 2, reason="one core has nothing to share out"),
]
X, Y = make_classification(3000, 20, random_state=0)


def n_threads(estimator, X, y):
    """Score by the threads that the process has after a fit: OpenMP's stay."""
    return float(len(list(TASKS.iterdir())))


def n_torch_threads(estimator, X, y):
    """Score by the threads that torch takes for an operation in this process, or thread."""
    import torch

    return float(torch.get_num_threads())


def make(name, **params):
    library = pytest.importorskip(name)
    if name == "lightgbm":
        return library.LGBMClassifier(n_estimators=20, verbose=-1, **params)
    return library.XGBClassifier(n_estimators=20, **params)


def threads_of(search):
    return search.fit(X, Y).cv_results_["mean_test_score"]


@pytest.mark.parametrize(
    ("name", "params"),
    [("lightgbm", {"n_jobs": -1}), ("lightgbm", {}), ("xgboost", {"n_jobs": -1})],
    ids=["lightgbm, all", "lightgbm, unset", "xgboost, all"],
)
def test_as_many_fits_as_cores_have_a_thread_each(name, params, monkeypatch):
    """Asked for all cores, or for nothing, a model takes as many as one that asks for one."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    options = {"scoring": n_threads, "refit": False, "n_jobs": cpu_count(), "cv": 2}
    fresh = options | {"workers": Workers()}
    grid = {"max_depth": [2, 3]}
    ours = threads_of(ExhaustiveSearchCV(make(name, **params), grid, **fresh))
    one = threads_of(ExhaustiveSearchCV(make(name, n_jobs=1), grid, **fresh))
    np.testing.assert_array_equal(ours, one)
    with parallel_config("loky", inner_max_num_threads=cpu_count()):
        many = threads_of(ExhaustiveSearchCV(make(name, **params), grid, **fresh))
    assert many.min() > one.max()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_torch_has_its_share(backend, monkeypatch):
    """As many fits as cores have a thread each, and a single one has them all."""
    torch = pytest.importorskip("torch")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    all_cores = torch.get_num_threads()
    assert all_cores > 1
    grid = {"max_depth": [2, 3]}
    options = {"scoring": n_torch_threads, "refit": False, "cv": 2}
    with parallel_config(backend):
        for n_jobs, expected in [(1, all_cores), (cpu_count(), 1), (1, all_cores)]:
            search = ExhaustiveSearchCV(DecisionTreeClassifier(), grid, n_jobs=n_jobs, **options)
            assert (threads_of(search) == expected).all()


def test_torch_has_as_many_threads_as_it_is_given(monkeypatch):
    """What the user says of the inner threads counts for more than an even share."""
    pytest.importorskip("torch")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    options = {"scoring": n_torch_threads, "refit": False, "cv": 2, "n_jobs": cpu_count()}
    with parallel_config("loky", inner_max_num_threads=cpu_count()):
        search = ExhaustiveSearchCV(DecisionTreeClassifier(), {"max_depth": [2, 3]}, **options)
        assert (threads_of(search) == cpu_count()).all()


def test_catboost_is_told():
    """It counts the cores by itself; its scores are the same for any number of threads."""
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(
        iterations=20, verbose=0, allow_writing_files=False, random_state=0
    )
    search = ExhaustiveSearchCV(
        model, {"depth": [3, 4]}, cv=2, n_jobs=cpu_count(), keep="estimators", scoring="roc_auc"
    ).fit(X, Y)
    for fitted in search.kept_[search.best_index_].estimators:
        assert fitted.get_params()["thread_count"] == 1
    assert "thread_count" not in search.best_estimator_.get_params()
    plain = GridSearchCV(model, {"depth": [3, 4]}, cv=2, scoring="roc_auc").fit(X, Y)
    name = "mean_test_score"
    np.testing.assert_array_equal(search.cv_results_[name], plain.cv_results_[name])
