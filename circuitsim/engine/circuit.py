"""A compiled circuit: the weights of all replicas on one device, and the methods that run, read and change them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
import torch
from torch import Tensor

from circuitsim.engine import structure
from circuitsim.engine import synapse as synapses
from circuitsim.engine.archive import save_circuit
from circuitsim.engine.assemble import assemble, varied
from circuitsim.engine.batch_shard import ALONE, Processes
from circuitsim.engine.draws import is_run
from circuitsim.engine.footprint import check_memory
from circuitsim.engine.functional import projections_of, run_functionally
from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import Lowered
from circuitsim.engine.parameters import Parameters, Vary, check_vary, evaluate, is_read
from circuitsim.engine.programs import EVERYTHING, Programs, Runnable, partners
from circuitsim.engine.runaway import Runaway, check_max_weight, find_runaways
from circuitsim.engine.runner import Batch, Runner
from circuitsim.engine.store import WeightStore
from circuitsim.errors import DataError, ParameterError, SimulationDiverged
from circuitsim.motif import Constant, Gaussian, Motif, Objective, Projection, Uniform
from circuitsim.motif.checks import index, is_number
from circuitsim.motif.expressions import refuse_spikes
from circuitsim.motif.identifiers import normalized, normalized_keys
from circuitsim.motif.init import Init
from circuitsim.motif.phase import TIME
from circuitsim.motif.synapse_faults import init_faults, sign_faults
from circuitsim.motif.synapses import signed
from circuitsim.motif.wiring import path_from_target
from circuitsim.plan import Plan, Program, Times
from circuitsim.plan.quantities import at_time
from circuitsim.whole import check_flags, whole

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd


@dataclass(frozen=True)
class StepResult:
    """The losses of one cycle.

    Args:
        loss: the batch mean of the losses of all objectives, each in the phase in which it is evaluated
            (docs/semantics.md), shape ``[replica]``, on the device; None for a motif without an objective.
        losses: the batch mean of the losses of each phase's objectives, keyed by phase.
    """

    loss: Tensor | None
    losses: Mapping[str, Tensor] = field(default_factory=dict)


class Circuit:
    """Independent replicas of one motif that run together. Made by `compile`.

    The axes of tensors are called replica, batch, post, pre and neuron. Activities, currents and weights are
    dimensionless. Methods take the names of a `population` or `projection`, or of several `projections`, and raise a
    MotifError for one that the motif lacks; the index of a `replica`, from 0, and raise a ParameterError for one that
    does not exist; and `x`, `target` and `signals` as `step` does, and raise a DataError where they do not fit.

    Those that read the last cycle, such as `activity`, raise a ParameterError if none has run yet, or if the last step
    did not compute what they read (see `keep` of `step`). Those that change weights, synapses or plasticity raise one
    for a projection that is tied to another.

    Attributes:
        motif: the declaration.
        n_replicas: the number of replicas.
        seeds: the seed of each replica, which starts like a circuit of one replica with that seed.
        device: the device that stores the weights.
        dtype: the data type of the weights.
        vary: the per-replica values given to `compile`.
        changed_rates: per-replica values of rule parameters that `release_replica` has changed since, keyed by path.
        record_changes: whether the last change of every projection is kept.
        n_steps: the number of steps done so far.
        n_epochs: the number of passes over data that `fit` has completed. It determines the order of the data in the
            next pass.
        n_grown: the number of calls of `grow`, which keys its draws.
        store: the weights and states. Use the methods below to read and write them.
        processes: the processes that share each batch of `step` (`fit` sets it). The activities of a cycle are then
            those of this process's samples.
    """

    def __init__(
        self,
        motif: Motif,
        *,
        seeds: Sequence[int],
        device: torch.device,
        dtype: torch.dtype,
        vary: Vary,
        record_changes: bool,
    ) -> None:
        motif.validate()
        refuse_spikes(motif)
        n_replicas = len(seeds)
        vary = check_vary(motif, vary, n_replicas)
        check_memory(motif, n_replicas, dtype.itemsize)
        self.motif, self.n_replicas, self.seeds = motif, n_replicas, tuple(seeds)
        self.device, self.dtype, self.vary = device, dtype, {k: tuple(map(float, v)) for k, v in vary.items()}
        self.changed_rates: dict[str, tuple[float, ...]] = {}
        self.n_steps, self.n_epochs, self.n_grown, self.eta_scale, self.processes = 0, 0, 0, 1.0, ALONE
        like = torch.empty(0, device=device, dtype=dtype)
        layouts, own = assemble(motif, self.seeds, vary, like)
        self.record_changes = record_changes
        self._frozen: frozenset[str] = frozenset()
        self._rewired = [(p, p.rewiring) for p in motif.projections if p.rewiring is not None]
        self.store = WeightStore(motif, n_replicas, layouts, own, like)
        self._plan()
        self.store.align(*partners(self._programs.step))
        self.store.parameters = Parameters(motif, vary, layouts, n_replicas, like)

    def _plan(self) -> None:
        """Make the programs. This is repeated whenever projections are frozen or thawed."""
        self._programs = Programs(self.motif, self._frozen, self.store)
        self._runner = Runner(self.motif, self._programs, self.store, self.seeds)
        plastic = {p.name for plan in self.plans for p in plan.plastic()} if self.record_changes else ()
        self.store.recorded, self.store.changes = plastic, {}

    @property
    def eta_scale(self) -> float:
        """A factor of every `eta` of every rule, 1 unless it is set. The schedule of `fit` multiplies it."""
        return self._eta_scale

    @eta_scale.setter
    def eta_scale(self, scale: float) -> None:
        if not is_number(scale):
            raise ParameterError(f"eta_scale must be a finite number (got {scale!r})")
        self._eta_scale = float(scale)

    @property
    def seed(self) -> int:
        """The seed of the first replica."""
        return self.seeds[0]

    @property
    def program(self) -> Program:
        """The instructions of a step; `print` shows them as text."""
        return self._programs.step

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The expressions that each phase computes."""
        return self._programs.plans

    @property
    def plan(self) -> Plan:
        """The plan of the first phase, which is the only one unless the motif declares phases."""
        return self.plans[0]

    # -- running

    def step(
        self,
        x: Any,
        target: Any = None,
        signals: Mapping[str, Any] | None = None,
        *,
        keep: str | Collection[str] = (),
        check: bool = True,
    ) -> StepResult:
        """Run both streams once, then change the weights by the batch mean of every rule. Each phase does this in turn.

        Args:
            x: ``[batch, input]`` or ``[replica, batch, input]``; with several inputs a dict keyed by population. An
                input of phases over time is a sequence, ``[batch, time, input]`` or ``[replica, batch, time, input]``,
                or ``[batch, input]`` if it stays the same; at least one must be a sequence.
            target: class indices ``[batch]`` or vectors ``[batch, output]``; with several objectives a dict keyed by
                output population. Where all phases with errors are phases over time, ``[batch, time]`` or ``[batch,
                time, output]`` gives each time step its own; the loss is then the mean over time, otherwise that of
                the last time step.
            signals: keyed by name, ``[batch]`` or ``[replica, batch]``, or a function of the circuit that returns one
                of these after the cycle (a reward that depends on the output).
            keep: names of populations and projections whose activities and currents must be readable after the step,
                even where it takes fewer multiplications without them; "all" keeps everything.
            check: whether to look, on the CPU, for numbers in x and target that are not finite and for classes out of
                range. It takes a few percent of a step; `fit` checks the whole data set instead.
        Returns:
            The losses, computed before the weights change.
        Raises:
            DataError: x, target or a signal does not fit; nothing has changed.
            ParameterError: `keep` names an unknown population or projection.
        Source: Liao et al. (2024), arXiv 2412.20018, equations 1 and 2 (both streams), 5 to 8 (the changes of SAL).
        """
        kept = self._kept(keep) if keep else frozenset()
        batch = self._batch(x, target, signals, self.processes, check)
        self.store.parameters.scale_eta(self.eta_scale)
        with self.store.stepping():
            lowered = self._run("apply", batch, kept)
        self.n_steps += 1
        result = self._result(lowered)
        self._rewire()
        return result

    def _rewire(self) -> None:
        """Replace the weakest synapses of the projections whose turn it is."""
        for p, rewiring in self._rewired:
            if self.n_steps % rewiring.every_steps == 0 and p.name not in self._frozen:
                active = [r for r in range(self.n_replicas) if r not in self.store.pinned]
                gone = structure.weakest(self.store, p.name, rewiring.share)
                gone[list(self.store.pinned)] = False
                counts = structure.remove(self.store, p.name, gone).tolist()
                inits = self._inits_of_growth(p)
                structure.grow(self.store, p, inits, self.seeds, f"rewiring/{self.n_steps}", active, counts)

    def cycle(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> StepResult:
        """Run the cycles of a step without plasticity. All activities and currents can be read afterwards.

        Returns:
            The losses.
        """
        return self._result(self._run("none", self._batch(x, target, signals)))

    def _run(self, changes: str, batch: Batch, kept: frozenset[str] = EVERYTHING) -> Lowered:
        return self._runner.run(self._programs.for_step(changes, kept, batch.times), batch)

    def _kept(self, names: str | Collection[str]) -> frozenset[str]:
        """The names in programs of the quantities that `keep` asks for."""
        if names == "all":
            return EVERYTHING
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, Collection):
            raise ParameterError(f"keep must be 'all', or names of populations and projections (got {names!r})")
        found: set[str] = set()
        populations = {p.name for p in self.motif.populations}
        projections = {p.name for p in self.motif.projections}
        for name in map(normalized, names):
            if name not in populations | projections:
                known = ", ".join(sorted(populations | projections))
                raise ParameterError(f"keep: there is no population or projection {name!r} (known: {known})")
            found |= {f"{name}.activity", f"{name}.drive"} if name in populations else set()
            found |= {f"I_{name}"} if name in projections else set()
        return frozenset(found)

    def _batch(
        self, x: Any, target: Any, signals: Mapping[str, Any] | None, processes: Processes = ALONE, check: bool = True
    ) -> Batch:
        named = normalized_keys({} if signals is None else signals, "signals", DataError)
        bound = {k: functools.partial(s, self) if callable(s) else s for k, s in named.items()}
        return self._runner.batch(self.n_steps, x, target, bound, processes, check)

    def _result(self, lowered: Lowered) -> StepResult:
        program = lowered.program
        if program.loss is None:
            return StepResult(None, {})
        # copies, because the next step reuses the buffers
        kept = {register: loss.clone() for register, loss in lowered.losses.items()}
        return StepResult(kept[program.loss], {phase: kept[r] for phase, r in program.losses.items()})

    def predict(self, x: Any, output: str | None = None, *, every_time: bool = False) -> Tensor:
        """Compute the activity of an output. The quantities of the last cycle stay readable.

        An output is read in the phase in which its objective is evaluated, before any change. Other populations are
        read after the last phase in which an objective is evaluated, or, if no phase up to there drives them, after
        the first phase that does.

        Args:
            x: as in `step`.
            output: a population's name; by default the output of the only objective.
            every_time: whether to return the activity at all time steps of sequences, not only at the last.
        Returns:
            Shape ``[replica, batch, output]``, or ``[replica, batch, time, output]`` with `every_time`.
        Raises:
            ParameterError: no output is named and the motif has none or several, or the population depends on a
                target, by an error or a label, or `every_time` is set and the population is read in a phase that does
                not repeat over time.
            MotifError: there is no population `output`.
        """
        check_flags(every_time=every_time)
        output = self._only_output() if output is None else self.motif.population(output).name
        phase = self._programs.phases_of(output)[-1]
        if every_time and phase.repeat != TIME:
            raise ParameterError(
                f"population {output!r} is read in phase {phase.phase!r}, which does not repeat over time: leave out "
                "every_time"
            )
        batch = self._runner.inputs(x)
        runnable = self._prediction(output, batch.times, every_time)
        found = self._runner.predict(runnable, batch)
        return torch.stack(found, 2) if every_time else found[0]

    def check_predictable(self) -> None:
        """Check that the outputs of all objectives can be predicted.

        Raises:
            ParameterError: an output depends on the target, as in a phase that lets in a label; its accuracy would mean
                nothing.
        """
        for o in self.motif.objectives:
            self._prediction(o.output, self.program.times)

    def _prediction(self, population: str, times: Times, every_time: bool = False) -> Runnable:
        """The program that computes a population's activity, which must not depend on a target."""
        runnable = self._programs.for_prediction(population, times, every_time)
        if runnable.program.given.targets:
            outputs = [o.output for o in self.motif.objectives]
            hint = "; to judge an output, put a phase without this path first" if population in outputs else ""
            raise ParameterError(
                f"population {population!r} depends on the target, which a prediction does not have "
                f"({path_from_target(self.motif, population)}): use circuit.cycle(x, target), then "
                f"circuit.activity({population!r}){hint}"
            )
        return runnable

    def _only_output(self) -> str:
        outputs = list(dict.fromkeys(o.output for o in self.motif.objectives))
        if len(outputs) != 1:
            raise ParameterError(
                f"motif {self.motif.name!r} has {len(outputs)} outputs {outputs}; pass the name of a population"
            )
        return outputs[0]

    # -- reading

    def activity(self, population: str) -> Tensor:
        """A population's activity in the last cycle.

        Returns:
            A copy, shape ``[replica, batch, neuron]``.
        """
        return self._runner.read("activity", self.motif.population(population).name)

    def judged(self, output: str) -> Tensor:
        """The circuit's prediction in the last cycle: the activity of an output when its objective was evaluated.

        Args:
            output: the name of an objective's output population.
        Returns:
            A copy, shape ``[replica, batch, neuron]``, or ``[replica, batch, time, neuron]`` if its target was a
            sequence.
        Raises:
            ParameterError: the population is not the output of an objective.
        """
        name, last = self.motif.population(output).name, self._runner.last
        if last is None or name not in last.program.times.targets:
            return self._runner.read("judged", name)
        return torch.stack([self._runner.read("judged", at_time(name, t)) for t in range(last.program.times.n)], 2)

    def drive(self, population: str) -> Tensor:
        """A population's soma input in the last cycle.

        Returns:
            A copy, shape ``[replica, batch, neuron]``.
        """
        return self._runner.read("drive", self.motif.population(population).name)

    def current(self, projection: str) -> Tensor:
        """The current that a projection delivered in the last cycle.

        Returns:
            A copy, shape ``[replica, batch, post]``.
        """
        return self._runner.read("current", self.motif.projection(projection).name)

    def state(self, owner: str, name: str, of: str | None = None) -> Tensor:
        """The current value of a state.

        Args:
            owner: the name of the population or projection.
            name: the name of the state.
            of: "population" or "projection"; needed only where both have this name and this state.
        Returns:
            A copy, ``[replica, neuron]`` for a population and ``[replica, post, pre]`` for a projection. Of a state per
            sample, its values at the end of the last step, ``[replica, batch, neuron]`` or ``[replica, batch, post,
            pre]``.
        Raises:
            ParameterError: there is no such state (the message lists those that exist), `of` is needed, or no step has
                updated a state per sample yet.
        """
        owner, name = normalized(owner), normalized(name)
        known = {f"{p.name}.{state}": (p.name, state) for p in self.motif.populations for state in p.state}
        known |= {f"{p.name}:{state}": (p.name, state) for p in self.motif.projections for state in p.state}
        found = [key for key, (of_owner, state) in known.items() if (of_owner, state) == (owner, name)]
        if not found:
            names = ", ".join(f"{of_owner}.{state}" for of_owner, state in known.values()) or "none"
            raise ParameterError(f"there is no state {owner}.{name} (known: {names})")
        if len(found) > 1 and of is None:
            raise ParameterError(
                f"a population and a projection are called {owner!r}, both with a state {name!r}; say which with "
                "of='population' or of='projection'"
            )
        key, last = found[-1] if of == "projection" else found[0], self._runner.last
        if key in self.store.own:
            values = self.store.own[key]
            return self.store.matrix(owner, values) if ":" in key else values[:, 0].clone()
        if last is None or key not in last.readable:
            raise ParameterError(f"no values of {key!r}, a state per sample, yet: run circuit.step(x, target)")
        values = last.of(last.readable[key])
        if ":" not in key:
            return self._runner.copied(values)
        present = self.mask(owner).to_dense()
        each = [self.store.matrix(owner, values[:, b]).to_dense() * present for b in range(values.shape[1])]
        return torch.stack(each, 1)

    def weights(self, projection: str) -> Tensor:
        """The current weights of a projection.

        Returns:
            A detached copy, shape ``[replica, post, pre]``. Weights that are stored sparse, because few of the possible
            synapses exist, are returned as sparse CSR; call `to_dense` to get an array.
        """
        name = self.motif.projection(projection).name
        return self.store.matrix(name, self.store.values(name))

    def mask(self, projection: str) -> Tensor:
        """The synapses of a projection that are present.

        Returns:
            Booleans, shape ``[replica, post, pre]``; sparse CSR where `weights` returns sparse CSR.
        """
        return self.store.mask(self.motif.projection(projection).name)

    def last_change(self, projection: str) -> Tensor:
        """The change of the weights in the last step: the weights after all its phases minus those before it.

        Returns:
            Shape ``[replica, post, pre]``.
        Raises:
            ParameterError: changes are not recorded, or the projection did not change in the last step.
        """
        name = self.motif.projection(projection).name
        if not self.record_changes:
            raise ParameterError("changes are not recorded; compile with record_changes=True")
        if name not in self.changes:
            raise ParameterError(
                f"the last step did not change {name!r}: it is not plastic, it is frozen, or no step has run yet"
            )
        return self.store.matrix(name, self.changes[name])

    # -- for analyses and other lowerings

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """How the synapses of each projection are stored."""
        return self.store.layouts

    @property
    def changes(self) -> Mapping[str, Tensor]:
        """The changes that the last step recorded, in storage layout, keyed by projection."""
        return self.store.changes

    def values(self, projection: str) -> Tensor:
        """The weights in the projection's layout, without a copy.

        Returns:
            The stored tensor: dense ``[replica, post, pre]``, or one number for each present synapse (see `layouts`).
        """
        return self.store.values(self.motif.projection(projection).name)

    def value(self, expression: sympy.Expr) -> float | Tensor:
        """The value of an expression in rule parameters, with the declared learning rates.

        Args:
            expression: an expression over the symbols of a plan's coefficients.
        Returns:
            A number, or a tensor that broadcasts to ``[replica, post, pre]``.
        """
        return evaluate(expression, self.store.parameters, self.store.like)

    def data_terms(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
        """The change that each rule would make for this batch, without terms that do not depend on activity (decay).

        Returns:
            Tensors ``[replica, post, pre]`` keyed by plastic projection, summed over phases. No weight changes.
        """
        self.store.parameters.scale_eta(1.0)
        lowered = self._run("measure", self._batch(x, target, signals))
        found: dict[str, Tensor] = {}
        for name, register in lowered.program.readable.items():
            projection, _, what = name.partition(":")
            if what == "change":
                found[projection] = self.store.matrix(projection, lowered.of(register))
        return found

    def judged_outputs(
        self, x: Any, target: Any, leaves: dict[str, Tensor]
    ) -> Iterator[tuple[Objective, Tensor, Tensor]]:
        """The output of each objective as a differentiable function of the weights, for autograd.

        Args:
            leaves: is filled with the weights on which the outputs depend, keyed by projection, in storage layout.
        Returns:
            Each objective with its output ``[replica or 1, batch, output]`` and its target, as losses take them; the
            time steps of sequences count as samples.
        Raises:
            ParameterError: an output depends on the target.
        """
        inputs = self._runner.binder.inputs(x)
        targets = self._runner.binder.targets(target, inputs)
        given, _, times = self._runner.binder.by_time(inputs, targets)
        for o in self.motif.objectives:
            every_time = o.output in times.targets
            program = self._prediction(o.output, times, every_time).simplified
            for name in projections_of(program):
                if name not in leaves:
                    leaves[name] = self.values(name).detach().clone().requires_grad_()
            found = [*run_functionally(program, self.store, given, leaves).values()]
            goal = targets[o.output]
            n_replicas = max(map(len, found))
            output = torch.cat([y.expand(n_replicas, *y.shape[1:]) for y in found], 1)
            yield o, output, goal.transpose(1, 2).flatten(1, 2) if every_time else goal

    def parameters(self, projection: str) -> dict[str, Any]:
        """The parameters of a projection's rule.

        Returns:
            Floats, or tensors ``[replica]`` or ``[post, pre]``, keyed by parameter name.
        """
        return synapses.parameters(self, self.motif.projection(projection).name)

    # -- synapses

    def synapse(self, projection: str, *, post: int, pre: int, replica: int = 0) -> synapses.Synapse:
        """Describe one synapse.

        Args:
            post, pre: the indices of the two neurons, from 0.
        Returns:
            The synapse with its two neurons, current weight, rule and parameters.
        Raises:
            ParameterError: an index is out of range, or there is no such synapse.
        """
        return synapses.synapse(self, projection, post=post, pre=pre, replica=replica)

    def synapses(self, projection: str, replica: int = 0) -> Iterator[synapses.Synapse]:
        """Iterate over all present synapses of a projection.

        Returns:
            An iterator that goes through the weight matrix row by row.
        """
        return synapses.iterate(self, projection, replica)

    def table(self, projection: str | None = None, replica: int | None = None) -> pd.DataFrame:
        """A table of the present synapses, with one row each.

        Args:
            projection: the projection's name; None for all projections.
            replica: the replica's index; None for all replicas.
        Returns:
            A table with the columns projection, pre_population, pre, post_population, post (pre and post are the
            indices of the two neurons), replica, compartment, weight, plastic, rule (its expression), one column for
            each rule parameter (``rule_weight`` for a parameter with the name of the column weight), and last_change
            (NaN where it is not recorded).
        """
        return synapses.table(self, projection, replica)

    def connectome(self, replica: int = 0, threshold: float = 0.0) -> nx.MultiDiGraph:
        """The neurons and their synapses as a graph.

        Args:
            threshold: synapses with a smaller absolute weight are left out.
        Returns:
            A graph with nodes ``(population, index)``, and edges keyed by projection, with their weight and
            compartment.
        """
        return synapses.connectome(self, replica, threshold)

    def set_weights(self, projection: str, weights: Any) -> None:
        """Set the weights of a projection.

        Args:
            weights: shape ``[post, pre]`` (for every replica) or ``[replica, post, pre]``; 0 where there is no synapse.
                They may be of NumPy, torch (also sparse), SciPy or pandas. A frame whose labels are names is read by
                name, if the neurons have names (see `Mask`).
        Raises:
            ParameterError: the shape is wrong, a weight is not finite, outside the bounds or where there is no synapse,
                labels of a frame are not the names of neurons, or the weights of a pinned replica would change.
        """
        self.store.write(self.motif.projection(projection).name, weights)

    def freeze(self, *projections: str) -> None:
        """Stop the plasticity of projections until `thaw`. Their rules stay declared."""
        self._frozen |= {self.store.own_name(name) for name in projections}
        self._plan()

    def thaw(self, *projections: str) -> None:
        """Let frozen projections change again.

        Raises:
            ParameterError: a projection is declared without plasticity.
        """
        for name in projections:
            if not self.motif.projection(name).is_plastic:
                raise ParameterError(f"projection {name!r} is declared without plasticity; it cannot be thawed")
        self._frozen -= {self.motif.projection(name).name for name in projections}
        self._plan()

    def prune(self, projection: str, threshold: float | None = None, *, quantile: float | None = None) -> Tensor:
        """Remove weak synapses permanently, also in pinned replicas.

        No snapshot brings them back: in a replica that is pinned to an earlier snapshot, they stay absent. Only `grow`
        and a declared `Rewiring` make new synapses at their places.

        Args:
            threshold: 0 or more; synapses with ``|w| < threshold`` are removed.
            quantile: or the share of the weakest synapses that are removed in each replica, in [0, 1]; their number is
                rounded down.
        Returns:
            The number of removed synapses, shape ``[replica]``.
        Raises:
            ParameterError: there is not one of threshold and quantile, or it is out of range.
        """
        return structure.prune(self.store, self.motif.projection(projection).name, threshold, quantile)

    def lesion(self, population: str, neurons: Any) -> Tensor:
        """Remove all synapses onto and from some neurons for good, in all replicas, also in pinned ones.

        The neurons stay in the population, and no synapse grows at them again. They have no soma current, but input
        neurons keep their input and error neurons their error.

        Args:
            neurons: the indices of the neurons, or one of them.
        Returns:
            The number of removed synapses of all projections, shape ``[replica]``.
        Raises:
            ParameterError: an index is out of range, or a projection is tied to one that connects other populations.
        Example:
            >>> import circuitsim as cs
            >>> from motifs import backprop
            >>> circuit = cs.compile(backprop([8, 6, 3]), device="cpu")
            >>> circuit.lesion("up1", [0, 5])  # of each neuron: 8 + 3 of the ascending stream, 2 to the descending one
            tensor([26])
        """
        name, size = self.motif.population(population).name, int(self.motif.population(population).size)
        listed = np.atleast_1d(np.asarray(neurons))
        if listed.ndim != 1 or listed.dtype.kind not in "iu":
            raise ParameterError(
                f"population {name!r}: lesion takes the indices of neurons (got {neurons!r}); numpy.flatnonzero turns "
                "booleans into indices"
            )
        chosen = [index(f"population {name!r}: neuron", k, size) for k in listed.tolist()]
        return structure.lesion(self.store, name, chosen)

    def grow(
        self,
        projection: str,
        *,
        n: int | None = None,
        probability: float | None = None,
        init: Init | float | None = None,
        seed: int | None = None,
        replica: int | None = None,
    ) -> Tensor:
        """Make new synapses at random places where none is, but not at lesioned neurons nor in pinned replicas.

        A place is any pair of neurons, whatever the connectivity of the projection (of a `OneToOne` projection, a pair
        of equal neurons). States of new synapses begin with their start.

        Args:
            n: how many synapses grow in each replica.
            probability: or the probability with which one grows at each place.
            init: the distribution of their weights, or one number. By default the declared one, and 0 where that is not
                `Gaussian`, `Uniform` or `Constant`. A `Gaussian` counts the partners after growth. Weights are clipped
                to the bounds.
            seed: replaces the seeds of the replicas by ``seed``, ``seed + 1``, ... By default they draw with their own,
                anew in each call.
            replica: the only replica in which they grow; by default all.
        Returns:
            The number of new synapses, shape ``[replica]``.
        Raises:
            ParameterError: there is not one of n and probability, it is out of range, there are too few places, the
                weights make no sense, or the replica is pinned; nothing has changed.
        Example:
            >>> import circuitsim as cs
            >>> from motifs import backprop
            >>> circuit = cs.compile(backprop([8, 6, 3]), device="cpu")
            >>> circuit.prune("W0", quantile=0.25), circuit.grow("W0", n=12, init=0.0)
            (tensor([12]), tensor([12]))
        """
        p = self.motif.projection(self.store.own_name(projection))
        structure.check_amount(f"projection {p.name!r}", n, probability)
        inits = self._inits_of_growth(p, init)
        if replica is not None and self._index(replica) in self.store.pinned:
            raise ParameterError(f"replica {replica} is pinned, so nothing grows in it; release it first")
        replicas = [r for r in range(self.n_replicas) if r not in self.store.pinned and replica in (None, r)]
        seeds = self.seeds if seed is None else [whole("seed", seed, least=0) + r for r in range(self.n_replicas)]
        counts = None if n is None else [n] * self.n_replicas
        grown = structure.grow(self.store, p, inits, seeds, f"grow/{self.n_grown}", replicas, counts, probability)
        self.n_grown += 1
        return grown

    def _inits_of_growth(self, p: Projection, init: Any = None) -> list[Init]:
        """The distribution of the weights of new synapses in each replica."""
        if init is None:
            drawn = isinstance(p.start, Gaussian | Uniform | Constant)
            return [varied(self.motif, p, self.vary, r) if drawn else Constant(0.0) for r in range(self.n_replicas)]
        init = Constant(init) if is_number(init) else init
        if not isinstance(init, Gaussian | Uniform | Constant):
            known = "Gaussian, Uniform, Constant or a number"
            raise ParameterError(f"projection {p.name!r}: init of new synapses must be {known} (got {init!r})")
        new = dataclasses.replace(p, init=init)
        if faults := [*init_faults(self.motif, new)] or [*sign_faults(self.motif, new)]:
            raise ParameterError(faults[0])
        return [signed(self.motif, p, init)] * self.n_replicas

    # -- safety

    def check(self, max_weight: float = 1e4) -> None:
        """Raise an error if a replica has run away. Call it now and then in a training loop; it waits for the device.

        Args:
            max_weight: a replica with a larger absolute weight has run away.
        Raises:
            SimulationDiverged: a weight of a replica that is not pinned is not finite or exceeds `max_weight`.
        """
        runaways = self.runaways(max_weight)
        if runaways:
            raise SimulationDiverged(
                str(runaways[0]), projection=runaways[0].projection, replica=runaways[0].replica, step=self.n_steps
            )

    def runaways(self, max_weight: float = 1e4, loss: Tensor | None = None) -> list[Runaway]:
        """The replicas that have run away and are not pinned yet.

        Args:
            max_weight: a replica has run away if an absolute weight is larger or not finite.
            loss: the loss of the last step, ``[replica]``, or None; a loss that is not finite is a runaway too.
        Returns:
            One report for each, with the replica, step, projection and reason.
        Raises:
            ParameterError: `max_weight` is not a positive number.
        """
        check_max_weight(max_weight)
        found = find_runaways(self.store.own, max_weight, loss, self.n_steps)
        return [runaway for runaway in found if runaway.replica not in self.store.pinned]

    def snapshot(self, into: Mapping[str, Tensor] | None = None) -> Mapping[str, Tensor]:
        """Copy all weights and states, for `pin_replica`.

        Args:
            into: an earlier snapshot that is no longer needed, whose memory the copy reuses.
        Returns:
            Tensors in storage layout, ``[replica, ...]``, keyed by projection or state.
        """
        return self.store.snapshot(into)

    def pin_replica(
        self, replica: int, snapshot: Mapping[str, Tensor] | None = None, runaway: Runaway | None = None
    ) -> None:
        """Reset one replica to a snapshot and keep it there. The other replicas continue as before.

        A step leaves the weights and states of a pinned replica as they are, and `set_weights` refuses to change them.
        Synapses that have been pruned since the snapshot was taken stay absent; those that have grown since hold 0.

        Args:
            snapshot: the result of `snapshot`; None for the current weights and states.
            runaway: the replica's report from `runaways`, if that is why it is pinned. Until the replica is released,
                every history of `fit` marks it.
        Raises:
            ParameterError: the snapshot was taken of another circuit.
        """
        self.store.pin(self._index(replica), snapshot, runaway)

    def release_replica(self, replica: int, rates: Mapping[str, float] | None = None) -> None:
        """Let a pinned replica learn again, from its current weights and states.

        Args:
            rates: new values of rule parameters in this replica, keyed by path, such as ``{"W0.eta": 0.01}``; a replica
                that ran away would do so again at the same rates.
        Raises:
            ParameterError: the replica is not pinned, or a rate is unknown, not read by the rule, not finite or
                declared per synapse; nothing has changed.
        Example:
            >>> import circuitsim as cs
            >>> from motifs import sal
            >>> circuit = cs.compile(sal([8, 6, 3]), replicas=2, device="cpu")
            >>> circuit.pin_replica(1)
            >>> circuit.release_replica(1, {"W0.eta": 0.01})
            >>> round(circuit.synapse("W0", post=0, pre=0, replica=1).parameters["eta"], 6)
            0.01
        """
        replica = self._index(replica)
        if replica not in self.store.pinned:
            raise ParameterError(f"replica {replica!r} is not pinned (pinned: {list(self.pinned) or 'none'})")
        if rates is not None:
            self._change_rates(replica, rates)
        self.store.release(replica)

    def _change_rates(self, replica: int, rates: Mapping[str, float]) -> None:
        ruled = [(p.name, p.rule) for p in self.motif.projections if p.rule is not None]
        known = [f"{projection}.{name}" for projection, rule in ruled for name in rule.parameters]
        changed = dict(self.changed_rates)
        for path, rate in normalized_keys(rates, "paths of rates", ParameterError).items():
            if path not in known:
                raise ParameterError(f"rates: unknown path {path!r} (known: {', '.join(sorted(known))})")
            if not is_read(self.motif, path):
                raise ParameterError(f"rates: the rule does not read {path!r}, so it would change nothing")
            if not is_number(rate):
                raise ParameterError(f"rates: {path!r} must be a finite number (got {rate!r})")
            values = self.store.parameters.of_replicas(path, self.n_replicas)
            values[replica] = rate
            changed[path] = tuple(map(float, values))
        self._set_rates(changed)

    def _set_rates(self, changed: dict[str, tuple[float, ...]]) -> None:
        """Give rule parameters other values in each replica, and make the programs anew."""
        if changed != self.changed_rates:
            varied = {**self.vary, **changed}
            check_vary(self.motif, varied, self.n_replicas)
            parameters = Parameters(self.motif, varied, self.layouts, self.n_replicas, self.store.like)
            self.changed_rates, self.store.parameters = changed, parameters
            self._plan()

    def _index(self, replica: int) -> int:
        return index("replica", replica, self.n_replicas)

    @property
    def pinned(self) -> tuple[int, ...]:
        """The pinned replicas, in order."""
        return tuple(sorted(self.store.pinned))

    @property
    def frozen(self) -> frozenset[str]:
        """The projections whose plasticity was stopped by `freeze`."""
        return self._frozen

    @property
    def n_bytes(self) -> int:
        """The number of bytes held for weights, states, and the buffers of the programs run so far."""
        weights = sum(tensor.numel() * tensor.element_size() for tensor in self.store.own.values())
        return weights + self._programs.n_bytes

    # -- files

    def save(self, path: Any) -> None:
        """Write the circuit to one safetensors file atomically: the weights, and the declaration as JSON.

        Args:
            path: the file; missing folders are created.
        Raises:
            ArchiveError: the file cannot be written. A file that existed before is left unchanged.
        """
        save_circuit(self, path)

    def options(self) -> dict[str, Any]:
        """The declaration and options from which the circuit was compiled.

        Returns:
            The arguments of the class, keyed by name.
        """
        names = ("motif", "seeds", "device", "dtype", "vary", "record_changes")
        return {name: getattr(self, name) for name in names}

    def condition(self) -> dict[str, Any]:
        """Everything that has been done to the circuit, apart from its tensors.

        Returns:
            Values that JSON can hold, keyed by name: the numbers of steps and epochs, `eta_scale`, the frozen
            projections, the pinned replicas and which of them ran away, the lesioned neurons, the number of calls of
            `grow`, and the changed rates.
        """
        return {
            "n_steps": self.n_steps,
            "n_epochs": self.n_epochs,
            "eta_scale": self.eta_scale,
            "frozen": sorted(self.frozen),
            "pinned": list(self.pinned),
            "runaways": [vars(runaway) for _, runaway in sorted(self.store.pinned.items()) if runaway is not None],
            "lesioned": dict(self.store.lesioned),
            "n_grown": self.n_grown,
            "changed_rates": {path: list(values) for path, values in self.changed_rates.items()},
        }

    def restore(self, tensors: Mapping[str, Tensor], condition: Mapping[str, Any], finite: bool = True) -> None:
        """Give a circuit that has just been compiled the state of another. Files, copies and checkpoints use this.

        Args:
            tensors: what the other circuit's `store.tensors` returned.
            condition: what its `condition` returned. Entries that old files lack have their value at the start.
            finite: whether to refuse numbers that are not finite.
        Raises:
            ParameterError: something does not fit.
        """
        n_steps, n_epochs = int(condition["n_steps"]), int(condition.get("n_epochs", 0))
        if min(n_steps, n_epochs) < 0:
            raise ParameterError(f"n_steps and n_epochs must not be negative (got {n_steps} and {n_epochs})")
        frozen = frozenset(self.store.own_name(name) for name in condition["frozen"])
        sizes = {p.name: int(p.size) for p in self.motif.populations}
        lesioned = {
            name: [index("neuron", k, sizes[name]) for k in neurons]
            for name, neurons in _mapping(condition, "lesioned").items()
        }
        n_grown = whole("n_grown", condition.get("n_grown", 0), least=0)
        reports = {runaway.replica: runaway for runaway in (Runaway(**r) for r in condition.get("runaways", ()))}
        pinned = {self._index(replica): reports.get(replica) for replica in condition["pinned"]}
        rates = {path: tuple(map(float, values)) for path, values in _mapping(condition, "changed_rates").items()}
        self.eta_scale = condition.get("eta_scale", 1.0)
        self.store.restore(tensors, finite)
        self.n_steps, self.n_epochs, self.store.pinned = n_steps, n_epochs, pinned
        self.store.lesioned, self.n_grown = lesioned, n_grown
        self._set_rates(rates)
        if frozen:
            self.freeze(*frozen)

    def __getstate__(self) -> dict[str, Any]:
        """The declaration, options and whole state, for `pickle` and `copy`; the last cycle is left out."""
        return {"options": self.options(), "tensors": self.store.tensors(), "condition": self.condition()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        Circuit.__init__(self, **state["options"])
        self.restore(state["tensors"], state["condition"], finite=False)

    def __repr__(self) -> str:
        seeds = f"seed {self.seed}" if is_run(self.seeds) else f"seeds {list(self.seeds)}"
        return (
            f"Circuit({self.motif.name!r}: {self.n_replicas} replicas, {seeds}, {self.device}, "
            f"{str(self.dtype).removeprefix('torch.')}, {self.n_steps} steps done)"
        )


def _mapping(condition: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An entry of a file, which old files lack."""
    found = condition.get(name, {})
    if not isinstance(found, Mapping):
        raise ParameterError(f"{name} must be a mapping (got {found!r})")
    return found
