"""The README tells the truth: its code runs, prints what it says, and its commands exist."""

import ast
import contextlib
import io
import re
import warnings
from pathlib import Path

import pytest

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


def test_examples_for_contributors():
    """The optimizer and the dimension of CONTRIBUTING.md work as they are told to."""
    from hpsearch.optimizers import RandomOptimizer

    session = {}
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "CONTRIBUTING.md", "exec"), session)
    optimizer = session["NearTheBest"]({"x": (0.0, 1.0), "n": [1, 2, 3]}, random_state=0)
    best = -1.0
    for _ in range(40):
        params = optimizer.ask()
        best = max(best, -abs(params["x"] - 0.9))
        optimizer.tell(params, -abs(params["x"] - 0.9))
    assert best > -0.05
    powers = RandomOptimizer({"p": session["PowerOfTwo"](4)}, random_state=0)
    assert sorted(params["p"] for params in powers) == [1, 2, 4, 8, 16]


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
