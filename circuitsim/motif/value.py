"""The base of all declared values: frozen, compared by content, written as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from circuitsim.errors import MotifError


def frozen_array(values: Any) -> np.ndarray:
    """A read-only float64 copy, so that a declaration cannot change behind its owner's back."""
    array = np.array(values, dtype=float)
    array.flags.writeable = False
    return array


def plain(value: Any) -> Any:
    """Numbers, strings, lists and dicts only (JSON); `restore` is the inverse."""
    if isinstance(value, Value):
        return {"type": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def restore(data: Any, where: str) -> Any:
    """Build the declared value that `plain` wrote.

    Raises:
        MotifError: `data` names an unknown type or unknown fields; `where` says which object.
    """
    if not isinstance(data, dict):
        return data
    if not isinstance(data.get("type"), str):  # a mapping, such as the parameters of a rule
        return {key: restore(item, where) for key, item in data.items()}
    kind = Value.kinds.get(data["type"])
    if kind is None:
        raise MotifError(f"{where}: unknown type {data['type']!r} (known: {', '.join(sorted(Value.kinds))})")
    entries = {key: restore(item, where) for key, item in data.items() if key != "type"}
    try:
        return kind.from_entries(entries)
    except (TypeError, ValueError, OverflowError) as error:
        raise MotifError(f"{where}: {data['type']} cannot be built from {sorted(entries)}: {error}") from None


@dataclass(frozen=True, eq=False)
class Value:
    """A declared value. Equality and hash look at the content, arrays included."""

    kinds: ClassVar[dict[str, type[Value]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Value.kinds[cls.__name__] = cls

    @classmethod
    def from_entries(cls, entries: dict[str, Any]) -> Value:
        """Build from a mapping of field names to values."""
        return cls(**entries)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and plain(self) == plain(other)

    def __hash__(self) -> int:
        return hash(_hashable(plain(self)))


def _hashable(data: Any) -> Any:
    """Equal for equal data, so ``1`` and ``1.0``, or a mapping in another order, hash alike."""
    if isinstance(data, dict):
        return frozenset((key, _hashable(item)) for key, item in data.items())
    return tuple(map(_hashable, data)) if isinstance(data, list) else data
