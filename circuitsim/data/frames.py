"""Tables with labels, such as pandas.DataFrame: samples and features are matched by label, never by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from circuitsim.data.split import named
from circuitsim.errors import DataError
from circuitsim.motif.arrays import is_frame


def check_rows(x: Any, y: Any, part: str) -> None:
    """Check that the labelled arrays of one split, or of mappings, have the same row labels in the same order."""
    given = [(name, v.index.tolist()) for name, v in (named("x", x) | named("y", y)).items() if hasattr(v, "iloc")]
    for name, labels in given[1:]:
        first, expected = given[0]
        if len(labels) == len(expected) and labels != expected:
            k = next(k for k, (a, b) in enumerate(zip(labels, expected, strict=True)) if a != b)
            raise DataError(
                f"{part}: the rows of {name} and {first} have different labels, at row {k} for example ({labels[k]!r} "
                f"and {expected[k]!r}): match them with {name}.loc[{first}.index], or pass {name}.to_numpy() if they "
                "match already, row by row"
            )


def match_columns(values: Any, like: Any, name: str) -> Any:
    """Return the values with the columns of each frame in the order of `like`, that of the training split.

    A frame with other columns is refused, in a message that begins with `name`.
    """
    if isinstance(values, Mapping) and isinstance(like, Mapping):
        return {key: match_columns(v, like.get(key), f"{name}[{key!r}]") for key, v in values.items()}
    if not is_frame(values) or not is_frame(like):
        return values
    found, expected = list(values.columns), list(like.columns)
    if found == expected or len(found) != len(expected):
        return values  # another number of columns is refused elsewhere
    missing = list((Counter(expected) - Counter(found)).elements())
    if missing and any(columns == list(range(len(columns))) for columns in (found, expected)):
        return values  # columns without names match by position
    if missing:
        raise DataError(
            f"{name} lacks {len(missing)} columns of the training split, the first is {missing[0]!r} (it has "
            f"{found[0]!r}, ...): rename its columns, or pass {name}.to_numpy() if they match by position"
        )
    if len(set(found)) < len(found):
        raise DataError(
            f"{name} has the columns of the training split in another order, but several have the same label: rename "
            f"them, or pass {name}.to_numpy() if they match by position"
        )
    return values[expected]
