"""Arrays of numbers, however a user holds them: NumPy, lists, masked arrays, SciPy, pandas or torch.

Entries that hold nothing (None, NaN, ``pandas.NA``, masked entries) are blanks, and become NaN. What a blank means is
for the user to say; validation refuses those that are left. Everything that is no number is refused here.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from circuitsim.errors import CircuitError, DataError, MotifError
from circuitsim.motif.identifiers import names_in, normalized

LARGEST = 10**8  # entries of a sparse matrix that may be made dense, 800 MB
BLANK_TYPES = ("NAType", "NaTType", "MaskedConstant")

Names = tuple[str, ...] | None


def is_frame(values: Any) -> bool:
    """Return whether the values are a table with labels for rows and columns, such as a pandas.DataFrame."""
    return hasattr(values, "index") and hasattr(values, "columns") and hasattr(values, "to_numpy")


def as_array(values: Any, owner: str, error: type[CircuitError] = MotifError) -> np.ma.MaskedArray[Any, Any]:
    """Return the entries as a NumPy array of any data type, masked where a masked array has no value.

    Refused are values that are no rectangular array, that NumPy cannot hold, that are records, or that are sparse and
    too large to be made dense.
    """
    if hasattr(values, "toarray") and hasattr(values, "nnz"):  # of SciPy
        if np.prod(values.shape, dtype=float) > LARGEST:
            raise error(
                f"{owner}: a sparse matrix of shape {values.shape} is too large for a dense array; list its synapses "
                "with Edges(pre=m.col, post=m.row), where m = matrix.tocoo(), and their weights with Given(m.data)"
            )
        values = values.toarray()
    elif is_frame(values):
        are_numbers = all(getattr(kind, "kind", "O") in "biuf" for kind in values.dtypes)
        mixed = are_numbers and values.to_numpy().dtype.kind == "O"  # such as integers with blanks, or beside booleans
        values = values.to_numpy(dtype=float, na_value=np.nan) if mixed else values.to_numpy()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Warning: converting a masked element to nan")  # it is a blank
            array = np.ma.asanyarray(_without_torch(values))  # type: ignore[no-untyped-call]
    except ValueError as fault:
        raise error(f"{owner} is not a rectangular array ({fault})") from None
    except (TypeError, RuntimeError) as fault:  # such as a quantized tensor, or one without data
        raise error(f"{owner} cannot be read as a NumPy array ({fault}); convert it first") from None
    if array.dtype.names is not None:
        raise error(
            f"{owner} is an array of records with the fields {', '.join(array.dtype.names)}; choose one, as in "
            f"array[{array.dtype.names[0]!r}], or use numpy.lib.recfunctions.structured_to_unstructured(array)"
        )
    return array


def _without_torch(values: Any) -> Any:
    """Return a tensor of torch, which a declaration must not import, or a list of tensors, as NumPy's arrays."""
    if isinstance(values, list | tuple):
        nested = any(isinstance(value, list | tuple) or hasattr(value, "detach") for value in values)
        return list(map(_without_torch, values)) if nested else values
    if not hasattr(values, "detach"):
        return values
    tensor = values.detach().cpu()
    tensor = (tensor if str(tensor.layout) == "torch.strided" else tensor.to_dense()).resolve_conj()
    return tensor.float().numpy() if "float16" in str(tensor.dtype) else tensor.numpy()


def as_numbers(values: Any, owner: str, error: type[CircuitError] = MotifError) -> np.ndarray:
    """Return a float64 copy of the entries, NaN where they are blank; what is no number is refused as in `as_array`."""
    masked = as_array(values, owner, error)
    if isinstance(values, list | tuple) and masked.dtype.kind in "USc":  # a single text makes texts of all numbers
        masked = as_array(np.array(values, dtype=object), owner, error)
    blank = np.ma.getmaskarray(masked)  # type: ignore[no-untyped-call]
    data = np.asarray(masked.data)
    if data.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # a long double may become infinite, which validation refuses
            array = np.array(data, dtype=float)
        array[blank] = np.nan
        return array
    array, wrong = np.full(data.shape, np.nan), np.zeros(data.shape, dtype=bool)
    for place in map(tuple, np.argwhere(~blank)):
        number = _number(data[place])
        wrong[place] = number is None
        array[place] = np.nan if number is None else number
    if wrong.any():
        first, advice = data[tuple(np.argwhere(wrong)[0])], ""
        if is_frame(values) and isinstance(first, str):
            advice = "; if the file's first column holds names, read it with pandas.read_csv(path, index_col=0)"
        elif isinstance(first, str | bytes):
            advice = "; convert it, as in array.astype(float)"
        shown = getattr(first, "item", lambda: first)()
        raise error(
            f"{owner} must be an array of numbers, but {counted_are(wrong)} not: {shown!r} {place_of(wrong)}{advice}"
        )
    return array


def as_samples(values: Any, owner: str) -> np.ndarray:
    """Return the entries, which must be numbers without blanks, in their data type; a DataError refuses others."""
    masked = as_array(values, owner, DataError)
    if (blank := np.ma.getmaskarray(masked)).any():  # type: ignore[no-untyped-call]
        first = tuple(int(k) for k in np.argwhere(blank)[0])
        advice = "fill them, or leave these samples out"
        raise DataError(f"{owner}: {counted_are(blank)} masked, the first at index {first}: {advice}")
    array = np.asarray(masked.data)
    if array.dtype.kind not in "biuf":
        advice = f"convert it to numbers (float32 values, int64 classes){_first_other(array)}"
        raise DataError(f"{owner} has dtype {array.dtype}; {advice}")
    return array


