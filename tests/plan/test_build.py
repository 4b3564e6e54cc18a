"""From a motif to its plan: the order of the sweep, products computed once, what is frozen, phases, layouts."""

import networkx as nx
import pytest

import circuitsim as cs
from circuitsim.plan import build_plans, circuitry_of, emit, layout_of
from circuitsim.plan.passes import share_common_subexpressions, without_dead_code
from motifs import paper_sal, weight_mirror

LAYERS = [7, 6, 5, 3]


def test_every_population_is_swept_after_all_that_drive_it():
    motif = paper_sal(LAYERS)
    needs = nx.DiGraph((p.pre, p.post) for p in motif.projections if p.compartment == "soma")
    needs.add_edges_from((o.output, o.error) for o in motif.objectives)
    place = {name: k for k, name in enumerate(build_plans(motif)[0].populations)}
    assert len(place) == len(motif.populations)
    assert all(place[pre] < place[post] for pre, post in needs.edges)


def means(motif: cs.Motif, frozen: tuple[str, ...] = ()) -> list[str]:
    """The batch means of products that a step takes, by the first projection that needs each."""
    plans = build_plans(motif, frozen)
    program = without_dead_code(share_common_subexpressions(emit(plans, circuitry_of(motif, plans))))
    return [i.op for i in program.instructions if i.op in ("outer", "turn")]


def test_sal_needs_a_product_for_each_w_and_wt_and_one_for_each_pair_of_v_and_vt():
    n_hidden = len(LAYERS) - 2
    found = means(paper_sal(LAYERS))
    assert found.count("outer") == (n_hidden + 1) + n_hidden + n_hidden and found.count("turn") == n_hidden


def test_what_is_frozen_neither_changes_nor_asks_for_a_product():
    (plan,) = build_plans(paper_sal(LAYERS), frozen=["W0", "V1"])
    assert {p.name for p in plan.plastic()} == {"W1", "W2", "Wt1", "Wt2", "V2", "Vt1", "Vt2"}
    assert means(paper_sal(LAYERS), ("W0", "V1")).count("outer") == 7 - 1  # Vt1 still needs that of the pair


def test_each_phase_has_a_plan_in_which_only_its_own_projections_change():
    plans = build_plans(weight_mirror(LAYERS))
    plastic = [{p.name for p in plan.plastic()} for plan in plans]
    assert plastic == [{"W0", "W1", "W2"}, {"Wt1"}, {"Wt2"}]
    assert [bool(plan.objectives) for plan in plans] == [True, False, False]


@pytest.mark.parametrize(
    ("connectivity", "size", "layout"),
    [(cs.All(), 50, "dense"), (cs.OneToOne(), 50, "one_to_one"), (cs.Random(0.04), 50, "sparse"),
     (cs.Random(0.06), 50, "dense"), (cs.Random(0.04), 20, "dense")],
    ids=["all", "one to one", "few of many", "too dense", "too small"],
)  # fmt: skip
def test_synapses_are_listed_only_where_they_are_few_of_many(connectivity, size, layout):
    motif = cs.Motif()
    motif.add(cs.Population("a", size), cs.Population("b", size))
    motif.connect("a", "b", name="P", connectivity=connectivity)
    assert layout_of(motif, motif.projection("P")) == layout


def test_a_division_by_zero_that_shows_once_it_is_multiplied_out_is_told():
    for rule, state, what in (
        ("w / sum_in(pre - pre)", {}, "rule"),
        ("0.1 * e", {"e": "1 / sum_out(w - w)"}, "state 'e'"),
    ):
        motif = paper_sal([4, 3, 2]).replace("W0", rule=cs.Rule(rule), state=state)
        with pytest.raises(cs.MotifError, match=f"projection 'W0': {what} divides by zero"):
            build_plans(motif)
