"""Loading data sets by name; two of them need no files."""

from __future__ import annotations

import inspect
import os
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from circuitsim.data import image_sets
from circuitsim.data.dataset import Dataset
from circuitsim.data.source import Loader, Request, Source
from circuitsim.data.split import hold_out
from circuitsim.errors import ParameterError
from circuitsim.whole import whole

N_TEST = 270
N_VALIDATION = 270
TEACHER_TEST = TEACHER_VALIDATION = 0.15


def load_digits(request: Request) -> Source:
    """Load 1797 images of 64 pixels from 0 to 1 in ten classes, with 270 held out for test and 270 for validation.

    Source: the test set of Alpaydin & Kaynak's Optical Recognition of Handwritten Digits (UCI, 1998).
    """
    from sklearn import datasets  # late: it takes a second to import

    pixels, digits = datasets.load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16.0, dtype=torch.float32)
    y = torch.tensor(digits, dtype=torch.int64)
    kept, held = hold_out(len(y), N_TEST, classes=y, seed=request.seed)
    return Source(x[kept], y[kept], (x[held], y[held]), n_outputs=10, n_channels=1, validation=N_VALIDATION / len(kept))


def load_teacher(
    request: Request,
    *,
    n_features: int = 32,
    n_hidden: int = 64,
    n_outputs: int = 5,
    n_samples: int = 4000,
    depth: int = 2,
) -> Source:
    """Draw Gaussian inputs and classify them with a random network.

    ``h_0 = x``, ``h_k = relu(W_k h_{k-1})`` for k = 1..depth, ``class = argmax standardised(V h_depth)``, where
    `x` is standard normal and the weights are normal with variance 2 / fan-in. Each output is standardised over the
    samples; otherwise the positive means of ReLU would assign nearly all samples to a few classes. A depth of 0 gives a
    linear teacher.
    """
    least = {"n_features": 1, "n_hidden": 1, "n_outputs": 2, "n_samples": 10, "depth": 0}
    sizes = {"n_features": n_features, "n_hidden": n_hidden, "n_outputs": n_outputs, "n_samples": n_samples}
    for name, size in (sizes | {"depth": depth}).items():
        whole(name, size, least=least[name])
    if n_samples < 10 * n_outputs:
        raise ParameterError(f"n_samples is {n_samples}; {n_outputs} classes need at least {10 * n_outputs}")
    rng = np.random.default_rng(request.seed)
    x = rng.standard_normal((n_samples, n_features))
    hidden = x
    for _ in range(depth):
        hidden = np.maximum(hidden @ _weights(rng, hidden.shape[1], n_hidden), 0)
    logits = hidden @ _weights(rng, hidden.shape[1], n_outputs)
    y = torch.from_numpy(((logits - logits.mean(0)) / logits.std(0)).argmax(1))
    inputs = torch.tensor(x, dtype=torch.float32)
    kept, held = hold_out(n_samples, round(TEACHER_TEST * n_samples), classes=y, seed=request.seed)
    test, fraction = (inputs[held], y[held]), TEACHER_VALIDATION / (1 - TEACHER_TEST)
    return Source(inputs[kept], y[kept], test, n_outputs=n_outputs, n_channels=n_features, validation=fraction)


