"""`suggest`: what it gives can be fitted, for whatever it knows, and holds the defaults."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from hpsearch import GPSearchCV, SampledSearchCV
from hpsearch.space import Space
from hpsearch.spaces import suggest
from hpsearch.spaces.ranges import RANGES

X, Y = load_iris(return_X_y=True)
SKLEARN = {name: cls for name, cls in all_estimators() if name in RANGES}
MODELS = {n: c for n, c in SKLEARN.items() if hasattr(c, "predict")}
SLOW = {"MLPClassifier", "MLPRegressor"}  # of many epochs on small data


def boosters():
    """Those that are installed."""
    found = []
    for module, names in {
        "xgboost": ["XGBClassifier", "XGBRegressor"],
        "lightgbm": ["LGBMClassifier", "LGBMRegressor"],
        "catboost": ["CatBoostClassifier", "CatBoostRegressor"],
    }.items():
        try:
            package = __import__(module)
        except ImportError:
            continue
        found += [getattr(package, name) for name in names]
    return found


def test_every_name_is_that_of_an_estimator():
    """No typo in the table: scikit-learn's class, or one of the three boosting libraries."""
    others = {f"{p}{k}" for p in ("XGB", "LGBM", "CatBoost") for k in ("Classifier", "Regressor")}
    assert set(RANGES) - set(SKLEARN) == others


@pytest.mark.parametrize("name", SKLEARN)
def test_parameters_exist_and_are_accepted(name):
    """Both ends and the middle of each range pass the estimator's own validation."""
    estimator = SKLEARN[name]()
    for param, dimension in suggest(estimator, X).items():
        for unit in (0.0, 0.5, 1.0):
            estimator.set_params(**{param: dimension.decode(unit)})
        estimator._validate_params()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(MODELS) - SLOW))
def test_a_first_search_goes_through(name):
    """Three candidates at random are fitted and scored."""
    data = load_iris if "Regress" not in name and name not in MODELS_OF_NUMBERS else load_diabetes
    X, y = data(return_X_y=True)
    X, y = np.abs(X[::4]), y[::4]
    model = MODELS[name]()
    few = {
        k: 5 for k in ("n_estimators", "max_iter") if k in model.get_params() and "Boost" in name
    }
    few |= {"n_estimators": 5} if "n_estimators" in model.get_params() else {}
    model.set_params(**few)
    space = {k: d for k, d in suggest(model, X).items() if k not in few}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence
        search = SampledSearchCV(model, space, n_iter=3, cv=2, random_state=0)
        search.fit(X, y)
    assert {t.status.value for t in search.trials_} <= {"complete"}


MODELS_OF_NUMBERS = {"SVR", "NuSVR", "LinearSVR", "Ridge", "KernelRidge", "Lasso", "ElasticNet"}


@pytest.mark.slow
@pytest.mark.parametrize("cls", boosters(), ids=lambda c: c.__name__)
def test_boosters(cls):
    """The three boosting libraries take what is suggested for them."""
    small = {
        "XGB": {"verbosity": 0, "n_jobs": 1, "n_estimators": 5},
        "LGB": {"verbose": -1, "n_jobs": 1, "n_estimators": 5},
        "Cat": {"verbose": 0, "thread_count": 1, "iterations": 5},
    }
    model = cls(**small[cls.__name__[:3]])
    y = Y if "Classifier" in cls.__name__ else X[:, 0]
    space = {k: d for k, d in suggest(model).items() if k not in ("n_estimators", "iterations")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = SampledSearchCV(model, space, n_iter=3, cv=2, random_state=0).fit(X, y)
    assert {t.status.value for t in search.trials_} == {"complete"}


def test_inside_pipelines():
    """Each part under its own name; what is unknown or switched off is left alone."""
    columns = make_column_transformer((make_pipeline(SimpleImputer(), PCA()), [0, 1, 2, 3]))
    pipe = make_pipeline(columns, FunctionTransformer(), StandardScaler(), SVC(kernel="linear"))
    space = suggest(pipe, X)
    assert sorted(space) == ["columntransformer__pipeline__simpleimputer__strategy", "svc__C"]
    assert set(suggest(make_pipeline(PCA(), SVC()), X)) == {
        "pca__n_components",
        "svc__C",
        "svc__gamma",
    }
    bag = BaggingClassifier(DecisionTreeClassifier())
    assert {"max_samples", "estimator__max_depth"} <= set(suggest(bag))


def test_a_good_first_search():
    """`GPSearchCV(pipe, suggest(pipe))` begins at the defaults and does not end below them."""
    pipe = make_pipeline(StandardScaler(), SVC())
    search = GPSearchCV(pipe, suggest(pipe), n_iter=12, random_state=0).fit(X, Y)
    assert search.trials_[0].params["svc__C"] == 1.0
    assert search.best_score_ >= search.cv_results_["mean_test_score"][0]
    assert search.best_score_ > 0.95


def test_what_is_not_known():
    """An error that lists what is."""
    with pytest.raises(ValueError, match=r"Nothing is known of StandardScaler; .*SVC"):
        suggest(StandardScaler())


def test_size_of_the_data():
    """No more neighbours than a fold has rows, no more components than columns."""
    from sklearn.neighbors import KNeighborsClassifier

    assert suggest(KNeighborsClassifier(), X[:30])["n_neighbors"].high <= 6
    assert suggest(make_pipeline(PCA(), SVC()), X)["pca__n_components"].high == 4
    assert "pca__n_components" not in suggest(make_pipeline(PCA(), SVC()))
    Space.of(suggest(make_pipeline(PCA(), SVC()), X))


def test_what_fills_categories_stays():
    """No mean of texts is suggested, and texts as data have no columns to count."""
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), DecisionTreeClassifier())
    assert not any("strategy" in name for name in suggest(words))
    texts = make_pipeline(TfidfVectorizer(), SVC())
    assert suggest(texts, ["a text", "another one"]).keys() == suggest(texts).keys()
