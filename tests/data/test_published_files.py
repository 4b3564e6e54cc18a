"""PublishedFiles: found or downloaded, and used only if every checksum is right."""

from __future__ import annotations

import gzip
import io
import re
import socket
import tarfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from circuitsim.data import load_dataset, published_files
from circuitsim.data.published_files import PublishedFiles, cache_folder
from circuitsim.data.source import Request
from circuitsim.errors import DataError
from tests.data.image_sets import MAKERS, md5, pack, put

NOISE = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
CONTENT = {"a": NOISE[:150_000], "b": NOISE[150_000:]}
ARCHIVE = pack({f"./inner/{name}": data for name, data in (CONTENT | {"big": b"B", "readme": b"R"}).items()})
REMOTE = {
    "plain": CONTENT,
    "gz": {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in CONTENT.items()},
    "tar": {"x.tar.gz": ARCHIVE},
}


def published(kind):
    """The files a and b, published as they are, each as a .gz file, or together in a .tar.gz archive."""
    sums = {name: md5(data) for name, data in REMOTE[kind].items()}
    packed = {} if kind == "plain" else sums
    return PublishedFiles("my_set", "MySet", {n: md5(d) for n, d in CONTENT.items()}, [], packed, "inner")


def obtain(kind, folder=None, mirrors=None, *, download=True, progress=False, **changes):
    request = Request(folder, download, progress, seed=0)
    return replace(published(kind), **changes).obtain(request, mirrors)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


kinds = pytest.mark.parametrize("kind", REMOTE)
packed_kinds = pytest.mark.parametrize("kind", ["gz", "tar"])


@pytest.mark.parametrize("inner", ["", "inner"])
@pytest.mark.parametrize("outer", ["", "MySet", "my_set", "my-set"])
def test_files_are_found_in_every_layout(tmp_path, outer, inner):
    place = put(CONTENT, tmp_path / outer / inner)
    assert obtain("tar", tmp_path, download=False) == place


@kinds
def test_folders_are_tried_in_order_and_none_but_the_cache_is_written_to(tmp_path, monkeypatch, kind, bare_machine):
    given, data, system = tmp_path / "given", tmp_path / "data", tmp_path / "system"
    monkeypatch.setenv("CIRCUITSIM_DATA", str(data))
    for place in (system, cache_folder(), data, given):
        put(REMOTE[kind], place)
        found = obtain(kind, given, download=False, system=[system])
        assert found == (place if kind == "plain" else bare_machine / "MySet" / "inner")
        assert contents(found).items() >= CONTENT.items()
    assert [files_below(place) for place in (system, data, given)] == [sorted(REMOTE[kind])] * 3


@packed_kinds
def test_files_are_unpacked_once_and_nothing_else_is(tmp_path, kind, monkeypatch):
    put(REMOTE[kind], tmp_path)
    found = obtain(kind, tmp_path)
    assert contents(found) == CONTENT
    monkeypatch.setattr(published_files, "_members", lambda path: pytest.fail("unpacked again"))
    assert obtain(kind, tmp_path) == found


def test_files_may_be_compressed_in_another_way(tmp_path):
    put({f"{name}.gz": gzip.compress(data, compresslevel=1) for name, data in CONTENT.items()}, tmp_path)
    assert contents(obtain("gz", tmp_path, download=False)) == CONTENT


@kinds
def test_a_folder_that_lacks_a_file_is_not_used(tmp_path, kind):
    put(dict(list(REMOTE[kind].items())[:-1]), tmp_path / "given")
    with pytest.raises(DataError, match="my_set is missing"):
        obtain(kind, tmp_path / "given", download=False)
    system = put(CONTENT, tmp_path / "system")
    assert obtain(kind, tmp_path / "given", download=False, system=[system]) == system


@kinds
def test_what_is_missing_is_downloaded_to_the_cache_and_found_there_later(mirror, bare_machine, kind):
    server = mirror(REMOTE[kind])
    found = obtain(kind, mirrors=server.url)
    assert found == bare_machine / "MySet" / "inner"
    assert contents(found) == CONTENT | REMOTE[kind]
    assert server.asked == [f"/{name}" for name in REMOTE[kind]]
    assert server.agents == {"circuitsim"}
    assert obtain(kind, download=False) == found


