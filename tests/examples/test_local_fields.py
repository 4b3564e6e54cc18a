"""Local fields: the geometry counted from masks, mirror images by NumPy, and a run whose table states its results."""

import math

import numpy as np
import pytest
import torch

import circuitsim as cs
import local_fields as study
import motifs
from tests.examples.run import assert_written, numbers, run


def test_fields_stay_within_images_of_published_sizes():
    geometry = study.Geometry.over(3 * 32 * 32)
    assert geometry.shapes == ((3, 32, 32), (24, 14, 14), (48, 5, 5)) and (geometry.radius, geometry.stride) == (2, 2)
    geometry = study.Geometry.over(8 * 8)
    assert geometry.shapes == ((1, 8, 8), (24, 6, 6), (48, 4, 4)) and (geometry.radius, geometry.stride) == (1, 1)
    with pytest.raises(cs.ParameterError, match=r"square images of 5 x 5 pixels or more.*got 20 features"):
        study.Geometry.over(20)


def test_sal_divides_by_the_synapses_that_it_has():
    geometry = study.Geometry(((1, 7, 7), (3, 5, 5), (4, 3, 3)), radius=1, stride=1)
    circuit = cs.compile(geometry.sal([49, 75, 36, 5]), device="cpu")
    masks = {p.name: circuit.mask(p.name).to_dense()[0].numpy() for p in circuit.motif.projections}
    of = {name: circuit.motif.projection(name).rule.parameters for name in ("W0", "W1", "W2", "Wt1", "Wt2")}
    n_hidden = 2
    for k in (0, 1, 2):
        (fan_in,) = set(masks[f"W{k}"].sum(1))
        assert of[f"W{k}"]["fan_in"] == fan_in * (n_hidden if k < n_hidden else 1)
    for k in (1, 2):
        (partners,) = set(masks[f"Vt{k}"].sum(1))
        (axon,) = set(masks[f"Wt{k}"].sum(0))
        assert of[f"Wt{k}"]["scale"] == pytest.approx(partners * math.sqrt(axon))
        np.testing.assert_array_equal(masks[f"Wt{k}"], masks[f"W{k}"].T)
        np.testing.assert_array_equal(masks[f"V{k}"], masks[f"Vt{k}"].T)


@pytest.mark.parametrize("make", [motifs.backprop, motifs.kolen_pollack, motifs.feedback_alignment])
def test_relatives_have_the_same_fields_and_keep_their_own_pathways(make):
    geometry = study.Geometry(((1, 7, 7), (3, 5, 5), (4, 3, 3)), radius=1, stride=1)
    circuit = cs.compile(geometry.onto(make([49, 75, 36, 5])), device="cpu")
    assert (circuit.mask("W1")[0].sum(1) == 27).all() and (circuit.mask("Wt1")[0] == circuit.mask("W1")[0].T).all()
    assert isinstance(circuit.motif.projection("V1").connectivity, cs.OneToOne)


def test_mirror_images_of_cifar10_are_learned_from_too(monkeypatch):
    x, y = np.random.default_rng(0).standard_normal((20, 3, 32, 32)).astype(np.float32), np.arange(20) % 10
    data = cs.Dataset.from_arrays(x, y, test=(x, y), n_outputs=10)
    monkeypatch.setattr(study.datasets, "load", lambda dataset, folder: data)
    found = study.load("cifar10_jpeg")
    np.testing.assert_array_equal(found.train.x[:20], x.reshape(20, -1))
    np.testing.assert_array_equal(found.train.x[20:], x[..., ::-1].reshape(20, -1))
    assert torch.equal(found.train.target, torch.from_numpy(np.tile(y, 2))) and len(found.test) == 20
    assert len(study.load("digits").train) == 20


def test_every_circuit_learns_and_is_compared_with_dense_sal(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "CHANNELS", (6, 8))
    found = run(study.LocalFields, tmp_path, epochs=8)
    table = found.table().set_index("circuit")
    assert len(table) == 6 and (table["ran away"] == "0 of 2").all()
    test = numbers(table, "test accuracy, %")
    assert np.isfinite(test).all() and (test > 40).all() and (test <= 100).all()
    dense = study.DENSE.format("SAL")
    for label in table.index.drop(dense):
        stated = float(table.loc[label, "test, minus dense SAL's"].split()[0])
        assert stated == pytest.approx(test[label] - test[dense], abs=0.011)
    assert_written(tmp_path, "validation.png", "accuracy.png")
