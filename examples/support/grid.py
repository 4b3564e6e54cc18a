"""The grid of conditions in which SAL learns with one set of constants, each with the controls that belong to it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

import circuitsim as cs
import motifs
from support import datasets
from support.algorithms import Algorithm
from support.circuits import frozen_sal, scale_eta

SAL, SGD, FROZEN = "SAL", "SGD", "frozen"
# SAL's constants were chosen with seeds below this one, and the controls are tuned with them.
FIRST_SEED = 1000

CONTROLS = {
    SGD: Algorithm(SGD, motifs.backprop, {"eta": (0.01, 3.0), "gamma": (1e-6, 1e-3)}),
    FROZEN: Algorithm(FROZEN, frozen_sal, {"eta": (2.0, 100.0), "gamma": (1e-6, 1e-3), "cap": (0.1, 2.0)}),
}


@dataclass(frozen=True)
class Cell:
    """One circuit in one condition.

    Args:
        dataset: the name of a data set.
        condition: "base", or the factor that differs from the base and its value, such as "width 64".
        circuit: `SAL`, `SGD` or `FROZEN`.
        hidden, batch_size, epochs, seeds: as in `Setup`.
        stream: the width of the descending stream, in units of the ascending one.
        inputs, eta: factors on the standardised inputs and on every eta.
        schedule: as in `circuitsim.fit`.
    """

    dataset: str
    condition: str
    circuit: str
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    seeds: int
    stream: float = 1.0
    inputs: float = 1.0
    eta: float = 1.0
    schedule: str | None = None

    @property
    def name(self) -> str:
        """The name, by which `--cells` chooses."""
        return f"{self.dataset}/{self.condition}/{self.circuit}"

    @property
    def factor(self) -> str:
        """The factor that differs from the base; "" for the base."""
        return self.condition.rpartition(" ")[0]

    @property
    def controls(self) -> tuple[str, ...]:
        """The circuits that are tuned for this condition."""
        if self.factor in ("", "hidden layers", "batch", "schedule"):
            return SGD, FROZEN
        return (SGD,) if self.factor == "width" else ()

    def beside(self, circuit: str) -> str:
        """The name of the cell of a control with which this one is compared: of its condition, or of the base."""
        condition = self.condition if circuit in self.controls else "base"
        return f"{self.dataset}/{condition}/{circuit}"

    def motif(self, layers: list[int], **settings: Any) -> cs.Motif:
        """The motif that learns.

        Args:
            layers: the sizes of the ascending populations.
            settings: the loss, and the tuned settings of a control.
        """
        if self.circuit in CONTROLS:
            return CONTROLS[self.circuit].make(layers, **settings)
        descending = [max(1, round(self.stream * size)) for size in layers[1:-1]]
        return scale_eta(motifs.sal(layers, descending, **settings), self.eta)

    def fingerprint(self, settings: Mapping[str, Any]) -> str:
        """A short hash of all that determines the result except data and seeds, so that old results are recognised."""
        circuit = self.motif([1, *self.hidden, 2], **settings).to_json()
        rest = {k: v for k, v in asdict(self).items() if k not in ("condition", "seeds")}
        return hashlib.sha256(json.dumps([circuit, rest, FIRST_SEED]).encode()).hexdigest()[:12]


def _base(dataset: str, size: int, batch_size: int, epochs: int, seeds: int) -> Cell:
    return Cell(dataset, "base", SAL, (size,) * 3, batch_size, epochs, seeds)


# On the small data sets, the epochs give V, Vt and Wt about as many steps as they average over (3000).
BASES = (
    _base("digits", 32, 64, 150, 10),
    _base("teacher", 32, 64, 70, 10),
    _base("mnist", 200, 256, 15, 5),
    _base("fashion_mnist", 200, 256, 20, 5),
    _base(datasets.JPEG_COPIES, 200, 256, 15, 3),
)
VARIED = ("digits", "fashion_mnist")


def variations(base: Cell) -> Iterator[Cell]:
    """SAL with one factor at a time changed."""
    size, changed = base.hidden[0], functools.partial(replace, base)
    yield from (changed(condition=f"hidden layers {n}", hidden=(size,) * n) for n in (1, 2, 5, 8))
    yield from (changed(condition=f"batch {n}", batch_size=n) for n in (16, 64, 256, 1024) if n != base.batch_size)
    yield changed(condition="schedule cosine", schedule="cosine")
    yield from (changed(condition=f"inputs {factor:g}", inputs=factor) for factor in (0.1, 10.0))
    yield from (changed(condition=f"eta {factor:g}", eta=factor) for factor in (0.5, 1.5))
    yield from (changed(condition=f"width {n}", hidden=(n,) * 3) for n in (16, 64, 256, 1024))
    yield from (changed(condition=f"stream {factor:g}", stream=factor) for factor in (0.5, 2.0, 5.0, 10.0))


def whole_grid() -> list[Cell]:
    """All cells of the grid, each condition's controls behind it."""
    conditions = [*BASES, *(cell for base in BASES if base.dataset in VARIED for cell in variations(base))]
    return [replace(cell, circuit=circuit) for cell in conditions for circuit in (SAL, *cell.controls)]


@dataclass(frozen=True)
class Scaled:
    """Loads a data set with its standardised inputs multiplied by a factor."""

    factor: float = 1.0

    def __call__(self, dataset: str, folder: Path | None = None) -> cs.Dataset:
        data = datasets.load(dataset, folder)
        if self.factor == 1.0:
            return data
        scaled: dict[str, Any] = {}
        for name, split in data.splits.items():
            assert isinstance(split.x, Tensor)
            scaled[name] = replace(split, x=self.factor * split.x)
        return replace(data, **scaled)
