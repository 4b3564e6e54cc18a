"""Image sets in their published files: those that torchvision reads, and those of MedMNIST.

The docstrings are their sources; `load_dataset` says what the sets are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.data.published_files import Mirrors, PublishedFiles
from circuitsim.data.source import Request, Source, samples_of_images

# Each function imports torchvision or medmnist late, because that takes seconds; hence the names here. The Reader
# classes read directly from the given folder instead of a subfolder.
MEDMNIST = (
    "adrenalmnist3d", "bloodmnist", "breastmnist", "chestmnist", "dermamnist", "fracturemnist3d", "nodulemnist3d",
    "octmnist", "organamnist", "organcmnist", "organmnist3d", "organsmnist", "pathmnist", "pneumoniamnist",
    "retinamnist", "synapsemnist3d", "tissuemnist", "vesselmnist3d",
)  # fmt: skip
# The checksums of the unpacked files; torchvision only has those of the packed files.
MNIST_MD5S = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
FASHION_MNIST_MD5S = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def load_mnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition."""
    from torchvision.datasets import MNIST

    return _read_mnist(MNIST, "mnist", MNIST_MD5S, request, mirrors)


def load_fashion_mnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Xiao et al. (2017), Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms."""
    from torchvision.datasets import FashionMNIST

    debian: dict[str, Any] = {"system": [DEBIAN_FASHION_MNIST]}
    debian["advice"] = " On Debian, `apt install dataset-fashion-mnist` provides them."
    return _read_mnist(FashionMNIST, "fashion_mnist", FASHION_MNIST_MD5S, request, mirrors, **debian)


def _read_mnist(
    theirs: Any, name: str, md5s: dict[str, str], request: Request, mirrors: Mirrors, **places: Any
) -> Source:
    files = PublishedFiles(name, theirs.__name__, md5s, theirs.mirrors, dict(theirs.resources), "raw", **places)
    folder = files.obtain(request, mirrors)

    class Reader(theirs):
        raw_folder = str(folder)

    parts = [Reader(folder, train=is_train) for is_train in (True, False)]
    return _source([(part.data.numpy()[:, None], part.targets) for part in parts], 1, validation=5000 / 60000)


def load_cifar10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Krizhevsky (2009), Learning multiple layers of features from tiny images."""
    from torchvision.datasets import CIFAR10

    class Reader(CIFAR10):
        base_folder = ""

    md5s = dict(CIFAR10.train_list + CIFAR10.test_list) | {CIFAR10.meta["filename"]: CIFAR10.meta["md5"]}
    folder = _in_one_archive(CIFAR10, "cifar10", md5s).obtain(request, mirrors)
    parts = [Reader(folder, train=is_train) for is_train in (True, False)]
    return _source([(np.moveaxis(part.data, 3, 1), part.targets) for part in parts], 3)


def load_stl10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Coates, Ng & Lee (2011), An analysis of single-layer networks in unsupervised feature learning.

    The 100000 unlabelled images are left out.
    """
    from torchvision.datasets import STL10

    labelled = [(name, md5) for name, md5 in STL10.train_list if not name.startswith("unlabeled")]

    class Reader(STL10):
        base_folder = ""
        train_list = labelled  # otherwise the class requires the unlabelled images for every split

    folder = _in_one_archive(STL10, "stl10", dict(labelled + STL10.test_list)).obtain(request, mirrors)
    return _source([(part.data, part.labels) for part in (Reader(folder, split=k) for k in ("train", "test"))], 3)


def _in_one_archive(theirs: Any, name: str, md5s: dict[str, str]) -> PublishedFiles:
    url, packed = theirs.url.removesuffix(theirs.filename), {theirs.filename: theirs.tgz_md5}
    return PublishedFiles(name, theirs.__name__, md5s, [url], packed, theirs.base_folder)


def load_svhn(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Netzer et al. (2011), Reading digits in natural images with unsupervised feature learning; without "extra"."""
    from torchvision.datasets import SVHN

    published = [SVHN.split_list[part] for part in ("train", "test")]
    url, first, _ = published[0]
    files = PublishedFiles("svhn", "SVHN", {name: md5 for _, name, md5 in published}, [url.removesuffix(first)])
    folder = files.obtain(request, mirrors)
    return _source([(part.data, part.labels) for part in (SVHN(folder, split=k) for k in ("train", "test"))], 3)


def _source(parts: list[tuple[Any, Any]], n_channels: int, validation: float = 0.1) -> Source:
    """Convert training and test images, uint8 ``[sample, channel, row, column]``, and classes ``[sample]``."""
    train, test = (samples_of_images(*part) for part in parts)
    return Source(*train, test, n_outputs=10, n_channels=n_channels, validation=validation)


def load_medmnist(name: str, request: Request, *, mirrors: Mirrors = None) -> Source:
    """Yang et al. (2023), MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image
    classification. A set has its smallest size, 28 x 28 pixels or 28 x 28 x 28 voxels, and its own three splits."""
    import medmnist

    info, file = medmnist.INFO[name], f"{name}.npz"
    theirs, url = info["python_class"], info["url"].partition(file)[0]
    own_folder = Path.home() / ".medmnist"  # to which medmnist downloads
    folder = PublishedFiles(name, theirs, {file: info["MD5"]}, [url], system=[own_folder]).obtain(request, mirrors)
    found = []
    for part in (getattr(medmnist, theirs)(split=split, root=folder) for split in ("train", "val", "test")):
        images = part.imgs[:, None] if info["n_channels"] == 1 else np.moveaxis(part.imgs, 3, 1)
        # a single column holds classes, several columns hold labels
        found.append(samples_of_images(images, part.labels[:, 0] if part.labels.shape[1] == 1 else part.labels))
    train, validation, test = found
    return Source(*train, test, n_outputs=len(info["label"]), n_channels=info["n_channels"], validation=validation)
