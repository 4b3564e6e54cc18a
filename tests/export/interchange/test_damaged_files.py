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
from tests.mutations import as_json, documents, files
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
        else:
            probe.kept.save(path)
        return path.read_bytes()


READERS = {
    "motif.graphml": cs.read_motif, "motif.json": cs.read_motif, "connectome.graphml": cs.read_connectome,
    "connectome.json": cs.read_connectome, "connectome.csv": cs.read_connectome, "weights.npz": cs.read_weights,
    "history.npz": cs.WeightHistory.load,
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
    elif name.startswith("connectome"):
        assert all(math.isfinite(attributes["weight"]) for *_, attributes in found.edges(data=True))


@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes(name, tmp_path):
    @settings(max_examples=60)
    @given(content=files(written(name)))
    def run(content):
        check(name, content, tmp_path)

    run()


@pytest.mark.parametrize("name", ["motif.json", "connectome.json"])
def test_other_documents(name, tmp_path):
    @settings(max_examples=60)
    @given(document=st.deferred(lambda: documents(json.loads(written(name)))))
    def run(document):
        check(name, as_json(document).encode(errors="surrogatepass"), tmp_path)

    run()
