"""What is public: its names, its documentation, and the examples in it."""

import doctest
import importlib
import inspect
import pkgutil
import re
import warnings
from pathlib import Path

import pytest

import hpsearch
import hpsearch.optimizers
import hpsearch.plots
import hpsearch.spaces
from hpsearch.dimensions import Dimension

README = Path(__file__).parent.parent / "README.md"
MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(hpsearch.__path__, "hpsearch.")
    if not found.name.endswith("__main__")
]
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (hpsearch, hpsearch.plots, hpsearch.spaces, hpsearch.optimizers)
    for name in module.__all__
}
PROTOCOLS_AND_RECORDS = {"History", "Optimizer"}  # what they hold is told attribute by attribute
every_name = pytest.mark.parametrize("thing", PUBLIC.values(), ids=PUBLIC)


def is_exception(thing):
    return isinstance(thing, type) and issubclass(thing, Exception)


@pytest.mark.parametrize(
    "module",
    [hpsearch, hpsearch.plots, hpsearch.spaces, hpsearch.optimizers],
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
    if is_exception(thing) or thing.__name__ in PROTOCOLS_AND_RECORDS:
        return
    documented = documented_in(thing, "Parameters")
    expected = [n for n in inspect.signature(thing).parameters if n not in ("args", "kwargs")]
    assert [name for name in expected if name not in documented] == []
    assert [name for name in documented if name not in expected] == []


@every_name
def test_public_methods_are_documented(thing):
    """Here, or in the protocol of which they are a part."""
    if not isinstance(thing, type) or is_exception(thing):
        return
    for name, method in vars(thing).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        told = inspect.getdoc(method) or inspect.getdoc(getattr(Dimension, name, None))
        assert told, f"{thing.__name__}.{name}"


@every_name
def test_has_an_example(thing):
    """Every class that a user makes has one that runs."""
    if is_exception(thing) or thing.__name__ in PROTOCOLS_AND_RECORDS:
        return
    if inspect.isabstract(thing):
        return
    assert ">>> " in source_of("Examples", thing)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_examples_run(module, tmp_path, monkeypatch):
    """Every example in a docstring prints what it says."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


def documented_in(thing, section):
    names = []
    for line in source_of(section, thing).splitlines():
        found = re.fullmatch(r"(\*{0,2}\w[\w, *]*?)(?: : .*)?", line)
        if found:
            names += [name.strip().lstrip("*") for name in found[1].split(",")]
    return names


def source_of(section, thing):
    """Return a section of a docstring, or of the one that it points to."""
    text = inspect.getdoc(thing) or ""
    parts = re.split(r"^(\w[\w ]*)\n-+\n", text, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True)).get(section)
    if found is None and (other := re.search(r"see `(\w+)`", parts[0])):
        return source_of(section, getattr(hpsearch, other[1]))
    return found or ""
