"""A search as one HTML page that needs nothing else: no network, no files beside it."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hpsearch.brief import short_names, short_score, short_value
from hpsearch.dimensions import is_number
from hpsearch.failures import grouped
from hpsearch.importance import MIN_CANDIDATES, importances
from hpsearch.outcome import Outcome
from hpsearch.plots.convergence import ConvergenceDisplay
from hpsearch.plots.effect import EffectDisplay
from hpsearch.plots.folds import FoldsDisplay
from hpsearch.plots.importances import ImportancesDisplay
from hpsearch.plots.parallel import ParallelCoordinatesDisplay
from hpsearch.plots.timeline import TimelineDisplay, spans_of
from hpsearch.summary import Summary
from hpsearch.timing import cost_of
from hpsearch.trial import Trial

MAX_EFFECTS = 4  # parameters whose effects are drawn, the most important ones
DOTS = 110  # per inch

STYLE = """
:root { --line: #d5d8dc; --pale: #6b7280; --fill: #f5f6f8; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; color: #111;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
ul.summary { padding-left: 1.2rem; }
ul.summary li { margin: .2rem 0; overflow-wrap: anywhere; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; } figcaption { color: var(--pale); font-size: .85rem; }
img { max-width: 100%; height: auto; display: block; }
.scroll { overflow-x: auto; max-height: 32rem; overflow-y: auto; border: 1px solid var(--line); }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--fill); }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid #2563eb; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
tr.best td { font-weight: 600; background: #fdf3d8; }
tr.bad td { color: #8c2d04; }
input { font: inherit; padding: .3rem .5rem; width: min(100%, 24rem); margin: 0 0 .5rem; }
pre { overflow-x: auto; background: var(--fill); padding: .6rem; font-size: .8rem; }
footer { color: var(--pale); font-size: .8rem; margin-top: 2rem; }
"""

SCRIPT = """
"use strict";
const table = document.querySelector("table.trials"), body = table.tBodies[0];
const key = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
function compare(a, b) {
  const x = parseFloat(a), y = parseFloat(b);
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (Number.isNaN(x) !== Number.isNaN(y) && (a === "" || b === "")) return 0;
  return a.localeCompare(b);
}
table.tHead.addEventListener("click", event => {
  const head = event.target.closest("th");
  if (!head) return;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows], i = head.cellIndex;
  rows.sort((r, s) => {
    const a = key(r, i), b = key(s, i);
    if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
    return down ? compare(b, a) : compare(a, b);
  });
  body.append(...rows);
});
document.querySelector("input.filter").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.rows) {
    const text = row.dataset.t;
    row.hidden = !words.every(word => text.includes(word));
    shown += !row.hidden;
  }
  document.querySelector(".shown").textContent = shown;
});
"""


def page_of(outcome: Outcome, summary: Summary) -> str:
    """Return the page of a search.

    Parameters
    ----------
    outcome : Outcome
        What the search found.
    summary : Summary
        Its summary.
    """
    title = html.escape(outcome.name)
    parts = [
        f"<h1>{title}</h1>",
        summary_of(summary),
        *_section("Pictures", _pictures(outcome)),
        *_section("Candidates", _table(outcome)),
        *_section("Failures", _failures(outcome)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + f"\n<footer>Made by hpsearch.</footer>\n<script>{SCRIPT}</script>\n</body></html>\n"
    )


def summary_of(summary: Summary) -> str:
    """Return the lines of a summary as a list in HTML."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in summary.lines)
    return f'<ul class="summary">{items}</ul>'


def _section(title: str, content: str) -> list[str]:
    return [f"<h2>{title}</h2>", content] if content else []


