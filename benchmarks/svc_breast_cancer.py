"""Thirty evaluations of a support vector machine: ``python benchmarks/svc_breast_cancer.py``.

Breast cancer, C and gamma on logarithmic ranges, the same splits for all, ten seeds. Prints the
best cross-validated accuracy of each search and seed, and the means.
"""

import argparse
import platform

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import GPSearchCV, Real, SampledSearchCV, TPESearchCV

SPACE = {"svc__C": Real(1e-3, 1e4, log=True), "svc__gamma": Real(1e-6, 1e1, log=True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-iter", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, joblib {joblib.__version__}; "
        f"{options.n_iter} candidates, 5 splits, {options.seeds} seeds"
    )
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), SVC())
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    given = {"n_iter": options.n_iter, "n_jobs": options.n_jobs, "cv": cv, "refit": False}
    for cls in (SampledSearchCV, GPSearchCV, TPESearchCV):
        best = [
            cls(model, SPACE, random_state=seed, **given).fit(X, y).best_score_
            for seed in range(options.seeds)
        ]
        told = " ".join(f"{score:.4f}" for score in best)
        print(f"{cls.__name__:16} mean {np.mean(best):.5f}  by seed {told}", flush=True)


if __name__ == "__main__":
    main()
