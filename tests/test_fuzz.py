"""Whatever comes in, as a motif, a rule or a file: an error of the package, or something that runs.

A few hundred inputs by default; a hundred thousand in all behind the slow marker.
"""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

import circuitsim as cs
from circuitsim.engine.archive import description, read_archive, to_bytes
from circuitsim.train.checkpoint import Checkpoint
from motifs import paper_sal
from tests.motif.circuits import spacious
from tests.mutations import as_json, documents, files, texts
from tests.strategies import MALFORMED

QUICK = 100  # inputs of each kind
MANY = {"documents": 15_000, "rules": 35_000, "files": 35_000, "forgeries": 15_000}
PHASES = [Phase.explicit, Phase.generate]  # an input that fails is told as it is: a smaller one takes long to find


def fuzz(strategy: st.SearchStrategy[Any], many: int = QUICK):
    """Make two tests of a property: a quick one, and a slow one with `many` inputs."""

    def decorate(check):
        def quick(value, tmp_path_factory):
            check(value, tmp_path_factory)

        def slow(value, tmp_path_factory):
            check(value, tmp_path_factory)

        few = settings(max_examples=QUICK, phases=PHASES)(given(value=strategy)(quick))
        lots = settings(max_examples=many, phases=PHASES)(given(value=strategy)(slow))
        return few, pytest.mark.slow(pytest.mark.timeout(6 * 3600)(lots))

    return decorate


# -- what is changed


def rich_motif() -> cs.Motif:
    """A small motif that uses most of what can be declared."""
    motif = cs.Motif("rich")
    motif.add(
        cs.Population("up0", 3),
        cs.Population(
            "up1", 2, activation="relu", state={"theta": cs.State("theta + (activity**2 - theta) / tau", tau=5)}
        ),
        cs.Population("up2", 2, trace="activity / sqrt(mean(activity**2) + 0.1)"),
        cs.Population("e", 2, stream="descending"),
        cs.Population("down", 2, stream="descending", activation=cs.GatedBy("up1")),
        cs.Bias("bias"),
        cs.Objective("up2", "e", "mse"),
        cs.Signal("reward"),
    )
    rates = {"eta": 0.1, "gamma": 0.01}
    motif.connect("up0", "up1", name="W0", rule=cs.Rule("eta * (slope_post * I_V * pre - gamma * w)", **rates))
    motif.connect("up1", "up2", name="W1", rule=cs.Rule("eta * (I_E * pre - theta_pre * w)", eta=[[0.1, 0.2]] * 2))
    motif.connect("e", "down", name="Wt", tied_to=cs.Derived("W1", transpose=True, scale=0.5))
    motif.connect(
        "down", "up1", name="V", compartment="dendrite", connectivity=cs.Random(0.7), bounds=(-1, None),
        rule=cs.Rule("eta * reward * (post * pre - gamma * w) - 0.1 * max_in(w)", **rates),
        state={"trace": cs.State("0.9 * trace + post * pre")},
    )  # fmt: skip
    motif.connect(
        "up1", "down", name="Vt", compartment="dendrite", connectivity=cs.ReciprocalOf("V"), init=cs.Uniform(0, 1)
    )
    motif.connect("e", "up2", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.connect("bias", "up1", name="b", connectivity=cs.Edges([0], [1]), init=cs.Given([[0.0], [0.3]]))
    motif.connect("up0", "up2", name="skip", connectivity=cs.Mask([[1, 0, 1], [0, 1, 0]]), init=cs.Constant(0.1))
    motif.add(cs.Phase("mirror", soma={"W0": 1.0}, noise={"up1": 0.1}, errors=False), cs.Phase("learn", plastic=["W0"]))
    return motif


def small_motif() -> cs.Motif:
    """One plastic projection, whose rule can name a neuron's state and another projection's current."""
    motif = cs.Motif("small")
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="tanh", state={"theta": "theta + activity**2"}))
    motif.connect("x", "y", name="W0")
    motif.connect("x", "y", name="V", compartment="dendrite")
    return motif


SMALL, RICH = small_motif(), rich_motif()
DOCUMENT, SPACE = json.loads(RICH.to_json()), json.loads(spacious().to_json())
TOKENS = [
    "w", "pre", "post", "eta", "I_V", "slope_post", "theta_post", "hetero", "(", ")", " + ", " * ", " / ", "**", "-",
    "2", "0", "1e9", "0.5", ", ", "tanh(", "where(", "sum_in(", "max_out(", "exp(", "sqrt(", "clip(", " > ", "==", "16",
    "17", "1e308",
]  # fmt: skip
EXPRESSIONS = [
    "eta * (slope_post * I_V * pre - gamma * w)",
    "(post + pre) ** 3 * (w - sum_in(w * pre)) / (1 + w**2)",
    "where(w > 0.1, tanh(post * pre), sign(drive_post)) * max_in(abs(w)) - exp(-w**2)",
    "minimum(pre, 0.5) * clip(post, -1, w) + sqrt(abs(w)) * sum_out(post * w) ** 2",
]


@functools.cache
def fresh_circuit() -> cs.Circuit:
    """Compiled once, for as long as nothing changes it."""
    return cs.compile(paper_sal([4, 3, 2]), replicas=2, device="cpu")


NOTES = {"epoch": 1, "settings": {"epochs": 2}, "rows": [[1, 1.0, 0, "train", "loss", "", 0.5]], "runaways": []}
ARCHIVE = to_bytes(fresh_circuit().store.tensors(), description(fresh_circuit(), NOTES))


# -- what must hold


