"""`fit` trains a circuit on data."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from circuitsim.data import Dataset
from circuitsim.engine import Circuit
from circuitsim.engine.archive import identity
from circuitsim.engine.batch_shard import ALONE
from circuitsim.engine.runaway import check_max_weight
from circuitsim.errors import ParameterError, SimulationDiverged, check_kind
from circuitsim.history import History
from circuitsim.train.batches import Batches, IterableBatches, SplitBatches, as_dataset, check_fit
from circuitsim.train.checkpoint import Checkpoint
from circuitsim.train.evaluation import evaluate
from circuitsim.train.fingerprint import fingerprints
from circuitsim.train.interrupt import InterruptFlag
from circuitsim.train.metrics import OnlineMetrics
from circuitsim.train.probe import Probe, as_probes
from circuitsim.train.process_group import ProcessGroup
from circuitsim.train.schedule import Schedule, as_schedule, check_reach, values_of
from circuitsim.train.signals import SignalFunctions, check_signals, signals_of_batch
from circuitsim.whole import check_flags, whole

CHECK_EVERY = 50  # steps between checks for runaway growth, each of which waits for the device


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
    on_divergence: str = "pin",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    distributed: bool = True,
    signals: SignalFunctions | None = None,
) -> History:
    """Train a circuit with one `Circuit.step` per mini-batch, for several passes over the data.

    Args:
        circuit: the circuit, which is changed in place.
        data: a Dataset, arrays (x, y), a Split, or any iterable of batches (x, target), such as a DataLoader.
        epochs: the number of passes over the data, 0 or more; with 0, only probes are called, once.
        batch_size: the number of samples per step (ignored for an iterable of batches).
        schedule: None (constant), "cosine" (falling to zero over the run), or a function of progress in [0, 1]. Its
            value multiplies every `eta` of every rule, in addition to `Circuit.eta_scale`, which stays as it is.
        data_seed: the seed for the order of the data, which all replicas share. The order differs from epoch to epoch
            and goes on where the circuit's last call of `fit` ended, so several calls do what one call does. The
            epochs of the history go on too.
        probes: maps names to functions of the circuit, which are called every epoch, or to `Probe`. They may read
            every activity and current of the last step; at the start there is none (`circuit.n_steps` is 0).
        evaluate_every: the number of epochs between evaluations on the validation split (0: only at the end).
        max_weight: the absolute weight above which a replica counts as diverged.
        on_divergence: "pin" resets a diverged replica to its last good state and keeps it there while the others
            continue, also in later calls; "raise" stops the run.
        progress: whether to show a live display in the terminal.
        checkpoint: the path of a file that is written atomically before the first and after every epoch. Only one run
            at a time may use it.
        resume: whether to resume from the checkpoint, with the same results bit for bit as without interruption;
            without a checkpoint the run starts from the beginning. The circuit gets the whole state that it had then:
            what was pruned, frozen, pinned or set in the circuit before does not matter. `History.records` is not
            saved.
        distributed: whether to split every batch among the processes under torchrun, or of a process group that the
            script has made; together they compute what a single process would (docs/distributed.md). Only the
            first process probes, evaluates and writes checkpoints.
        signals: maps the name of every signal that the motif declares to a function of the circuit and the batch's
            target. It is called after each cycle and returns one number per sample, ``[batch]`` or
            ``[replica, batch]``.
    Returns:
        The history. The split "online" holds means over the steps of each epoch, measured while learning;
        "validation" is measured after epochs; "train", "validation" and "test" are measured at the end. After
        Ctrl-C, `interrupted` is True and the history is complete up to the last finished step.
    Raises:
        SimulationDiverged: all replicas diverged, or one did and `on_divergence` is "raise". The circuit is then in
            its last good state, and the error's `history` holds the measurements so far.
        DataError, ParameterError: an argument is invalid; nothing has changed yet. The batches of an iterable are
            checked when they come: a wrong one leaves the circuit as the steps before it have made it.
        ArchiveError: the checkpoint is damaged, is in use by another run, cannot be written, or was made with another
            motif, seed, schedule, batch size or other data; the message says which.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([64, 32, 10]), seed=0)
        >>> history = cs.fit(circuit, cs.load_dataset("digits"), epochs=20, schedule="cosine", progress=False)
        >>> bool(history.final("accuracy", "test")[0] > 0.8)
        True
    """
    check_kind("fit", circuit, Circuit, "cs.compile(motif) makes one")
    check_flags(progress=progress, resume=resume, distributed=distributed)
    return _Run(
        circuit, data, epochs, batch_size, schedule, data_seed, as_probes(probes), evaluate_every,
        max_weight, on_divergence, progress, checkpoint, resume, ProcessGroup(circuit.device, distributed), signals,
    ).run()  # fmt: skip


class _Run:
    """One call of `fit`."""

    def __init__(
        self,
        circuit: Circuit,
        data: Any,
        epochs: int,
        batch_size: int,
        schedule: str | Schedule | None,
        data_seed: int,
        probes: dict[str, Probe],
        evaluate_every: int,
        max_weight: float,
        on_divergence: str,
        progress: bool,
        checkpoint: str | os.PathLike[str] | None,
        resume: bool,
        group: ProcessGroup,
        signals: SignalFunctions | None,
    ) -> None:
        epochs, batch_size = whole("epochs", epochs, least=0), whole("batch_size", batch_size, least=1)
        data_seed = whole("data_seed", data_seed, least=0)
        evaluate_every = whole("evaluate_every", evaluate_every, least=0)
        check_max_weight(max_weight)
        if on_divergence not in ("pin", "raise"):
            raise ParameterError(f"on_divergence must be 'pin' or 'raise' (got {on_divergence!r})")
        circuit.check_predictable()
        self.signals = check_signals(circuit, signals)
        check_reach(circuit, schedule)
        rewired = [p.name for p in circuit.motif.projections if p.rewiring is not None]
        if rewired and not group.is_single:
            raise ParameterError(
                f"projection {rewired[0]!r} is rewired, which each process would do by its own weights, and their last "
                "digits may differ: run one process, or pass distributed=False"
            )
        self.circuit, self.epochs, self.probes, self.group = circuit, epochs, probes, group
        self.schedule = as_schedule(schedule)
        self.evaluate_every, self.max_weight, self.on_divergence = evaluate_every, max_weight, on_divergence
        self.dataset: Dataset | None = as_dataset(data, circuit)
        for name, split in self.dataset.splits.items() if self.dataset is not None else ():
            check_fit(circuit, split, name)
        self.batches: Batches = (
            IterableBatches(data)
            if self.dataset is None
            else SplitBatches(self.dataset.train, batch_size, data_seed, circuit)
        )
        self.n_steps = None if self.batches.n_batches is None else epochs * self.batches.n_batches
        self.history, self.online = History(), OnlineMetrics(circuit)
        self.settings: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "data_seed": data_seed}
        if checkpoint is not None or not group.is_single:
            self.settings |= fingerprints(self.dataset if self.dataset is not None else data)
            self.settings |= {"batches per epoch": self.batches.n_batches, "schedule": values_of(self.schedule)}
        if resume and checkpoint is None:
            raise ParameterError("fit: resume=True needs the checkpoint to continue from: checkpoint=...")
        self.checkpoint = None if checkpoint is None else Checkpoint(checkpoint, resume, self.settings)
        self.done, self.first_epoch, self.epochs_before, self.last_good = 0, 0, 0, circuit.snapshot()
        # the leader's intervals, since all processes must run the same program
        self.probe_intervals: list[int | None] = json.loads(
            group.text(json.dumps([p.every_steps for p in self.probes.values()]))
        )
        from circuitsim.train.progress import RunProgress  # late: it imports rich

        self.display = RunProgress(circuit.motif.name, self.n_steps, progress and group.is_leader)

    def run(self) -> History:
        with self.checkpoint.in_use() if self.checkpoint and self.group.is_leader else contextlib.nullcontext():
            self._restore()
            self.circuit.processes = self.group.processes
            try:
                self._epochs()
            except SimulationDiverged as error:
                self._share_history()
                error.history = self.history  # type: ignore[attr-defined]
                raise
            finally:
                self.circuit.processes = ALONE
            self._share_history()
            return self.history

    def _restore(self) -> None:
        """Begin where the checkpoint ends, or at the beginning."""
        if self.checkpoint is not None:
            self.first_epoch = self.checkpoint.restore(self.circuit, self.history)
            known = self.batches.n_batches is not None or not self.first_epoch
            self.done = self.first_epoch * (self.batches.n_batches or 0) if known else self.circuit.n_steps
            self.last_good = self.circuit.snapshot()
        self.history.varied = {**self.circuit.vary, **self.circuit.changed_rates}
        self.epochs_before = self.circuit.n_epochs - self.first_epoch
        for runaway in self.circuit.condition()["runaways"]:  # of earlier runs
            if runaway["replica"] not in self.history.ran_away:
                self.history.mark_runaway(runaway)
        if not self.group.is_single:
            state = [identity(self.circuit), self.circuit.condition(), self.settings, self.first_epoch]
            self.group.check_agreement(state)
        if self.first_epoch < self.epochs and len(self.circuit.pinned) == self.circuit.n_replicas:
            raise ParameterError(
                "every replica of the circuit is pinned, so nothing would be learned: release at least one with "
                "circuit.release_replica"
            )

    def _epochs(self) -> None:
        with InterruptFlag() as interrupt, self.display:
            if self.first_epoch == 0:
                self._write_checkpoint(0)  # fails now, not after an epoch, if the path cannot be written
                self._probe(0.0, lambda probe: True)
            self.display.advance(self.done)
            for epoch in range(self.first_epoch, self.epochs):
                self._epoch(epoch, interrupt)
                if self.history.interrupted:
                    break

    def _share_history(self) -> None:
        """Send the rows that only the leader has measured to all processes."""
        if not self.group.is_single:
            self.history.rows[:] = map(tuple, json.loads(self.group.text(json.dumps(self.history.rows))))

    def _epoch(self, epoch: int, interrupt: InterruptFlag) -> None:
        n_batches, stopping, is_last = self.batches.n_batches, False, epoch + 1 == self.epochs
        now = float(epoch)
        self.group.share(self.circuit.store.own.values())  # machines of different kinds may round differently
        for k, (x, target) in enumerate(self.batches.epoch(self.circuit.n_epochs)):
            within = k / n_batches if n_batches else 0.0
            ends_epoch = stopping or n_batches in (None, k + 1)
            is_full = self._is_probed(self.done + 1, ends_epoch, ends_run=ends_epoch and (stopping or is_last))
            self._step(x, target, self.schedule((epoch + within) / self.epochs), keep="all" if is_full else ())
            self.done += 1
            self.display.advance()
            now = epoch + (k + 1) / n_batches if n_batches else float(epoch)
            due = self.circuit.n_steps % CHECK_EVERY == 0
            if due:
                self._check_divergence()
            self._probe(now, lambda probe: probe.is_due_at_step(self.done))
            # all processes must stop after the same step, but synchronising after every step would be slow
            if due or self.group.is_single:
                stopping = stopping or self.group.any(interrupt.raised)
            # probes are called at the end, and can only read a step that kept everything
            if stopping and (is_full or not self.probe_intervals):
                self.history.interrupted = True
                break
        self._check_divergence()
        finished = not self.history.interrupted or now == epoch + 1  # Ctrl-C may come in the last step of an epoch
        if finished and is_last:
            self.history.interrupted = False
        self.circuit.n_epochs += finished
        self._finish_epoch(epoch + 1 if finished else now, last=self.history.interrupted or is_last)
        if finished:
            self._write_checkpoint(epoch + 1)

    def _step(self, x: Any, target: Any, scale: float, keep: str | tuple[()]) -> None:
        """One step, with all rates multiplied by `scale`."""
        signals = signals_of_batch(self.circuit, self.signals, target, self.group.processes)
        own_scale = self.circuit.eta_scale
        self.circuit.eta_scale = own_scale * scale
        try:
            # the samples of a data set were validated in `__init__`
            result = self.circuit.step(x, target, signals, keep=keep, check=self.dataset is None)
        finally:
            self.circuit.eta_scale = own_scale
        self.online.add(result.loss, target)

    def _is_probed(self, step: int, ends_epoch: bool, ends_run: bool) -> bool:
        """Return whether a probe may be called after a step, which must then keep all its activities and currents."""
        return any(
            ends_epoch if every is None else ends_run or step % every == 0 for every in self.probe_intervals
        )  # fmt: skip

    def _write_checkpoint(self, epoch: int) -> None:
        if self.checkpoint is not None and self.group.is_leader:
            self.checkpoint.write(self.circuit, epoch, self.history)

    def _check_divergence(self) -> None:
        """Wait for the device, pin diverged replicas to their last good state, and save the current state as good."""
        for runaway in self.circuit.runaways(self.max_weight, self.online.last_loss):
            self.history.mark_runaway(vars(runaway))
            self.circuit.pin_replica(runaway.replica, self.last_good, runaway)
            if self.on_divergence == "raise" or len(self.circuit.pinned) == self.circuit.n_replicas:
                raise SimulationDiverged(
                    str(runaway), projection=runaway.projection, replica=runaway.replica, step=runaway.step
                )
        self.last_good = self.circuit.snapshot(into=self.last_good)
        self.display.note(self.online.summary())

    def _finish_epoch(self, epoch: float, last: bool) -> None:
        for metric, values in self.online.take().items():
            self._add("online", epoch, {metric: values})
        if self.dataset is not None and self.circuit.motif.objectives and self.group.is_leader:
            due = self.evaluate_every and epoch % self.evaluate_every == 0
            wanted = list(self.dataset.splits) if last else ["validation"] if due else []
            for split in wanted:
                if split in self.dataset.splits:
                    self._add(split, epoch, evaluate(self.circuit, self.dataset, split))
        self._probe(
            epoch, lambda probe: probe.is_due_at_epoch(int(epoch)) or (last and not probe.is_due_at_step(self.done))
        )

    def _add(self, split: str, epoch: float, values: Mapping[str, Any]) -> None:
        for metric, value in values.items():
            self.history.add(
                step=self.circuit.n_steps, epoch=self.epochs_before + epoch, split=split, metric=metric, values=value
            )

    def _probe(self, epoch: float, is_due: Callable[[Probe], bool]) -> None:
        for name, probe in self.probes.items():
            if self.group.is_leader and is_due(probe):
                probe.call(name, self.circuit, self.history, self.epochs_before + epoch)
