"""From a motif to its plan: the order of the sweep, products computed once, what is frozen, phases, layouts."""

import networkx as nx
import pytest

import circuitsim as cs
from circuitsim.plan import build_plan, build_plans, layout_of
from motifs import sal, weight_mirror

LAYERS = [7, 6, 5, 3]


def test_every_population_is_swept_after_all_that_drive_it():
    motif = sal(LAYERS)
    needs = nx.DiGraph((p.pre, p.post) for p in motif.projections if p.target == "soma")
    needs.add_edges_from((o.output, o.error) for o in motif.objectives)
    place = {name: k for k, name in enumerate(build_plan(motif).populations)}
    assert len(place) == len(motif.populations)
    assert all(place[pre] < place[post] for pre, post in needs.edges)


def test_sal_needs_a_product_for_each_w_and_wt_and_one_for_each_pair_of_v_and_vt():
    plan = build_plan(sal(LAYERS))
    n_hidden = len(LAYERS) - 2
    assert len(plan.moments) == (n_hidden + 1) + n_hidden + n_hidden
    v, vt = (next(c for c in plan.projections[name].changes if c.moment is not None) for name in ("V1", "Vt1"))
    assert v.moment == vt.moment and v.transposed != vt.transposed


def test_what_is_frozen_neither_changes_nor_asks_for_a_product():
    plan = build_plan(sal(LAYERS), frozen=["W0", "V1"])
    assert {p.name for p in plan.plastic()} == {"W1", "W2", "Wt1", "Wt2", "V2", "Vt1", "Vt2"}
    assert len(plan.moments) == 7 - 1  # Vt1 still needs that of the pair


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
        motif = sal([4, 3, 2]).replace("W0", rule=cs.Rule(rule), state=state)
        with pytest.raises(cs.MotifError, match=f"projection 'W0': {what} divides by zero"):
            build_plan(motif)
