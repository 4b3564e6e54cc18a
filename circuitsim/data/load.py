"""Data sets by name."""

from __future__ import annotations

import inspect
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from circuitsim.data.dataset import Dataset
from circuitsim.data.digits import load_digits
from circuitsim.data.mnist import load_fashion_mnist, load_mnist
from circuitsim.data.source import Loader, Request
from circuitsim.data.standardize import standardize as standardized
from circuitsim.data.teacher import load_teacher
from circuitsim.data.whole import whole
from circuitsim.errors import ParameterError

LOADERS: dict[str, Loader] = {
    "digits": load_digits,
    "fashion_mnist": load_fashion_mnist,
    "mnist": load_mnist,
    "teacher": load_teacher,
}


def load_dataset(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    validation: float | str | None = "default",
    standardize: bool = True,
    download: bool = True,
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> Dataset:
    """Load a data set by name, as float32 inputs ``[sample, feature]`` and class indices.

    - "digits": 8 x 8 digits that come with scikit-learn, 1257 / 270 / 270 samples.
    - "mnist", "fashion_mnist": 28 x 28 images, 55000 / 5000 / 10000 samples. Options: `mirrors`, URLs to download
      from in place of torchvision's.
    - "teacher": Gaussian inputs that a random ReLU network puts into classes, 70 / 15 / 15 %. Options:
      `n_features`, `n_hidden`, `n_outputs`, `n_samples`, `depth`.

    Args:
        name: one of the above.
        folder: where files are, or shall be put. Looked at next: the folder that the environment variable
            CIRCUITSIM_DATA names, circuitsim's folder in the user's cache, the system's packages.
        validation: the fraction of the samples outside the test split to hold out; "default" as above; None for
            no validation split.
        standardize: give each channel mean 0 and std 1 over the training split; otherwise pixels are from 0 to 1.
        download: fetch files that are found nowhere.
        seed: draws the splits (and the teacher); 0 gives the fixed splits of the data set.
        progress: show a bar while downloading.
        options: the data set's own, as above.

    Raises:
        ParameterError: an unknown name or option, or a value out of range.
        DataError: files are missing and cannot be fetched, or are damaged.
    """
    loader = _find(name)
    _check_options(name, loader, options)
    if isinstance(validation, str) and validation != "default":
        raise ParameterError(f'validation must be a fraction between 0 and 1, None or "default" (got {validation!r})')
    place = None if folder is None else Path(folder).expanduser()
    source = loader(Request(place, download, progress, whole("seed", seed, least=0)), **options)
    data = Dataset.from_arrays(
        source.x,
        source.y,
        validation=source.validation if isinstance(validation, str) else validation,
        test=source.test,
        n_outputs=source.n_outputs,
        name=name,
        seed=seed,
    )
    return standardized(data, source.n_channels) if standardize else data


def _find(name: str) -> Loader:
    if name in LOADERS:
        return LOADERS[name]
    near = get_close_matches(str(name), LOADERS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ParameterError(f"there is no data set {name!r} (known: {', '.join(sorted(LOADERS))}){hint}")


def _check_options(name: str, loader: Loader, options: dict[str, Any]) -> None:
    known = [p.name for p in inspect.signature(loader).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise ParameterError(f"data set {name!r} has no option {option!r} (it has {', '.join(known) or 'none'})")
