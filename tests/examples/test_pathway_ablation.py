"""Pathway ablation: eight subsets and a linear model."""

import pytest
import torch

import circuitsim as cs
from motifs import paper_sal, sal
from pathway_ablation import PathwayAblation, only_plastic
from tests.examples.run import assert_written, numbers, run

SUBSETS = ("W", "W V", "W Vt", "W Wt", "W V Vt", "W V Wt", "W Vt Wt", "W V Vt Wt")
PAPERS = [f"paper: {subset}" for subset in SUBSETS]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run(PathwayAblation, tmp_path_factory.mktemp("run"))


def test_there_is_a_row_for_each_subset_and_the_linear_model(study):
    table = study.table()
    assert set(table.circuit) == {*SUBSETS, *PAPERS, study.linear} and len(table) == 17
    assert (table["ran away"] == "0 of 2").all()


def test_all_subsets_learn_and_the_linear_model_is_given_a_rate_that_works(study):
    mean = numbers(study.table().set_index("circuit"), "test accuracy, %")
    assert min(mean[label] for label in (*SUBSETS, *PAPERS)) > 65
    assert 85 < mean[study.linear] < 97  # digits are nearly linearly separable


def test_plastic_v_brings_the_cosine_with_the_gradient(study):
    table = study.table().set_index("circuit").drop(study.linear)
    cosine = numbers(table, "hidden cosine with the gradient")
    with_v = [cosine[s] for s in SUBSETS if "V" in s.split()]
    without = [cosine[s] for s in SUBSETS if "V" not in s.split()]
    assert min(with_v) > max(without) + 0.1


@pytest.mark.parametrize("make", [sal, paper_sal])
def test_fixed_pathways_have_unit_size(make):
    circuit = cs.compile(only_plastic(make([40, 50, 50, 30]), ("Vt",)), device="cpu")
    for name, fan in (("V1", 50), ("V2", 50), ("Wt1", 50), ("Wt2", 50)):
        assert circuit.weights(name).std().item() == pytest.approx(fan**-0.5, rel=0.1), name
    assert circuit.weights("Vt1").std().item() < 0.1 * 50**-0.5


def test_vt_does_nothing_while_wt_is_frozen(study):
    for form in ("", "paper: "):
        for a, b in (("W", "W Vt"), ("W V", "W V Vt")):
            curves = [study.histories[form + s].curve("accuracy", "validation") for s in (a, b)]
            assert len(curves[0]) == 6 and curves[0].equals(curves[1])
    # in the normalised form, Wt is an average over many more steps than a quick run has, so it hardly moves there
    both = [study.histories[s].curve("accuracy", "validation") for s in ("paper: W Wt", "paper: W Vt Wt")]
    assert not both[0].equals(both[1])
    assert study.notes().count("identical") == 4 and "NOT identical" not in study.notes()


@pytest.mark.parametrize("subset", [(), ("V",), ("Vt", "Wt"), ("V", "Vt", "Wt")])
def test_only_the_named_pathways_change(subset):
    circuit = cs.compile(only_plastic(paper_sal([5, 4, 4, 3]), subset), device="cpu")
    before = {p.name: circuit.weights(p.name) for p in circuit.motif.projections}
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        circuit.step(torch.randn(8, 5, generator=generator), torch.arange(8) % 3)
    changed = {name for name, w in before.items() if not torch.equal(w, circuit.weights(name))}
    assert changed == {"W0", "W1", "W2", *(f"{kind}{layer}" for kind in subset for layer in (1, 2))}


def test_the_linear_model_that_is_shown_is_the_best_on_validation(study):
    scores = {
        label: result.final("accuracy", "validation").mean()
        for label, result in study.results.items()
        if label.startswith("linear model")
    }
    assert len(scores) == 3 and study.linear == max(scores, key=scores.get)


def test_the_run_folder_holds_table_figure_and_histories(study):
    assert_written(study.setup.out, "curves.png", "curves.svg", "curves_paper.png")
    assert "W against linear model" in study.notes()
