"""Reads a docstring, and a function's source, for what they say of arguments, results and errors."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import circuitsim as cs

SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example|Source):(?:\s|$)")
ENTRY = re.compile(r"^    (\w[\w, *]*):")


@dataclass(frozen=True)
class Docstring:
    """A docstring's sections.

    Args:
        text: all of it, without indentation.
        sections: "Args", "Returns", ... -> the lines below.
    """

    text: str
    sections: dict[str, list[str]]

    @classmethod
    def of(cls, documented: Any) -> Docstring:
        text = inspect.getdoc(documented) or ""
        sections: dict[str, list[str]] = {}
        current: list[str] = []
        for line in text.splitlines():
            if found := SECTION.match(line):
                current = sections.setdefault(found[1], [])
                current.append(line[found.end() :])
            elif line and not line.startswith(" "):
                current = []  # a paragraph of its own
            else:
                current.append(line)
        return cls(text, sections)

    def entries(self, *sections: str) -> set[str]:
        """The names explained in a section; ``x, target: a batch`` explains two."""
        lines = [line for section in sections for line in self.sections.get(section, [])]
        return {name.strip(" *") for line in lines if (found := ENTRY.match(line)) for name in found[1].split(",")}


def parameters(function: Callable[..., Any]) -> list[str]:
    """What a caller gives."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def raised(function: Callable[..., Any], owner: type | None = None) -> set[str]:
    """Names of the circuitsim errors that a function raises: itself, or in helpers of its own module or class.

    What it calls elsewhere, or under `try` and `with`, is not followed: such an error may be impossible, or caught.
    """
    return {error.__name__ for error in _raised(function, owner, function.__module__, set())}


def _raised(function: Any, owner: type | None, module: str, seen: set[Any]) -> Iterator[type]:
    if function in seen or not isinstance(function, types.FunctionType) or function.__module__ != module:
        return
    if function.__code__.co_filename == "<string>":
        return  # written by dataclass
    seen.add(function)
    for node in _nodes(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            error = _resolve(node.exc.func, function, owner)
            if isinstance(error, type) and issubclass(error, cs.CircuitError):
                yield error
        elif isinstance(node, ast.Call):
            called = _resolve(node.func, function, owner)
            yield from _raised(called, owner if isinstance(node.func, ast.Attribute) else None, module, seen)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a syntax tree but what is under `try` or `with`."""
    yield tree
    for name, value in ast.iter_fields(tree):
        if not (name == "body" and isinstance(tree, ast.Try | ast.With)):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _resolve(node: ast.expr, function: Any, owner: type | None) -> Any:
    match node:
        case ast.Name(id=name):
            return function.__globals__.get(name)
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if owner is not None and name.startswith("_"):
            return inspect.getattr_static(owner, name, None)
        case ast.Attribute(value=ast.Name(id="cs"), attr=name):
            return getattr(cs, name, None)
    return None
