"""Ranges of parameters that are worth a first search, by the name of the estimator's class.

Where the ranges come from, by the letters beside them:

P  Probst, Boulesteix & Bischl, Tunability: Importance of Hyperparameters of Machine Learning
   Algorithms, JMLR 20, 2019, table 1.
B  Bischl et al., Hyperparameter Optimization: Foundations, Algorithms, Best Practices and Open
   Challenges, WIREs Data Mining and Knowledge Discovery 13, 2023, appendix.
R  van Rijn & Hutter, Hyperparameter Importance Across Datasets, KDD 2018, table 1.
G  Grinsztajn, Oyallon & Varoquaux, Why do Tree-based Models still Outperform Deep Learning on
   Typical Tabular Data?, NeurIPS 2022, appendix.
S  The user guide of scikit-learn, or the library's own guide to its parameters.

Ends are rounded, and narrowed where the library's own default would have lain at an end. A number
of rows or columns that would be needed is a callable of the shape of X.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hpsearch.dimensions import Categorical, Integer, Ordinal, Real


class Shape(NamedTuple):
    """Rows and columns of X."""

    rows: int
    columns: int


Ranges = Mapping[str, Any]  # dimensions, or callables of a Shape that give one, or None for none
UNKNOWN = Shape(1000, 20)  # where X is not given


def _neighbors(shape: Shape) -> Integer:
    return Integer(1, max(3, min(100, shape.rows // 5)), log=True)


def _components(shape: Shape) -> Integer | None:
    most = min(shape.columns, shape.rows // 2)
    return Integer(1, most) if most > 2 else None


FOREST = {  # P, B
    "max_features": Real(0.1, 1.0),
    "min_samples_leaf": Integer(1, 32, log=True),
    "bootstrap": Categorical([True, False]),
}
TREE = {  # P, B
    "max_depth": Integer(1, 30, log=True),
    "min_samples_leaf": Integer(1, 64, log=True),
    "min_samples_split": Integer(2, 128, log=True),
}
BAGGING = {"max_samples": Real(0.2, 1.0), "max_features": Real(0.2, 1.0)}  # S
BOOSTING = {  # B, R
    "learning_rate": Real(0.01, 0.5, log=True),
    "n_estimators": Integer(20, 500, log=True),
    "max_depth": Integer(1, 10),
    "subsample": Real(0.3, 1.0),
    "min_samples_leaf": Integer(1, 32, log=True),
}
HISTOGRAMS = {  # G
    "learning_rate": Real(0.01, 0.5, log=True),
    "max_iter": Integer(20, 500, log=True),
    "max_leaf_nodes": Integer(4, 256, log=True),
    "min_samples_leaf": Integer(2, 100, log=True),
    "l2_regularization": Real(1e-6, 100.0, log=True),
}
SVM = {  # R, B; gamma without "scale", which is in its midst for scaled columns
    "C": Real(0.03, 3e4, log=True),
    "gamma": Real(3e-5, 8.0, log=True),
}
LINEAR_SVM = {"C": Real(1e-4, 1e3, log=True)}  # B
PENALTY = {"alpha": Real(1e-5, 1e3, log=True)}  # B
NEIGHBORS = {  # P, B
    "n_neighbors": _neighbors,
    "weights": Categorical(["uniform", "distance"]),
    "p": Ordinal([1, 1.5, 2]),
}
STEPS = {  # S
    "alpha": Real(1e-7, 0.1, log=True),
    "penalty": Categorical(["l2", "l1", "elasticnet"]),
    "l1_ratio": Real(0.05, 0.95),
}
PERCEPTRON = {  # S, G
    "alpha": Real(1e-6, 1.0, log=True),
    "learning_rate_init": Real(1e-4, 0.1, log=True),
    "hidden_layer_sizes": Categorical([(32,), (100,), (256,), (64, 64), (128, 128)]),
    "activation": Categorical(["relu", "tanh"]),
}
XGBOOST = {  # P, B, G
    "learning_rate": Real(0.01, 0.5, log=True),
    "n_estimators": Integer(20, 1000, log=True),
    "max_depth": Integer(1, 12),
    "min_child_weight": Real(1.0, 64.0, log=True),
    "subsample": Real(0.3, 1.0),
    "colsample_bytree": Real(0.3, 1.0),
    "reg_lambda": Real(1e-3, 100.0, log=True),
    "reg_alpha": Real(1e-5, 10.0, log=True),
}
LIGHTGBM = {  # S, B
    "learning_rate": Real(0.01, 0.5, log=True),
    "n_estimators": Integer(20, 1000, log=True),
    "num_leaves": Integer(4, 256, log=True),
    "min_child_samples": Integer(2, 100, log=True),
    "colsample_bytree": Real(0.3, 1.0),
    "reg_lambda": Real(1e-5, 100.0, log=True),
}
CATBOOST = {  # S
    "learning_rate": Real(0.01, 0.5, log=True),
    "iterations": Integer(50, 1000, log=True),
    "depth": Integer(2, 10),
    "l2_leaf_reg": Real(0.3, 30.0, log=True),
    "random_strength": Real(0.1, 10.0, log=True),
}
RANGES: Mapping[str, Ranges] = {
    **dict.fromkeys(["RandomForestClassifier", "RandomForestRegressor"], FOREST),
    **dict.fromkeys(["ExtraTreesClassifier", "ExtraTreesRegressor"], FOREST),
    **dict.fromkeys(["DecisionTreeClassifier", "DecisionTreeRegressor"], TREE),
    **dict.fromkeys(["ExtraTreeClassifier", "ExtraTreeRegressor"], TREE),
    **dict.fromkeys(["GradientBoostingClassifier", "GradientBoostingRegressor"], BOOSTING),
    "HistGradientBoostingClassifier": HISTOGRAMS,
    "HistGradientBoostingRegressor": HISTOGRAMS,
    "AdaBoostClassifier": {  # R
        "n_estimators": Integer(50, 500, log=True),
        "learning_rate": Real(0.01, 2.0, log=True),
    },
    "AdaBoostRegressor": {  # R
        "n_estimators": Integer(50, 500, log=True),
        "learning_rate": Real(0.01, 2.0, log=True),
    },
    **dict.fromkeys(["BaggingClassifier", "BaggingRegressor"], BAGGING),
    "SVC": SVM,
    "SVR": {**SVM, "epsilon": Real(1e-3, 1.0, log=True)},  # S
    "NuSVC": {"nu": Real(0.02, 0.5), "gamma": SVM["gamma"]},  # S
    "NuSVR": {"nu": Real(0.1, 1.0), **SVM},  # S
    "LinearSVC": LINEAR_SVM,
    "LinearSVR": {**LINEAR_SVM, "epsilon": Real(1e-3, 1.0, log=True)},
    "LogisticRegression": {"C": Real(1e-4, 1e4, log=True)},  # B
    **dict.fromkeys(["Ridge", "RidgeClassifier", "KernelRidge"], PENALTY),
    "Lasso": {"alpha": Real(1e-4, 10.0, log=True)},  # P
    "ElasticNet": {"alpha": Real(1e-4, 10.0, log=True), "l1_ratio": Real(0.05, 0.95)},  # P
    "HuberRegressor": {"alpha": Real(1e-5, 1.0, log=True), "epsilon": Real(1.05, 3.0)},  # S
    **dict.fromkeys(["SGDClassifier", "SGDRegressor"], STEPS),
    **dict.fromkeys(["KNeighborsClassifier", "KNeighborsRegressor"], NEIGHBORS),
    **dict.fromkeys(["MLPClassifier", "MLPRegressor"], PERCEPTRON),
    "GaussianNB": {"var_smoothing": Real(1e-12, 1.0, log=True)},  # S
    "MultinomialNB": {"alpha": Real(1e-3, 10.0, log=True)},  # S
    "BernoulliNB": {"alpha": Real(1e-3, 10.0, log=True)},  # S
    "ComplementNB": {"alpha": Real(1e-3, 10.0, log=True)},  # S
    "QuadraticDiscriminantAnalysis": {"reg_param": Real(0.0, 1.0)},  # S
    "XGBClassifier": XGBOOST,
    "XGBRegressor": XGBOOST,
    "LGBMClassifier": LIGHTGBM,
    "LGBMRegressor": LIGHTGBM,
    "CatBoostClassifier": CATBOOST,
    "CatBoostRegressor": CATBOOST,
    # Steps before a model: S throughout.
    "PCA": {"n_components": _components},
    "TruncatedSVD": {"n_components": _components},
    "SimpleImputer": {"strategy": Categorical(["mean", "median", "most_frequent"])},
    "SelectKBest": {"k": _components},
    "SelectPercentile": {"percentile": Integer(5, 100)},
    "PolynomialFeatures": {"degree": Ordinal([1, 2, 3])},
    "SplineTransformer": {"n_knots": Integer(3, 15)},
    "TfidfVectorizer": {
        "ngram_range": Categorical([(1, 1), (1, 2)]),
        "sublinear_tf": Categorical([False, True]),
        "min_df": Integer(1, 10, log=True),
    },
    "CountVectorizer": {
        "ngram_range": Categorical([(1, 1), (1, 2)]),
        "min_df": Integer(1, 10, log=True),
    },
}
