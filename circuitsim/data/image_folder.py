"""Folders of images, with one folder per class."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from circuitsim.data.source import samples_of_images
from circuitsim.errors import DataError, ParameterError
from circuitsim.whole import whole

# The names of folders that hold a split. torchvision and PIL are imported late, because that takes a second.
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "valid": "validation", "test": "test"}
CHANNELS = {"L": 1, "RGB": 3}  # the number of channels of PIL's modes
IGNORED = {"thumbs.db", "desktop.ini"}  # what file managers leave behind, besides hidden files


def read_image_folder(
    folder: Path, size: Any, channels: Any
) -> tuple[dict[str, tuple[Tensor, Tensor]], tuple[str, ...], int]:
    """Read the images of every split, scaled and converted as `Dataset.from_folder` says.

    Returns:
        x and y of each split, the names of the classes in the order of their indices, and the number of channels.
    """
    if channels not in (None, *CHANNELS.values()) or isinstance(channels, bool):
        raise ParameterError(f"channels must be 1 (grey), 3 (colour) or None (got {channels!r})")
    if size is not None and (not isinstance(size, list | tuple) or len(size) != 2):
        raise ParameterError(f"size must be (rows, columns) or None (got {size!r})")
    size = None if size is None else tuple(whole("size", n, least=1) for n in size)
    mode = next((mode for mode, n in CHANNELS.items() if n == channels), None)
    parts = _splits(folder)
    classes = tuple(path.name for path in _folders(parts["train"]))
    if len(classes) < 2:
        raise DataError(
            f"{parts['train']} must hold one folder of images per class, at least two (it holds "
            f"{', '.join(classes) or 'none'})"
        )
    labelled = {split: list(_files(path, classes, split)) for split, path in parts.items()}
    for split, files in labelled.items():
        if not files:
            raise DataError(f"{parts[split]} holds no images: add some, or remove the folder")
    first = labelled["train"][0][0]
    shape = _pixels(first, size, mode).shape
    found = {}
    for split, files in labelled.items():
        images = [_pixels(path, size, mode, (first, shape)) for path, _ in files]
        found[split] = samples_of_images(np.stack(images), [label for _, label in files])
    return found, classes, shape[0]


def _splits(folder: Path) -> dict[str, Path]:
    """The folder of each split."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder")
    inside = _folders(folder)
    if not any(path.name.lower() == "train" and _folders(path) for path in inside):  # a class may be called "train" too
        names = [path.name for path in inside]
        if inside and all(name.lower() in SPLITS for name in names):
            raise DataError(f"{folder} holds {' and '.join(names)}, but no folder train with one folder per class")
        return {"train": folder}
    found: dict[str, Path] = {}
    for path in inside:
        split = SPLITS.get(path.name.lower())
        if split is None or split in found:
            reason = f"a second {split} split" if split else "no split"
            raise DataError(f"{folder} holds a folder {path.name!r}, which is {reason} (known: {', '.join(SPLITS)})")
        found[split] = path
    return found


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(folder: Path, classes: tuple[str, ...], split: str) -> Iterable[tuple[Path, int]]:
    """The images of a split with the indices of their classes, in the order of the names."""
    from torchvision.datasets.folder import IMG_EXTENSIONS

    names = [path.name for path in _folders(folder)]
    if unknown := [name for name in names if name not in classes]:
        raise DataError(f"{folder} has a class {unknown[0]!r}, which the training split lacks ({', '.join(classes)})")
    if stray := [path for path in folder.iterdir() if not path.is_dir() and not _is_ignored(path)]:
        raise DataError(f"{stray[0]} lies outside the folders of the classes ({', '.join(names)})")
    for name in names:
        found = sorted(path for path in (folder / name).rglob("*") if not _is_ignored(path))
        if links := [path for path in found if path.is_symlink() and not path.is_file()]:
            raise DataError(f"{links[0]} is a link to a folder or to nothing: link or copy the images themselves")
        files = [path for path in found if path.is_file()]
        if not files and split == "train":
            raise DataError(f"class {name!r} has no images in {folder / name}")
        for path in files:
            if path.suffix.lower() not in IMG_EXTENSIONS:
                raise DataError(f"{path} is not an image of a known kind ({', '.join(IMG_EXTENSIONS)}): move it away")
            yield path, classes.index(name)


def _is_ignored(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in IGNORED


def _pixels(
    path: Path, size: tuple[int, int] | None, mode: str | None, like: tuple[Path, tuple[int, ...]] | None = None
) -> np.ndarray[Any, Any]:
    """The pixels of an image, uint8 ``[channel, row, column]``, scaled to a size and converted to a mode of PIL. They
    must have the shape of the pixels of another image, `like`."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            n_frames = getattr(file, "n_frames", 1)
            image: Image.Image = ImageOps.exif_transpose(file)  # cameras store the rotation beside the pixels
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as an image ({error})") from None
    if n_frames > 1:
        raise DataError(f"{path} holds {n_frames} images: save each as a file of its own")
    if mode is not None and image.mode in (*CHANNELS, "1", "P", "RGBA", "LA", "CMYK", "YCbCr"):
        image = image.convert(mode)
    if size is not None:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    if image.mode not in CHANNELS:
        raise DataError(
            f"{path} has pixels of PIL's mode {image.mode!r}, not 8 bits of grey or colour: pass channels=1 or "
            "channels=3 to convert the images"
            + ("" if image.mode[:1] not in "IF" else ", after converting this one, which has more than 8 bits")
        )
    array = np.asarray(image)
    array = array[None] if array.ndim == 2 else np.moveaxis(array, 2, 0)
    first, shape = like or (path, array.shape)
    for what, own, wanted, advice in (
        ("channels", len(array), shape[0], "channels=1 or channels=3"),
        ("rows and columns", array.shape[1:], shape[1:], "size=(rows, columns)"),
    ):
        if own != wanted:
            raise DataError(f"{path} has {own} {what}, but {first} has {wanted}: pass {advice} to make them equal")
    return array
