"""Apical signals: the measures are their formulas, assembly gives them the sign of the causal role, controls do not."""

import numpy as np
import pytest
import torch

import apical_signals as study
import circuitsim as cs
import motifs
from tests.examples.run import assert_written, quick_setup, run


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return run(study.ApicalSignals, tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("make", [motifs.paper_sal, motifs.apical_sal])
def test_gain_agreement_and_marks_of_a_neuron_are_their_formulas(make):
    experiment = study.ApicalSignals(quick_setup(study.ApicalSignals))
    circuit = cs.compile(make(experiment.setup.layers, gain_V=1.0), replicas=4, device="cpu")
    own = {p.name: circuit.weights(p.name) for p in circuit.motif.projections}
    measured, split = experiment.neurons(circuit, experiment.decoder), experiment.setup.data.validation
    assert all(torch.equal(circuit.weights(name), value) for name, value in own.items())
    for r in range(4):
        D, W, V, Wt = (v[r].double().numpy() for v in (experiment.decoder, own["W0"], own["V1"], own["Wt1"]))
        drive = split.x.double().numpy() @ W.T
        y = np.maximum(drive, 0) @ D.T
        e = np.eye(2)[split.target.numpy()] - np.exp(y) / np.exp(y).sum(1, keepdims=True)
        g = e @ Wt.T
        current = g @ V.T * ((drive > 0) if make is motifs.apical_sal else 1)
        gain = (current * e[:, :1]).mean(0) / (e[:, 0] ** 2).mean()
        np.testing.assert_allclose(measured.gain[r], gain, rtol=1e-3, atol=1e-4)
        role = np.repeat([1, -1], 5)
        assert measured.agreement[r] == pytest.approx((np.sign(gain[:10]) == role).mean())
        quiet, firing = (np.sqrt((current[which] ** 2).mean()) for which in (drive <= 0, drive > 0))
        assert measured.silent[r] == pytest.approx(quiet / firing, rel=1e-3, abs=1e-6)
        parts = np.abs(V * ((g * e[:, :1]).mean(0) / (e[:, 0] ** 2).mean()))[:10]
        assert measured.inputs[r] == pytest.approx((parts.sum(1) ** 2 / (parts**2).sum(1)).mean(), rel=1e-3)


def test_the_decoder_reads_two_groups_of_opposed_sign():
    decoder = study.ApicalSignals(quick_setup(study.ApicalSignals)).decoder
    assert decoder.shape == (4, 2, 40) and torch.equal(decoder[:, 1], -decoder[:, 0])
    assert (decoder[:, 0, :5] >= 0.1).all() and (decoder[:, 0, 5:10] <= -0.1).all() and (decoder[..., 10:] == 0).all()


def test_assembly_gives_apical_currents_the_sign_of_the_causal_role(found):
    for label in (study.SAL, study.PAPER, study.APICAL, study.KP, study.WT_FROZEN):
        signs = found.numbers[label]
        assert signs["after"].mean() > 0.9 and 0.3 < signs["before"].mean() < 0.7, label
        assert signs["learned"].mean() > 0.95, label
    assert (found.numbers[study.SGD]["before"] == 1).all()


def test_controls_stay_near_chance(found):
    for label in (study.FA, study.FROZEN, study.SHUFFLED, study.V_FROZEN):
        signs = found.numbers[label]
        assert np.isfinite(signs["after"]).all() and 0.3 < signs["after"].mean() < 0.7, label
    for label in (study.FA, study.FROZEN):
        np.testing.assert_allclose(found.numbers[label]["swapped"], 1 - found.numbers[label]["before"], atol=1e-6)


def test_silent_dendrites_abolish_learning(found):
    for label in set(found.numbers) - {study.UNEXPLORED}:
        numbers = found.numbers[label]
        kept = np.isfinite(numbers["silenced"])  # with V silent, Vt and Wt of two circuits feed on an error that stays
        assert kept.all() or label in (study.PAPER, study.APICAL), label
        np.testing.assert_allclose(numbers["silenced"][kept], numbers["naive"][kept], atol=0.02, err_msg=label)
    assert (found.numbers[study.SAL]["learned"] - found.numbers[study.SAL]["naive"]).mean() > 0.2


def test_signs_follow_a_swap_of_the_groups(found):
    for label in (study.PAPER, study.APICAL, study.KP):
        assert found.numbers[label]["swapped"].mean() > 0.9, label
    slow = found.results[study.SAL].swapped.curve("sign_agreement").to_numpy().mean(1)
    assert slow[0] < 0.1 and slow[-1] > slow[0] + 0.3


def test_marks_tell_the_circuits_apart(found):
    marks = {label: found.results[label].explored for label in (study.SAL, study.APICAL, study.KP)}
    assert marks[study.SAL].silent.mean() == pytest.approx(1, abs=0.2)
    assert marks[study.APICAL].silent.max() == marks[study.KP].silent.max() == 0
    assert marks[study.SAL].inputs.min() > 5
    np.testing.assert_allclose(marks[study.KP].inputs, 1)


def test_the_run_folder_has_the_figures_and_the_goals(found):
    assert_written(found.setup.out, "neurons.png", "agreement.png", "swap.png", "neurons.csv", "later.csv")
    report = (found.setup.out / "report.md").read_text()
    assert "nan" not in report and f"{study.SAL} 1.00" in report
    assert list(found.table().circuit) == list(found.motifs())


def test_another_data_set_and_a_folder_are_refused(tmp_path):
    for dataset, folder in (("digits", None), (study.TASK, tmp_path)):
        with pytest.raises(cs.ParameterError, match="the only data set of this experiment is 'neurofeedback'"):
            study.neurofeedback(dataset, folder)
