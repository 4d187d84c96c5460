"""The table of the README, from the stored results.

Regret is normalised as in the black-box challenge of NeurIPS 2020: 0 is the best score that any
method found on the problem, 1 the median of random search's scores. Ranks are those of the mean
regret over seeds, on each problem, among the methods of the table. A seed counts once it has a
result on every problem of the table, and a method is in the table once it has a seed. One that has
none, but ended some of the problems held out, is compared on those.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from problems import problems
from scipy.stats import rankdata

ENDS = {20: 3, 50: 9}  # evaluations, and their place in a curve
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"

TITLES = {"final": "held out", "tuning": "tuned on"}
NAMES = {"gp-defaults-first": "GPSearchCV (gp, defaults first)"}

Results = dict[str, dict[str, dict[str, Any]]]


def load(folder: Path) -> Results:
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def complete(stored: dict[str, dict[str, Any]], names: list[str]) -> list[str]:
    """Return the seeds that have a result on every problem."""
    seeds = [set(stored.get(name, {})) for name in names]
    return sorted(set.intersection(*seeds), key=int)


def regrets(results: Results, names: list[str]) -> dict[str, np.ndarray]:
    """Return for each method the regret, (problems, seeds, ends of the curve)."""
    best = {
        n: max(r["best"] for m in results.values() for r in m.get(n, {}).values()) for n in names
    }
    median = {n: np.mean([r["median"] for r in results["random"][n].values()]) for n in names}
    found = {}
    for method, stored in results.items():
        seeds = complete(stored, names)
        if seeds:
            curves = np.array([[stored[n][seed]["curve"] for seed in seeds] for n in names])
            top, middle = (np.array([by[n] for n in names])[:, None, None] for by in (best, median))
            found[method] = (top - curves) / (top - middle)
    return found


def rows_of(results: Results, names: list[str]) -> list[str]:
    """Return the lines of the table for these problems, the best method first."""
    found = regrets(results, names)
    means = {method: regret.mean(axis=1) for method, regret in found.items()}
    ranks = {
        end: rankdata([r[:, at] for r in means.values()], axis=0).mean(axis=1)
        for end, at in ENDS.items()
    }
    lines = []
    for number, (method, regret) in enumerate(found.items()):
        seeds = complete(results[method], names)
        cells = [f"{regret[:, :, at].mean():.3f}{error(regret[:, :, at])}" for at in ENDS.values()]
        cells += [f"{ranks[end][number]:.2f}" for end in ENDS]
        ms = np.median([results[method][n][seed]["ms"] for n in names for seed in seeds])
        cells += [f"{ms:.1f}", str(len(seeds))]
        line = f"| {NAMES.get(method, method)} | " + " | ".join(cells) + " |"
        lines.append((regret[:, :, ENDS[50]].mean(), line))
    return [line for _, line in sorted(lines)]


def error(regret: np.ndarray) -> str:
    """Return the standard error of the mean over seeds, the problems being given."""
    n = regret.shape[1]
    if n == 1:
        return ""
    return f" ± {np.sqrt(regret.var(axis=1, ddof=1).sum() / n) / len(regret):.3f}"


def table(results: Results) -> str:
    """Return the tables, in Markdown."""
    of = {"final": [], "tuning": []}
    for problem in problems():
        of[problem.purpose].append(problem.name)
    titled = [(f"{len(names)} problems {TITLES[purpose]}", names) for purpose, names in of.items()]
    for method, stored in results.items():
        ended = [name for name in of["final"] if stored.get(name)]
        if ended and not complete(stored, of["final"]):
            titled.insert(1, (f"The {len(ended)} of them that {method} ended", ended))
    parts = []
    for title, names in titled:
        parts += [
            f"**{title}**",
            "",
            "| method | regret at 20 | at 50 | rank at 20 | at 50 | CPU ms a suggestion | seeds |",
            "|---|---|---|---|---|---|---|",
            *rows_of(results, names),
            "",
        ]
    return "\n".join(parts) + "\n"


def write_table(folder: Path) -> None:
    """Print the table, and put it in its place in the README."""
    text = table(load(folder))
    print(text)
    readme = folder.parent / "README.md"
    if readme.exists():
        before, _, rest = readme.read_text().partition(BEGIN)
        readme.write_text(before + BEGIN + text + END + rest.partition(END)[2])
