"""The base class of all declared values, which are immutable, compared by content, and convertible to plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np

from circuitsim.errors import MotifError
from circuitsim.motif.arrays import locked
from circuitsim.motif.identifiers import normalized

V = TypeVar("V")


def plain(value: Any) -> Any:
    """Convert a value to numbers, strings, lists and dicts, as in JSON; `restore` is the inverse."""
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
    """Build a declared value from the output of `plain`; errors begin with `where` and name what is unknown."""
    if not isinstance(data, dict):
        return data
    if not isinstance(data.get("type"), str):  # a mapping, such as the parameters of a rule
        return {key: restore(item, where) for key, item in data.items()}
    kind = Value.kinds.get(data["type"])
    if kind is None:
        raise MotifError(f"{where}: unknown type {data['type']!r} (known: {', '.join(sorted(Value.kinds))})")
    entries = {key: restore(item, where) for key, item in data.items() if key != "type"}
    try:
        return kind._from_entries(entries)
    except (TypeError, ValueError, OverflowError) as error:
        raise MotifError(f"{where}: {data['type']} cannot be built from {sorted(entries)}: {error}") from None


@dataclass(frozen=True, eq=False)
class Value:
    """A declared value. Equality and hash depend on the content, including arrays."""

    kinds: ClassVar[dict[str, type[Value]]] = {}  # all declared types, by name
    name_fields: ClassVar[tuple[str, ...]] = ()  # those that hold names, which are `normalized`

    def __init_subclass__(cls, is_declared: bool = True) -> None:
        Value.kinds |= {cls.__name__: cls} if is_declared else {}

    def __post_init__(self) -> None:
        self._set(**{field: normalized(getattr(self, field)) for field in self.name_fields})

    def _set(self, **values: Any) -> None:
        """Set fields while the value is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def _from_entries(cls, entries: dict[str, Any]) -> Value:
        """Build a value from its fields in the JSON of a motif; a TypeError says which is missing or unknown."""
        return cls(**entries)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and plain(self) == plain(other)

    def __hash__(self) -> int:
        return hash(_hashable(plain(self)))

    def __copy__(self) -> Value:
        return self  # values are immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**{name: read_only(value) for name, value in state.items()})


def _hashable(data: Any) -> Any:
    """Convert data to a hashable form in which equal data (``1`` and ``1.0``, reordered mappings) are equal."""
    if isinstance(data, dict):
        return frozenset((key, _hashable(item)) for key, item in data.items())
    return tuple(map(_hashable, data)) if isinstance(data, list) else data


def read_only(value: Any) -> Any:
    """Return the value, with an array made read-only (copying or unpickling an array makes it writeable again)."""
    return locked(value.copy()) if isinstance(value, np.ndarray) and value.flags.writeable else value


class Frozen(Mapping[str, V]):
    """A read-only copy of a mapping, which unlike a `MappingProxyType` can be copied and pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, V]) -> None:
        self._items = {name: read_only(value) for name, value in items.items()}

    def __getitem__(self, name: str) -> V:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __or__(self, other: Mapping[str, V]) -> dict[str, V]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, V]) -> dict[str, V]:
        return {**other, **self}

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (self._items,)
