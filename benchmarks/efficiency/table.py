"""The table of the README, from the stored results.

Regret is normalised as in the black-box challenge of NeurIPS 2020: 0 is the best score that any
method found on the problem, 1 the median of random search's scores. Ranks are those of the mean
regret over seeds, on each problem, among the methods of the table.
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

Results = dict[str, dict[str, dict[str, Any]]]


def load(folder: Path) -> Results:
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def regrets(results: Results, names: list[str]) -> dict[str, np.ndarray]:
    """Return for each method the mean regret over seeds, (problems, ends of the curve).

    NaN where a method has no run.
    """
    found = {}
    best = {
        n: max(r["best"] for m in results.values() for r in m.get(n, {}).values()) for n in names
    }
    median = {n: np.mean([r["median"] for r in results["random"][n].values()]) for n in names}
    for method, stored in results.items():
        curves = np.full((len(names), 10), np.nan)
        for i, n in enumerate(names):
            if stored.get(n):
                scores = np.array([record["curve"] for record in stored[n].values()])
                curves[i] = ((best[n] - scores) / (best[n] - median[n])).mean(axis=0)
        found[method] = curves
    return found


def rows_of(results: Results, purpose: str) -> list[str]:
    """Return the lines of the table for the problems of one purpose, the best method first."""
    names = [p.name for p in problems() if p.purpose == purpose]
    found = {m: r for m, r in regrets(results, names).items() if not np.isnan(r).any()}
    ranks = {
        end: rankdata([r[:, at] for r in found.values()], axis=0).mean(axis=1)
        for end, at in ENDS.items()
    }
    lines = []
    for number, (method, regret) in enumerate(found.items()):
        records = [r for n in names for r in results[method][n].values()]
        cells = [f"{regret[:, at].mean():.3f}" for at in ENDS.values()]
        cells += [f"{ranks[end][number]:.2f}" for end in ENDS]
        cells += [f"{np.median([r['ms'] for r in records]):.1f}", str(len(records) // len(names))]
        lines.append((regret[:, ENDS[50]].mean(), f"| {method} | " + " | ".join(cells) + " |"))
    return [line for _, line in sorted(lines)]


def table(results: Results) -> str:
    """Return the table, in Markdown."""
    parts = []
    for purpose, title in (("final", "held out"), ("tuning", "tuned on")):
        n = sum(p.purpose == purpose for p in problems())
        parts += [
            f"**{n} problems {title}**",
            "",
            "| method | regret at 20 | at 50 | rank at 20 | at 50 | CPU ms a suggestion | seeds |",
            "|---|---|---|---|---|---|---|",
            *rows_of(results, purpose),
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
