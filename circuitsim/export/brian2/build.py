"""Build Brian2 objects from a blueprint, and run them in this process. This module and `lacking` and `program` import
brian2, so they are imported only during an export."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import brian2
import numpy as np
from brian2 import ms
from brian2.equations.equations import Equations

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.blueprint import Action, Blueprint, Monitor, Run
from circuitsim.export.brian2.lacking import largest, where
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.export.brian2.results import Arrays, Report, Results, ignore

REPORT_MS = 500.0  # between two reports of progress, in time of the clock on the wall


def check_names(b: Blueprint) -> None:
    """Raise a CircuitError if Brian2 cannot use a name of a group, synapses or a variable, which may contain those of
    populations, projections, signals and phases."""
    for part in b.parts.values():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", part.name):
            raise CircuitError(
                f"{part.name!r}: Brian2 names begin with an ASCII letter, and have only these, digits and _; rename it"
            )
        for name in part.names:
            reason = "Brian2 reserves the endings _pre and _post" if name.endswith(("_pre", "_post")) else ""
            try:
                Equations.check_identifier(name)
            except (ValueError, SyntaxError) as error:
                reason = str(error).rstrip(".")
            if reason:
                raise CircuitError(f"{part.name!r}: Brian2 cannot have a variable {name!r} there: {reason}; rename it")


class Build:
    """The Brian2 objects of a blueprint, in a `Network` of their own and with the blueprint's names.

    Brian2's magic ``run()`` collects none of them.
    """

    def __init__(self, b: Blueprint) -> None:
        self.b = b
        self._clocks: dict[float, Any] = {}
        self.parts: dict[str, Any] = {}
        for order, n in enumerate(b.neurons.values()):
            self._add_neurons(n, order)
        for n in b.neurons.values():  # before any synapses are made, which read the groups
            for own, (other, variable) in n.links.items():
                setattr(self.parts[n.name], own, brian2.linked_var(self.parts[other], variable))
            self._set_values(n)
        for order, w in enumerate(b.wires.values(), len(b.neurons)):
            self._add_wires(w, order)
        operations = [self._operation(action, order) for order, action in b.ordered]
        self.network = brian2.Network(name="exported_network")
        self.join([*self.parts.values(), *filter(None, operations)])
        self.monitors: dict[str, Any] = {}
        self.trains: dict[tuple[str, str], Any] = {}

    def join(self, members: list[Any]) -> None:
        """Add objects to the network."""
        for member in members:
            member.add_to_magic_network = False
        self.network.add(*members)

    def _clock(self, every_ms: float | None) -> Any:
        """One clock for each interval."""
        every_ms = self.b.dt_ms if every_ms is None else every_ms
        if every_ms not in self._clocks:
            self._clocks[every_ms] = brian2.Clock(dt=every_ms * ms)
        return self._clocks[every_ms]

    def _add_neurons(self, n: Neurons, order: int) -> None:
        options = n.options | ({"refractory": n.refractory_ms * ms} if n.refractory_ms else {})
        group = self.parts[n.name] = brian2.NeuronGroup(
            n.size, "\n".join(self.b.equations(n)), method=self.b.method, clock=self._clock(None), name=n.name,
            order=order, dtype=np.float64, namespace={}, **options,
        )  # fmt: skip
        for event in n.options.get("events", {}):
            group.set_event_schedule(event, when="thresholds", order=order)
            if code := "; ".join(n.on_spike[event]):
                group.run_on_event(event, code, when="resets", order=order)

    def _add_wires(self, w: Wires, order: int) -> None:
        synapses = self.parts[w.name] = brian2.Synapses(
            self.parts[w.pre], self.parts[w.post], "\n".join(self.b.equations(w)), clock=self._clock(None),
            name=w.name, order=order, dtype=np.float64, namespace={}, **w.options,
        )  # fmt: skip
        synapses.connect(i=w.i, j=w.j)
        for pathway in w.events if w.delays_ms is not None else ():
            getattr(synapses, pathway).delay = w.delays_ms * ms
        for pathway, place in self.b.pathways(w).items():
            getattr(synapses, pathway).order = place
        self._set_values(w)

    def _set_values(self, part: Neurons | Wires) -> None:
        for name, value in part.values.items():
            setattr(self.parts[part.name], name, value)

    def _operation(self, action: Action, order: int) -> Any:
        """The Brian2 object of an action, or None if it belongs to the synapses already."""
        owner = self.parts[action.owner]
        place = {"when": action.when, "order": order, "clock": self._clock(None)}
        name = f"{action.owner}_action_{order}"
        if isinstance(action, Run):
            place["clock"] = self._clock(action.every_ms)
            return owner.run_regularly("\n".join(action.code), name=name, **place)
        if not action.largest:
            owner.summed_updaters[action.target].order = order
            return None
        end, group, variable = self.b.wires[action.owner].split(action.target)
        take = largest(owner, action.expression, end, self.parts[group], variable)
        return brian2.NetworkOperation(take, name=name, **place)

    def _monitor(self, m: Monitor) -> Any:
        r = m.records[0]
        return brian2.StateMonitor(
            self.parts[r.owner], m.variables, record=list(r.which), clock=self._clock(r.every_ms), when=r.when,
            order=m.order, name=m.name,
        )  # fmt: skip

    def run(self, b: Blueprint, played: Mapping[str, np.ndarray], report: Callable[..., None] | None = None) -> None:
        """Play a run. With a standalone device, this only records what is to be compiled.

        Args:
            b: the blueprint, perhaps with another length, other arrays and other records than were built.
            played: the arrays of `Blueprint.played`, ``[row]`` or ``[row, neuron]``.
            report: what Brian2 calls to report progress, in this process.
        """
        arrays = {
            name: brian2.TimedArray(np.asarray(played[name], dtype=float), dt=row_ms * ms, name=f"played_{name}")
            for name, row_ms in b.played.items()
        }
        self.monitors = {m.name: self._monitor(m) for m in b.monitors}
        self.trains = {
            (name, event): brian2.EventMonitor(self.parts[name], event, name=f"{name}_{event}_train")
            for name, event in b.trains
        }
        monitors = [*self.monitors.values(), *self.trains.values()]
        self.join(monitors)
        self.network.t_ = 0.0  # where the arrays begin
        try:
            with np.errstate(all="ignore"):  # closed gates discard such values, and so do the first passes of a batch
                self.network.run(
                    b.n_trials * b.length_ms * ms, namespace={**arrays, "where": where}, report=report,
                    report_period=REPORT_MS * ms,
                )  # fmt: skip
        finally:
            self.network.remove(*monitors)

    def values(self, b: Blueprint) -> dict[str, dict[str, np.ndarray]]:
        """Copies of all variables, keyed by part and name."""
        return {
            part.name: {name: np.array(getattr(self.parts[part.name], name)) for name in part.variables}
            for part in b.parts.values()
        }


class Runtime:
    """Runs blueprints in this process.

    Args:
        language: "numpy" or "cython".
        keeps: whether all runs of a blueprint use one set of objects, so that each goes on where the last one has
            stopped; otherwise each run has objects of its own, which begin with the blueprint's values.
    """

    def __init__(self, language: str, keeps: bool = False) -> None:
        self.language, self.keeps = language, keeps
        self._kept: Build | None = None

    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Results:
        """Play a run.

        Args:
            b: the network, with its weights and parameters.
            played: the arrays of `Blueprint.played`.
            seed: the seed of random spikes.
            report: is told now and then which share of the run is done.
        """
        with preferences(self.language):
            state = np.random.get_state()  # noqa: NPY002 (Brian2 draws from NumPy's global stream)
            try:
                brian2.seed(seed)
                build = self._build(b)
                build.run(b, played, lambda elapsed, completed, start, duration: report(completed))
            finally:
                np.random.set_state(state)  # noqa: NPY002
            monitors = [(r, build.monitors[m.name]) for m in b.monitors for r in m.records]
            records = {r: (np.asarray(m.t / ms), np.array(getattr(m, r.variable)).T) for r, m in monitors}
            trains = {key: (np.asarray(m.t / ms), np.asarray(m.i)) for key, m in build.trains.items()}
            return Results(build.values(b), records, trains)

    def network(self, b: Blueprint) -> Any:
        """The `brian2.Network` of all runs."""
        with preferences(self.language):
            return self._build(b).network

    def values(self, b: Blueprint) -> Mapping[str, Mapping[str, Any]]:
        """The current variables, keyed by part and name."""
        return b.values if self._kept is None else self._kept.values(b)

    def _build(self, b: Blueprint) -> Build:
        """Objects are made when they are first needed, because Brian2 warns about those that never ran."""
        build = self._kept or Build(b)
        self._kept = build if self.keeps else None
        return build


@contextlib.contextmanager
def preferences(language: str) -> Iterator[None]:
    """Set Brian2's preferences, which are global, and restore them afterwards."""
    if brian2.get_device() is not brian2.devices.all_devices["runtime"]:
        raise CircuitError("another Brian2 device is active; call brian2.set_device('runtime') first")
    before = brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype
    brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = language, np.float64
    try:
        yield
    finally:
        brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = before
