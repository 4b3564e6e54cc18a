"""Values derived from a motif are cached on it until something is added to it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

M = TypeVar("M")
T = TypeVar("T")


def memoized(function: Callable[[M], T]) -> Callable[[M], T]:
    """Cache the result of a function of a motif on the motif itself; `Motif.add` clears the cache."""

    @functools.wraps(function)
    def cached(motif: M) -> T:
        memo: dict[Any, T] = motif._memo  # type: ignore[attr-defined]  # see `Declarations`
        if function not in memo:
            memo[function] = function(motif)
        return memo[function]

    return cached