def _first_other(array: np.ndarray[Any, Any]) -> str:
    """Name the first entry of an array of objects or text that is no number, if there is one."""
    for place, entry in np.ndenumerate(array) if array.dtype.kind in "OU" else ():
        if not isinstance(entry, numbers.Real):
            if not isinstance(entry, str):
                return f": {entry!r:.40} at index {place} is no number"
            advice = "; np.unique(names, return_inverse=True)[1] turns names of classes into classes"
            return f": {str(entry)!r:.40} at index {place} is text{advice if array.ndim == 1 else ''}"
    return ""


def _number(entry: Any) -> float | None:
    """Return an entry as a number, NaN if it is blank, or None if it is something else."""
    if entry is None or type(entry).__name__ in BLANK_TYPES:
        return np.nan
    if not isinstance(entry, numbers.Real | Decimal | np.bool_) or isinstance(entry, np.timedelta64):
        return None
    try:
        return float(entry)
    except OverflowError:
        return np.inf


def counted(wrong: np.ndarray) -> str:
    """Count the entries that are True, as in ``3 of 12 entries``."""
    return f"{np.count_nonzero(wrong)} of {wrong.size} entries"


def counted_are(wrong: np.ndarray) -> str:
    """Count the entries that are True, as in ``3 of 12 entries are``."""
    return f"{counted(wrong)} {'is' if np.count_nonzero(wrong) == 1 else 'are'}"


def place_of(wrong: np.ndarray, post_names: Names = None, pre_names: Names = None) -> str:
    """Say where the first True entry is, such as ``at [post, pre] = [0, 3]``."""
    index = [int(k) for k in np.argwhere(wrong)[0]]
    axes = {2: "[post, pre] = ", 3: "[replica, post, pre] = "}.get(len(index), "")
    named = [names[k] for names, k in zip((post_names, pre_names), index, strict=False) if names is not None]
    return f"at {axes}{index}" + (f" ({' <- '.join(named)})" if len(named) == 2 and len(index) == 2 else "")


def first_of(array: np.ndarray, wrong: np.ndarray, *names: Names) -> str:
    """Say which the first wrong entry is and where it is, such as ``(-1) at [post, pre] = [0, 3]``."""
    return f"({array[tuple(np.argwhere(wrong)[0])]:g}) {place_of(wrong, *names)}"


def fault_of(what: str, array: np.ndarray, post_names: Names = None, pre_names: Names = None) -> str | None:
    """Say how many entries are blank or infinite and where the first one is; None if all are finite."""
    wrong = ~np.isfinite(array)
    if not wrong.any():
        return None
    is_blank = np.isnan(array[wrong][0])
    advice = f"; if a blank means that there is no synapse, use {what}(array, blank=0)" if is_blank else ""
    first = first_of(array, wrong, post_names, pre_names)
    return f"{what}: {counted_are(wrong)} blank or not finite, the first {first}{advice}"


def filled(array: np.ndarray, blank: Any, owner: str) -> np.ndarray:
    """Return the array with its blanks replaced by the number `blank`, unless it is None."""
    if blank is None:
        return array
    if not isinstance(blank, int | float | np.number) or not np.isfinite(blank):
        raise MotifError(f"{owner}: blank must be a finite number, or None to refuse blanks (got {blank!r})")
    return np.where(np.isnan(array), float(blank), array)


def labelled(values: Any, array: np.ndarray) -> tuple[np.ndarray, Names, Names]:
    """Return the array of a frame and the names of its rows and columns; other values have no names.

    Labels that are the numbers 0, 1, ... in any order are the indices of neurons, by which the array is sorted. Any
    other labels are names.
    """
    if not is_frame(values) or array.ndim != 2:
        return array, None, None
    post, post_names = _labels(values.index, array.shape[0])
    pre, pre_names = _labels(values.columns, array.shape[1])
    return array[np.ix_(post, pre)], post_names, pre_names


def _labels(index: Any, n: int) -> tuple[np.ndarray, Names]:
    """Return the order in which to read an axis, and its names."""
    labels = list(index)
    are_indices = all(isinstance(label, int | np.integer) and not isinstance(label, bool) for label in labels)
    if are_indices and sorted(labels) == list(range(n)):
        return np.argsort(labels), None
    if blank := [k for k, label in enumerate(labels) if label is None or label != label]:  # NaN and NaT
        raise MotifError(f"a frame has {len(blank)} blank labels, the first at place {blank[0]}: name each neuron")
    return np.arange(n), tuple(normalized(str(label)) for label in labels)


def names_of_axis(names: Sequence[str] | None, array: np.ndarray, axis: int, owner: str) -> Names:
    """Return declared names of the neurons of an array's axis, -2 for post and -1 for pre, as a tuple."""
    if names is None:
        return None
    names = names_in(names, owner, "the names of neurons")
    if not all(isinstance(name, str) for name in names):
        raise MotifError(f"{owner}: the names of neurons must be a list of strings (got {names!r})")
    if array.ndim < 2 or array.shape[axis] != len(names):
        end, line = ("post", "row") if axis == -2 else ("pre", "column")
        raise MotifError(
            f"{owner}: {end}_names has {len(names)} names, but the array has shape {array.shape}; give one name for "
            f"each {line} of a matrix [post, pre]"
        )
    return tuple(names)


def locked(array: np.ndarray) -> np.ndarray:
    """Make an array read-only, so that a declaration cannot change, and return it."""
    array.flags.writeable = False
    return array
