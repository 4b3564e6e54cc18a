"""Whatever is wrong with what the user gives: a clear error of the package, and nothing has changed."""

import os
import resource
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import backprop, paper_sal

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 6)), RNG.integers(0, 3, 40)


def make(**options: Any) -> cs.Circuit:
    return cs.compile(paper_sal([6, 5, 3]), replicas=2, device="cpu", **options)


def with_entry(array: np.ndarray, value: Any) -> np.ndarray:
    changed = array.copy()
    changed[7] = value
    return changed


def fit(x: Any = X, y: Any = Y, **options: Any) -> Callable[[cs.Circuit], object]:
    return lambda circuit: cs.fit(circuit, (x, y), **{"batch_size": 8, "progress": False, **options})


def fit_on(*batches: Any) -> Callable[[cs.Circuit], object]:
    return lambda circuit: cs.fit(circuit, list(batches), progress=False)


def step(x: Any = X, y: Any = Y) -> Callable[[cs.Circuit], object]:
    return lambda circuit: circuit.step(x, y)


def compiled(**options: Any) -> Callable[[cs.Circuit], object]:
    return lambda circuit: cs.compile(backprop([6, 5, 3]), **options)


TABLE: dict[str, tuple[Callable[[cs.Circuit], object], type[Exception], str]] = {
    # NaN and infinite data
    "fit, NaN": (fit(with_entry(X, np.nan)), cs.DataError, "NaN or infinite values, the first (nan) at index (7, 0)"),
    "fit, infinite": (fit(with_entry(X, np.inf)), cs.DataError, "the first (inf)"),
    "fit, too large for float32": (fit(1e60 * X), cs.DataError, "too large for torch.float32: rescale"),
    "fit on batches, NaN": (fit_on((with_entry(X, np.nan), Y)), cs.DataError, "6 values are not finite"),
    "step, NaN": (step(with_entry(X, np.nan)), cs.DataError, "input 'up0': 6 values are not finite in torch.float32"),
    "step, sparse": (step(torch.tensor(X).to_sparse()), cs.DataError, "needs a dense tensor (got torch.sparse_coo)"),
    "step, masked": (step(np.ma.masked_greater(X, 2)), cs.DataError, "input 'up0': 3 of 240 entries are masked"),
    "step, masked classes": (step(y=np.ma.masked_equal(Y, 2)), cs.DataError, "target of 'up2': 17 of 40 entries are"),
    "step, a masked row": (step([np.ma.masked_greater(row, 2) for row in X]), cs.DataError, "3 of 240 entries are"),
    "step, no data": (step(torch.empty(4, 6, device="meta"), Y[:4]), cs.DataError, "needs real numbers (got torch"),
    "fit on batches, masked": (fit_on((np.ma.masked_greater(X, 2), Y)), cs.DataError, "3 of 240 entries are masked"),
    "evaluate batches, masked": (
        lambda c: cs.evaluate(c, [(X, np.ma.masked_equal(Y, 2))]), cs.DataError, "17 of 40 entries are masked",
    ),
    "predict, masked": (lambda c: c.predict(np.ma.masked_greater(X, 2)), cs.DataError, "3 of 240 entries are masked"),
    "step, infinite": (step(torch.tensor(with_entry(X, -np.inf))), cs.DataError, "6 values are not finite"),
    "step, too large": (step(1e60 * X), cs.DataError, "not finite in torch.float32; drop, fill or rescale"),
    "predict, NaN": (lambda c: c.predict(with_entry(X, np.nan)), cs.DataError, "not finite"),
    "evaluate, NaN": (lambda c: cs.evaluate(c, (with_entry(X, np.nan), Y)), cs.DataError, "NaN or infinite"),
    # wrong types
    "fit, text": (fit(X.astype(str)), cs.DataError, "x has dtype <U32; convert it to numbers"),
    "fit, objects": (fit(X.astype(object)), cs.DataError, "x has dtype object"),
    "fit, complex": (fit(X + 1j), cs.DataError, "x has dtype complex128"),
    "fit, classes as floats": (fit(y=Y.astype(float)), cs.DataError, "for class labels pass integers"),
    "step, text": (step([["a"] * 6], [0]), cs.DataError, "input 'up0' has dtype <U1; convert it to numbers"),
    "step, complex": (step(torch.ones(4, 6, dtype=torch.cfloat), Y[:4]), cs.DataError, "needs real numbers"),
    "step, classes as floats": (step(y=Y.astype(float)), cs.DataError, "target must hold class indices"),
    "no data": (lambda c: cs.fit(c, None), cs.DataError, "data must be a Dataset"),
    # wrong shapes
    "fit, features": (fit(X[:, :5]), cs.DataError, "does not fit motif 'paper_sal': input 'up0' has shape"),
    "fit, one axis": (fit(X[:, 0]), cs.DataError, "has shape [40, 1], needs [batch, 6]"),
    "fit, ragged": (fit([[1, 2], [3]], [0, 1]), cs.DataError, "not a rectangular array"),
    "fit, lengths": (fit(y=Y[1:]), cs.DataError, "x has 40, y has 39"),
    "fit, one-hot classes": (fit(y=np.eye(3)[Y]), cs.DataError, "target has shape (40, 3), needs [batch]"),
    "fit on batches, features": (fit_on((X[:, :5], Y)), cs.DataError, "has shape [40, 5], needs [batch, 6]"),
    "fit on batches, no pair": (fit_on(X), cs.DataError, "must be a pair (x, target)"),
    "step, features": (step(X[:, :5]), cs.DataError, "has shape [40, 5], needs [batch, 6] or [2, batch, 6]"),
    "step, replicas": (step(np.stack([X] * 3)), cs.DataError, "has shape [3, 40, 6]"),
    "step, ragged": (step([[1.0, 2.0], [3.0]], [0, 1]), cs.DataError, "not a rectangular array"),
    "step, lengths": (step(y=Y[1:]), cs.DataError, "target has shape (39,), needs [batch] with batch = 40"),
    "step, no target": (lambda c: c.step(X), cs.DataError, "target is missing: give targets for ['up2']"),
    "evaluate, features": (lambda c: cs.evaluate(c, (X[:, :5], Y)), cs.DataError, "has shape [40, 5]"),
    # labels out of range
    "fit, class 3 of 3": (fit(y=with_entry(Y, 3)), cs.DataError, "classes must be in 0 .. 2 (got 0 .. 3)"),
    "fit, class -1": (fit(y=with_entry(Y, -1)), cs.DataError, "y holds class -1 at index 7"),
    "fit, class 3 in validation": (
        lambda c: cs.fit(c, cs.Dataset.from_arrays(X, Y, validation=(X, with_entry(Y, 3)), n_outputs=4)),
        cs.DataError, "split 'validation' does not fit motif 'paper_sal'",
    ),
    "step, class 3 of 3": (step(y=with_entry(Y, 3)), cs.DataError, "classes must be in 0 .. 2 (got 0 .. 3)"),
    # empty
    "fit, empty": (fit(X[:0], Y[:0]), cs.DataError, "is empty"),
    "fit, no features": (fit(X[:, :0]), cs.DataError, "x is empty (shape (40, 0))"),
    "fit on no batch": (fit_on(), cs.DataError, "the iterable has no batches"),
    "step, empty": (step(X[:0], Y[:0]), cs.DataError, "the batch is empty"),
    # numbers out of range
    "batch larger than data": (fit(batch_size=41), cs.ParameterError, "batch_size is 41, but there are only 40"),
    "half a sample": (fit(batch_size=2.5), cs.ParameterError, "batch_size must be a whole number"),
    "endless": (fit(epochs=float("inf")), cs.ParameterError, "epochs must be a whole number"),
    "max_weight": (fit(max_weight=float("nan")), cs.ParameterError, "max_weight must be a positive number"),
    "a schedule of text": (fit(schedule=lambda p: "slow"), cs.ParameterError, "schedule must return finite numbers"),
    "a schedule of NaN": (fit(schedule=lambda p: float("nan")), cs.ParameterError, "(got nan at progress 0)"),
    "a list of probes": (fit(probes=[print]), cs.ParameterError, "probes must be a mapping"),
    "replicas": (compiled(replicas=0), cs.ParameterError, "replicas must be a whole number, 1 or more"),
    "seed": (compiled(seed=-1), cs.ParameterError, "seed must be a whole number, 0 or more"),
    "dtype": (compiled(dtype="float16"), cs.ParameterError, "dtype must be one of"),
    "dtype, a list": (compiled(dtype=["float32"]), cs.ParameterError, "dtype must be one of"),
    "vary, a list": (compiled(vary=[1]), cs.ParameterError, "vary must be a mapping"),
    "vary, text": (compiled(vary={"W0.eta": ["fast"]}), cs.ParameterError, "needs 1 finite values"),
    "vary, masked": (
        lambda c: cs.compile(paper_sal([6, 5, 3]), replicas=2, vary={"W0.eta": np.ma.array([0.1, 0.2], mask=[0, 1])}),
        cs.ParameterError, "needs 2 finite values, one per replica",
    ),
    "vary, NaN": (compiled(vary={"W0.eta": [np.nan]}), cs.ParameterError, "needs 1 finite values"),
    "vary, length": (compiled(vary={"W0.eta": [1, 2]}), cs.ParameterError, "one per replica"),
    "vary, path": (compiled(vary={"W0.etta": [1]}), cs.ParameterError, "unknown path 'W0.etta'"),
    "weights, NaN": (lambda c: c.set_weights("W0", np.full((5, 6), np.nan)), cs.ParameterError, "not finite"),
    "weights, text": (lambda c: c.set_weights("W0", "heavy"), cs.ParameterError, "must be an array of numbers"),
    "weights, shape": (lambda c: c.set_weights("W0", np.ones((6, 5))), cs.ParameterError, "needs (2, 5, 6)"),
    "threshold": (lambda c: c.prune("W0", np.nan), cs.ParameterError, "threshold must be a number"),
    # what stands in the place of something else
    "fit a motif": (lambda c: cs.fit(c.motif, (X, Y)), cs.ParameterError, "fit takes a Circuit (got Motif); "),
    "evaluate a motif": (lambda c: cs.evaluate(c.motif, (X, Y)), cs.ParameterError, "cs.compile(motif) makes one"),
    "align a motif": (lambda c: cs.alignment(c.motif, X, Y), cs.ParameterError, "alignment takes a Circuit"),
    "gradients of a motif": (lambda c: cs.loss_gradients(c.motif, X, Y), cs.ParameterError, "loss_gradients takes a"),
    "export a motif": (lambda c: cs.export_brian2(c.motif), cs.ParameterError, "export_brian2 takes a Circuit"),
    "weights of a motif": (lambda c: cs.write_weights(c.motif, "w.npz"), cs.ParameterError, "write_weights takes a"),
    "a circuit as a motif": (lambda c: cs.write_motif(c, "m.json"), cs.ParameterError, "a circuit is circuit.motif"),
    "draw a circuit": (lambda c: cs.draw(c), cs.ParameterError, "draw takes a Motif (got Circuit)"),
    "compile a function": (lambda c: cs.compile(paper_sal), cs.ParameterError, "compile takes a Motif (got function)"),
    "a split of batches": (
        lambda c: cs.evaluate(c, [(X, Y)], split="test"), cs.ParameterError, "split 'test' is a part of a Dataset",
    ),
    "a list of schedules": (fit(schedule=[1.0, 0.1]), cs.ParameterError, "or a function (got [1.0, 0.1])"),
    "a threshold, NaN": (lambda c: c.connectome(threshold=np.nan), cs.ParameterError, "threshold must be a number"),
    # what is not there
    "a GPU": (compiled(device="cuda:99"), cs.ParameterError, "device 'cuda:99' is not available"),
    "a device of no kind": (compiled(device="abacus"), cs.ParameterError, "device 'abacus' is not available"),
    "no device": (compiled(device=None), cs.ParameterError, "device 'None' is not available"),
    "a data set": (lambda c: cs.load_dataset("digts"), cs.ParameterError, "did you mean 'digits'?"),
    "a split": (lambda c: cs.evaluate(c, (X, Y), split="tst"), cs.ParameterError, "has no split 'tst'"),
    "a projection": (lambda c: c.freeze("W9"), cs.MotifError, "has no projection 'W9'"),
    # paths that cannot be written or read; /dev/null is a file, nobody can make folders in it
    "save": (lambda c: c.save("/dev/null/c"), cs.ArchiveError, "cannot be written (File exists: /dev/null)"),
    "save over a folder": (lambda c: c.save("/tmp"), cs.ArchiveError, "cannot be written (Is a directory)"),
    "checkpoint": (fit(checkpoint="/dev/null/c"), cs.ArchiveError, "(File exists: /dev/null)"),
    "checkpoint, a number": (fit(checkpoint=3), cs.ParameterError, "checkpoint must be a path"),
    "resume from a folder": (fit(checkpoint="/tmp", resume=True), cs.ArchiveError, "Is a directory"),
    "history": (lambda c: cs.History().save("/dev/null/h.csv"), cs.ArchiveError, "cannot be written"),
    "picture": (lambda c: c.motif.draw("/dev/null/m.png"), cs.ArchiveError, "cannot be written"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "error", "message"), TABLE.values(), ids=TABLE)
