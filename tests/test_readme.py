"""The README tells the truth: its code runs, prints what it says, and its commands exist."""

import ast
import contextlib
import io
import re
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from hpsearch import ExhaustiveSearchCV, GPSearchCV, minimize

X, Y = load_iris(return_X_y=True)
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def statements(block):
    """Go through the top-level statements of a block, and what each says that it prints."""
    lines = block.splitlines()
    for node in ast.parse(block).body:
        source = lines[node.lineno - 1 : node.end_lineno]
        told = [line.split("# -> ")[1] for line in source if "# -> " in line]
        yield ast.Module([node], []), told


def test_code_prints_what_it_says(tmp_path, monkeypatch):
    """The blocks run in order, in one session, in an empty folder, without a warning."""
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    session = {"__name__": "readme"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in BLOCKS:
            for code, told in statements(block):
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(compile(code, "README.md", "exec"), session)
                assert printed.getvalue().splitlines() == told


def test_blocks_were_found():
    """The tour has a block a chapter."""
    assert len(BLOCKS) > 10


@pytest.fixture(scope="module")
def recipes():
    """What the blocks of CONTRIBUTING.md define."""
    session = {"__name__": "recipes"}
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "CONTRIBUTING.md", "exec"), session)
    return session


def test_the_optimizer_for_contributors(recipes):
    """It finds what it steps towards."""
    found = minimize(
        lambda p: abs(p["x"] - 0.9),
        {"x": (0.0, 1.0), "n": [1, 2, 3]},
        optimizer=recipes["NearTheBest"],
        n_iter=40,
        random_state=0,
    )
    assert found.best_value < 0.05


def test_the_dimension_for_contributors(recipes):
    """Every search takes it, whatever value the estimator has of its own: None here."""
    powers, tree = recipes["PowerOfTwo"](4), DecisionTreeClassifier(random_state=0)
    grid = ExhaustiveSearchCV(tree, {"max_depth": powers}, cv=2).fit(X, Y)
    assert [p["max_depth"] for p in grid.cv_results_["params"]] == [1, 2, 4, 8, 16]
    assert "5 candidates" in str(grid.summary())
    space = {"max_depth": powers, "ccp_alpha": (0.0, 0.1)}
    search = GPSearchCV(tree, space, n_iter=12, cv=2, random_state=0).fit(X, Y)
    assert {t.params["max_depth"] for t in search.trials_} <= {1, 2, 4, 8, 16}
    with pytest.raises(ValueError, match="3 is not a power of two up to 16"):
        powers.encode(3)


def test_the_pruner_for_contributors(recipes):
    """It saves fits, and the winner is the one of all fits."""
    grid = {"max_depth": [4, 1, 2, 3], "min_samples_leaf": [1, 40]}
    tree = DecisionTreeClassifier(random_state=0)
    whole = ExhaustiveSearchCV(tree, grid, cv=6).fit(X, Y)
    search = ExhaustiveSearchCV(tree, grid, cv=6, pruner=recipes["AboveMedian"](), reuse=False)
    search.fit(X, Y)
    assert search.best_params_ == whole.best_params_
    assert {len(trial.results) for trial in search.trials_} == {2, 6}


class Committee(ClassifierMixin, BaseEstimator):
    """Trees that vote."""

    n_fits = 0

    def __init__(self, n_members=3):
        self.n_members = n_members

    def fit(self, X, y):
        Committee.n_fits += 1
        self.classes_ = np.unique(y)
        trees = [DecisionTreeClassifier(max_depth=1, max_features=1, random_state=i)
                 for i in range(self.n_members)]  # fmt: skip
        self.members_ = [tree.fit(X, y) for tree in trees]
        return self

    def predict(self, X):
        votes = np.mean([member.predict_proba(X) for member in self.members_], axis=0)
        return self.classes_[votes.argmax(axis=1)]


def test_the_family_for_contributors(recipes, monkeypatch):
    """One fit a split and the refit, and the scores of a fit for each value."""
    library = types.ModuleType("mylibrary")
    library.Committee = Committee
    monkeypatch.setitem(sys.modules, "mylibrary", library)
    grid = {"n_members": [1, 2, 5, 9]}
    apart = ExhaustiveSearchCV(Committee(), grid, cv=3, reuse=False).fit(X, Y)
    Committee.n_fits = 0
    shared = ExhaustiveSearchCV(Committee(), grid, cv=3, reuse=[recipes["Rounds"]()]).fit(X, Y)
    assert Committee.n_fits == 3 + 1
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(shared.cv_results_[key], apart.cv_results_[key])


def test_commands_name_what_is_there():
    """Both commands install an extra that exists, and run what exists."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    commands = re.findall(r"^ {4}(python3 -m venv .*)$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    assert all(extra in extras for extra in re.findall(r"\.\[(\w+)\]", README))
    assert (ROOT / "scripts" / "check").stat().st_mode & 0o111
    assert (ROOT / "hpsearch" / "__main__.py").exists()


def test_ci_runs_the_command_of_the_readme():
    """What CI runs and what the README tells to run cannot part ways."""
    command = re.findall(r"pip install -q (-e '\.\[test\]') && (scripts/check)", README)
    script = (ROOT / ".ci" / "run").read_text()
    assert len(command) == 1
    assert all(part in script for part in command[0])


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links(link):
    """Every file that is linked to is there."""
    assert (ROOT / link).exists()


def test_main_compares_the_searches(capsys):
    """`python -m hpsearch` prints a row a search: scores, fits, seconds, the best parameters."""
    from hpsearch.__main__ import main

    main(["--budget", "4", "--n-jobs", "1", "--tpe"])
    lines = capsys.readouterr().out.splitlines()[-4:]
    names = ["ExhaustiveSearchCV", "SampledSearchCV", "GPSearchCV", "TPESearchCV"]
    assert [line.split()[0] for line in lines] == names
    assert all(line.split()[3] == "20" and "svc__C=" in line for line in lines)
    assert all(0.5 < float(line.split()[i]) <= 1 for line in lines for i in (1, 2))
