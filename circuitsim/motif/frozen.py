"""An immutable mapping that, unlike `MappingProxyType`, can be copied and pickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from circuitsim.motif.arrays import locked

V = TypeVar("V")


def read_only(value: Any) -> Any:
    """Return the value, with an array made read-only (copying or unpickling an array makes it writeable again)."""
    return locked(value.copy()) if isinstance(value, np.ndarray) and value.flags.writeable else value


class Frozen(Mapping[str, V]):
    """A read-only copy of a mapping."""

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
