"""Data sets by name."""

from __future__ import annotations

import inspect
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from circuitsim.data.chestmnist import load_chestmnist
from circuitsim.data.cifar10 import load_cifar10
from circuitsim.data.dataset import Dataset
from circuitsim.data.digits import load_digits
from circuitsim.data.mnist import load_fashion_mnist, load_mnist
from circuitsim.data.pathmnist import load_pathmnist
from circuitsim.data.source import Loader, Request, Source
from circuitsim.data.standardize import standardize as standardized
from circuitsim.data.stl10 import load_stl10
from circuitsim.data.svhn import load_svhn
from circuitsim.data.teacher import load_teacher
from circuitsim.data.whole import whole
from circuitsim.errors import ParameterError

LOADERS: dict[str, Loader] = {
    "chestmnist": load_chestmnist,
    "cifar10": load_cifar10,
    "digits": load_digits,
    "fashion_mnist": load_fashion_mnist,
    "mnist": load_mnist,
    "pathmnist": load_pathmnist,
    "stl10": load_stl10,
    "svhn": load_svhn,
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
    """Load a data set by name, as float32 inputs ``[sample, feature]`` and class indices or 0/1 labels.

    Colour images are flattened channel by channel: all of red, then green, then blue.

    - "digits": 8 x 8 digits that come with scikit-learn, 1257 / 270 / 270 samples.
    - "mnist", "fashion_mnist": 28 x 28 images, 55000 / 5000 / 10000 samples.
    - "cifar10": 32 x 32 colour images, 45000 / 5000 / 10000 samples.
    - "svhn": 32 x 32 colour images of digits, 65931 / 7326 / 26032 samples.
    - "stl10": 96 x 96 colour images, 4500 / 500 / 8000 samples.
    - "chestmnist": 28 x 28 X-rays with 14 labels, 78468 / 11219 / 22433 samples, split as MedMNIST does.
    - "pathmnist": 28 x 28 colour images of tissue in 9 classes, 89996 / 10004 / 7180 samples, split as MedMNIST does.
    - "teacher": Gaussian inputs that a random ReLU network puts into classes, 70 / 15 / 15 %. Options:
      `n_features`, `n_hidden`, `n_outputs`, `n_samples`, `depth`.

    Those that are downloaded have the option `mirrors`: URLs to download from, in place of torchvision's or
    medmnist's. The environment variable CIRCUITSIM_MIRROR may name some too, separated by blanks.

    Args:
        name: one of the above.
        folder: where files are, or shall be put. Looked at next: the folder that the environment variable
            CIRCUITSIM_DATA names, circuitsim's folder in the user's cache, the system's packages.
        validation: the fraction of the samples outside the test split to hold out; "default" as above; None for
            no validation split. A fraction and None train on samples of an official validation split, too.
        standardize: give each channel mean 0 and std 1 over the training split; otherwise pixels are from 0 to 1.
        download: fetch files that are found nowhere.
        seed: draws the splits (and the teacher); 0 gives the fixed splits of the data set.
        progress: show a bar while downloading.
        options: the data set's own, as above.
    Returns:
        The data set; print it to see its splits.
    Raises:
        ParameterError: an unknown name or option, or a value out of range.
        DataError: files are missing and cannot be fetched, or are damaged.
    Example:
        >>> import circuitsim as cs
        >>> cs.load_dataset("digits")
        Dataset('digits', kind='classes', n_features=64, n_outputs=10, train=1257, validation=270, test=270)
    """
    loader = _find(name)
    _check_options(name, loader, options)
    if isinstance(validation, str) and validation != "default":
        raise ParameterError(f'validation must be a fraction between 0 and 1, None or "default" (got {validation!r})')
    place = None if folder is None else Path(folder).expanduser()
    request = Request(place, download, progress, whole("seed", seed, least=0))
    source = loader(request, **options)
    data = _split(name, source, validation, seed)
    n_channels = source.n_channels
    del source  # its copy of the samples, before standardising makes another
    return standardized(data, n_channels) if standardize else data


def _split(name: str, source: Source, validation: float | str | None, seed: int) -> Dataset:
    default = isinstance(validation, str)
    x, y = (source.x, source.y) if default else source.whole_training()
    held_out: Any = source.validation if default else validation
    return Dataset.from_arrays(
        x,
        y,
        validation=held_out,
        test=source.test,
        n_outputs=source.n_outputs,
        name=name,
        seed=seed,
    )


def _find(name: str) -> Loader:
    if name in LOADERS:
        return LOADERS[name]
    near = get_close_matches(str(name).lower(), LOADERS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ParameterError(f"there is no data set {name!r} (known: {', '.join(sorted(LOADERS))}){hint}")


def _check_options(name: str, loader: Loader, options: dict[str, Any]) -> None:
    known = [p.name for p in inspect.signature(loader).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise ParameterError(f"data set {name!r} has no option {option!r} (it has {', '.join(known) or 'none'})")
