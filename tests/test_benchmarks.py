"""Every benchmark starts, at its smallest, and prints its table to the end."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# The smallest run of each, and how a line near the end of what it prints begins. A new benchmark
# joins here, with options that make it run for seconds.
SMALLEST = {
    "asynchrony/run.py": ("--seeds 1 --workers 2 --problems hartmann3", "| 2 |"),
    "checkpoint.py": ("--candidates 2", "sync_seconds=0 "),
    "cluster.py": ("--seeds 1 --workers 2", "      2     4 random   waves"),
    "efficiency/ablation.py": (
        "gp '_gaussian.SINGLES=(1e-9, 2e-9)' --problems branin-noise --seeds 1",
        "| `_gaussian.SINGLES=",
    ),
    "efficiency/overhead.py": ("--most 20", "| 20 |"),
    "efficiency/run.py": ("random --seeds 1", "| random |"),  # stored: nothing is run again
    "halving.py": ("--seeds 1 --candidates 4 --only 'network, max_iter'", "HalvingRandomSearchCV "),
    "honest.py": ("--repeats 2 --candidates 2", "tibshirani "),
    "overhead.py": ("--candidates 2 --repeats 1", "GaussianNB, DataFrame "),
    "racing.py": ("--seeds 1 --candidates 4 --splits 5 --search random", "all "),
    "reuse.py": (
        "--only 'count +' ccp 'SVC C' --cv 2 --repeats 1 --processes 1 --least-seconds 0",
        "SVC C x gamma ",
    ),
    "scale.py": ("--most 20", "sampled "),
    "shipping.py": ("--megabytes 1 --kinds numpy", "numpy            hpsearch "),
    "svc_breast_cancer.py": ("--n-iter 2 --seeds 1", "TPESearchCV "),
    "throughput.py": ("--candidates 4 --repeats 1", "SampledSearchCV, tree "),
    "utilisation.py": ("--n-jobs 2 --n-iter 3 --seconds 0.01", "      2     1.0"),
}


def scripts():
    for path in sorted(BENCHMARKS.rglob("*.py")):
        if '__name__ == "__main__"' in path.read_text():
            yield path.relative_to(BENCHMARKS).as_posix()


def test_every_benchmark_has_a_smallest_run():
    assert sorted(SMALLEST) == list(scripts())


@pytest.mark.parametrize("script", scripts())
def test_benchmark_prints_its_table(script, tmp_path):
    """In a copy of the folder, since some write down what they find."""
    shutil.copytree(BENCHMARKS, tmp_path / "benchmarks")
    options, row = SMALLEST[script]
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *shlex.split(options)],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(BENCHMARKS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any(line.startswith(row) for line in done.stdout.splitlines()), done.stdout
