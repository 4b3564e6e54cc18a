"""What the tests of pictures share: motifs worth drawing, and ways to read a figure back."""

from __future__ import annotations

from typing import Any

import circuitsim as cs
from motifs import backprop, direct_kolen_pollack, feedback_alignment, kolen_pollack, sal

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
    motif.connect("down2", "down1", name="Wt1", weight=cs.Derived("Q", transpose=True, scale=0.5))
    motif.connect("err_aux", "down2", name="Wta")
    for name, pre, post in (
        ("V1", "down1", "V1a"), ("Vt1", "V1a", "down1"), ("V2", "down2", "IT"), ("Vt2", "IT", "down2"),
        ("V3", "down3", "PFC"), ("Vt3", "PFC", "down3"), ("lateral", "A1", "V1a"), ("own", "IT", "IT"),
        ("Q", "down1", "down2"),
    ):  # fmt: skip
        motif.connect(pre, post, name=name, target="dendrite", rule=HEBB)
    for name, pre, post in (("V4", "err", "out"), ("Va", "err_aux", "aux")):
        one = {"init": cs.Identity(), "connectivity": cs.OneToOne()}
        motif.connect(pre, post, name=name, target="dendrite", **one)
    return motif


GALLERY: dict[str, cs.Motif] = {
    "sal": sal([64, 32, 32, 10]),
    "other widths": sal([64, 32, 32, 10], feedback=[48, 16]),
    "backprop": backprop([64, 32, 32, 10]),
    "kolen_pollack": kolen_pollack([64, 32, 32, 10]),
    "feedback_alignment": feedback_alignment([64, 32, 32, 10]),
    "direct": direct_kolen_pollack([64, 32, 32, 10]),
    "bias": sal([64, 32, 32, 10], bias=True, shuffled=True),
    "several inputs": several_inputs(),
    "deep": sal([64, 60, 50, 40, 30, 20, 20, 10]),
    "deep direct": direct_kolen_pollack([64, 60, 50, 40, 30, 20, 20, 10]),
    "perceptron": sal([8, 3]),
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
