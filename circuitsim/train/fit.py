"""`fit`: let a circuit learn from data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from circuitsim.data import Dataset
from circuitsim.engine import Circuit
from circuitsim.engine.archive import identity
from circuitsim.engine.share import ALONE
from circuitsim.errors import ParameterError, SimulationDiverged
from circuitsim.history import History
from circuitsim.train.batches import Batches, IterableBatches, SplitBatches, as_dataset, check_fit
from circuitsim.train.checkpoint import Checkpoint
from circuitsim.train.evaluate import evaluate
from circuitsim.train.interrupt import InterruptFlag
from circuitsim.train.online import Online
from circuitsim.train.probe import Probe, as_probes
from circuitsim.train.progress import RunProgress
from circuitsim.train.schedule import Schedule, as_schedule
from circuitsim.train.signals import SignalFunctions, check_signals, signals_of_batch
from circuitsim.train.team import Team

POLL_EVERY = 50  # steps between looks at the device for runaway growth


def fit(
    circuit: Circuit,
    data: Any,
    *,
    epochs: int = 1,
    batch_size: int = 256,
    schedule: str | Schedule | None = None,
    data_seed: int = 0,
    probes: Mapping[str, Probe | Callable[[Circuit], Any]] | None = None,
    evaluate_every: int = 1,
    max_weight: float = 1e4,
    on_divergence: str = "hold",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    distributed: bool = True,
    signals: SignalFunctions | None = None,
) -> History:
    """Run `epochs` passes over the data, a step of `Circuit.step` for each mini-batch.

    Args:
        circuit: changed in place.
        data: a Dataset, arrays (x, y), a Split, or any iterable of batches (x, target), such as a DataLoader.
        epochs: passes over the data, 0 or more.
        batch_size: samples per step (not used for an iterable of batches).
        schedule: None (constant), "cosine" (to zero over the run), or a function of progress in [0, 1]; it
            multiplies every `eta` of every rule. The circuit's declared rates are back in force afterwards.
        data_seed: of the order of the data, which all replicas share.
        probes: name -> function of the circuit (called every epoch), or `Probe`.
        evaluate_every: epochs between evaluations on the validation split (0: only at the end).
        max_weight: a replica with a larger absolute weight counts as run away.
        on_divergence: "hold" puts a runaway replica back to its last good state and keeps it there, the others go
            on; "raise" stops.
        progress: show a live display on the terminal.
        checkpoint: a file that is written before the first epoch and, atomically, after every epoch.
        resume: go on from the checkpoint, bit for bit as if nothing had happened; begin where there is none. What
            probes left in `History.records` is not kept.
        distributed: under torchrun, or where the script has made a process group, each process takes its part of
            every batch, and all of them together do what one would (docs/distributed.md). Probes, evaluation and
            checkpoints are the first process's.
        signals: name -> function of the circuit and the batch's target, called after each cycle: one number per
            sample, ``[batch]`` or ``[replica, batch]``. A motif that declares signals needs all of them.
    Returns:
        The history. Split "online" is the mean over the epoch's steps, while learning; "validation" is measured
        after epochs; "train", "validation" and "test" are measured at the end. After Ctrl-C, `interrupted` is
        True and everything up to the last whole step is there.
    Raises:
        SimulationDiverged: no replica is left, or one ran away and `on_divergence="raise"`; the circuit is then in
            its last good state, and the error's `history` holds what was measured.
        DataError, ParameterError: bad arguments, before anything changes.
        ArchiveError: the checkpoint is damaged, of another run, or cannot be written.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([64, 32, 10]), seed=0)
        >>> history = cs.fit(circuit, cs.load_dataset("digits"), epochs=20, schedule="cosine", progress=False)
        >>> bool(history.final("accuracy", "test")[0] > 0.8)
        True
    """
    return _Run(
        circuit, data, epochs, batch_size, as_schedule(schedule), data_seed, as_probes(probes), evaluate_every,
        max_weight, on_divergence, progress, checkpoint, resume, Team(circuit.device, distributed), signals,
    ).run()  # fmt: skip


class _Run:
    """One call of `fit`."""

    def __init__(
        self,
        circuit: Circuit,
        data: Any,
        epochs: int,
        batch_size: int,
        schedule: Schedule,
        data_seed: int,
        probes: dict[str, Probe],
        evaluate_every: int,
        max_weight: float,
        on_divergence: str,
        progress: bool,
        checkpoint: str | os.PathLike[str] | None,
        resume: bool,
        team: Team,
        signals: SignalFunctions | None,
    ) -> None:
        for name, value, least in (
            ("epochs", epochs, 0),
            ("batch_size", batch_size, 1),
            ("data_seed", data_seed, 0),
            ("evaluate_every", evaluate_every, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ParameterError(f"{name} must be an integer, at least {least} (got {value!r})")
        if isinstance(max_weight, bool) or not isinstance(max_weight, int | float) or not max_weight > 0:
            raise ParameterError(f"max_weight must be a positive number (got {max_weight!r})")
        if on_divergence not in ("hold", "raise"):
            raise ParameterError(f"on_divergence must be 'hold' or 'raise' (got {on_divergence!r})")
        self.signals = check_signals(circuit, signals)
        self.circuit, self.epochs, self.schedule, self.probes, self.team = circuit, epochs, schedule, probes, team
        self.evaluate_every, self.max_weight, self.on_divergence = evaluate_every, max_weight, on_divergence
        self.dataset: Dataset | None = as_dataset(data)
        for name, split in self.dataset.splits.items() if self.dataset is not None else ():
            check_fit(circuit, split, name)
        self.batches: Batches = (
            IterableBatches(data)
            if self.dataset is None
            else SplitBatches(self.dataset.train, batch_size, data_seed, circuit)
        )
        self.n_steps = None if self.batches.n_batches is None else epochs * self.batches.n_batches
        self.history, self.online = History(varied=circuit.vary), Online(circuit)
        settings = {"epochs": epochs, "batch_size": batch_size, "data_seed": data_seed}
        self.checkpoint = None if checkpoint is None else Checkpoint(checkpoint, resume, settings)
        self.first_epoch = 0 if self.checkpoint is None else self.checkpoint.restore(circuit, self.history)
        self.done, self.good = self.first_epoch * (self.batches.n_batches or 0), circuit.snapshot()
        if not team.is_alone:
            team.check_agreement([identity(circuit), settings, self.batches.n_batches, self.first_epoch])
        self.display = RunProgress(circuit.motif.name, self.n_steps, progress and team.leads)

    def run(self) -> History:
        self.circuit.processes = self.team.processes
        try:
            with InterruptFlag() as interrupt, self.display:
                if self.first_epoch == 0:
                    self._keep(0)  # a path that cannot be written is told now, and not after an epoch
                    self._probe(0.0, lambda probe: True)
                self.display.advance(self.done)
                for epoch in range(self.first_epoch, self.epochs):
                    self._epoch(epoch, interrupt)
                    if self.history.interrupted:
                        break
        except SimulationDiverged as error:
            self._share_history()
            error.history = self.history  # type: ignore[attr-defined]
            raise
        finally:
            self.circuit.eta_scale, self.circuit.processes = 1.0, ALONE
        self._share_history()
        return self.history

    def _share_history(self) -> None:
        """What only the leader has measured."""
        if not self.team.is_alone:
            self.history.rows[:] = map(tuple, json.loads(self.team.text(json.dumps(self.history.rows))))

    def _epoch(self, epoch: int, interrupt: InterruptFlag) -> None:
        n_batches = self.batches.n_batches
        self.team.share(self.circuit.store.own.values())  # machines of another kind may round in other ways
        for k, (x, target) in enumerate(self.batches.epoch(epoch)):
            within = k / n_batches if n_batches else 0.0
            self.circuit.eta_scale = self.schedule((epoch + within) / self.epochs)
            told = signals_of_batch(self.signals, target, self.team.processes)
            # a data set was looked at as a whole
            result = self.circuit.step(x, target, told, check=self.dataset is None)
            self.online.add(result.loss, target)
            self.done += 1
            self.display.advance()
            now = epoch + (k + 1) / n_batches if n_batches else float(epoch)
            due = self.done % POLL_EVERY == 0
            if due:
                self._poll()
            self._probe(now, lambda probe: probe.is_due_at_step(self.done))
            # all processes must stop after the same step, and to ask the others after every one would be slow
            if (due or self.team.is_alone) and self.team.any(interrupt.raised):
                self.history.interrupted = True
                break
        self._poll()
        finished = not self.history.interrupted
        self._finish_epoch(epoch + 1 if finished else epoch, last=not finished or epoch + 1 == self.epochs)
        if finished:
            self._keep(epoch + 1)

    def _keep(self, epoch: int) -> None:
        if self.checkpoint is not None and self.team.leads:
            self.checkpoint.write(self.circuit, epoch, self.history)

    def _poll(self) -> None:
        """Wait for the device; hold runaway replicas at the last good state, or remember this one as good."""
        for runaway in self.circuit.runaways(self.max_weight, self.online.last_loss):
            self.history.mark_runaway(vars(runaway))
            self.circuit.hold(runaway.replica, self.good)
            if self.on_divergence == "raise" or len(self.circuit.held) == self.circuit.n_replicas:
                raise SimulationDiverged(
                    str(runaway), projection=runaway.projection, replica=runaway.replica, step=runaway.step
                )
        self.good = self.circuit.snapshot()
        self.display.note(self.online.summary())

    def _finish_epoch(self, epoch: float, last: bool) -> None:
        for metric, values in self.online.take().items():
            self._add("online", epoch, {metric: values})
        if self.dataset is not None and self.circuit.plan.objectives and self.team.leads:
            due = self.evaluate_every and epoch % self.evaluate_every == 0
            wanted = list(self.dataset.splits) if last else ["validation"] if due else []
            for split in wanted:
                if split in self.dataset.splits:
                    self._add(split, epoch, evaluate(self.circuit, self.dataset, split))
        self._probe(epoch, lambda probe: probe.is_due_at_epoch(int(epoch)) or (last and probe.every_steps is None))

    def _add(self, split: str, epoch: float, values: Mapping[str, Any]) -> None:
        for metric, value in values.items():
            self.history.add(step=self.circuit.n_steps, epoch=epoch, split=split, metric=metric, values=value)

    def _probe(self, epoch: float, is_due: Callable[[Probe], bool]) -> None:
        for name, probe in self.probes.items():
            if self.team.leads and is_due(probe):
                probe.call(name, self.circuit, self.history, epoch)
