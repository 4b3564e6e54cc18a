"""Run folders for the tests of the page."""

from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import circuitsim as cs
from circuitsim.cli import app


def trained(folder: Path) -> Path:
    """What `circuitsim train` leaves: SAL on the teacher's data, three epochs."""
    arguments = ["train", "paper_sal", "--dataset", "teacher", "--epochs", "3", "--replicas", "2", "--out", str(folder)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder


def odd(folder: Path) -> Path:
    """A circuit and nothing else: sparse, large, per-synapse parameters, a name that is not safe in HTML."""
    motif = cs.Motif("</script><b>&'odd'")
    motif.add(cs.Population("x", 100), cs.Population("y", 80, activation="relu"))
    rule = cs.Rule("where(pre < 1, eta * post, 0) - k * w", eta=np.full((80, 100), 0.01), k=0.5)
    motif.connect("x", "y", name="W", connectivity=cs.Random(0.3), rule=rule)
    cs.compile(motif, device="cpu").save(folder / "circuit.safetensors")
    return folder
