"""Dataset.from_folder: files as PIL writes them, one folder per class."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

import circuitsim as cs

PIL = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)


def filled(folder, classes=("bear", "cat", "dog"), n=4, shape=(3, 4)):
    """Write n random images of each class, and return their pixels by path."""
    found = {}
    for name in classes:
        for k in range(n):
            path = folder / name / f"{k}.png"
            found[path] = RNG.integers(0, 256, shape)
            save(path, found[path])
    return found


def test_pixels_are_those_of_the_files_and_classes_are_numbered_by_name(tmp_path):
    images = filled(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / "bear" / "Thumbs.db").write_bytes(b"")
    data = cs.Dataset.from_folder(tmp_path, standardize=False)
    assert data.classes == ("bear", "cat", "dog") and data.n_outputs == 3 and data.name == tmp_path.name
    assert data.train.target.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    expected = np.stack([images[path] for path in sorted(images)]).reshape(12, 12) / 255
    assert np.abs(data.train.x.numpy() - expected).max() < 1e-7


def test_colour_is_flattened_channel_by_channel_and_standardised(tmp_path):
    images = filled(tmp_path, ("a", "b"), shape=(2, 3, 3))
    pixels = np.stack([images[path] for path in sorted(images)]) / 255
    raw = cs.Dataset.from_folder(tmp_path, standardize=False).train.x.numpy()
    assert np.abs(raw - np.moveaxis(pixels, 3, 1).reshape(8, 18)).max() < 1e-7
    x = cs.Dataset.from_folder(tmp_path).train.x.double().reshape(8, 3, 6)
    assert torch.isfinite(x).all()
    assert x.mean((0, 2)).abs().max() < 1e-6 and (x.std((0, 2), correction=0) - 1).abs().max() < 1e-6
    grey = cs.Dataset.from_folder(tmp_path, channels=1, standardize=False).train.x.numpy()
    luma = (pixels @ [0.299, 0.587, 0.114]).reshape(8, 6)  # ITU-R 601-2, as PIL documents
    assert np.abs(grey - luma).max() < 1 / 255


def test_splits_of_the_folder_or_fractions(tmp_path):
    filled(tmp_path / "parts" / "train")
    filled(tmp_path / "parts" / "val", n=1)
    filled(tmp_path / "parts" / "test", ("dog", "bear"), n=2)  # no cat: the others keep their numbers
    data = cs.Dataset.from_folder(tmp_path / "parts")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 12, "validation": 3, "test": 4}
    assert data.test.target.tolist() == [0, 0, 2, 2] and data.n_outputs == 3
    images = filled(tmp_path / "whole", n=10)
    data = cs.Dataset.from_folder(tmp_path / "whole", validation=0.2, test=0.1, standardize=False)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 21, "validation": 6, "test": 3}
    assert data.test.target.tolist() == [0, 1, 2] and data.validation.target.bincount().tolist() == [2, 2, 2]
    rows = torch.cat([split.x for split in data.splits.values()])
    assert len({tuple(row.tolist()) for row in rows}) == len(images)
    with pytest.raises(cs.ParameterError, match=r"test must be None, because .*parts holds a test split \(got 0.2\)"):
        cs.Dataset.from_folder(tmp_path / "parts", test=0.2)


def test_a_class_may_be_called_train(tmp_path):
    filled(tmp_path, ("car", "train"))
    assert cs.Dataset.from_folder(tmp_path).classes == ("car", "train")


def test_images_are_scaled_and_turned_as_the_camera_says(tmp_path):
    filled(tmp_path, ("a", "b"), shape=(6, 8))
    save(tmp_path / "a" / "large.jpg", np.full((60, 80), 100))
    turned = PIL.Exif()
    turned[0x0112] = 6  # the camera was held upright
    save(tmp_path / "b" / "upright.jpg", np.full((80, 60), 100), exif=turned)
    with pytest.raises(cs.DataError, match=r"large.jpg has \(60, 80\) rows and columns, but .*0.png has \(6, 8\)"):
        cs.Dataset.from_folder(tmp_path)
    data = cs.Dataset.from_folder(tmp_path, size=(6, 8), standardize=False)
    assert data.n_features == 48 and len(data.train) == 10
    assert (data.train.x[4] * 255 - 100).abs().max() < 2
    (tmp_path / "a" / "large.jpg").unlink()
    save(tmp_path / "b" / "upright.jpg", np.full((8, 6), 100), exif=turned)
    assert cs.Dataset.from_folder(tmp_path).n_features == 48


def broken(what, tmp_path):
    """A good folder, and what is wrong in it."""
    filled(tmp_path)
    match what:
        case "text":
            (tmp_path / "cat" / "notes.txt").write_text("a good cat")
        case "damaged":
            content = (tmp_path / "cat" / "0.png").read_bytes()
            (tmp_path / "cat" / "0.png").write_bytes(content[:40])
        case "not an image":
            (tmp_path / "cat" / "9.png").write_text("a good cat")
        case "empty":
            (tmp_path / "eel").mkdir()
        case "stray":
            save(tmp_path / "0.png", np.zeros((3, 4)))
        case "colour":
            save(tmp_path / "dog" / "0.png", np.zeros((3, 4, 3)))
        case "transparent":
            save(tmp_path / "bear" / "0.png", np.zeros((3, 4, 4)))
        case "deep":
            PIL.fromarray(np.zeros((3, 4), np.uint16)).save(tmp_path / "bear" / "0.png")
    return tmp_path


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("text", r"cat/notes.txt is not an image of a known kind \(.jpg"),
        ("damaged", "cat/0.png cannot be read as an image"),
        ("not an image", "cat/9.png cannot be read as an image"),
        ("empty", "class 'eel' has no images"),
        ("stray", r"0.png lies outside the folders of the classes \(bear, cat, dog\)"),
        ("colour", "dog/0.png has 3 channels, but .*bear/0.png has 1: pass channels=1 or channels=3"),
        ("transparent", "bear/0.png has pixels of PIL's mode 'RGBA'"),
        ("deep", "bear/0.png has pixels of PIL's mode 'I;16'.*more than 8 bits"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_file(what, message, tmp_path):
    with pytest.raises(cs.DataError, match=message):
        cs.Dataset.from_folder(broken(what, tmp_path))
    if what == "transparent":
        assert len(cs.Dataset.from_folder(tmp_path, channels=3).train) == 12


def test_folders_of_another_form_are_refused(tmp_path):
    for folder, message in ((tmp_path / "none", "is not a folder"), (tmp_path, "at least two")):
        with pytest.raises(cs.DataError, match=message):
            cs.Dataset.from_folder(folder)
    filled(tmp_path / "set" / "train")
    with pytest.raises(cs.DataError, match=r"one folder of images per class, at least two \(it holds set\)"):
        cs.Dataset.from_folder(tmp_path)  # one folder too high
    filled(tmp_path / "set" / "test", ("eel",))
    with pytest.raises(
        cs.DataError, match=r"test has a class 'eel', which the training split lacks \(bear, cat, dog\)"
    ):
        cs.Dataset.from_folder(tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / "test" / "eel")
    for folder in ("test", "test/bear"):
        (tmp_path / "set" / folder).mkdir(exist_ok=True)
        with pytest.raises(cs.DataError, match="set/test holds no images: add some, or remove the folder"):
            cs.Dataset.from_folder(tmp_path / "set")
    (tmp_path / "set" / "test").rename(tmp_path / "set" / "extra")
    with pytest.raises(cs.DataError, match="a folder 'extra', which is no split"):
        cs.Dataset.from_folder(tmp_path / "set")


@pytest.mark.parametrize("target", ["none.png", ".."])
def test_links_that_lead_to_no_image_are_refused(target, tmp_path):
    filled(tmp_path)
    (tmp_path / "cat" / "link").symlink_to(target)
    with pytest.raises(cs.DataError, match=r"cat/link is a link to a folder or to nothing: link or copy the images"):
        cs.Dataset.from_folder(tmp_path)
    (tmp_path / "cat" / "link").rename(tmp_path / "lynx")
    if target == "none.png":
        with pytest.raises(cs.DataError, match=r"lynx lies outside the folders of the classes"):
            cs.Dataset.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 4}, "channels must be 1"), ({"channels": True}, "channels must be 1"),
        ({"size": 28}, r"size must be \(rows, columns\)"), ({"size": (0, 28)}, "size must be a whole number"),
        ({"validation": 1.5}, "validation must be between 0 and 1"), ({"test": True}, "test must be between 0 and 1"),
        ({"seed": -1, "test": 0.5}, "seed must be a whole number"),
        ({"validation": 0.6, "test": 0.5}, r"must leave images to learn from \(got 0.6 and 0.5, 1.1 together\)"),
        ({"validation": 0.1, "test": 0.9}, r"must leave images to learn from \(got 0.1 and 0.9, 1 together\)"),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message, tmp_path):
    filled(tmp_path)
    with pytest.raises(cs.ParameterError, match=message):
        cs.Dataset.from_folder(tmp_path, **options)


def test_a_file_of_several_images_is_refused(tmp_path):
    filled(tmp_path)
    frames = [PIL.fromarray(RNG.integers(0, 256, (3, 4)).astype(np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "cat" / "stack.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(cs.DataError, match=r"stack\.tif holds 3 images: save each as a file of its own"):
        cs.Dataset.from_folder(tmp_path)


def test_splits_without_a_training_split_are_no_classes(tmp_path):
    filled(tmp_path / "val")
    filled(tmp_path / "test")
    with pytest.raises(cs.DataError, match="holds test and val, but no folder train"):
        cs.Dataset.from_folder(tmp_path)
