"""Local fields are multiplied place by place. The oracles: arrays with masks; fields counted by hand."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.plan.fields import fields_of
from motifs import backprop, kolen_pollack, sal

SHAPES = (2, 32, 32), (3, 15, 15), (4, 7, 7)
SIZES = [2048, 675, 196, 5]
BATCH, REPLICAS = 6, 2


def local(motif: cs.Motif) -> cs.Motif:
    """The circuit with local fields of 3 x 3 places, and V and Vt, where they are not one to one, within a place."""
    for k, shape in enumerate(SHAPES):
        motif = motif.replace(f"up{k}", shape=shape)
        motif = motif.replace(f"down{k}", shape=shape) if k else motif
    fields = {"W0": cs.Local(1, stride=2), "W1": cs.Local(1, stride=2)}
    if motif.projection("Wt1").tied_to is None:
        fields["Wt1"] = cs.ReciprocalOf("W1")
    if motif.name == "sal":
        fields |= {"V1": cs.Local(0), "Vt1": cs.ReciprocalOf("V1"), "V2": cs.ReciprocalOf("Vt2"), "Vt2": cs.Local(0)}
    for name, connectivity in fields.items():
        motif = motif.replace(name, connectivity=connectivity)
    return motif


def as_arrays(circuit: cs.Circuit, replica: int) -> cs.Circuit:
    """One replica with arrays and masks in place of fields."""
    motif = circuit.motif
    listed = [p for p in motif.projections if p.tied_to is None and circuit.mask(p.name).layout != torch.strided]
    for p in listed:
        motif = motif.replace(p.name, connectivity=cs.Mask(circuit.mask(p.name).to_dense()[replica].numpy()))
    dense = cs.compile(motif, dtype="float64", device="cpu")
    assert listed and all(dense.plan.projections[p.name].layout == "dense" for p in listed)
    for p in (p for p in motif.projections if p.tied_to is None):
        dense.set_weights(p.name, circuit.weights(p.name).to_dense()[replica])
    return dense


def assert_same_steps(circuit: cs.Circuit, n: int) -> None:
    """Both take the same steps, and end with the same weights and currents."""
    twins = [as_arrays(circuit, r) for r in range(circuit.n_replicas)]
    rng = np.random.default_rng(0)
    for _ in range(n):
        x, y = rng.standard_normal((BATCH, SIZES[0])), rng.integers(0, SIZES[-1], BATCH)
        for one in (circuit, *twins):
            one.step(x, y, keep="all")
    for p in circuit.motif.projections:
        for r, twin in enumerate(twins):
            ours, theirs = circuit.weights(p.name).to_dense()[r], twin.weights(p.name).to_dense()[0]
            assert torch.isfinite(ours).all() and ours.any()
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
            ours, theirs = circuit.current(p.name)[r], twin.current(p.name)[0]
            assert ours.any()
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def circuit_of(make, **options) -> cs.Circuit:
    return cs.compile(local(make(SIZES)), replicas=REPLICAS, seed=1, dtype="float64", device="cpu", **options)


@pytest.mark.parametrize("make", [backprop, kolen_pollack, sal])
def test_fields_do_what_arrays_do(make):
    circuit = circuit_of(make)
    layouts = circuit.store.layouts
    assert layouts["W0"].fields.seen.shape == (225, 18) and layouts["W1"].fields.seen.shape == (49, 27)
    assert layouts["Wt1"].fields is None and layouts["Wt1"].reverses_fields  # at the border, fewer fields overlap
    assert_same_steps(circuit, 3)


def test_pruned_fields_do_what_arrays_do():
    circuit = circuit_of(sal)
    assert (circuit.prune("W1", quantile=0.3) > 0).all()
    assert circuit.store.layouts["W1"].fields is not None
    assert_same_steps(circuit, 3)


def test_synapses_that_grow_outside_of_fields_make_them_a_list():
    circuit = circuit_of(sal)
    circuit.grow("W1", n=40)
    assert circuit.store.layouts["W1"].fields is None and not circuit.store.layouts["Wt1"].reverses_fields
    assert_same_steps(circuit, 3)


def test_float32_agrees_with_arrays_to_a_hundred_thousandth():
    circuit = cs.compile(local(sal(SIZES)), seed=1, device="cpu")
    twin = as_arrays(circuit, 0)
    x, y = np.random.default_rng(0).standard_normal((BATCH, SIZES[0])), np.arange(BATCH) % SIZES[-1]
    for _ in range(3):
        circuit.step(x.astype(np.float32), y)
        twin.step(x, y)
    for name in ("W0", "W1", "Wt1", "V1", "Vt2"):
        ours, theirs = circuit.weights(name).to_dense().double(), twin.weights(name)
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))


def layout(pre, post, connectivity) -> str:
    motif = cs.Motif("maps")
    motif.add(cs.Population("a", shape=pre), cs.Population("b", shape=post))
    motif.connect("a", "b", name="W", connectivity=connectivity)
    return cs.compile(motif, device="cpu").plan.projections["W"].layout


def test_fields_are_listed_where_an_array_would_be_mostly_empty():
    assert layout((24, 14, 14), (16, 5, 5), cs.Local(2, stride=2)) == "sparse"  # 13 % of 1.9 million pairs
    assert layout((24, 14, 14), (16, 7, 7), cs.Local(2, stride=2)) == "dense"  # fields end at the border
    assert layout((24, 14, 14), (5, 5), cs.Local(2, stride=2)) == "dense"  # no two neurons share a field
    assert layout((4, 6, 6), (4, 2, 2), cs.Local(1, stride=2)) == "dense"  # too few


def test_fields_are_found_in_any_list_of_synapses():
    seen, n_places, n_channels = np.array([[0, 3], [1, 2], [3, 4]]), 3, 2
    post = np.repeat(np.arange(n_places * n_channels), 2)
    pre = np.tile(seen, (n_channels, 1)).reshape(-1)
    found = fields_of(post * 5 + pre, (6, 5))
    assert found.n_channels == n_channels
    np.testing.assert_array_equal(found.seen, seen)
    other = pre.copy()
    other[-1] = 2  # the last neuron sees another field than its partner
    other[-2] = 1
    assert fields_of(post * 5 + other, (6, 5)) is None
    assert fields_of((post * 5 + pre)[:-1], (6, 5)) is None  # of unequal size
    assert fields_of((post * 5 + pre)[:6], (3, 5)) is None  # one channel
    assert fields_of(np.array([0, 1, 2, 6]), (2, 5)) is None  # as many as equal fields would have
