"""The blocks of docs/estimators.md, each in a process of its own, on real installs."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "estimators.md"
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
BLOCKS = [
    (title, number, block)
    for title, text in SECTION.findall(PAGE.read_text())
    for number, block in enumerate(BLOCK.findall(text))
]
PACKAGES = {  # by what is imported
    *("lightgbm", "xgboost", "catboost", "torch", "skorch", "keras", "scikeras", "tensorflow"),
    "pytensor",
}


@pytest.mark.parametrize(
    "block", [b for *_, b in BLOCKS], ids=[f"{title}-{number}" for title, number, _ in BLOCKS]
)
def test_block_prints_what_it_says(block, tmp_path):
    """It runs to its end without an error, and prints what stands behind its arrows."""
    wanted = set(IMPORT.findall(block)) & PACKAGES
    for package in wanted:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    file = tmp_path / "example.py"
    file.write_text(block)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, file.name],
        cwd=tmp_path,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Keras draws bars, with control characters, when it predicts.
    told = [line for line in done.stdout.splitlines() if line.isprintable() and line]
    assert told == re.findall(r"# -> (.*)", block)


def test_every_system_has_a_block():
    """The page has an example of each package."""
    imported = {name for *_, b in BLOCKS for name in IMPORT.findall(b)}
    assert imported >= PACKAGES
