"""Whatever bytes a file holds: an error of the package that names it, or something sound."""

import functools
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import circuitsim as cs
from tests.mutations import as_json, documents, files, texts
from tests.test_fuzz import RICH


@functools.cache
def written(name: str) -> bytes:
    """A sound file of each kind."""
    circuit = cs.compile(RICH, device="cpu")
    probe = cs.WeightProbe()
    probe.call("weights", circuit, cs.History(), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        kind = name.partition(".")[0]
        if kind == "motif":
            cs.write_motif(RICH, path)
        elif kind == "connectome":
            cs.write_connectome(circuit.connectome(), path)
        elif kind == "weights":
            cs.write_weights(circuit, path)
        elif kind == "run":
            history = cs.History(varied={"W0.eta": [0.1, 0.2]})
            history.add(step=10, epoch=0.5, split="test", metric="loss", values=[1.0, float("nan")], site="W0")
            history.save(path)
        else:
            probe.kept.save(path)
        return path.read_bytes()


READERS = {
    "motif.graphml": cs.read_motif, "motif.json": cs.read_motif, "connectome.graphml": cs.read_connectome,
    "connectome.json": cs.read_connectome, "connectome.csv": cs.read_connectome, "weights.npz": cs.read_weights,
    "history.npz": cs.WeightHistory.load, "run.csv": cs.History.load,
}  # fmt: skip


def check(name: str, content: bytes, folder: Any) -> None:
    path = folder / name
    path.write_bytes(content)
    try:
        found = READERS[name](path)
    except cs.ArchiveError as error:
        assert str(path) in str(error)
        return
    if name.startswith("motif"):
        found.validate()
    elif name == "run.csv":
        assert found.to_pandas().value.dtype.kind in "if"
    elif name.startswith("connectome"):
        assert all(math.isfinite(attributes["weight"]) for *_, attributes in found.edges(data=True))


numbers = pytest.mark.parametrize("n", [60, pytest.param(5_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])


@numbers
@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes(name, n, tmp_path):
    @settings(max_examples=n)
    @given(content=files(written(name)))
    def run(content):
        check(name, content, tmp_path)

    run()


@numbers
@pytest.mark.parametrize("name", ["motif.json", "connectome.json"])
def test_other_documents(name, n, tmp_path):
    @settings(max_examples=n)
    @given(document=st.deferred(lambda: documents(json.loads(written(name)))))
    def run(document):
        check(name, as_json(document).encode(errors="surrogatepass"), tmp_path)

    run()


TEXTS = {
    "motif.graphml": ["<node", "</data>", "_json", "edge", "NaN"],
    "connectome.graphml": ["<edge", "id=", "1e999", "W0"],
    "connectome.csv": [",", "\n", '"', "W0", "nan", "-1", "1.0"],
    "run.csv": [",", "\n", '"', "test", "nan", "-1"],
}


@numbers
@pytest.mark.parametrize("name", TEXTS)
def test_changed_texts(name, n, tmp_path):
    @settings(max_examples=n)
    @given(text=st.deferred(lambda: texts(written(name).decode(), TEXTS[name])))
    def run(text):
        check(name, text.encode(errors="surrogatepass"), tmp_path)

    run()
