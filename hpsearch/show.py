"""A checkpoint file as text: what `python -m hpsearch show run.sqlite` prints.

The file is only read, and SQLite's write-ahead log lets one read while another process writes: a
search that runs is not disturbed, and waits for nothing.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpsearch.brief import short_names, short_score, short_time, short_value
from hpsearch.journal import CheckpointError
from hpsearch.sql_journal import result_of
from hpsearch.sqlite_journal import APPLICATION
from hpsearch.timing import cost_of
from hpsearch.trial import Board, Status, Trial

WIDTH, HEIGHT = 60, 8  # of the curve, in characters


@dataclass(frozen=True)
class Stored:
    """One search of a file. Parameters that JSON cannot hold are told by their `repr`."""

    started: str
    parts: dict[str, str]
    n_wanted: int | None
    trials: list[Trial]

    @property
    def name(self) -> str:
        """The search and its estimator, by their classes."""
        classes = [self.parts.get(k, "?") for k in ("the search", "the estimator's class")]
        return " of ".join(text.partition("#")[0].rpartition(".")[2] for text in classes)

    @property
    def metrics(self) -> list[str]:
        return list(dict.fromkeys(m for t in self.trials for r in t.results for m in r.scores))

    def board(self, metric: str | None) -> Board:
        """The trials as judged by a metric, the first one by default."""
        names = self.metrics
        if metric is not None and metric not in names:
            raise ValueError(f"metric={metric!r} is not one of the metrics {names}.")
        n_splits = max((r.split + 1 for t in self.trials for r in t.results), default=0)
        return Board(metric or next(iter(names), "score"), n_splits, self.trials)


def read(path: str | Path) -> list[Stored]:
    """Read the searches of a checkpoint file, running or finished, without writing to it.

    Parameters
    ----------
    path : path
        A file that `checkpoint=` has made.

    Returns
    -------
    searches : list of Stored
        In the order in which they were begun.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is none of ours.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"{str(path)!r}: there is no such file.")
    try:
        with closing(_opened(Path(path))) as db:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                raise CheckpointError(f"{str(path)!r} is not a checkpoint of hpsearch.")
            db.execute("BEGIN")  # one moment for all tables
            rows = db.execute("SELECT id, started, parts, n_iters FROM search ORDER BY id")
            return [_stored(db, *row) for row in rows.fetchall()]
    except sqlite3.Error as error:
        raise CheckpointError(f"{str(path)!r} cannot be read as a checkpoint: {error}.") from error


def _opened(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri()
    db = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=30, isolation_level=None)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A finished file in a folder where the log's index cannot be made: nobody writes there.
        db.close()
        db = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    except BaseException:
        db.close()
        raise
    return db


def _stored(db: sqlite3.Connection, key: int, started: str, parts: str, n_iters: str) -> Stored:
    sql = "SELECT number, params, status FROM trial WHERE search=? ORDER BY number"
    trials = {n: Trial(n, json.loads(p), Status(s)) for n, p, s in db.execute(sql, (key,))}
    sql = """SELECT trial, split, resource, scores, details, status, error FROM result
        WHERE search=? ORDER BY trial, resource, split"""
    for number, *columns in db.execute(sql, (key,)):
        trials[number].results.append(result_of(*columns))
    wanted = max(json.loads(n_iters), default=None)
    return Stored(started, json.loads(parts), wanted, list(trials.values()))


def shown(path: str | Path, metric: str | None = None, most: int | None = 10) -> str:
    """Return a checkpoint file as text: counts, the curve, and the table of the best candidates.

    Parameters
    ----------
    path : path
        A file that `checkpoint=` has made.
    metric : str or None, default=None
        The score to go by; the first one by default.
    most : int or None, default=10
        Rows of the table; None for all.
    """
    searches = read(path)
    texts = [f"{path}: {len(searches)} search{'es' * (len(searches) != 1)}"]
    texts += [_described(stored, metric, most) for stored in searches]
    return "\n\n".join(texts)


def _described(stored: Stored, metric: str | None, most: int | None) -> str:
    board = stored.board(metric)
    counts = Counter(trial.status for trial in stored.trials)
    wanted = "" if stored.n_wanted is None else f" of {stored.n_wanted}"
    words = {Status.RUNNING: "unfinished"}
    told = ", ".join(f"{n} {words.get(s, s.value)}" for s, n in counts.items())
    lines = [
        f"{stored.name}, begun {stored.started}",
        f"{len(stored.trials)}{wanted} candidates" + (f": {told}" if told else ""),
        f"{short_time(math.fsum(map(cost_of, stored.trials)))} of fits",
    ]
    curve = _curve(board)
    if curve:
        lines += ["", *curve]
    table = _table(board, most)
    return "\n".join([*lines, "", *table] if table else lines)


def _curve(board: Board) -> list[str]:
    """The score of each candidate (·) and the best so far (━), over their numbers."""
    scored = [(t, board.score(t)) for t in board.trials if t.status is Status.COMPLETE]
    known = [(t.number, score) for t, score in scored if not math.isnan(score)]
    if len(known) < 2:
        return []
    scores = sorted(score for _, score in known)
    top, low = scores[-1], scores[len(scores) // 4]  # the worst quarter would flatten the rest
    if top == low:
        return []
    last = max(number for number, _ in known)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def place(number: int, score: float) -> tuple[int, int]:
        row = round((top - score) / (top - low) * (HEIGHT - 1))
        return min(row, HEIGHT - 1), round(number / max(last, 1) * (WIDTH - 1))

    best, column = -math.inf, 0
    for number, score in known:
        row, until = place(number, score)
        grid[row][until] = "·"
        if best > -math.inf:
            for x in range(column, until):
                grid[place(0, best)[0]][x] = "━"
        best, column = max(best, score), until
    grid[place(0, best)[0]][column] = "━"
    ends = {0: short_score(top), HEIGHT - 1: short_score(low)}
    rows = [f"{ends.get(i, ''):>10} │{''.join(row)}".rstrip() for i, row in enumerate(grid)]
    return [*rows, f"{board.metric:>10} └{'─' * WIDTH}", f"{'0':>12}{last:>{WIDTH - 1}}"]


def _table(board: Board, most: int | None) -> list[str]:
    """The best candidates first, then those without a score."""
    ranked = sorted(board.trials, key=lambda t: (-_or_least(board, t), t.number))[:most]
    names = short_names(name for trial in ranked for name in trial.params)
    head = ["number", board.metric, "status", "seconds", *names.values()]
    rows = [
        [
            str(trial.number),
            short_score(board.score(trial)),
            trial.status.value,
            f"{cost_of(trial):.2f}",
            *(_cell(trial.params, name) for name in names),
        ]
        for trial in ranked
    ]
    return _aligned([head, *rows]) if rows else []


def _or_least(board: Board, trial: Trial) -> float:
    score = board.score(trial)
    return score if trial.status is Status.COMPLETE and not math.isnan(score) else -math.inf


def _cell(params: dict[str, Any], name: str) -> str:
    return short_value(params[name]) if name in params else ""


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