def runs(motif: cs.Motif) -> None:
    """A motif that is sound compiles and steps, unless it is too large; a step's numbers may be anything."""
    motif.validate()
    if max(p.size for p in motif.populations) > 1000:
        return  # sound, and more than a test should take; what cannot fit is in test_bad_input.py
    arrays = [value for p in motif.projections if p.rule is not None for value in p.rule.parameters.values()]
    lengths = {len(a) for a in arrays if np.ndim(a) == 1} | {
        len(value.array)
        for p in motif.projections
        for value in (p.init, p.connectivity)
        if isinstance(value, cs.Given | cs.Mask) and value.array.ndim == 3
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            circuit = cs.compile(motif, replicas=next(iter(lengths), 1), device="cpu")
        except cs.ParameterError as error:  # no number of replicas suits all arrays, or a number is too large
            assert str(error)
            return
        rng = np.random.default_rng(0)
        x = {name: rng.standard_normal((2, motif.population(name).size)) for name in circuit._runner.binder.input_names}
        target = {}
        for o in motif.objectives:
            size = motif.population(o.output).size
            target[o.output] = np.zeros(2, int) if o.loss == "cross_entropy" else rng.random((2, size))
        signals = {s.name: [0.5, -0.5] for s in motif.signals}
        circuit.step(x, target or None, signals)


def check_motif(document: Any, _: object) -> None:
    try:
        runs(cs.Motif.from_json(as_json(document)))
    except cs.CircuitError as error:
        assert str(error)


def check_text(text: str, _: object) -> None:
    try:
        runs(cs.Motif.from_json(text))
    except cs.CircuitError as error:
        assert str(error)


def check_rule(expression: str, _: object) -> None:
    try:
        runs(SMALL.replace("W0", rule=cs.Rule(expression, eta=0.1, gamma=0.01)))
    except cs.MotifError as error:
        assert all("projection 'W0': rule" in fault for fault in error.faults)


def check_file(content: bytes, folders: Any) -> None:
    """A damaged file is refused, unless what it says has not changed."""
    path = folders.getbasetemp() / "fuzz.safetensors"
    path.write_bytes(content)
    try:
        tensors, document = read_archive(path)
    except cs.ArchiveError as error:
        assert str(path) in str(error)
        return
    expected, theirs = load_tensors(ARCHIVE), tensors
    assert theirs.keys() == expected.keys() and all(torch.equal(theirs[k], expected[k]) for k in expected)
    assert document["n_steps"] == 0 and cs.Motif.from_json(json.dumps(document["motif"])) == paper_sal([4, 3, 2])


def check_forgery(forgery: tuple[Any, Any], folders: Any) -> None:
    """Whoever makes checksums too gets an error, or a circuit that runs; and a run is resumed or refused."""
    document, header = forgery
    path = folders.getbasetemp() / "forged.safetensors"
    path.write_bytes(_forged(document, header))
    circuit, history = fresh_circuit(), cs.History()
    before = circuit.snapshot()
    try:
        epoch = Checkpoint(path, True, {"epochs": 2}).restore(circuit, history)
        assert isinstance(epoch, int) and epoch >= 0 and history.to_pandas() is not None
        fresh_circuit.cache_clear()
    except cs.ArchiveError:
        assert all(torch.equal(circuit.store.own[k], v) for k, v in before.items())
        assert circuit.n_steps == 0 and not circuit.pinned and not circuit.frozen and not history.rows
    try:
        loaded = cs.load_circuit(path, device="cpu")
        loaded.step(np.ones((2, loaded.motif.populations[0].size)), np.zeros(2, int))
    except cs.CircuitError as error:
        assert str(error)


def _forged(document: Any, header: Any) -> bytes:
    """A file with this description and these notes of its tensors, and the right checksum where there can be one."""
    tensors = load_tensors(ARCHIVE)
    text = as_json(document)
    parts = [f"{k} {t.dtype} {tuple(t.shape)}".encode() + t.numpy().tobytes() for k, t in sorted(tensors.items())]
    checksum = hashlib.sha256(b"".join([text.encode(), *parts])).hexdigest()
    whole = save_tensors(tensors, metadata={"circuit": text, "sha256": checksum})
    if header is None:
        return whole
    length = int.from_bytes(whole[:8], "little")
    changed = as_json({"__metadata__": {"circuit": text, "sha256": checksum}, **header}).encode()
    return len(changed).to_bytes(8, "little") + changed + whole[8 + length :]


def _header() -> tuple[Any, Any]:
    length = int.from_bytes(ARCHIVE[:8], "little")
    header = json.loads(ARCHIVE[8 : 8 + length])
    return json.loads(header.pop("__metadata__")["circuit"]), header


DESCRIPTION, HEADER = _header()
forgeries = st.tuples(documents(DESCRIPTION), st.none()) | st.tuples(st.just(DESCRIPTION), documents(HEADER))

test_motif_documents, test_many_motif_documents = fuzz(documents(DOCUMENT) | documents(SPACE), MANY["documents"])(
    check_motif
)
test_motif_texts, _ = fuzz(st.text() | texts(RICH.to_json(), ["{", "]", '"', ":", ",", "[" * 9999, "1e999", "NaN"]))(
    check_text
)
test_rules, test_many_rules = fuzz(
    st.sampled_from(EXPRESSIONS + MALFORMED).flatmap(lambda text: texts(text, TOKENS)), MANY["rules"]
)(check_rule)
test_files, test_many_files = fuzz(files(ARCHIVE), MANY["files"])(check_file)
test_forgeries, test_many_forgeries = fuzz(forgeries, MANY["forgeries"])(check_forgery)
