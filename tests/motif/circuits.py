"""Small motifs by hand, for tests that change one thing about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import circuitsim as cs


def two_streams() -> cs.Motif:
    """Two ascending layers, one error, one loop of dendritic projections."""
    motif = cs.Motif("two_streams")
    motif.add(cs.Population("up0", size=4))
    motif.add(cs.Population("up1", size=3, activation="relu"))
    motif.add(cs.Population("up2", size=2))
    motif.add(cs.Population("down2", size=2, stream="descending"))
    motif.add(cs.Population("down1", size=5, stream="descending"))
    hebb = cs.Rule("eta * (post * pre - gamma * w)", eta=0.05, gamma=1e-3)
    motif.connect("up0", "up1", name="W0", rule=cs.Rule("eta * slope_post * I_V1 * pre", eta=0.05))
    motif.connect("up1", "up2", name="W1", rule=cs.Rule("eta * I_V2 * pre", eta=0.05))
    motif.connect("down2", "down1", name="Wt1", init=cs.Gaussian(scaling="fan_out"))
    motif.connect("down1", "up1", name="V1", compartment="dendrite", rule=hebb, connectivity=cs.Random(probability=0.5))
    motif.connect("up1", "down1", name="Vt1", compartment="dendrite", rule=hebb, connectivity=cs.ReciprocalOf("V1"))
    motif.connect("down2", "up2", name="V2", compartment="dendrite", init=cs.Identity(), connectivity=cs.OneToOne())
    motif.add(cs.Objective(output="up2", error="down2", loss="cross_entropy"))
    return motif


def loop_over_phases() -> cs.Motif:
    """Two phases, each with a sweep of its own, that together close a loop through the error population."""
    motif = cs.Motif("loop")
    motif.add(
        cs.Population("x", 3),
        cs.Population("h", 4, activation="relu"),
        cs.Population("y", 2),
        cs.Population("e", 2, stream="descending"),
        cs.Population("d", 4, stream="descending"),
        cs.Objective("y", "e"),
        cs.Phase("judge", soma=["W", "U"]),
        cs.Phase("settle", soma=["W", "D", "F"], plastic=["W"], errors=False),
    )
    rule = cs.Rule("eta * post * pre", eta=0.1)
    motif.connect("x", "h", name="W", rule=rule)
    motif.connect("h", "y", name="U", rule=rule)
    motif.connect("e", "d", name="D")
    motif.connect("d", "h", name="F")
    return motif


def faults(motif: cs.Motif) -> tuple[str, ...]:
    """The faults that one `validate` reports; it must report some."""
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    return caught.value.faults


def fault(motif: cs.Motif) -> str:
    """The one fault of the motif."""
    (only,) = faults(motif)
    return only


def changed(name: str, **changes: Any) -> cs.Motif:
    """`two_streams` with other fields in one population or projection."""
    return two_streams().replace(name, **changes)


def spacious() -> cs.Motif:
    """Everything that has to do with space and structure, and nothing else."""
    motif = cs.Motif("space")
    motif.add(
        cs.Population("retina", shape=(1, 4, 4), positions=np.arange(32.0).reshape(16, 2) / 9, sign="excitatory"),
        cs.Population("cortex", shape=(2, 2), activation="relu"),
    )
    rule = {"rule": "0.1 * pre * post", "rewiring": cs.Rewiring(every_steps=5, share=0.1)}
    motif.connect("retina", "cortex", name="W", connectivity=cs.Local(1, stride=2), **rule)
    motif.connect("retina", "cortex", name="D", connectivity=cs.DistanceDependent("exp(-d)"), init=cs.Uniform(0, 1))
    motif.connect("retina", "cortex", name="R", connectivity=cs.Random(np.full((4, 16), 0.3)))
    motif.connect("retina", "cortex", name="M", connectivity=cs.Mask(np.ones((2, 4, 16))))
    motif.connect("cortex", "retina", name="V", compartment="dendrite", init=cs.TransposeOf("W"))
    return motif
