"""The setup of an experiment: data, sizes and durations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import circuitsim as cs
from circuitsim.train.weight_probe import every_for
from support import datasets
from support.result import ALIGNMENT

N_PROBED = 1000  # held-out samples on which probes measure


@functools.lru_cache(maxsize=2)
def _loaded(load: Callable[..., cs.Dataset], dataset: str, folder: Path | None) -> cs.Dataset:
    return load(dataset, folder=folder)


@dataclass(frozen=True)
class Setup:
    """A data set, suitable sizes and durations, and the number of circuits that learn from it.

    Args:
        dataset: the name of a data set.
        hidden: the sizes of the hidden populations.
        batch_size, epochs: as in `circuitsim.fit`.
        seeds: the number of independent circuits per condition, which run as the replicas of one circuit.
        out: the run folder.
        quick: whether the run only checks that the experiment works.
        device: as in `circuitsim.compile`.
        scheduler: a Dask scheduler whose workers train the conditions, as in `support.workers.client`; if None,
            they learn in this process.
        resume: whether to save circuits in the run folder while they learn, and to continue from saved ones.
        progress: whether to show live displays.
        load: loads the data set of a given name, and takes the folder of its files as the option `folder`.
        folder: the folder with the files of the data set; None stands for the places that `load` searches.
        seed: the seed of the first circuit.
    """

    dataset: str
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    seeds: int
    out: Path
    quick: bool = False
    device: str = "auto"
    scheduler: str | None = None
    resume: bool = False
    progress: bool = True
    load: Callable[..., cs.Dataset] = datasets.load
    folder: Path | None = None
    seed: int = 0

    @property
    def data(self) -> cs.Dataset:
        """The data set, loaded once in each process."""
        return _loaded(self.load, self.dataset, self.folder)

    @property
    def layers(self) -> list[int]:
        """The sizes of the ascending populations, including input and output."""
        n_in, n_out = self.data.n_features, self.data.n_outputs
        assert isinstance(n_in, int) and isinstance(n_out, int)
        return [n_in, *self.hidden, n_out]

    @property
    def loss(self) -> str:
        """The loss that fits the targets."""
        return {"classes": "cross_entropy", "labels": "bce", "values": "mse"}[str(self.data.kind)]

    @property
    def metric(self) -> str:
        """The metric that fits the targets: accuracy, AUC if a sample has several labels, or the loss."""
        return {"classes": "accuracy", "labels": "auc", "values": "loss"}[str(self.data.kind)]

    @property
    def last_split(self) -> str:
        """The split on which results are reported: "test" if it exists."""
        return list(self.data.splits)[-1]

    @property
    def held_out(self) -> cs.Split:
        """The first samples of the validation split (or, without one, of the training split), for probes."""
        split = self.data.train if self.data.validation is None else self.data.validation
        return split.take(torch.arange(min(N_PROBED, len(split))))

    @property
    def every(self) -> int:
        """The number of epochs between two measurements of a probe."""
        return every_for(self.epochs)

    def alignment(self, quantities: Collection[str] = tuple(ALIGNMENT)) -> dict[str, cs.Probe]:
        """Return a probe that measures `circuitsim.alignment` on held-out samples."""
        batch = self.held_out

        def measure(circuit: cs.Circuit) -> Any:
            here = batch.to(circuit.device, circuit.dtype)
            return cs.alignment(circuit, here.x, here.target, quantities)

        return {"alignment": cs.Probe(measure, every_epochs=self.every)}

    @property
    def configuration(self) -> dict[str, Any]:
        """The options needed to repeat the runs."""
        names = ("dataset", "hidden", "batch_size", "epochs", "seeds", "seed", "quick", "device")
        return {"layers": self.layers, "data_seed": 0, **{name: getattr(self, name) for name in names}}
