"""Imports go down only, and scikit-learn's private names stay in one file."""

import ast
import re
from pathlib import Path

import pytest

import hpsearch

ROOT = Path(hpsearch.__file__).parent
# A file imports from lower layers alone, never from its own; a package is one row, and its files
# may import one another. A new file joins here, in the lowest layer that its imports allow.
LAYERS = [
    {
        "keywords",
    },
    {
        "_sklearn",
        "ambient",
        "dask_workers",
        "dimensions",
        "honest",
        "interrupts",
        "memory",
        "notes",
        "splits",
        "steps",
        "trial",
        "workers",
    },
    {
        "brief",
        "fingerprint",
        "fit_lines",
        "foreign",
        "keep",
        "prepared",
        "protocols",
        "resources",
        "reuse",
        "rules",
        "scoring",
        "shipping",
        "spaces",
        "window",
    },
    {
        "backlog",
        "budget",
        "callbacks",
        "failures",
        "journal",
        "ray_executor",
        "serial_executor",
        "space",
        "stopping",
        "timing",
    },
    {
        "checks",
        "executors",
        "optimizers",
        "outcome",
        "pruners",
        "sql_journal",
        "start",
        "work",
    },
    {
        "source",
        "telling",
    },
    {
        "books",
        "folds",
        "importance",
        "lanes",
        "rowwise",
        "objective",
        "postgres_journal",
        "sqlite_journal",
    },
    {
        "bench",
        "display",
        "loop",
        "refit",
        "plots",
        "show",
        "summary",
    },
    {
        "evaluation",
        "results",
    },
    {
        "optimum",
        "report",
    },
    {
        "fitted",
        "function_search",
        "planning",
    },
    {
        "assembly",
        "minimize",
        "publishing",
        "running",
    },
    {
        "base",
        "interop",
    },
    {
        "bayesian",
        "nested",
        "classical",
    },
    {
        "__init__",
    },
    {
        "__main__",
    },
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))
OPTIONAL = {
    "matplotlib",
    "optuna",
    "pandas",
    "psycopg",
    "pyspark",
    "ray",
    "tqdm",
}  # extras, imported where they are used
every_file = pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])


def room_of(file):
    """Return the row of the table that a file belongs to."""
    first = file.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(tree):
    """Go through the imports of a file: the module, and the name taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module, alias.name) for alias in node.names)


def own_room(module, name):
    """Return the row that an import of ours is from; None for imports of others."""
    if module != "hpsearch" and not module.startswith("hpsearch."):
        return None
    parts = module.split(".")
    if len(parts) > 1:
        return parts[1]
    return name if name in LAYER_OF else "__init__"


@every_file
def test_imports_go_down(file):
    """No file imports from its own layer or from one above."""
    room = room_of(file)
    assert room in LAYER_OF, "a new file: give it its place in LAYERS"
    for module, name in imports(ast.parse(file.read_text())):
        other = own_room(module, name)
        if other not in (None, room):
            assert LAYER_OF[other] < LAYER_OF[room], f"{room} imports {other}"


@every_file
def test_private_names_of_scikit_learn(file):
    """Only the bridge knows them: a new scikit-learn is answered in one file."""
    if file.name == "_sklearn.py":
        return
    private = [
        f"{module}.{name}"
        for module, name in imports(ast.parse(file.read_text()))
        if module.split(".")[0] == "sklearn"
        and any(part.startswith("_") for part in [*module.split("."), name or ""])
    ]
    assert private == []


@every_file
def test_imports_stand_at_the_top(file):
    """But for the optional extras, which need not be installed."""
    tree = ast.parse(file.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.Lambda))]
    inner = {module.split(".")[0] for function in functions for module, _ in imports(function)}
    assert inner <= OPTIONAL


def test_contributors_are_told_of_every_file():
    """Each once, folders with a slash, and none that is not there."""
    text = (ROOT.parent / "CONTRIBUTING.md").read_text()
    table = text.partition("## Where to find what")[2].partition("\n## ")[0]
    told = re.findall(r"`(\w+/?)`", table.partition("|---|---|")[2])
    packages = {f"{room}/" if (ROOT / room).is_dir() else room for room in map(room_of, FILES)}
    assert sorted(told) == sorted(packages - {"__init__"})


def test_table_has_no_strangers():
    """Every name in the table is a file or a package."""
    rooms = {room_of(file) for file in FILES}
    assert sorted(LAYER_OF.keys() - rooms) == []
