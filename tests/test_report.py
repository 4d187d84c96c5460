"""The report: whole in itself, true, and usable in a browser."""

import html
import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, HalvingPruner, Real

X, Y = load_iris(return_X_y=True)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


@pytest.fixture(scope="module")
def search():
    """With failures, several metrics, and a text that could break the page."""
    space = {
        "C": Real(0.01, 100, log=True),
        "kernel": ["rbf", "poly"],
        "class_weight": [None, {"<script>alert('x')</script>": 1.0}],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GPSearchCV(
            SVC(),
            space,
            n_iter=20,
            random_state=0,
            cv=3,
            scoring=["accuracy", "f1_macro"],
            refit="accuracy",
        ).fit(X, Y)


@pytest.fixture(scope="module")
def page(search, tmp_path_factory):
    pytest.importorskip("matplotlib")
    path = tmp_path_factory.mktemp("report") / "report.html"
    search.report(path)
    return path


def test_page_is_whole_in_itself(page):
    """No address of anything outside, of any kind."""
    text = page.read_text()
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?!data:)[^\"'>\s]+", text)
    assert not re.findall(r"https?://|@import|url\(", text)
    assert len(re.findall(r"data:image/png;base64,", text)) >= 6


def test_page_tells_what_the_search_found(page, search):
    """The lines of the summary, a row a candidate with its scores, a traceback a failure."""
    text = page.read_text()
    for line in search.summary().lines:
        assert html.escape(line) in text
    rows = re.findall(r"<tr class=\"(\w*)\" data-t", text)
    assert len(rows) == 20
    assert rows.count("best") == 1
    failed = sum(t.status.is_failure for t in search.trials_)
    assert rows.count("bad") == failed > 0
    assert f"{search.best_score_:.4g}" in text
    assert text.count("Traceback (most recent call last)") == len(search.summary().failures)
    assert "<script>alert" not in text


def test_without_matplotlib_the_rest_is_there(search, tmp_path, monkeypatch):
    """The page says what is missing."""
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    search.report(tmp_path / "plain.html")
    text = (tmp_path / "plain.html").read_text()
    assert "Pictures need matplotlib" in text
    assert 'table class="trials"' in text


def test_scores_of_halving_are_those_of_all_rows(tmp_path):
    """The rung that all came to has scores too: they are no one's mean score."""
    search = ExhaustiveSearchCV(SVC(), {"C": list(range(1, 10))}, cv=3, pruner=HalvingPruner())
    search.fit(X, Y).report(tmp_path / "report.html")
    rows = re.findall(r"<tr class=.*?</tr>", (tmp_path / "report.html").read_text())
    shown = [re.findall(r"<td[^>]*>(.*?)</td>", row)[2] for row in rows]
    means = search.cv_results_["mean_test_score"]
    assert np.isfinite(means).any()
    assert shown == ["-" if np.isnan(mean) else f"{mean:.4g}" for mean in means]


def test_report_of_little(tmp_path):
    """Two candidates, or none that is complete: a page all the same."""
    few = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1]}, cv=2).fit(X, Y)
    few.report(tmp_path / "few.html")
    none = ExhaustiveSearchCV(SVC(), {"class_weight": [{9: 1.0}]}, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="fits failed"):
            none.fit(X, Y)
    none.report(tmp_path / "none.html")
    assert "No candidate has a score" in (tmp_path / "none.html").read_text()


def test_a_notebook_shows_the_summary(search):
    """Before scikit-learn's diagram, once it is fitted; other forms are as they were."""
    bundle = search._repr_mimebundle_()
    assert html.escape(search.summary().lines[1]) in bundle["text/html"]
    assert "sk-top-container" in bundle["text/html"]
    unfitted = clone(search)._repr_mimebundle_()
    assert "<ul" not in unfitted["text/html"].partition("sk-top-container")[0]
    assert bundle["text/plain"] == repr(search)


PROBE = """<!DOCTYPE html><body><iframe id="f" style="width:400px;height:900px;border:0"></iframe>
<pre id="out"></pre><script>
const page = %s;
const frame = document.getElementById("f"), out = [];
frame.addEventListener("load", () => {
  const d = frame.contentDocument, table = d.querySelector("table.trials");
  const column = i => [...table.tBodies[0].rows].map(r => r.cells[i].dataset.v);
  out.push("width " + d.documentElement.scrollWidth);
  const heads = [...table.tHead.rows[0].cells];
  const score = heads.findIndex(h => h.textContent === "accuracy");
  heads[score].querySelector("button").click();
  out.push("up " + column(score).join(" "));
  heads[score].querySelector("button").click();
  out.push("down " + column(score).join(" "));
  heads[0].querySelector("button").click();
  out.push("numbers " + column(0).join(" "));
  const input = d.querySelector("input.filter");
  input.value = "complete kernel=rbf";
  input.dispatchEvent(new Event("input"));
  const left = [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[0].dataset.v);
  out.push("filtered " + left.join(" ") + " shown " + d.querySelector(".shown").textContent);
  document.getElementById("out").textContent = out.join("\\n");
});
frame.srcdoc = page;
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_in_a_browser(page, search, tmp_path):
    """Console clean; sorting, filtering; nothing wider than a screen of 400 pixels."""
    import json

    text = json.dumps(page.read_text()).replace("</", "<\\/")
    probe = tmp_path / "probe.html"
    probe.write_text(PROBE % text)
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000", "--dump-dom"]
    run = subprocess.run(
        [*command, probe.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in run.stderr
    told = dict(
        line.split(" ", 1)
        for line in re.search(r'<pre id="out">(.*?)</pre>', run.stdout, re.DOTALL)[1].splitlines()
    )
    assert int(told["width"]) <= 400
    means = search.cv_results_["mean_test_accuracy"]
    known = sorted(means[np.isfinite(means)])
    up = [float(v) for v in told["up"].split()]
    assert up == pytest.approx(known)
    down = [float(v) for v in told["down"].split()]
    assert down == pytest.approx(known[::-1])
    assert told["numbers"].split() == [str(i) for i in range(20)]
    expected = [
        str(t.number)
        for t in search.trials_
        if t.status.value == "complete" and t.params["kernel"] == "rbf"
    ]
    assert told["filtered"] == f"{' '.join(expected)} shown {len(expected)}"
