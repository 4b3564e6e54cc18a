"""A compiled circuit: weights of all replicas on one device, and what can be done with them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import pandas as pd
import sympy
import torch
from torch import Tensor

from circuitsim.engine import synapse as synapses
from circuitsim.engine.assemble import assemble
from circuitsim.engine.feed import Feed
from circuitsim.engine.footprint import check_memory
from circuitsim.engine.layout import Layout
from circuitsim.engine.lower import lower
from circuitsim.engine.parameters import ScaledParameters, Vary, check_vary, rule_parameters
from circuitsim.engine.plasticity import Plasticity
from circuitsim.engine.products import products_of
from circuitsim.engine.runaway import Runaway, find_runaways
from circuitsim.engine.runner import Batch, Quantities, Runner
from circuitsim.engine.share import ALONE, Processes
from circuitsim.engine.store import WeightStore
from circuitsim.engine.sweep import Sweep, read_quantity
from circuitsim.engine.workspace import Workspace
from circuitsim.errors import ParameterError, SimulationDiverged
from circuitsim.motif.motif import Motif
from circuitsim.plan import Plan, build_plans


@dataclass(frozen=True)
class StepResult:
    """What one cycle gave.

    Args:
        loss: batch mean of the loss in the first phase that has one, shape ``[replica]``, on the device; None for a
            motif without objective.
        losses: the same by phase.
    """

    loss: Tensor | None
    losses: Mapping[str, Tensor] = field(default_factory=dict)


class Circuit:
    """Independent replicas of one motif, run together. Made by `compile`.

    Notation used for tensor shapes: replica, batch, post, pre, neuron. Activities, currents and weights are
    dimensionless.

    Attributes:
        motif: the declaration.
        plans: what a step does, a plan for each phase; print them.
        n_replicas: how many replicas there are.
        seed: replica r starts as the solo circuit of seed ``seed + r``.
        device: where the weights are stored.
        dtype: how the weights are stored.
        vary: the per-replica values given to `compile`.
        n_steps: how many steps it has done.
        store: the weights; the methods below are the way to them.
        eta_scale: multiplies every `eta` of every rule (schedules set it).
        processes: who shares each batch of `step` (`fit` sets it); the activities of the cycle are then those of the
            own samples.
    """

    def __init__(
        self,
        motif: Motif,
        *,
        n_replicas: int,
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
        vary: Vary,
        record_changes: bool,
        products: str = "blas",
        currents: str = "all",
    ) -> None:
        motif.validate()
        check_vary(motif, vary, n_replicas)
        check_memory(motif, n_replicas, dtype.itemsize)
        self.motif, self.n_replicas, self.seed = motif, n_replicas, seed
        self.device, self.dtype, self.vary = device, dtype, {k: tuple(map(float, v)) for k, v in vary.items()}
        self.n_steps, self.eta_scale, self.processes = 0, 1.0, ALONE
        self._like = like = torch.empty(0, device=device, dtype=dtype)
        multiply = products_of(products, like)
        self.store = WeightStore(motif, n_replicas, *assemble(motif, seed, n_replicas, vary, like, multiply))
        self._currents = currents
        self._changes: dict[str, Tensor] | None = {} if record_changes else None
        self._frozen: set[str] = set()
        self._lower()
        self.store.align(self.plans)
        self._parameters = rule_parameters(motif, vary, self.store.layouts, n_replicas, like)
        self._scaled = ScaledParameters(self._parameters)

    def _lower(self) -> None:
        """Make the functions that run the plan; again whenever the plan changes."""
        self.plans: tuple[Plan, ...] = build_plans(self.motif, frozen=self._frozen)
        self._runner = Runner(self.motif, self.plans, self.store, self.seed, self._like, self._currents)
        self._predictors: dict[str, Sweep] = {}

    @property
    def plan(self) -> Plan:
        """The plan of the first phase, which is the only one unless phases are declared."""
        return self.plans[0]

    # -- running

    def step(
        self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None, *, check: bool = True
    ) -> StepResult:
        """One cycle of both streams, then one plasticity step with the batch mean of every rule; so for each phase.

        Args:
            x: ``[batch, input]`` or ``[replica, batch, input]``; with several inputs a dict by population.
            target: class indices ``[batch]`` or vectors ``[batch, output]``; with several objectives a dict by
                output population.
            signals: by name, ``[batch]`` or ``[replica, batch]``, or a function of the circuit that gives one of
                these after the cycle (a reward that depends on the output).
            check: look, on the CPU, for numbers in x and target that are not finite and for classes out of range. Not
                needed where the data were looked at as a whole, as `fit` does: it takes a few percent of a step.
        Returns:
            The losses, before the weights changed.
        Raises:
            DataError: x, target or a signal does not fit. Nothing has changed then.
        Source: Liao et al. (2024), arXiv 2412.20018, equations 1 and 2 (both streams), 5 to 8 (the changes of SAL).
        """

        batch = self._batch(x, target, signals, self.processes, check)
        self._runner.step(batch, self._scaled.at(self.eta_scale), self.n_steps, self._changes)
        self.store.keep_held()
        self.n_steps += 1
        return self._result()

    def cycle(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> StepResult:
        """The cycles of a step without plasticity.

        Args:
            x, target, signals: as in `step`.
        Returns:
            The losses.
        Raises:
            DataError: x, target or a signal does not fit.
        """
        self._cycle(x, target, signals, lambda plasticity, quantities: None)
        return self._result()

    def _batch(
        self,
        x: Any,
        target: Any,
        signals: Mapping[str, Any] | None,
        processes: Processes = ALONE,
        check: bool = True,
    ) -> Batch:
        bound = {k: functools.partial(s, self) if callable(s) else s for k, s in (signals or {}).items()}
        return self._runner.batch(x, target, bound, processes, check)

    def _cycle(self, x: Any, target: Any, signals: Any, visit: Callable[[Plasticity, Quantities], object]) -> None:
        batch = self._batch(x, target, signals)
        self._runner.cycle(batch, self._scaled.at(self.eta_scale), self.n_steps, visit)

    def _result(self) -> StepResult:
        losses = self._runner.losses()
        return StepResult(next(iter(losses.values()), None), losses)

    def predict(self, x: Any, output: str | None = None) -> Tensor:
        """The activity of the output; nothing is kept.

        Args:
            x: as in `step`.
            output: name of a population; by default the one that the (only) objective looks at.
        Returns:
            Shape ``[replica, batch, output]``.
        Raises:
            ParameterError: no output is named, and the motif has none or several.
            MotifError: there is no population `output`.
            DataError: x does not fit.
        """
        output = self._only_output() if output is None else self.motif.population(output).name
        env: dict[str, Any] = {"workspace": Workspace()}
        with torch.no_grad():
            if output not in self._predictors:
                needed = Feed.ancestors(self.motif, output)
                self._predictors[output] = Sweep(self.plan, self.store.layouts, only=needed)
            env |= self.store.states()
            self._predictors[output].run(env, self.store.values, self._runner.feed.inputs(x), {})
        return self._expanded(env[f"activity[{output}]"])

    def _only_output(self) -> str:
        if len(self.plan.outputs) != 1:
            raise ParameterError(
                f"motif {self.motif.name!r} has {len(self.plan.outputs)} outputs {list(self.plan.outputs)}; name one"
            )
        return self.plan.outputs[0]

    # -- reading

    def activity(self, population: str) -> Tensor:
        """The activity in the last cycle.

        Args:
            population: its name.
        Returns:
            A copy, shape ``[replica, batch, neuron]``.
        Raises:
            ParameterError: there was no cycle yet.
            MotifError: there is no such population.
        """
        return self._of_cycle("activity", self.motif.population(population).name)

    def drive(self, population: str) -> Tensor:
        """The soma input in the last cycle.

        Args:
            population: its name.
        Returns:
            A copy, shape ``[replica, batch, neuron]``.
        Raises:
            ParameterError: there was no cycle yet.
            MotifError: there is no such population.
        """
        return self._of_cycle("drive", self.motif.population(population).name)

    def current(self, projection: str) -> Tensor:
        """The current that a projection delivered in the last cycle.

        Args:
            projection: its name.
        Returns:
            A copy, shape ``[replica, batch, post]``.
        Raises:
            ParameterError: there was no cycle yet, or its step did not need the current (`currents` of `compile`).
            MotifError: there is no such projection.
        """
        return self._of_cycle("I", self.motif.projection(projection).name)

    def _of_cycle(self, kind: str, name: str) -> Tensor:
        if name in self._runner.quantities.get("chained", ()) and kind == "I":
            raise ParameterError(
                f"the current of {name!r} was not made by this step: run circuit.cycle(x, target), or compile with "
                'currents="all"'
            )
        if f"{kind}[{name}]" not in self._runner.quantities:
            raise ParameterError(f"no {kind} of {name!r} yet: run circuit.step(x, target) or circuit.cycle(x, target)")
        # a copy: the next step writes into the same memory
        return self._expanded(self._runner.quantities[f"{kind}[{name}]"].clone())

    def _expanded(self, quantity: Tensor) -> Tensor:
        return quantity.expand(self.n_replicas, -1, -1)

    def state(self, owner: str, name: str) -> Tensor:
        """A state, as it is now.

        Args:
            owner: name of the population or projection.
            name: of the state.
        Returns:
            A copy, of a population's ``[replica, neuron]``, of a projection's ``[replica, post, pre]``.
        Raises:
            ParameterError: there is no such state; the message lists the known ones.
        """
        key = f"{owner}.{name}"
        if key not in self.store.states():
            raise ParameterError(f"there is no state {key!r} (known: {', '.join(self.store.states()) or 'none'})")
        values = self.store.own[key]
        return self.store.matrix(owner, values) if owner in self.store.layouts else values[:, 0].clone()

    def weights(self, projection: str) -> Tensor:
        """The weights, as they are now.

        Args:
            projection: its name.
        Returns:
            A detached copy, shape ``[replica, post, pre]``. Few synapses of many possible ones are stored sparse, and
            come as sparse CSR; `to_dense` makes an array of it.
        Raises:
            MotifError: there is no such projection.
        """
        name = self.motif.projection(projection).name
        return self.store.matrix(name, self.store.values(name))

    def mask(self, projection: str) -> Tensor:
        """Which synapses are present.

        Args:
            projection: its name.
        Returns:
            Boolean, shape ``[replica, post, pre]``; sparse CSR where weights are.
        Raises:
            MotifError: there is no such projection.
        """
        return self.store.mask(self.motif.projection(projection).name)

    def last_change(self, projection: str) -> Tensor:
        """The change of the weights in the last step.

        Args:
            projection: its name.
        Returns:
            Shape ``[replica, post, pre]``.
        Raises:
            ParameterError: changes are not recorded, or the projection did not change in the last step.
            MotifError: there is no such projection.
        """
        name = self.motif.projection(projection).name
        if self._changes is None:
            raise ParameterError("changes are not recorded; compile with record_changes=True")
        if name not in self._changes:
            raise ParameterError(f"projection {name!r} has not changed: it is not plastic, or no step was done yet")
        return self.store.matrix(name, self._changes[name])

    # -- for analyses and other lowerings

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """How the synapses of each projection are stored."""
        return self.store.layouts

    def values(self, projection: str) -> Tensor:
        """The weights in the projection's layout; not a copy.

        Args:
            projection: its name.
        Returns:
            As `layouts` stores them, dense ``[replica, post, pre]``, or a number for each synapse that exists.
        Raises:
            MotifError: there is no such projection.
        """
        return self.store.values(self.motif.projection(projection).name)

    def evaluate(self, expression: sympy.Expr) -> float | Tensor:
        """The value of an expression in the parameters of rules, with their declared rates.

        Args:
            expression: over symbols such as those of a plan's coefficients.
        Returns:
            A number, or a tensor that broadcasts to ``[replica, post, pre]``.
        """
        return lower(expression, read_quantity)(self._parameters | {"workspace": Workspace()})

    def data_terms(self, x: Any, target: Any = None, signals: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
        """What each rule would change for this batch, without the terms that do not depend on activity (decay).

        Args:
            x, target, signals: as in `step`.
        Returns:
            By plastic projection, shape ``[replica, post, pre]``; the weights are not changed.
        Raises:
            DataError: x, target or a signal does not fit.
        """
        found: dict[str, Tensor] = {}

        def ask(plasticity: Plasticity, quantities: Quantities) -> None:
            deltas = plasticity.deltas(quantities | self._parameters, self.store.own, data_only=True)
            found.update({name: self.store.matrix(name, delta) for name, delta in deltas.items()})

        self._cycle(x, target, signals, ask)
        return found

    def parameters(self, projection: str) -> dict[str, Any]:
        """The parameters of a projection's rule.

        Args:
            projection: its name.
        Returns:
            By name, floats, or tensors ``[replica]`` or ``[post, pre]``.
        Raises:
            MotifError: there is no such projection.
        """
        return synapses.parameters(self, self.motif.projection(projection).name)

    # -- synapses

    def synapse(self, projection: str, *, post: int, pre: int, replica: int = 0) -> synapses.Synapse:
        """One synapse, as it is now.

        Args:
            projection: its name.
            post, pre: indices of the two neurons, from 0.
            replica: which replica.
        Returns:
            The synapse with its ends, weight, rule and parameters.
        Raises:
            ParameterError: an index is out of range, or there is no such synapse.
            MotifError: there is no such projection.
        """
        return synapses.synapse(self, projection, post=post, pre=pre, replica=replica)

    def synapses(self, projection: str, replica: int = 0) -> Iterator[synapses.Synapse]:
        """All present synapses of a projection.

        Args:
            projection: its name.
            replica: which replica.
        Returns:
            An iterator, row by row of the weight matrix.
        Raises:
            ParameterError: there is no such replica.
            MotifError: there is no such projection.
        """
        return synapses.iterate(self, projection, replica)

    def table(self, projection: str | None = None, replica: int = 0) -> pd.DataFrame:
        """A table of the present synapses, one row each.

        Args:
            projection: its name; None for all projections.
            replica: which replica.
        Returns:
            Columns projection, pre_population, pre, post_population, post, weight, plastic, rule parameters,
            last_change (NaN where it is not recorded).
        Raises:
            ParameterError: there is no such replica.
            MotifError: there is no such projection.
        """
        return synapses.table(self, projection, replica)

    def connectome(self, replica: int = 0, threshold: float = 0.0) -> nx.MultiDiGraph:
        """Neurons and their synapses as a graph.

        Args:
            replica: which replica.
            threshold: synapses with a smaller absolute weight are left out.
        Returns:
            Nodes ``(population, index)``; edges keyed by projection, with their weight and target.
        Raises:
            ParameterError: there is no such replica.
        """
        return synapses.connectome(self, replica, threshold)

    def set_weights(self, projection: str, weights: Any) -> None:
        """Write weights.

        Args:
            projection: its name.
            weights: shape ``[post, pre]`` (for every replica) or ``[replica, post, pre]``; 0 where there is no synapse.
        Raises:
            ParameterError: wrong shape, not finite, a weight where there is no synapse, or a derived projection.
            MotifError: there is no such projection.
        """
        self.store.write(projection, weights)

    def freeze(self, *projections: str) -> None:
        """Stop the plasticity of projections; their rule stays declared.

        Args:
            projections: their names.
        Raises:
            ParameterError: a projection is tied to another.
            MotifError: there is no such projection.
        """
        self._frozen |= {self.store.own_name(name) for name in projections}
        self._lower()

    def thaw(self, *projections: str) -> None:
        """Let frozen projections change again.

        Args:
            projections: their names.
        Raises:
            ParameterError: a projection is declared without plasticity.
            MotifError: there is no such projection.
        """
        for name in projections:
            if not self.motif.projection(name).is_plastic:
                raise ParameterError(f"projection {name!r} is declared without plasticity; it cannot be thawed")
        self._frozen -= set(projections)
        self._lower()

    def prune(self, projection: str, threshold: float) -> Tensor:
        """Remove for ever all synapses with ``|w| < threshold``.

        Args:
            projection: its name.
            threshold: 0 or more.
        Returns:
            How many were removed, shape ``[replica]``.
        Raises:
            ParameterError: the threshold is negative or no number, or the projection is tied to another.
            MotifError: there is no such projection.
        """
        return self.store.prune(projection, threshold)

    # -- safety

    def check(self, max_weight: float = 1e4) -> None:
        """Look for runaway growth; for one's own loop, every now and then (it waits for the device).

        Args:
            max_weight: a larger absolute weight counts as run away.
        Raises:
            SimulationDiverged: a weight of a replica that is not held is not finite or exceeds `max_weight`.
        """
        runaways = self.runaways(max_weight)
        if runaways:
            raise SimulationDiverged(
                str(runaways[0]), projection=runaways[0].projection, replica=runaways[0].replica, step=self.n_steps
            )

    def runaways(self, max_weight: float = 1e4, loss: Tensor | None = None) -> list[Runaway]:
        """The replicas, not held already, that ran away.

        Args:
            max_weight: a larger absolute weight counts as run away, and so does one that is not finite.
            loss: of the last step, ``[replica]``, or None; one that is not finite counts too.
        Returns:
            One report each, of replica, step, projection, reason.
        """
        found = find_runaways(self.store.own, max_weight, loss, self.n_steps)
        return [runaway for runaway in found if runaway.replica not in self.store.held]

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of all weights and states, for `hold`.

        Returns:
            By projection or state, in storage layout, first axis ``[replica, ...]``.
        """
        return self.store.snapshot()

    def hold(self, replica: int, snapshot: Mapping[str, Tensor]) -> None:
        """Put one replica back to a snapshot and keep it there; the others go on untouched.

        Args:
            replica: which replica.
            snapshot: from `snapshot`.
        """
        self.store.hold(replica, snapshot)

    @property
    def held(self) -> tuple[int, ...]:
        """The replicas that are kept at a snapshot."""
        return tuple(sorted(self.store.held))

    @property
    def frozen(self) -> frozenset[str]:
        """The projections whose plasticity was stopped by `freeze`."""
        return frozenset(self._frozen)

    @property
    def n_bytes(self) -> int:
        """The memory that the circuit holds for weights, states, and the buffers of its steps so far."""
        weights = sum(tensor.numel() * tensor.element_size() for tensor in self.store.own.values())
        return weights + self._runner.workspaces.n_bytes

    # -- files

    def save(self, path: Any) -> None:
        """Write the circuit to one file (safetensors: weights, and the declaration as JSON), atomically.

        Args:
            path: of the file; folders are made as needed.
        Raises:
            ArchiveError: the file cannot be written; one that was there before is untouched.
        """
        from circuitsim.engine.archive import save_circuit  # here: the archive knows the circuit

        save_circuit(self, path)

    def __repr__(self) -> str:
        return (
            f"Circuit({self.motif.name!r}: {self.n_replicas} replicas, seed {self.seed}, {self.device}, "
            f"{str(self.dtype).removeprefix('torch.')}, {self.n_steps} steps done)"
        )
