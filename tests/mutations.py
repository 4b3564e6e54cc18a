"""Hypothesis strategies for things gone wrong: JSON, texts and bytes with a few changes in random places."""

from __future__ import annotations

import copy
import json
from typing import Any

import hypothesis.strategies as st

ODD = [
    None, True, False, 0, -1, 1, 2, 3, 0.5, -2.5, 10**12, 10**30, 10**400, -(2**63), 1e308, 1e-320, float("nan"),
    float("inf"), -float("inf"), "", " ", "w", "W0", "up0", "linear", "soma", "nan", "1e3", "\ud800", "x\x00", "γ",
    "a" * 300, "__class__", "type", [], {}, [[]], [1, 2], [[1.0]], [None], [1, "a"], {"type": "Rule"}, {"type":
    "Given", "array": [[1]]}, {"type": "Gaussian", "gain": "x"}, {"type": 3}, {"a": {"b": []}}, {"type":
    "Population"}, {"type": "Derived"}, {"type": "State", "update": "w"}, {"type": "Edges", "pre": [0, 1], "post":
    [0]}, {"type": "Random", "probability": 0.5}, {"type": "Mask", "array": [[1, 0]]}, {"type": "Uniform", "low":
    1}, {"type": "OneToOne"}, {"type": "Phase", "name": "a"},
]  # fmt: skip

anything = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _places(data: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    keys = data.keys() if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in list(keys):
        found.append((data, key))
        _places(data[key], found)
    return found


@st.composite
def documents(draw: Any, base: Any) -> Any:
    """`base` with one to three changes: a value replaced, removed, copied or swapped with another."""
    data = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(data, [])
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "replace", "nudge", "remove", "copy", "rename"])):
            case "replace":
                container[key] = copy.deepcopy(draw(anything))  # which later changes may enter
            case "nudge" if isinstance(container[key], int | float) and abs(container[key]) < 1e300:
                container[key] *= draw(st.sampled_from([-1, 0, 2, 1e3, 1e12, 0.1]))
            case "remove":
                del container[key]
            case "rename" if isinstance(container, dict):
                container[draw(st.sampled_from(["type", "name", "x", "expression", ""]))] = container.pop(key)
            case _:
                other, there = draw(st.sampled_from(places))
                if there in (other if isinstance(other, dict) else range(len(other))):
                    other[there] = copy.deepcopy(container[key])
    return data


@st.composite
def texts(draw: Any, base: str, tokens: list[str]) -> str:
    """`base` with one to four pieces cut, repeated, or replaced by tokens or any characters."""
    text = base
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 6)))
        piece = draw(st.sampled_from(tokens) | st.text(max_size=3) | st.just(text[start:stop] * 2))
        text = text[:start] + piece + text[stop:]
    return text


@st.composite
def files(draw: Any, base: bytes) -> bytes:
    """`base` cut short, or with bytes changed, inserted or removed."""
    content = bytearray(base)
    for _ in range(draw(st.integers(1, 3))):
        near = draw(st.sampled_from([8, 64, len(base)]))  # the first bytes hold the length of the header
        place = draw(st.integers(0, max(0, min(near, len(content)) - 1)))
        match draw(st.sampled_from(["flip", "flip", "insert", "remove", "cut"])):
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=9))
            case "remove":
                del content[place : place + draw(st.integers(1, 9))]
            case "cut":
                del content[place:]
    return bytes(content)


def as_json(data: Any) -> str:
    """Text of any document, odd numbers and half characters included."""
    return json.dumps(data)
