"""Values derived from a motif are cached on it until something is added to it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def memoized(function: Callable[P, T]) -> Callable[P, T]:
    """Cache the result of a function of a motif, and of values declared in it, on the motif; `add` clears the cache."""

    @functools.wraps(function)
    def cached(*args: P.args, **kwargs: P.kwargs) -> T:
        motif: Any = args[0]  # see `Declarations`
        # by identity, since two values may wrongly share a name; they are kept alive, so that ids stay unique
        of = *args[1:], *kwargs.values()
        key = function, *(part if isinstance(part, str) else id(part) for part in of)
        if key not in motif._memo:
            motif._memo[key] = of, function(*args, **kwargs)
        return motif._memo[key][1]

    return cached
