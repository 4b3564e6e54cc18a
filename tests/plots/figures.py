"""What the tests of pictures share: motifs worth drawing, and ways to read a figure back."""

from __future__ import annotations

from typing import Any

import numpy as np

import circuitsim as cs
from motifs import apical_sal, backprop, direct_kolen_pollack, feedback_alignment, kolen_pollack, paper_sal

HEBB = cs.Rule("eta * (post * pre - gamma * w)", eta=0.1, gamma=1e-3)


def several_inputs() -> cs.Motif:
    """Skips, three inputs, two objectives, a lateral and a self projection, ties, sparse connectivity."""
    motif = cs.Motif("several_inputs")
    motif.add(cs.Population("image", 64), cs.Population("context", 12), cs.Population("sound", 20))
    motif.add(cs.Population("V1a", 48, activation="relu"), cs.Population("A1", 24, activation="tanh"))
    motif.add(cs.Population("IT", 32, activation="relu"), cs.Population("PFC", 32, activation="sigmoid"))
    motif.add(cs.Population("out", 10), cs.Population("aux", 4))
    for name, size in (("err", 10), ("err_aux", 4), ("down3", 24), ("down2", 24), ("down1", 24)):
        motif.add(cs.Population(name, size, stream="descending"))
    motif.add(cs.Objective("out", "err"), cs.Objective("aux", "err_aux", "mse", shuffled=True))
    for name, pre, post in (
        ("W0", "image", "V1a"), ("W1", "sound", "A1"), ("W2", "V1a", "IT"), ("W3", "A1", "IT"),
        ("W4", "context", "PFC"), ("W5", "IT", "PFC"), ("W6", "PFC", "out"),
        ("S1", "V1a", "PFC"), ("Waux", "IT", "aux"), ("Wt3", "err", "down3"),
        ("Wt2", "down3", "down2"),
    ):  # fmt: skip
        motif.connect(pre, post, name=name, rule=HEBB)
    motif.connect("image", "out", name="S2", plastic=False)
    motif.connect("down2", "down1", name="Wt1", tied_to=cs.Derived("Q", transpose=True, scale=0.5))
    motif.connect("err_aux", "down2", name="Wta")
    for name, pre, post in (
        ("V1", "down1", "V1a"), ("Vt1", "V1a", "down1"), ("V2", "down2", "IT"), ("Vt2", "IT", "down2"),
        ("V3", "down3", "PFC"), ("Vt3", "PFC", "down3"), ("lateral", "A1", "V1a"), ("own", "IT", "IT"),
        ("Q", "down1", "down2"),
    ):  # fmt: skip
        motif.connect(pre, post, name=name, compartment="dendrite", rule=HEBB)
    for name, pre, post in (("V4", "err", "out"), ("Va", "err_aux", "aux")):
        one = {"init": cs.Identity(), "connectivity": cs.OneToOne()}
        motif.connect(pre, post, name=name, compartment="dendrite", **one)
    return motif


def long_names() -> cs.Motif:
    """Names of 30 characters, and names with letters beyond ASCII."""
    motif = cs.Motif("long_names")
    a, b, c = "prefrontal_cortex_layer_5_thick", "größe_der_äußeren_schicht", "γ_out"
    e, d = "error_population_of_the_output", "δ_hidden_descending_stream_one"
    motif.add(cs.Population(a, 64), cs.Population(b, 48, activation="relu"), cs.Population(c, 10))
    motif.add(cs.Population(e, 10, stream="descending"))
    motif.add(cs.Population(d, 48, stream="descending", activation=cs.GatedBy(b)), cs.Objective(c, e))
    motif.connect(a, b, name="ascending_projection_number_one", rule=HEBB)
    motif.connect(b, c, name="W_größe", rule=HEBB)
    motif.connect(e, d, name="descending_projection_of_errors", tied_to=cs.Derived("W_größe", transpose=True))
    motif.connect(d, b, name="dendritic_projection_to_hidden", compartment="dendrite", rule=HEBB)
    motif.connect(b, d, name="dendritic_projection_back_again", compartment="dendrite", rule=HEBB)
    motif.connect(e, c, name="Ω", compartment="dendrite", init=cs.Identity(), connectivity=cs.OneToOne())
    return motif


def reciprocal() -> cs.Motif:
    """Four projections between two populations, there and back, and one of a population onto itself."""
    motif = cs.Motif("reciprocal")
    motif.add(cs.Population("x", 8), cs.Population("a", 8, activation="relu"), cs.Population("b", 8))
    motif.connect("x", "a", name="W0", rule=HEBB)
    motif.connect("a", "b", name="W1", rule=HEBB)
    motif.connect("a", "b", name="W2", plastic=False)
    motif.connect("b", "a", name="B", compartment="dendrite", init=cs.Identity(), connectivity=cs.OneToOne())
    motif.connect("a", "b", name="F", compartment="dendrite", connectivity=cs.Random(0.3))
    motif.connect("a", "a", name="own", compartment="dendrite", rule=HEBB)
    return motif


def many(n_populations: int, n_projections: int) -> cs.Motif:
    """A random motif, two thirds of it in the ascending stream."""
    random, motif, n_ascending = np.random.default_rng(0), cs.Motif("many"), 2 * n_populations // 3
    for k in range(n_populations):
        motif.add(cs.Population(f"p{k}", 5, stream="ascending" if k < n_ascending else "descending"))
    ends = [(k - 1, k) for k in range(n_ascending, n_populations)]  # what drives the descending stream
    ends += [tuple(sorted(random.choice(n_populations, 2, replace=False))) for _ in range(n_projections - len(ends))]
    for j, (first, second) in enumerate(ends):
        soma = j < n_populations - n_ascending or random.random() < 0.6
        pre, post = (first, second) if soma or random.random() < 0.5 else (second, first)
        rule = HEBB if random.random() < 0.6 else None
        motif.connect(f"p{pre}", f"p{post}", name=f"c{j}", compartment="soma" if soma else "dendrite", rule=rule)
    return motif


GALLERY: dict[str, cs.Motif] = {
    "sal": paper_sal([64, 32, 32, 10]),
    "other widths": paper_sal([64, 32, 32, 10], feedback=[48, 16]),
    "backprop": backprop([64, 32, 32, 10]),
    "kolen_pollack": kolen_pollack([64, 32, 32, 10]),
    "feedback_alignment": feedback_alignment([64, 32, 32, 10]),
    "direct": direct_kolen_pollack([64, 32, 32, 10]),
    "bias": paper_sal([64, 32, 32, 10], bias=True, shuffled=True),
    "several inputs": several_inputs(),
    "deep": paper_sal([64, 60, 50, 40, 30, 20, 20, 10]),
    "deep direct": direct_kolen_pollack([64, 60, 50, 40, 30, 20, 20, 10]),
    "perceptron": paper_sal([8, 3]),
    "two compartments": apical_sal([64, 32, 32, 10]),
    "reciprocal": reciprocal(),
    "names": long_names(),
}


def named(figure: Any, gid: str) -> Any:
    """The one artist of that gid."""
    found = figure.findobj(lambda artist: artist.get_gid() == gid)
    assert len(found) == 1, (gid, len(found))
    return found[0]


def all_named(figure: Any, start: str) -> dict[str, Any]:
    """Artists whose gid starts so, by the rest of it."""
    found = figure.findobj(lambda artist: str(artist.get_gid() or "").startswith(start))
    return {artist.get_gid()[len(start) :]: artist for artist in found}
