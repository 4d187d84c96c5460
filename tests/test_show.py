"""`python -m hpsearch show`: a checkpoint read from outside, while it is written or afterwards."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.svm import SVC

from hpsearch import CheckpointError, ExhaustiveSearchCV, GPSearchCV, SQLiteJournal
from hpsearch.__main__ import main
from hpsearch.show import read, shown

X, Y = load_iris(return_X_y=True)
SPACE = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["rbf", "poly"]}


@pytest.fixture
def finished(tmp_path):
    """A finished search of eight candidates, and its file."""
    path = tmp_path / "run.sqlite"
    search = GPSearchCV(SVC(), SPACE, n_iter=8, cv=3, random_state=0, checkpoint=path)
    return search.fit(X, Y), path


def test_it_tells_what_the_search_knows(finished, capsys):
    """Counts, the best first, each parameter; the numbers are those of `cv_results_`."""
    search, path = finished
    main(["show", str(path)])
    text = capsys.readouterr().out
    assert "GPSearchCV of SVC" in text
    assert "8 of 8 candidates: 8 complete" in text
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:1] == ["number"])
    assert lines[head].split() == ["number", "score", "status", "seconds", "C", "kernel"]
    rows = [line.split() for line in lines[head + 1 :]]
    assert len(rows) == 8
    assert int(rows[0][0]) == search.best_index_
    means = search.cv_results_["mean_test_score"]
    assert [float(row[1]) for row in rows] == pytest.approx(sorted(means)[::-1], abs=1e-4)
    assert "━" in text


def test_a_running_search_is_shown_and_not_disturbed(tmp_path):
    """Another process reads after each candidate; each sees all that was done before."""
    path = tmp_path / "run.sqlite"
    seen = []

    def look(event):
        if event.kind == "closed":
            (stored,) = read(path)
            n_results = sum(len(t.results) for t in stored.trials)
            n_told = sum(len(t.results) for t in event.board.trials)
            seen.append((n_results, n_told))

    def look_from_outside(event):
        if event.kind == "closed" and event.trial.number == 2:
            script = [sys.executable, "-m", "hpsearch", "show", str(path), "--top", "3"]
            outputs.append(subprocess.run(script, capture_output=True, text=True, check=True))

    outputs = []
    watch = [look, look_from_outside]
    grid = {"C": [0.1, 1.0, 10.0, 100.0]}
    search = ExhaustiveSearchCV(SVC(), grid, cv=3, reuse=False, checkpoint=path, watch=watch)
    search.fit(X, Y)
    assert [n for n, _ in seen] == [n for _, n in seen]
    assert "candidates" in outputs[0].stdout
    assert len(read(path)[0].trials) == 4
    assert search.best_score_ > 0.9


def test_reading_changes_nothing(finished):
    """Not a byte of the file, also where the folder cannot be written to."""
    _, path = finished
    before = path.read_bytes()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        text = shown(path)
    finally:
        path.parent.chmod(stat.S_IRWXU)
    assert text == shown(path)
    assert path.read_bytes() == before


def test_several_searches_and_metrics(tmp_path, capsys):
    """Each search of a file has its part; the table goes by the metric that is asked for."""
    path = tmp_path / "run.sqlite"
    journal = SQLiteJournal(path, if_different="add")
    for data in (Y, Y[::-1]):
        ExhaustiveSearchCV(
            SVC(),
            {"C": [0.001, 1.0]},
            cv=3,
            scoring=["accuracy", "f1_macro"],
            refit="accuracy",
            checkpoint=journal,
        ).fit(X, data)
    main(["show", str(path), "--metric", "f1_macro", "--top", "1"])
    text = capsys.readouterr().out
    assert text.startswith(f"{path}: 2 searches")
    assert text.count("f1_macro") >= 2
    with pytest.raises(SystemExit, match="'recall' is not one of the metrics"):
        main(["show", str(path), "--metric", "recall"])


def test_failures_are_shown(tmp_path):
    """A candidate that failed has no score, a status, and the last place."""
    path = tmp_path / "run.sqlite"
    grid = {"C": [1.0, 2.0], "class_weight": [None, {9: 1.0}]}
    search = ExhaustiveSearchCV(SVC(), grid, cv=2, checkpoint=path)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    text = shown(path)
    assert "2 complete" in text
    assert "2 failed" in text
    assert text.splitlines()[-1].split()[1:3] == ["-", "failed"]


def test_what_is_not_a_checkpoint(tmp_path):
    """A sentence, not a traceback; and no file is made."""
    with pytest.raises(SystemExit, match="no such file"):
        main(["show", str(tmp_path / "none.sqlite")])
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(CheckpointError, match="not a checkpoint of hpsearch"):
        read(other)
    text = tmp_path / "notes.txt"
    text.write_text("a text\n" * 200)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read(text)