def _weights(rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
    return rng.normal(scale=(2 / fan_in) ** 0.5, size=(fan_in, fan_out))


LOADERS: dict[str, Loader] = {
    "cifar10": image_sets.load_cifar10,
    "digits": load_digits,
    "fashion_mnist": image_sets.load_fashion_mnist,
    "mnist": image_sets.load_mnist,
    "stl10": image_sets.load_stl10,
    "svhn": image_sets.load_svhn,
    "teacher": load_teacher,
} | {name: partial(image_sets.load_medmnist, name) for name in image_sets.MEDMNIST}


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

    Colour images are flattened channel by channel: all of red, then green, then blue. The data sets and the sizes of
    their training, validation and test splits are:

    - "digits": the 8 x 8 digits that come with scikit-learn, 1257 / 270 / 270 samples.
    - "mnist", "fashion_mnist": 28 x 28 images, 55000 / 5000 / 10000 samples.
    - "cifar10": 32 x 32 colour images, 45000 / 5000 / 10000 samples.
    - "svhn": 32 x 32 colour images of digits, 65931 / 7326 / 26032 samples.
    - "stl10": 96 x 96 colour images, 4500 / 500 / 8000 samples.
    - "chestmnist": 28 x 28 X-rays with 14 labels, 78468 / 11219 / 22433 samples, split as MedMNIST does.
    - "pathmnist": 28 x 28 colour images of tissue in 9 classes, 89996 / 10004 / 7180 samples, split as MedMNIST does.
    - the other sets of MedMNIST by its names, such as "bloodmnist" or, with 28 x 28 x 28 voxels, "organmnist3d".
    - "teacher": Gaussian inputs that a random ReLU network classifies, 70 / 15 / 15 %. It has the options
      `n_features`, `n_hidden`, `n_outputs`, `n_samples` and `depth`.

    torchvision and medmnist read the image sets from their published files. The files are searched for in `folder`,
    in the folder named by the environment variable CIRCUITSIM_DATA, in circuitsim's folder in the user's cache, and
    where system packages install them. Each of these may have the layout of torchvision, or hold the files directly.
    Missing files are downloaded. A file is used only if its checksum is correct.

    The image sets have the option `mirrors`, URLs of folders that replace the published ones as the source of
    downloads. The environment variable CIRCUITSIM_MIRROR may hold such URLs too, separated by spaces.

    Args:
        name: one of the above.
        folder: the folder that is searched first and receives downloads; None stands for the cache.
        validation: the fraction of the samples outside the test split to hold out, "default" for the sizes above, or
            None for no validation split. With a fraction or None, an official validation split becomes part of the
            samples for training.
        standardize: whether to scale each channel to mean 0 and standard deviation 1 over the training split;
            otherwise pixels range from 0 to 1.
        download: whether to download missing files.
        seed: the seed for the splits and for the teacher; 0 gives the fixed splits of the data set.
        progress: whether to show a progress bar while downloading.
        options: the options of the data set, as above.
    Returns:
        The data set; printing it shows its splits.
    Raises:
        ParameterError: a name or option is unknown, or a value is out of range.
        DataError: files are damaged, or missing and not available for download.
    Example:
        >>> import circuitsim as cs
        >>> cs.load_dataset("digits")
        Dataset('digits', kind='classes', n_features=64, n_outputs=10, train=1257, validation=270, test=270)
    """
    loader = _find(name)
    known = [p.name for p in inspect.signature(loader).parameters.values() if p.kind is p.KEYWORD_ONLY]
    if unknown := [option for option in options if option not in known]:
        raise ParameterError(f"data set {name!r} has no option {unknown[0]!r} (it has {', '.join(known) or 'none'})")
    if isinstance(validation, str) and validation != "default":
        raise ParameterError(f'validation must be a fraction between 0 and 1, None or "default" (got {validation!r})')
    place = None if folder is None else Path(folder).expanduser()
    request = Request(place, download, progress, whole("seed", seed, least=0))
    source = loader(request, **options)
    is_default, n_channels = isinstance(validation, str), source.n_channels
    x, y = (source.x, source.y) if is_default else source.whole_training()
    held_out: Any = source.validation if is_default else validation
    data = Dataset.from_arrays(
        x, y, validation=held_out, test=source.test, n_outputs=source.n_outputs, name=name, seed=seed
    )
    del source  # frees one copy of the samples before standardising makes another
    return data.standardized(n_channels) if standardize else data


def _find(name: str) -> Loader:
    if name in LOADERS:
        return LOADERS[name]
    near = get_close_matches(str(name).lower(), LOADERS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ParameterError(f"there is no data set {name!r} (known: {', '.join(sorted(LOADERS))}){hint}")
