"""The guide tells the truth: its code runs, and prints what it says."""

import ast
import contextlib
import io
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import hpsearch
import hpsearch.optimizers
import hpsearch.plots
import hpsearch.spaces

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SLOW = {"guide/trackers.md"}  # need what is not among the test extras
ELSEWHERE = {"estimators.md", "cluster.md"}  # have tests of their own
PAGES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
PAGES = [page for page in PAGES if page not in ELSEWHERE]


def statements(block):
    """Go through the top-level statements of a block, and what each says that it prints."""
    lines = block.splitlines()
    for node in ast.parse(block).body:
        source = lines[node.lineno - 1 : node.end_lineno]
        told = [line.split("# -> ")[1] for line in source if "# -> " in line]
        yield ast.Module([node], []), told


def run(page):
    """Run the blocks of a page in order, in one session."""
    text = (DOCS / page).read_text()
    session = {"__name__": "docs"}
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for code, told in statements(block):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, page, "exec"), session)
            if told:
                assert printed.getvalue().splitlines() == told


@pytest.mark.parametrize("page", [p for p in PAGES if p not in SLOW])
def test_code_of_a_page(page, tmp_path, monkeypatch):
    """In an empty folder, without a warning."""
    mpl = pytest.importorskip("matplotlib")
    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(page)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trackers(tmp_path, monkeypatch):
    """The recipes, against MLflow, TensorBoard and Weights & Biases themselves."""
    pytest.importorskip("mlflow")
    pytest.importorskip("tensorboardX")
    pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    run("guide/trackers.md")
    assert (tmp_path / "mlflow.db").stat().st_size > 0
    assert list((tmp_path / "runs").glob("events.*"))
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))


def test_every_page_is_in_the_navigation():
    """And none that is there is missing."""
    listed = set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert listed - ELSEWHERE == set(PAGES)
    assert all((DOCS / page).exists() for page in listed)


def test_reference_has_every_public_name():
    """No more and no less."""
    listed = re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text(), flags=re.MULTILINE)
    modules = (hpsearch, hpsearch.plots, hpsearch.spaces, hpsearch.optimizers)
    assert sorted(listed) == sorted(f"{m.__name__}.{n}" for m in modules for n in m.__all__)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell")
def test_tour_in_an_empty_environment():
    """One command, from install to report."""
    done = subprocess.run([DOCS / "try"], capture_output=True, text=True, timeout=900, check=True)
    place = Path(done.stdout.splitlines()[-1].removeprefix("Everything is in "))
    made = ["report.html", "convergence.png", "effect.png", "importances.png"]
    assert all((place / name).stat().st_size > 5_000 for name in made)
    shutil.rmtree(place)


@pytest.mark.slow
def test_site_builds(tmp_path):
    """Without a warning: links, pages, and the docstrings of the reference."""
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "OneStandardError" in (tmp_path / "api" / "index.html").read_text()