def _pictures(outcome: Outcome) -> str:
    """The plots that can be drawn of this search, as images inside the page."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an optional extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - likewise
    except ImportError:
        return "<p>Pictures need matplotlib: <code>pip install 'hpsearch[plots]'</code>.</p>"

    def figure(caption: str, size: tuple[float, float], draw: Callable[[Any], Any]) -> str:
        drawn, file = Figure(figsize=size, layout="constrained"), io.BytesIO()
        draw(drawn.subplots())
        drawn.savefig(file, dpi=DOTS, format="png")
        data = base64.b64encode(file.getvalue()).decode()
        text = html.escape(caption)
        return (
            f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
            f"<figcaption>{text}</figcaption></figure>"
        )

    with mpl.rc_context(mpl.rcParamsDefault):
        figures = [figure(*plan) for plan in _planned(outcome)]
    return f'<div class="plots">{"".join(figures)}</div>' if figures else ""


def _planned(
    outcome: Outcome,
) -> Iterable[tuple[str, tuple[float, float], Callable[[Any], Any]]]:
    """Captions, sizes in inches, and what draws."""
    if not outcome.complete:
        return
    name = f"mean {outcome.metric}"
    yield f"Convergence of the {name}", (6.4, 4), lambda ax: ConvergenceDisplay(outcome).plot(ax=ax)
    summary = importances_of(outcome)
    if summary is not None:
        n_bars = min(len(summary.alone), 12) + 3
        size = (6.4, 0.9 + 0.32 * n_bars)
        yield "What matters", size, lambda ax: ImportancesDisplay(summary).plot(ax=ax)
        ranked = sorted(summary.alone, key=lambda n: -summary.alone[n][0])
        for param in [n for n in ranked if _can_be_moved(outcome, n)][:MAX_EFFECTS]:
            caption = f"Effect of {param}"
            display = EffectDisplay(outcome, (param,))
            yield caption, (6.4, 4), partial(_draw, display)
    yield "All candidates", (8, 4.2), lambda ax: ParallelCoordinatesDisplay(outcome).plot(ax=ax)
    yield "The best, split by split", (7, 4.2), lambda ax: FoldsDisplay(outcome).plot(ax=ax)
    if spans_of(outcome):
        yield "Who ran when", (6.4, 3), lambda ax: TimelineDisplay(outcome).plot(ax=ax)


def _draw(display: EffectDisplay, ax: Any) -> None:
    display.plot(ax=ax)


def importances_of(outcome: Outcome) -> Any:
    """The importances of an outcome, None if there is too little to say."""
    if len(outcome.complete) < MIN_CANDIDATES:
        return None
    params = [trial.params for trial in outcome.complete]
    return importances(outcome.space, params, outcome.means)


def _can_be_moved(outcome: Outcome, name: str) -> bool:
    branches = outcome.space.branches
    return any(name in b and b[name].levels != 1 for b in branches)


def _table(outcome: Outcome) -> str:
    board, metrics = outcome.board, _metrics(outcome)
    names = short_names(name for trial in outcome.trials for name in trial.params)
    heads = ["number", "status", *metrics, "seconds", *names.values()]
    head = "".join(f"<th><button>{html.escape(h)}</button></th>" for h in heads)
    best = outcome.complete[outcome.best].number if outcome.best is not None else None
    rows = []
    for trial in outcome.trials:
        scores = [_mean(trial, metric, board.n_splits) for metric in metrics]
        cells = [
            _cell(trial.number, str(trial.number)),
            _cell(trial.status.value, trial.status.value),
        ]
        cells += [_cell(s if math.isfinite(s) else "", short_score(s)) for s in scores]
        cells += [_cell(cost_of(trial), f"{cost_of(trial):.3g}")]
        cells += [
            _cell(_sortable(trial.params[n]), short_value(trial.params[n]))
            if n in trial.params
            else _cell("", "")
            for n in names
        ]
        kind = "best" if trial.number == best else "bad" if trial.status.is_failure else ""
        told = [f"{names[n]}={short_value(v)}" for n, v in trial.params.items()]
        text = html.escape(" ".join([trial.status.value, *told]).lower(), quote=True)
        rows.append(f'<tr class="{kind}" data-t="{text}">{"".join(cells)}</tr>')
    n = len(rows)
    return (
        '<input class="filter" type="search" aria-label="Filter candidates" '
        'placeholder="filter: complete C=10 kernel=rbf">'
        f'<div><span class="shown">{n}</span> of {n} candidates; a click on a head sorts</div>'
        f'<div class="scroll"><table class="trials"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _metrics(outcome: Outcome) -> list[str]:
    found = [m for t in outcome.trials for r in t.results for m in r.scores]
    return list(dict.fromkeys([outcome.metric, *found]))


def _mean(trial: Trial, metric: str, n_splits: int) -> float:
    """Over all splits with the full resource; NaN for what did not come so far."""
    scores = [r.scores.get(metric, math.nan) for r in trial.results if r.resource == 1.0]
    whole = len(scores) == n_splits and all(map(math.isfinite, scores))
    return math.fsum(scores) / n_splits if whole else math.nan


def _sortable(value: Any) -> Any:
    return value if is_number(value) else short_value(value)


def _cell(value: Any, shown: str) -> str:
    return f'<td data-v="{html.escape(str(value), quote=True)}">{html.escape(shown)}</td>'


def _failures(outcome: Outcome) -> str:
    """Each group of failures with one traceback."""
    parts = []
    by_number = {trial.number: trial for trial in outcome.trials}
    for group in grouped(outcome.trials):
        error = by_number[group.trials[0]].error or ""
        numbers = ", ".join(map(str, group.trials[:20])) + (", …" if len(group.trials) > 20 else "")
        parts.append(
            f"<details><summary>{html.escape(str(group))}</summary>"
            f"<p>Candidates {numbers}</p><pre>{html.escape(error)}</pre></details>"
        )
    return "".join(parts)
