"""Pipelines and grids drawn at random: the scores are scikit-learn's."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, SelectPercentile
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.reuse.same import assert_same

X, Y = make_classification(45, 6, n_informative=4, n_classes=3, random_state=0)

STEPS = [
    (StandardScaler(), {"with_mean": [True, False]}),
    (MinMaxScaler(), {"feature_range": [(0, 1), (-1, 1)]}),
    (PolynomialFeatures(2), {"interaction_only": [True, False]}),
    (SelectKBest(k=3), {"k": [1, 2, 3, "all"]}),
    (SelectPercentile(), {"percentile": [20, 50, 100]}),
    (PCA(2, svd_solver="full"), {"n_components": [1, 2, 0.9], "whiten": [True, False]}),
    (PCA(2, svd_solver="covariance_eigh"), {"n_components": [1, 2]}),
    (FeatureUnion([("pca", PCA(1)), ("best", SelectKBest(k=1))]), {"best__k": [1, 2]}),
    (Pipeline([("a", StandardScaler()), ("b", PCA(2))]), {"b__whiten": [True, False]}),
]
SIZES = {"n_estimators": [1, 2, 4]}
LAST = [
    (LogisticRegression(max_iter=20), {"C": [0.1, 1.0]}),
    (GaussianNB(), {"var_smoothing": [1e-9, 0.1]}),
    (SVC(), {"kernel": ["linear", "rbf", "poly"], "gamma": [0.1, 1.0], "degree": [2, 3]}),
    (KNeighborsClassifier(), {"weights": ["uniform", "distance"], "n_neighbors": [1, 4]}),
    (DecisionTreeClassifier(random_state=0), {"ccp_alpha": [0.0, 0.02, 0.1], "max_depth": [1, 4]}),
    (RandomForestClassifier(2, random_state=0), {**SIZES, "ccp_alpha": [0.0, 0.05]}),
    (ExtraTreesClassifier(2, random_state=0, max_features=1), SIZES),
    (GradientBoostingClassifier(n_estimators=2, random_state=0, subsample=0.7), SIZES),
    (HistGradientBoostingClassifier(random_state=0, min_samples_leaf=2), {"max_iter": [1, 2, 3]}),
    (BaggingClassifier(random_state=0), {**SIZES, "max_features": [0.5, 1.0]}),
    (AdaBoostClassifier(random_state=0), SIZES),
]


@st.composite
def searches(draw):
    """A pipeline of up to three steps, and a grid over some of its parameters."""
    chosen = [*draw(st.lists(st.sampled_from(STEPS), max_size=3)), draw(st.sampled_from(LAST))]
    grid = {}
    for number, (_, values) in enumerate(chosen):
        for name in draw(st.lists(st.sampled_from(sorted(values)), unique=True, max_size=2)):
            picked = draw(st.lists(st.sampled_from(values[name]), min_size=1, max_size=3))
            grid[f"s{number}__{name}"] = picked
    steps = [(f"s{number}", step) for number, (step, _) in enumerate(chosen)]
    if draw(st.booleans()):
        grid["s0"] = [steps[0][1], "passthrough"] if len(steps) > 1 else [steps[0][1]]
        grid = {k: v for k, v in grid.items() if not k.startswith("s0__")}
    return Pipeline(steps), grid


@settings(derandomize=True, deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(search=searches(), trains=st.booleans())
def test_any_search(search, trains):
    """Whatever is shared, no score differs in a bit, on test rows or training rows."""
    pipeline, grid = search
    assert_same(pipeline, grid, X, Y, cv=2, return_train_score=trains, error_score=np.nan)
