"""The image sets that torchvision reads: MNIST, Fashion-MNIST, CIFAR-10, SVHN and STL-10."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.data.published_files import Mirrors, PublishedFiles
from circuitsim.data.source import Request, Source, samples_of_images

# Each function imports torchvision late, because that takes a second. The Reader classes read directly from the given
# folder instead of a subfolder.

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
    """Load MNIST, 60000 and 10000 greyscale images of handwritten digits with 28 x 28 pixels.

    Source: LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition.
    """
    from torchvision.datasets import MNIST

    files = PublishedFiles("mnist", "MNIST", MNIST_MD5S, MNIST.mirrors, dict(MNIST.resources), "raw")
    return _read_mnist(MNIST, files.obtain(request, mirrors))


def load_fashion_mnist(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Load Fashion-MNIST, 60000 and 10000 greyscale images of clothing with 28 x 28 pixels.

    Source: Xiao, Rasul & Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms.
    """
    from torchvision.datasets import FashionMNIST

    files = PublishedFiles(
        "fashion_mnist",
        "FashionMNIST",
        FASHION_MNIST_MD5S,
        FashionMNIST.mirrors,
        dict(FashionMNIST.resources),
        "raw",
        system=[DEBIAN_FASHION_MNIST],
        advice=" On Debian, `apt install dataset-fashion-mnist` provides them.",
    )
    return _read_mnist(FashionMNIST, files.obtain(request, mirrors))


def _read_mnist(theirs: Any, folder: Path) -> Source:
    class Reader(theirs):
        raw_folder = str(folder)

    train, test = (Reader(folder, train=part) for part in (True, False))
    pairs = [(part.data.numpy()[:, None], part.targets) for part in (train, test)]
    return _source(*pairs, n_channels=1, validation=5000 / 60000)


def load_cifar10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Load CIFAR-10, 50000 and 10000 colour images of animals and vehicles with 32 x 32 pixels.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    from torchvision.datasets import CIFAR10

    class Reader(CIFAR10):
        base_folder = ""

    files = PublishedFiles(
        "cifar10",
        "CIFAR10",
        dict(CIFAR10.train_list + CIFAR10.test_list) | {CIFAR10.meta["filename"]: CIFAR10.meta["md5"]},
        [CIFAR10.url.removesuffix(CIFAR10.filename)],
        {CIFAR10.filename: CIFAR10.tgz_md5},
        CIFAR10.base_folder,
    )
    folder = files.obtain(request, mirrors)
    train, test = (Reader(folder, train=part) for part in (True, False))
    pairs = [(np.moveaxis(part.data, 3, 1), part.targets) for part in (train, test)]
    return _source(*pairs, n_channels=3, validation=0.1)


def load_svhn(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Load SVHN, 73257 and 26032 colour images of house numbers with 32 x 32 pixels, without the 531131 "extra" ones.

    Source: Netzer et al. (2011), Reading digits in natural images with unsupervised feature learning.
    """
    from torchvision.datasets import SVHN

    published = [SVHN.split_list[part] for part in ("train", "test")]
    url, first, _ = published[0]
    files = PublishedFiles("svhn", "SVHN", {name: md5 for _, name, md5 in published}, [url.removesuffix(first)])
    folder = files.obtain(request, mirrors)
    train, test = (SVHN(folder, split=part) for part in ("train", "test"))
    return _source((train.data, train.labels), (test.data, test.labels), n_channels=3, validation=0.1)


def load_stl10(request: Request, *, mirrors: Mirrors = None) -> Source:
    """Load STL-10, 5000 and 8000 colour images of animals and vehicles with 96 x 96 pixels.

    The 100000 unlabelled images are left out.

    Source: Coates, Ng & Lee (2011), An analysis of single-layer networks in unsupervised feature learning.
    """
    from torchvision.datasets import STL10

    labelled = [(name, md5) for name, md5 in STL10.train_list if not name.startswith("unlabeled")]

    class Reader(STL10):
        base_folder = ""
        train_list = labelled  # otherwise the class requires the unlabelled images for every split

    files = PublishedFiles(
        "stl10",
        "STL10",
        dict(labelled + STL10.test_list),
        [STL10.url.removesuffix(STL10.filename)],
        {STL10.filename: STL10.tgz_md5},
        STL10.base_folder,
    )
    folder = files.obtain(request, mirrors)
    train, test = (Reader(folder, split=part) for part in ("train", "test"))
    return _source((train.data, train.labels), (test.data, test.labels), n_channels=3, validation=0.1)


def _source(train: tuple[Any, Any], test: tuple[Any, Any], *, n_channels: int, validation: float) -> Source:
    """Convert pairs of images, uint8 ``[sample, channel, row, column]``, and classes ``[sample]`` to a Source."""
    x, y = samples_of_images(*train)
    return Source(x, y, samples_of_images(*test), n_outputs=10, n_channels=n_channels, validation=validation)
