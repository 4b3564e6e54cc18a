"""Local losses: the rules' changes are their gradients; a wrong loss is noticed."""

import pytest

import circuitsim as cs
from local_losses import LocalLosses, local_loss_probe
from motifs import paper_sal
from tests.examples.run import assert_written, quick_setup, run

CIRCUITS = ("SAL, l2", "SAL, l1", "SAL, homeostatic", "SAL, l2, shuffled error")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run(LocalLosses, tmp_path_factory.mktemp("run"))


def probed(study, label, metric):
    table = study.histories[label].to_pandas()
    return table[(table.metric == metric) & (table.split == "probe")]


@pytest.mark.parametrize("label", CIRCUITS)
def test_every_change_is_minus_eta_times_the_gradient_over_training(study, label):
    error = probed(study, label, "change_error")
    assert set(error.site) == {"W0", "W1", "W2", "Wt1", "Wt2", "V1", "V2", "Vt1", "Vt2"}
    assert error.epoch.nunique() == 5 and len(error) == 9 * 5 * 2
    assert error.value.max() < 1e-10


@pytest.mark.parametrize("label", CIRCUITS)
def test_every_step_lowers_its_local_loss(study, label):
    descent = probed(study, label, "local_descent")
    assert len(descent) == 90 and (descent.value < 0).all()


def test_the_local_losses_fall_as_sal_learns_and_much_less_with_shuffled_error(study):
    def fall(label, site):
        loss = probed(study, label, "local_loss")
        means = loss[loss.site == site].groupby("epoch").value.mean()
        return means.iloc[0] - means.iloc[-1]

    for site in ("V1", "V2", "Vt1", "Vt2"):
        assert fall("SAL, l2", site) > 5 * abs(fall("SAL, l2, shuffled error", site))


def test_the_local_loss_of_another_regularizer_does_not_fit():
    setup = quick_setup(LocalLosses)
    circuit = cs.compile(paper_sal(setup.layers, regularizer="homeostatic", gamma=0.01, gain_V=1.0), device="cpu")
    right, wrong = (local_loss_probe(setup, name).function(circuit) for name in ("homeostatic", "l2"))
    error = [table[table.quantity == "change_error"].set_index("site").value for table in (right, wrong)]
    assert error[0].max() < 1e-10
    assert error[1][["V1", "Vt1", "Wt1"]].min() > 1e-3 and error[1][["W0", "W1", "W2"]].max() < 1e-10


def test_the_probe_does_not_change_the_circuit():
    setup = quick_setup(LocalLosses)
    circuit = cs.compile(paper_sal(setup.layers), device="cpu")
    before = {p.name: circuit.weights(p.name) for p in circuit.motif.projections}
    local_loss_probe(setup, "l2").function(circuit)
    assert all((circuit.weights(name) == w).all() for name, w in before.items()) and circuit.n_steps == 0


def test_the_run_folder_holds_a_figure_for_each_plastic_projection(study):
    assert_written(study.setup.out, *(f"local_loss_{site}.png" for site in ("W0", "Wt2", "V1", "Vt2")))
    assert "no evidence of learning" in study.notes()