@kinds
def test_a_download_goes_to_the_given_folder_from_the_mirrors_of_the_environment(tmp_path, monkeypatch, mirror, kind):
    monkeypatch.setenv("CIRCUITSIM_MIRROR", f"{mirror({}).url} {mirror(REMOTE[kind]).url}")
    found = obtain(kind, tmp_path / "given")
    assert contents(found).items() >= CONTENT.items()
    assert contents(tmp_path / "given" / "MySet" / "inner") == REMOTE[kind]


@kinds
def test_a_download_that_is_cut_or_altered_is_refused_and_leaves_nothing(mirror, bare_machine, kind):
    name, data = next(iter(REMOTE[kind].items()))
    altered = mirror(REMOTE[kind] | {name: data[:99] + b"?" + data[100:]})
    with pytest.raises(DataError) as caught:
        obtain(kind, mirrors=[mirror(REMOTE[kind], cut=50).url, altered.url, mirror({}).url])
    assert re.search(
        rf"(?s){name}: .*{len(data) - 50} bytes read.*\n.*{altered.url}{name}: .*md5.*\n.*404", str(caught.value)
    )
    assert files_below(bare_machine) == []
    obtain(kind, mirrors=[altered.url, mirror(REMOTE[kind]).url])


def test_offline_the_message_says_why_and_what_to_put_where(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        put_there = rf"Put a.gz, b.gz into {tmp_path}/MySet/inner. Or ask.$"
        with pytest.raises(DataError, match=rf"(?s)my_set is missing .*{dead}/a.gz: .*refused.*\n{put_there}"):
            obtain("gz", tmp_path, dead, advice=" Or ask.")
    put(REMOTE["gz"], tmp_path / "MySet" / "inner")  # done as told
    assert contents(obtain("gz", tmp_path, download=False)) == CONTENT


def test_nothing_is_fetched_or_written_when_downloading_is_off(mirror, bare_machine):
    server = mirror(CONTENT)
    with pytest.raises(DataError, match=r"downloading is off \(download=False\)\nPut a, b into .*/MySet/inner\."):
        obtain("plain", mirrors=server.url, download=False)
    assert server.asked == []
    assert not bare_machine.exists()


DAMAGE = {
    "cut": lambda data: data[:-20],
    "altered": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    "empty": lambda data: b"",
    "a web page": lambda data: b"<html>not found</html>",
}
damages = pytest.mark.parametrize("damage", DAMAGE)


@kinds
@damages
def test_a_damaged_file_is_refused_by_name_even_if_the_cache_has_a_good_one(
    tmp_path, monkeypatch, mirror, kind, damage
):
    server = mirror(REMOTE[kind])
    obtain(kind, mirrors=server.url)
    name, data = list(REMOTE[kind].items())[-1]
    for place in (tmp_path / "given", tmp_path / "data" / "MySet"):
        put(REMOTE[kind] | {name: DAMAGE[damage](data)}, place)
    with pytest.raises(DataError, match=rf"{tmp_path}/given/{name} .*: replace or delete it, and load again"):
        obtain(kind, tmp_path / "given", server.url)
    monkeypatch.setenv("CIRCUITSIM_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=rf"{tmp_path}/data/MySet/{name} .*: replace or delete it, and load again"):
        obtain(kind, mirrors=server.url)
    assert (tmp_path / "given" / name).read_bytes() == DAMAGE[damage](data)


@packed_kinds
@damages
def test_a_damaged_system_package_is_refused_by_name(tmp_path, kind, damage):
    name, data = next(iter(REMOTE[kind].items()))
    put(REMOTE[kind] | {name: DAMAGE[damage](data)}, tmp_path)
    with pytest.raises(DataError, match=rf"{tmp_path}/{name} .*: replace or delete it, and load again"):
        obtain(kind, system=[tmp_path])


@kinds
@damages
def test_a_damaged_file_in_the_cache_is_fetched_again_or_refused_by_name(mirror, kind, damage):
    server = mirror(REMOTE[kind])
    found = obtain(kind, mirrors=server.url)
    (found / "b").write_bytes(DAMAGE[damage](CONTENT["b"]))
    with pytest.raises(DataError, match=f"{found}/b is damaged.*: replace or delete it, and load again"):
        obtain(kind, download=False)
    assert contents(obtain(kind, mirrors=server.url)) == CONTENT | REMOTE[kind]
    for name in CONTENT:
        (found / name).unlink()
    name, data = next(iter(REMOTE[kind].items()))
    put(REMOTE[kind] | {name: DAMAGE[damage](data)}, found)
    with pytest.raises(DataError, match=f"{found}/{name} "):
        obtain(kind, download=False)
    assert contents(obtain(kind, mirrors=server.url)).items() >= CONTENT.items()


def test_an_archive_of_something_else_is_refused(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.add(put(CONTENT, tmp_path / "source") / "a", "inner/a")
        link = tarfile.TarInfo("inner/b")
        link.type, link.linkname = tarfile.SYMTYPE, "a"
        tar.addfile(link)
    put({"x.tar.gz": stream.getvalue()}, tmp_path)
    with pytest.raises(DataError, match=f"{tmp_path} holds no b in x.tar.gz"):
        obtain("tar", tmp_path)


@kinds
def test_a_cache_that_cannot_be_written_to_is_told(bare_machine, mirror, kind):
    bare_machine.parent.mkdir()
    bare_machine.touch()
    with pytest.raises(DataError, match=rf"(?s){bare_machine}"):
        obtain(kind, mirrors=mirror(REMOTE[kind]).url)


@kinds
def test_calls_at_the_same_time_find_whole_files(mirror, kind):
    server = mirror(REMOTE[kind])
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: obtain(kind, mirrors=server.url), range(4)))
    assert contents(folders[0]) == CONTENT | REMOTE[kind]


def test_progress_is_shown_on_the_error_stream_only_when_asked_for(tmp_path, mirror, capfd):
    server = mirror(CONTENT)
    obtain("plain", tmp_path / "quiet", server.url)
    assert capfd.readouterr() == ("", "")
    obtain("plain", tmp_path / "loud", server.url, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "150k/150k" in err


# as they are published, typed in by hand
PUBLISHED = {
    "chestmnist": [
        ("https://zenodo.org/records/10519652/files/chestmnist.npz", "02c8a6516a18b556561a56cbdd36c4a8"),
    ],
    "cifar10": [
        ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    ],
    "fashion_mnist": [
        (f"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{file}-ubyte.gz", sum_)
        for file, sum_ in [
            ("train-images-idx3", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1", "bb300cfdad3c16e7a12a480ee83cd310"),
        ]
    ],
    "mnist": [
        (f"https://ossci-datasets.s3.amazonaws.com/mnist/{file}-ubyte.gz", sum_)
        for file, sum_ in [
            ("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c"),
        ]
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


@pytest.mark.parametrize("name", MAKERS)
def test_urls_and_checksums_of_each_set_are_the_published_ones(name, monkeypatch):
    asked = []

    def record(files, mirrors, folder, *, progress):
        asked.extend((mirrors[0] + file, md5) for file, md5 in files.items())
        return ["no network"]

    monkeypatch.setattr(published_files, "download", record)
    with pytest.raises(DataError, match="is missing"):
        load_dataset(name)
    assert asked == PUBLISHED[name]


FIRST_READ = {
    "chestmnist": ("chestmnist.npz", "02c8a6516a18b556561a56cbdd36c4a8"),
    "cifar10": ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
    "fashion_mnist": ("train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
    "mnist": ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
    "pathmnist": ("pathmnist.npz", "a8b06965200029087d5bd730944a56c1"),
    "stl10": ("train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"),
    "svhn": ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_files_of_each_set_that_are_sound_but_not_the_published_ones_are_refused(tmp_path, name):
    file, sum_ = FIRST_READ[name]
    image_set = MAKERS[name]()
    with pytest.raises(DataError, match=f"{tmp_path}/{file} is damaged, .* instead of {sum_}"):
        load_dataset(name, folder=image_set.put(tmp_path))
    packed = put(image_set.remote, tmp_path / "packed")
    with pytest.raises(DataError, match=f"{packed}/.* is damaged, truncated or a different file .* instead of {sum_}"):
        load_dataset(name, folder=packed)


def test_no_more_is_unpacked_than_a_published_file_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(published_files, "LARGEST", 2**20)
    put({"a.gz": gzip.compress(bytes(2**25), compresslevel=1), "b.gz": REMOTE["gz"]["b.gz"]}, tmp_path)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"{tmp_path}/a.gz is damaged, truncated or a different file"):
        obtain("gz", tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**23


def test_each_set_is_downloaded_unpacked_and_read(image_set, mirror):
    data = load_dataset(image_set.name, mirrors=mirror(image_set.remote).url, progress=False)
    n = {part: len(y) for part, y in image_set.targets.items()}
    assert len(data.test) == n.pop("test")
    assert len(data.train) + len(data.validation) == sum(n.values())
