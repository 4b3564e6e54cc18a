"""What public names say of themselves: summary, every argument, results, errors, an example that runs, the source."""

from __future__ import annotations

import builtins
import enum
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import circuitsim as cs
import motifs
from circuitsim import analysis, export, plan, plots, rules
from tests.docs.docstrings import Docstring, parameters, raised


class Documented(NamedTuple):
    """A function, class, method or property, and the class that it belongs to."""

    value: Any
    owner: type | None = None


def public(module: Any) -> dict[str, Documented]:
    """What `__all__` names, and the public methods of its classes."""
    found: dict[str, Documented] = {}
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            found[name] = Documented(value)
            found |= {f"{name}.{k}": member for k, member in methods(value)}
        elif inspect.isfunction(value):
            found[name] = Documented(value)
    return found


def methods(owner: type) -> Iterator[tuple[str, Documented]]:
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        is_default = inspect.isfunction(member) and member.__name__ == "<lambda>"  # of a dataclass's field
        if (inspect.isfunction(member) or isinstance(member, property)) and not is_default:
            yield name, Documented(member, owner)


PUBLIC = {
    name: d for module in (cs, analysis, plots, export, rules, plan, motifs) for name, d in public(module).items()
}
FUNCTIONS = {name: d for name, d in PUBLIC.items() if inspect.isfunction(d.value)}
CLASSES = {name: d.value for name, d in PUBLIC.items() if inspect.isclass(d.value)}
CALLED = {name: d.value for name, d in FUNCTIONS.items() if d.owner is None}


def is_made_by_the_user(kind: type) -> bool:
    """Not an error or an enumeration, and not a class that says which function makes it."""
    return not issubclass(kind, Exception | enum.Enum) and "Made by `" not in (kind.__doc__ or "")


@pytest.mark.parametrize("name", PUBLIC)
def test_a_summary_comes_first(name):
    text = Docstring.of(PUBLIC[name].value).text
    summary = text.partition("\n\n")[0]
    assert len(summary) > 10 and summary.rstrip()[-1] in ".:?", summary
    if name in CLASSES:
        assert not text.startswith(f"{name}("), "the docstring that dataclass writes"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_a_function_is_explained(name):
    function, owner = FUNCTIONS[name]
    shared = owner or sys.modules[function.__module__.rpartition(".")[0]]  # explains what is the same in all of its own
    said = Docstring.of(function).entries("Args") | set(re.findall(r"(?<!`)`(\w+)`", Docstring.of(shared).text))
    assert set(parameters(function)) - said == set()


@pytest.mark.parametrize("name", [k for k, kind in CLASSES.items() if is_made_by_the_user(kind)])
def test_every_argument_of_a_class_is_explained(name):
    kind = CLASSES[name]
    assert set(parameters(kind)) - Docstring.of(kind).entries("Args", "Attributes") == set()


@pytest.mark.parametrize("name", [k for k in PUBLIC if k not in CLASSES or is_made_by_the_user(CLASSES[k])])
def test_nothing_is_explained_that_is_not_there(name):
    value = PUBLIC[name].value
    arguments = set() if isinstance(value, property) else set(parameters(value))
    assert Docstring.of(value).entries("Args") - arguments == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_comes_back_is_said(name):
    function = FUNCTIONS[name].value
    returns = inspect.signature(function).return_annotation
    says = "Returns" in Docstring.of(function).sections
    assert says == (returns not in (None, "None")) or returns == "Figure", f"returns {returns}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_array_that_comes_back_has_its_shape_said(name):
    function = FUNCTIONS[name].value
    if re.search("Tensor|ndarray", str(inspect.signature(function).return_annotation)):
        assert "[" in "\n".join(Docstring.of(function).sections["Returns"])


@pytest.mark.parametrize("name", PUBLIC)
def test_every_error_raised_is_said(name):
    value, owner = PUBLIC[name]
    found: set[str] = set()
    if inspect.isclass(value):
        if is_made_by_the_user(value):
            for step in ("__init__", "__post_init__"):
                found |= raised(vars(value)[step], value) if step in vars(value) else set()
    else:
        found = raised(value.fget if isinstance(value, property) else value, owner)
    assert found - Docstring.of(value).entries("Raises") == set()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_error_said_exists(name):
    for error in Docstring.of(PUBLIC[name].value).entries("Raises"):
        assert hasattr(cs, error) or hasattr(export, error) or hasattr(builtins, error), error


@pytest.mark.parametrize("name", CALLED)
def test_a_function_shows_an_example(name):
    """Or says where one is. tests/docs/test_doctests.py runs them."""
    assert re.search(">>> |[Ff]or an example see", Docstring.of(CALLED[name]).text)


@pytest.mark.parametrize("name", motifs.__all__)
def test_a_motif_names_its_source(name):
    source = "\n".join(Docstring.of(CALLED[name]).sections["Source"])
    assert re.search(r"\((19|20)\d\d\)|arXiv|openreview", source)
