"""What is public: its names, its documentation, and the examples in it."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from pathlib import Path

import pytest

import hpsearch
import hpsearch.optimizers
import hpsearch.plots
import hpsearch.spaces
from hpsearch.dimensions import Dimension
from hpsearch.failures import Failures
from hpsearch.honest import Honest
from hpsearch.interop import OptunaWriter, prior_trials_of, to_optuna
from hpsearch.journal import Journal
from hpsearch.keep import Kept, KeptCandidate
from hpsearch.nested import NestedScores
from hpsearch.optimizers import Optimizer
from hpsearch.planning import Plan
from hpsearch.pruners import Pruner
from hpsearch.results import Trials
from hpsearch.steps import Run
from hpsearch.summary import Summary

README = Path(__file__).parent.parent / "README.md"
MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(hpsearch.__path__, "hpsearch.")
    if not found.name.endswith("__main__")
]
HOMES = (hpsearch, hpsearch.plots, hpsearch.spaces, hpsearch.optimizers)
PUBLIC = {f"{home.__name__}.{name}": getattr(home, name) for home in HOMES for name in home.__all__}
OTHERS = [to_optuna, prior_trials_of, OptunaWriter, Run, Kept, Trials]
RETURNED = [
    Failures,
    Honest,
    KeptCandidate,
    NestedScores,
    Plan,
    Summary,
]  # records that nobody makes
DOCUMENTED = PUBLIC | {f"{thing.__module__}.{thing.__name__}": thing for thing in OTHERS}
# Whose methods other classes have: these tell of them where the classes do not.
PROTOCOLS = (Dimension, Journal, Optimizer, Pruner)
BY_SEARCHES = {"Kept.take", "Kept.finish"}  # what users read, searches write
NEEDED = {  # by examples
    "hpsearch.interop": ("optuna", None),
    "hpsearch.stopping.early": ("sklearn", "1.7"),  # its histograms take validation rows
}
every_name = pytest.mark.parametrize("thing", DOCUMENTED.values(), ids=DOCUMENTED)


def is_exception(thing):
    return isinstance(thing, type) and issubclass(thing, Exception)


@pytest.mark.parametrize(
    "module",
    HOMES,
    ids=lambda m: m.__name__,
)
def test_all_lists_what_can_be_imported(module):
    """`__all__` is sorted, and is just what the module imports for its users."""
    assert list(module.__all__) == sorted(set(module.__all__))
    taken = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }
    assert taken == set(module.__all__)


@pytest.mark.parametrize("name", hpsearch.__all__)
def test_readme_names_everything_public(name):
    """Whoever reads the README has met every public name."""
    assert name in README.read_text()


@every_name
def test_docstring(thing):
    """It begins with a sentence that ends."""
    text = inspect.getdoc(thing)
    assert text
    assert text.splitlines()[0].endswith((".", ":"))


@every_name
def test_every_parameter_is_documented(thing):
    """In the numpydoc section Parameters, under its own name, or by pointing to where it is."""
    if is_exception(thing):
        return
    documented = documented_in(thing, "Parameters")
    expected = [n for n in inspect.signature(thing).parameters if n not in ("args", "kwargs")]
    assert [name for name in expected if name not in documented] == []
    assert [name for name in documented if name not in expected] == []


def methods():
    """All public methods and properties of the documented classes, inherited ones once."""
    found = {}
    for thing in [*DOCUMENTED.values(), *RETURNED]:
        if not isinstance(thing, type) or is_exception(thing):
            continue
        for cls in thing.__mro__:
            if not cls.__module__.startswith("hpsearch.") or cls.__name__ == "SearchBase":
                continue
            for name, member in vars(cls).items():
                function = getattr(member, "__func__", getattr(member, "fget", member))
                is_theirs = f"{cls.__name__}.{name}" not in BY_SEARCHES
                if not name.startswith("_") and inspect.isfunction(function) and is_theirs:
                    found.setdefault(f"{cls.__module__}.{cls.__name__}.{name}", (thing, name))
    return found


def parts_of(protocol):
    return {name for name in vars(protocol) if not name.startswith("_")}


def told_by(cls, name):
    """Return the docstrings in which a method may be told of, its own first."""
    protocols = [p for p in PROTOCOLS if name in vars(p) and parts_of(p) <= set(dir(cls))]
    members = [getattr(home, name) for home in (cls, *protocols)]
    own = [inspect.getdoc(m) or "" for m in members if callable(m) or isinstance(m, property)]
    return own, own + [inspect.getdoc(home) or "" for home in (*cls.__mro__, *protocols)]


every_method = pytest.mark.parametrize(("cls", "name"), methods().values(), ids=methods())


@every_method
def test_method_is_documented(cls, name):
    """A sentence; Parameters, Returns; here, or in the protocol that the method is a part of."""
    own, _ = told_by(cls, name)
    assert re.match(r"[A-Z].*[.:](\n|$)", next(filter(None, own), "")), "no sentence"
    if not callable(getattr(cls, name)):  # a property
        return
    signature = inspect.signature(getattr(cls, name))
    taken = [n for n in signature.parameters if n not in ("self", "args", "kwargs", "options")]
    known = {p for doc in own for p in named_in(section_of(doc, "Parameters"))}
    assert [n for n in taken if n not in known] == []
    if signature.return_annotation not in ("None", None):
        assert any(section_of(doc, "Returns") for doc in own), "no Returns"


@every_method
def test_method_is_in_an_example(cls, name):
    """Of its own, of its class, or of the protocol that it is a part of."""
    code = [
        line
        for doc in told_by(cls, name)[1]
        for line in doc.splitlines()
        if line.strip().startswith((">>> ", "... "))
    ]
    assert any(re.search(rf"\b{name}\b", line) for line in code)


@pytest.mark.parametrize("thing", RETURNED, ids=lambda thing: thing.__name__)
def test_what_comes_back_is_documented(thing):
    """Each attribute of a record, by name."""
    fields = [f.name for f in dataclasses.fields(thing) if not f.name.startswith("_")]
    assert named_in(section_of(inspect.getdoc(thing), "Attributes")) == fields


@every_name
def test_has_an_example(thing):
    """Every class that a user makes has one that runs."""
    if is_exception(thing):
        return
    assert ">>> " in source_of("Examples", thing)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_examples_run(module, tmp_path, monkeypatch):
    """Every example in a docstring prints what it says."""
    if module.__name__ in NEEDED:
        pytest.importorskip(*NEEDED[module.__name__])
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    if "matplotlib.pyplot" in sys.modules:  # pyplot holds on to every figure, and warns of many
        sys.modules["matplotlib.pyplot"].close("all")
    assert failed == 0


def documented_in(thing, section):
    return named_in(source_of(section, thing))


def named_in(text):
    names = []
    for line in text.splitlines():
        found = re.fullmatch(r"(\*{0,2}\w[\w, *]*?)(?: : ?.*)?", line)
        if found:
            names += [name.strip().lstrip("*") for name in found[1].split(",")]
    return names


def section_of(text, section):
    parts = re.split(r"^(\w[\w ]*)\n-+\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(section, "")


def source_of(section, thing):
    """Return a section of a docstring, or of the one that it points to."""
    text = inspect.getdoc(thing) or ""
    found = section_of(text, section)
    if not found and (other := re.search(r"see `(\w+)`", text)):
        return source_of(section, getattr(hpsearch, other[1]))
    return found
