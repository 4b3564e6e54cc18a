"""FileSet: files of each image set are found or fetched, whole and right, or refused."""

from __future__ import annotations

import re

import pytest

from circuitsim.data import fileset, load_dataset
from circuitsim.errors import DataError
from tests.data.image_sets import MAKERS, put

# as they are published, typed in by hand
PUBLISHED = {
    "chestmnist": [
        ("https://zenodo.org/records/10519652/files/chestmnist.npz", "02c8a6516a18b556561a56cbdd36c4a8"),
    ],
    "cifar10": [
        ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    ],
    "pathmnist": [
        ("https://zenodo.org/records/10519652/files/pathmnist.npz", "a8b06965200029087d5bd730944a56c1"),
    ],
    "stl10": [
        ("http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", "91f7769df0f17e558f3565bffb0c7dfb"),
    ],
    "svhn": [
        ("http://ufldl.stanford.edu/housenumbers/train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
        ("http://ufldl.stanford.edu/housenumbers/test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
    ],
}
ARCHIVED = ["cifar10", "stl10"]
READ = [(name, file) for name, make in MAKERS.items() for file in make().files]


def check(data, image_set):
    """All samples are there."""
    assert len(data.test) == len(image_set.targets["test"])
    assert len(data.train) + len(data.validation) == sum(
        len(y) for part, y in image_set.targets.items() if part != "test"
    )


@pytest.fixture
def published(monkeypatch):
    """A function that publishes the image set of a name."""

    def of(name):
        made = MAKERS[name]()
        made.publish(monkeypatch)
        return made

    return of


@pytest.mark.parametrize("inner", [False, True], ids=["direct", "inner"])
@pytest.mark.parametrize("outer", [".", "class", "name"])
def test_files_are_found_in_every_layout_and_nothing_is_written(tmp_path, image_set, inner, outer, bare_machine):
    outer = {".": ".", "class": image_set.class_name, "name": image_set.name}[outer]
    image_set.put(tmp_path / "mine" / outer / (image_set.inner if inner else ""))
    before = sorted((tmp_path / "mine").rglob("*"))
    check(load_dataset(image_set.name, folder=tmp_path / "mine", download=False), image_set)
    assert sorted((tmp_path / "mine").rglob("*")) == before
    assert not bare_machine.exists()


def test_files_are_found_in_the_data_folder_of_the_environment(tmp_path, image_set, monkeypatch):
    image_set.put(tmp_path / "env" / image_set.inner)
    monkeypatch.setenv("CIRCUITSIM_DATA", str(tmp_path / "env"))
    check(load_dataset(image_set.name, download=False), image_set)


@pytest.mark.parametrize("ranges", [True, False], ids=["resumed", "restarted"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_download_goes_to_the_cache_and_is_found_there(image_set, mirror, bare_machine, begun, ranges):
    target = bare_machine / image_set.class_name
    if begun:
        put({f"{name}.part": data[: len(data) // 2] for name, data in image_set.remote.items()}, target)
    server = mirror(image_set.remote, ranges=ranges)
    check(load_dataset(image_set.name, mirrors=[server.url], progress=False), image_set)
    assert server.asked == [
        (f"/{name}", f"bytes={len(data) // 2}-" if begun else None) for name, data in image_set.remote.items()
    ]
    for name, data in image_set.remote.items():
        assert (target / name).read_bytes() == data
    for name, data in image_set.files.items():
        assert (target / image_set.inner / name).read_bytes() == data
    assert not list(bare_machine.rglob("*.part"))
    check(load_dataset(image_set.name, download=False), image_set)
    assert len(server.asked) == len(image_set.remote)


def test_a_download_goes_to_the_given_folder_from_the_mirror_of_the_environment(
    tmp_path, image_set, mirror, monkeypatch, bare_machine
):
    monkeypatch.setenv("CIRCUITSIM_MIRROR", f"{mirror({}).url} {mirror(image_set.remote).url}")
    check(load_dataset(image_set.name, folder=tmp_path / "mine", progress=False), image_set)
    first = next(iter(image_set.files))
    assert (tmp_path / "mine" / image_set.class_name / image_set.inner / first).is_file()
    assert not bare_machine.exists()


def test_a_download_that_was_cut_is_never_taken_for_a_good_one_and_goes_on_later(image_set, mirror, bare_machine):
    name = next(iter(image_set.remote))
    data = image_set.remote[name]
    with pytest.raises(DataError, match=f"the connection ended after {len(data) - 50} of {len(data)} bytes"):
        load_dataset(image_set.name, mirrors=[mirror(image_set.remote, cut=50).url], progress=False)
    with pytest.raises(DataError, match=f"{image_set.name} is missing"):
        load_dataset(image_set.name, download=False)
    server = mirror(image_set.remote)
    check(load_dataset(image_set.name, mirrors=[server.url], progress=False), image_set)
    assert server.asked[0] == (f"/{name}", f"bytes={len(data) - 50}-")


@pytest.mark.parametrize("name", MAKERS)
def test_a_mirror_with_other_files_is_refused_by_the_published_checksums(name, mirror, bare_machine):
    image_set = MAKERS[name]()  # not published
    with pytest.raises(DataError, match=f"instead of {PUBLISHED[name][0][1]}"):
        load_dataset(name, mirrors=mirror(image_set.remote).url, progress=False)
    assert not [path for path in bare_machine.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("name", MAKERS)
def test_urls_and_checksums_are_the_published_ones(name, monkeypatch):
    asked = []

    def record(files, mirrors, folder, *, progress):
        asked.extend((mirror + file, md5) for mirror in mirrors for file, md5 in files)

    monkeypatch.setattr(fileset, "download", record)
    with pytest.raises(DataError, match="is missing"):
        load_dataset(name)
    assert asked == PUBLISHED[name]


@pytest.mark.parametrize(("name", "file"), READ)
def test_a_truncated_file_is_refused_by_name(tmp_path, published, name, file):
    image_set = published(name)
    folder = image_set.put(tmp_path)
    (folder / file).write_bytes(image_set.files[file][:-1])
    with pytest.raises(
        DataError, match=rf"{folder}/{file} is damaged, cut short .*\({len(image_set.files[file]) - 1} bytes"
    ):
        load_dataset(name, folder=folder)


@pytest.mark.parametrize(("name", "file"), READ)
def test_a_folder_that_lacks_a_file_is_not_taken_for_a_good_one(tmp_path, published, name, file):
    image_set = published(name)
    folder = image_set.put(tmp_path / "mine" / image_set.class_name / image_set.inner)
    (folder / file).unlink()
    with pytest.raises(
        DataError, match=rf"(?s){name} is missing .*{file}.* into {tmp_path}/mine/{image_set.class_name}"
    ):
        load_dataset(name, folder=tmp_path / "mine", download=False)


def test_offline_the_message_names_the_files_and_the_folder(tmp_path, image_set, mirror, bare_machine):
    with pytest.raises(DataError) as caught:
        load_dataset(image_set.name, folder=tmp_path / "mine", mirrors=[mirror({}).url], progress=False)
    message = str(caught.value)
    assert "HTTP Error 404" in message
    instruction = message.splitlines()[-1]
    assert instruction.startswith("Put ")
    assert all(name in instruction for name in (image_set.files | image_set.remote))
    assert re.search(rf"into {tmp_path}/mine/{image_set.class_name}/?\.$", instruction)
    put(image_set.remote, tmp_path / "mine" / image_set.class_name)  # done as told
    check(load_dataset(image_set.name, folder=tmp_path / "mine", download=False), image_set)


def test_nothing_is_fetched_or_written_when_downloading_is_off(image_set, mirror, bare_machine):
    server = mirror(image_set.remote)
    with pytest.raises(DataError, match=r"downloading is off \(download=False\)"):
        load_dataset(image_set.name, download=False, mirrors=[server.url])
    assert server.asked == []
    assert not bare_machine.exists()


@pytest.mark.parametrize("name", ARCHIVED)
def test_an_archive_that_lies_elsewhere_is_unpacked_into_the_cache(
    tmp_path, published, name, monkeypatch, bare_machine
):
    image_set = published(name)
    put(image_set.remote, tmp_path / "env")
    monkeypatch.setenv("CIRCUITSIM_DATA", str(tmp_path / "env"))
    check(load_dataset(name, download=False, progress=False), image_set)
    assert [path.name for path in (tmp_path / "env").iterdir()] == list(image_set.remote)
    folder = bare_machine / image_set.class_name / image_set.inner
    assert {path.name for path in folder.iterdir()} == set(image_set.files)


@pytest.mark.parametrize("name", ARCHIVED)
def test_a_truncated_archive_is_refused_by_name(tmp_path, published, name):
    image_set = published(name)
    put({file: data[:-1] for file, data in image_set.remote.items()}, tmp_path)
    with pytest.raises(DataError, match=rf"{next(iter(image_set.remote))} is damaged, cut short"):
        load_dataset(name, folder=tmp_path, progress=False)


@pytest.mark.parametrize("name", ARCHIVED)
def test_an_incomplete_folder_is_completed_from_the_archive(tmp_path, published, name):
    image_set = published(name)
    folder = image_set.put(tmp_path / image_set.class_name / image_set.inner)
    first, second, *_ = image_set.files
    (folder / first).write_bytes(b"half")
    (folder / second).unlink()
    put(image_set.remote, tmp_path)
    check(load_dataset(name, folder=tmp_path, download=False, progress=False), image_set)
