"""Names. What an expression must be able to name is an identifier, in the form in which Python reads it (NFKC)."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from circuitsim.errors import CircuitError, MotifError

V = TypeVar("V")


def normalized(name: Any) -> Any:
    """Return a name in Unicode's form NFKC, in which Python reads identifiers; other values are unchanged.

    The micro sign becomes the Greek letter, and a letter followed by a combining accent the accented letter.
    """
    return unicodedata.normalize("NFKC", name) if isinstance(name, str) else name


def normalized_keys(values: Mapping[Any, V], what: str, error: type[CircuitError] = MotifError) -> dict[Any, V]:
    """Return a mapping with its keys, names of `what`, normalized; an error says if it is none, or if names collide."""
    if not isinstance(values, Mapping):
        raise error(f"{what} must be the keys of a mapping (got {values!r})")
    found: dict[Any, V] = {}
    for key, value in values.items():
        if (name := normalized(key)) in found:
            raise error(f"two {what} are called {name!r}, because {key!r} is the same name in NFKC; rename one")
        found[name] = value
    return found


def identifier_fault(name: Any) -> str | None:
    """Say why no expression can use this name, and what to call the object instead; None if it can.

    Python's keywords are refused. They are allowed as the names of populations and projections, which expressions use
    only as a part of longer names, such as ``I_W``: use `part_fault` for those.
    """
    if isinstance(name, str) and keyword.iskeyword(name):
        return f"{name!r} is a keyword of Python, so no expression can use it as a name; call it {name + '_'!r}"
    return part_fault(name)


def part_fault(name: Any, kind: str | None = None) -> str | None:
    """Say why no expression can use this name as a part of a longer one, and what to do; None if it can.

    `kind` is "Population" or "Projection", which can have a label, or None.
    """
    if not isinstance(name, str):
        return f"a name must be a string (got {name!r})"
    if name.isidentifier():
        return None
    fault = "a name must be an identifier (letters, digits, _), since rules use it"
    shown = re.sub(r"\W+", "_", name).strip("_")  # such as KC_a for KC-a
    shown = shown if shown.isidentifier() else f"n{shown}"  # such as n5_HT for 5-HT
    if kind is None:
        return f"{fault}; call it {shown!r}"
    return f"{fault}; use such a name, and the text as a label: {kind}({shown!r}, ..., label={name!r})"


def names_in(values: Iterable[Any], owner: str, field: str) -> tuple[Any, ...]:
    """Return a collection of names as a tuple, normalized. A single text, which would fall into letters, is refused."""
    if isinstance(values, str):
        raise MotifError(f"{owner}: {field} must be a list of names (got the text {values!r}); use [{values!r}]")
    try:
        return tuple(map(normalized, values))
    except TypeError:
        raise MotifError(f"{owner}: {field} must be a list of names (got {values!r})") from None
