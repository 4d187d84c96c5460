"""From install to report: the tour of the guide as one script. `docs/try` runs it.

Cells begin with `# %%`: editors and notebooks that know the convention show it as a notebook.
"""

# %% The data, a model, a space to begin with
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import GPSearchCV, OneStandardError
from hpsearch.plots import ConvergenceDisplay, EffectDisplay, ImportancesDisplay
from hpsearch.spaces import suggest

X, y = load_breast_cancer(return_X_y=True)
X, X_new, y, y_new = train_test_split(X, y, stratify=y, random_state=0)
model = make_pipeline(StandardScaler(), SVC())
space = suggest(model, X)
print(space)

# %% What would be done
search = GPSearchCV(
    model,
    space,
    n_iter=40,
    random_state=0,
    n_jobs=2,
    verbose=1,
    keep="predictions",
    checkpoint="first_search.sqlite",
)
print(search.plan(X, y))

# %% Search; run this again after an interruption, and it goes on
search.fit(X, y)

# %% What was found, and how far it can be trusted
print(search.summary())
print(f"On {len(y_new)} rows that the search never saw: {search.score(X_new, y_new):.4f}")

# %% Pictures
ConvergenceDisplay.from_search(search).figure_.savefig("convergence.png", dpi=100)
EffectDisplay.from_search(search, ["C", "gamma"]).figure_.savefig("effect.png", dpi=100)
ImportancesDisplay.from_search(search).figure_.savefig("importances.png", dpi=100)

# %% Choose again, without a new search
simple = search.select(OneStandardError(simpler=["C"]), X, y)
print(simple.best_params_, f"{simple.score(X_new, y_new):.4f}")

# %% All on one page
search.report("report.html")
print(Path("report.html").resolve())
