"""What public names say of themselves: summary, every argument, results, errors, an example that runs, the source."""

from __future__ import annotations

import builtins
import enum
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

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


MADE_BY_THE_USER = {name: kind for name, kind in CLASSES.items() if is_made_by_the_user(kind)}


def wrong(check: Callable[[Any], Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What a check finds, by name, so that all names are told at once."""
    return {name: found for name, value in values.items() if (found := check(value))}


def test_a_summary_comes_first():
    def check(documented):
        text = Docstring.of(documented.value).text
        summary = text.partition("\n\n")[0]
        if len(summary) <= 10 or summary.rstrip()[-1] not in ".:?":
            return summary or "none"
        return inspect.isclass(documented.value) and text.startswith(f"{documented.value.__name__}(")  # by dataclass

    assert wrong(check, PUBLIC) == {}


def test_every_argument_of_a_function_is_explained():
    def check(documented):
        function, owner = documented
        shared = owner or sys.modules[function.__module__.rpartition(".")[0]]  # explains what holds for all of its own
        said = set(re.findall(r"(?<!`)`(\w+)`", Docstring.of(shared).text))
        return set(parameters(function)) - Docstring.of(function).entries("Args") - said

    assert wrong(check, FUNCTIONS) == {}


def test_every_argument_of_a_class_is_explained():
    def check(kind):
        return set(parameters(kind)) - Docstring.of(kind).entries("Args", "Attributes")

    assert wrong(check, MADE_BY_THE_USER) == {}


def test_nothing_is_explained_that_is_not_there():
    def check(documented):
        value = documented.value
        arguments = set() if isinstance(value, property) else set(parameters(value))
        return Docstring.of(value).entries("Args") - arguments

    assert wrong(check, {k: d for k, d in PUBLIC.items() if k not in CLASSES or k in MADE_BY_THE_USER}) == {}


def test_what_comes_back_is_said():
    def check(documented):
        returns = inspect.signature(documented.value).return_annotation
        says = "Returns" in Docstring.of(documented.value).sections
        return says != (returns not in (None, "None")) and returns != "Figure" and f"returns {returns}"

    assert wrong(check, FUNCTIONS) == {}


def test_an_array_that_comes_back_has_its_shape_said():
    def check(documented):
        returns = str(inspect.signature(documented.value).return_annotation)
        said = "\n".join(Docstring.of(documented.value).sections.get("Returns", []))
        return re.search("Tensor|ndarray", returns) and "[" not in said

    assert wrong(check, FUNCTIONS) == {}


def test_every_error_raised_is_said():
    def check(documented):
        value, owner = documented
        if not inspect.isclass(value):
            found = raised(value.fget if isinstance(value, property) else value, owner)
        else:
            steps = ("__init__", "__post_init__") if is_made_by_the_user(value) else ()
            found = {error for step in steps if step in vars(value) for error in raised(vars(value)[step], value)}
        return found - Docstring.of(value).entries("Raises")

    assert wrong(check, PUBLIC) == {}


def test_every_error_said_exists():
    def check(documented):
        said = Docstring.of(documented.value).entries("Raises")
        return {error for error in said if not any(hasattr(place, error) for place in (cs, export, builtins))}

    assert wrong(check, PUBLIC) == {}


def test_a_function_shows_an_example():
    """Or says where one is. tests/docs/test_doctests.py runs them."""
    assert wrong(lambda value: not re.search(">>> |[Ff]or an example see", Docstring.of(value).text), CALLED) == {}


def test_a_motif_names_its_source():
    def check(name):
        source = "\n".join(Docstring.of(CALLED[name]).sections["Source"])
        return not re.search(r"\((19|20)\d\d\)|arXiv|openreview", source)

    assert wrong(check, {name: name for name in motifs.__all__}) == {}