def test_it_is_told_before_anything_changes(act, error, message):
    circuit, twin = make(), make()
    with pytest.raises(error) as caught:
        act(circuit)
    assert message in str(caught.value)
    assert circuit.n_steps == 0 and circuit.frozen == frozenset() and circuit.pinned == ()
    for name, values in twin.store.own.items():
        assert torch.equal(circuit.store.own[name], values)
    circuit.step(X, Y)  # and it still works
    assert torch.isfinite(circuit.weights("W0")).all()


ORDERS = [lambda a: a[::-1], lambda a: a.astype(a.dtype.newbyteorder(">")), lambda a: a.tolist(), np.asfortranarray]


@pytest.mark.parametrize("change", ORDERS, ids=["reversed", "big-endian", "lists", "by columns"])
def test_arrays_of_every_memory_order_are_the_same_data(change):
    circuit, twin = make(), make()
    circuit.step(change(X), change(Y))
    twin.step(*(np.array(change(a), dtype=a.dtype, order="C") for a in (X, Y)))
    assert torch.equal(circuit.weights("W0"), twin.weights("W0"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB, where the system lets us mount one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.fixture
def small_files(tmp_path):
    """No file may be larger than 64 KiB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("place", ["small_disk", "small_files"])
def test_a_disk_that_is_full_from_the_start_is_told_before_anything_changes(place, request):
    folder = request.getfixturevalue(place)
    circuit = cs.compile(paper_sal([6, 200, 3]), replicas=8, device="cpu")
    twin = cs.compile(paper_sal([6, 200, 3]), replicas=8, device="cpu")
    reason = {"small_disk": "No space left on device", "small_files": "File too large"}[place]
    with pytest.raises(cs.ArchiveError, match=reason):
        cs.fit(circuit, (X, Y), batch_size=8, progress=False, checkpoint=folder / "run" / "c.safetensors")
    assert all(torch.equal(circuit.store.own[name], values) for name, values in twin.store.own.items())
    assert circuit.n_steps == 0 and os.listdir(folder / "run") == []


@pytest.mark.parametrize("place", ["small_disk", "small_files"])
def test_a_disk_that_fills_up_leaves_the_last_good_checkpoint(place, request):
    folder = request.getfixturevalue(place)
    path = folder / "c.safetensors"

    def wordy(c: cs.Circuit) -> dict[str, float]:  # the history grows until the checkpoint no longer fits
        return {f"metric {k} of the probe": float(k) for k in range(100)}

    options = {"epochs": 40, "batch_size": 40, "progress": False, "probes": {"wordy": wordy}, "checkpoint": path}
    circuit = make()
    with pytest.raises(cs.ArchiveError, match="cannot be written"):
        cs.fit(circuit, (X, Y), **options)
    assert circuit.n_steps > 0 and os.listdir(folder) == [path.name]
    kept = cs.load_circuit(path, device="cpu")
    assert 0 < kept.n_steps < circuit.n_steps + 1
    twin = make()
    cs.fit(twin, (X, Y), epochs=kept.n_steps, batch_size=40, progress=False)
    assert all(torch.equal(kept.weights(p.name), twin.weights(p.name)) for p in twin.motif.projections)


def test_a_declared_size_is_refused_before_anything_is_allocated():
    motif = cs.Motif("huge")
    motif.add(cs.Population("x", size=10**6), cs.Population("y", size=10**6))
    motif.connect("x", "y", name="W", rule=cs.Rule("0.1 * (post * pre - w)"))
    for declared in (motif, cs.Motif.from_json(motif.to_json())):
        with pytest.raises(cs.ParameterError, match="1,000,000,000,000 of them possible synapses of projection 'W'"):
            cs.compile(declared, device="cpu")
    neurons = cs.Motif("many")
    neurons.add(cs.Population("x", size=10**12))
    with pytest.raises(cs.ParameterError, match="has 1,000,000,000,000 neurons"):
        cs.compile(neurons, device="cpu")
    with pytest.raises(cs.ParameterError, match="1,000,000,000,000 replicas"):
        cs.compile(paper_sal([6, 5, 3]), replicas=10**12, device="cpu")


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.save(3),
        lambda c: cs.load_circuit(None),
        lambda c: cs.read_weights(None),
        lambda c: cs.read_motif(1.5),
        lambda c: cs.History.load(None),
        lambda c: cs.History().save(7),
    ],
)
def test_what_is_no_path_is_refused(call):
    with pytest.raises(cs.ParameterError, match="a path must be text or a pathlib.Path"):
        call(cs.compile(paper_sal([6, 5, 3]), device="cpu"))


def test_signals_that_are_no_mapping_are_refused_and_json_must_be_text():
    circuit = cs.compile(paper_sal([6, 5, 3]), device="cpu")
    for signals in (np.ones(60), [1.0]):
        with pytest.raises(cs.DataError, match="signals must be the keys of a mapping"):
            circuit.step(X, Y, signals)
    with pytest.raises(cs.MotifError, match="not JSON"):
        cs.Motif.from_json({"name": "m"})


ARRAY = np.array([1, 0])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"compartment": ARRAY}, "compartment"),
        ({"delay": ARRAY}, "delay"),
        ({"init": cs.Gaussian(scaling=ARRAY)}, "init: scaling"),
        ({"init": cs.Gaussian(sign=ARRAY)}, "init: sign"),
        ({"tied_to": cs.Derived("W", transpose=ARRAY)}, "tied_to: transpose"),
        ({"plastic": ARRAY}, "plastic"),
    ],
)
def test_an_array_in_place_of_a_single_value_is_a_fault(options, field):
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 2), cs.Population("y", 2, sign="excitatory"), cs.Phase("p"))
    motif.connect("x", "y", name="W")
    motif.connect("x", "y", name="U", **options)
    with pytest.raises(cs.MotifError, match=f"projection 'U': {field} must be a single value"):
        motif.validate()
    phase = cs.Motif("m")
    phase.add(cs.Population("x", 2, stream=ARRAY), cs.Phase("p", repeat=ARRAY, errors=ARRAY))
    with pytest.raises(cs.MotifError, match="3 faults") as caught:
        phase.validate()
    assert [fault.partition(" must")[0] for fault in caught.value.faults] == [
        "population 'x': stream", "phase 'p': errors", "phase 'p': repeat",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options", [{"device": ARRAY}, {"dtype": ARRAY}, {"record_changes": ARRAY}, {"replicas": 10**20}]
)
def test_options_of_compile_are_named_if_they_are_of_another_kind(options):
    with pytest.raises(cs.ParameterError, match=next(iter(options))):
        cs.compile(paper_sal([6, 5, 3]), **options)
