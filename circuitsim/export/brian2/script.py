"""Write a blueprint as a Python file in plain Brian2, which runs without circuitsim."""

from __future__ import annotations

import base64
import io
import keyword
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import indent, wrap
from typing import Any

import numpy as np

from circuitsim.export.brian2.blueprint import Action, Blueprint, Monitor, Reduce, Run
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.files import as_path, write_atomically

HEAD = '''"""The circuit {name!r}, {time}, in plain Brian2.

Written by circuitsim, which it does not need:

    python {file}            # saves weights, outputs and whatever is recorded

Weights and what is played to the network are in ARRAYS, at the end of this file.
"""

import base64
import io
import sys

import brian2 as b2
import numpy as np
from brian2 import Hz, ms, second
{lacking}

def main(arrays, target="numpy"):
    if target == "cpp_standalone":
        b2.set_device("cpp_standalone")
    else:
        b2.prefs.codegen.target = target
    b2.seed({seed})
    b2.defaultclock.dt = {dt!r} * ms
    # What comes first within a slot of a time step is decided by `order`; without it, Brian2 would go by names.
'''
TAIL = """

if __name__ == "__main__":
    arrays = dict(np.load(io.BytesIO(base64.b64decode("".join(ARRAYS.split())))))
    results = main(arrays, *sys.argv[1:])
    for name, values in results.items():
        print(name, values.shape, "mean", values.mean())
    np.savez(__file__.removesuffix(".py") + "_results.npz", **results)
"""
TAKEN = (  # names that mean something else in the file
    "ARRAYS", "Hz", "arrays", "b2", "base64", "io", "largest", "main", "ms", "np", "second", "sys", "target", "where",
)  # fmt: skip


def write_script(path: Any, b: Blueprint, played: Mapping[str, np.ndarray], seed: int) -> Path:
    """Write the file, and return its path. `played` are the arrays of `Blueprint.played`, and `seed` is that of random
    spikes. An ArchiveError says why the file cannot be written."""
    path = as_path(path)
    write_atomically(path, _Script(b, played).text(seed, path.name).encode())
    return path


class _Script:
    """The lines of a script, and the arrays that they read."""

    def __init__(self, b: Blueprint, played: Mapping[str, np.ndarray]) -> None:
        self.b = b
        self.arrays = {name: np.asarray(played[name], dtype=float) for name in b.played}
        self._taken = {*TAKEN, *b.played, *keyword.kwlist}
        self._objects: dict[str, str] = {}

    def text(self, seed: int, file: str) -> str:
        """The whole file."""
        b = self.b
        time = f"{b.length_ms:g} ms" if b.n_trials == 1 else f"{b.n_trials} trials of {b.length_ms:g} ms"
        _, _, lacking = Path(__file__).with_name("lacking.py").read_text().partition("import numpy as np\n")
        where, largest, rest = lacking.partition("\n\ndef largest(")
        needed = where if "where(" in b.code else ""
        needed += largest + rest if any(isinstance(action, Reduce) and action.largest for action in b.actions) else ""
        head = HEAD.format(name=b.name, file=file, seed=seed, dt=b.dt_ms, time=time, lacking=needed)
        body = "\n".join(["", *self._body()]) + "\n"
        packed = "\n".join(["", "", 'ARRAYS = """', *_packed(self.arrays), '"""', ""])
        return head + indent(body, "    ") + packed + TAIL

    def _body(self) -> Iterator[str]:
        b = self.b
        if b.played:
            yield "# What is played to the network; dt is the duration of a row."
        for name, row_ms in b.played.items():
            about = f"  # {b.plays[name][1]}" if b.plays[name][1] else ""
            yield f'{name} = b2.TimedArray(arrays["{name}"], dt={row_ms!r} * ms){about}'
        yield from self._clocks()
        for order, n in enumerate(b.neurons.values()):
            yield from self._neurons(n, order)
        for n in b.neurons.values():
            for own, (group, variable) in n.links.items():
                yield f'{self._own(n.name)}.{own} = b2.linked_var({self._own(group)}, "{variable}")'
        for order, w in enumerate(b.wires.values(), len(b.neurons)):
            yield from self._wires(w, order)
        if b.actions:
            yield from ("", "# What runs in each time step or interval, beside the equations.")
        for order, action in b.ordered:
            yield from self._action(action, order)
        yield from ("", "# What is recorded.")
        for m in b.monitors:
            yield from self._monitor(m)
        for name, event in b.trains:
            train = f"{name}_{event}_train"
            yield f'{self._own(train)} = b2.EventMonitor({self._own(name)}, "{event}", name="{train}")'
        times = "" if b.n_trials == 1 else f"{b.n_trials} * "
        yield from ("", f"b2.run({times}{b.length_ms!r} * ms)", "return {")
        yield from (f"    {line}," for line in self._results())
        yield "}"

    def _own(self, name: str) -> str:
        """The Python name of a Brian2 object: its own, unless this means something else in the file."""
        if name not in self._objects:
            own = name
            while own in self._taken:
                own += "_"
            self._taken.add(own)
            self._objects[name] = own
        return self._objects[name]

    def _clocks(self) -> Iterator[str]:
        intervals = [action.every_ms for action in self.b.actions if isinstance(action, Run)]
        for every_ms in dict.fromkeys([*intervals, *(m.records[0].every_ms for m in self.b.monitors)]):
            if every_ms not in (None, self.b.dt_ms):
                yield f"{self._clock(every_ms)} = b2.Clock({every_ms!r} * ms)"

    def _at(self, every_ms: float | None) -> str:
        """The argument for what happens at an interval."""
        return "" if every_ms in (None, self.b.dt_ms) else f", clock={self._clock(every_ms)}"

    def _clock(self, every_ms: float | None) -> str:
        """The name of the clock of an interval, such as `every_2_ms`."""
        return self._own(f"every_{every_ms:.15g}_ms".replace(".", "_"))

    def _neurons(self, n: Neurons, order: int) -> Iterator[str]:
        own = self._own(n.name)
        yield from ("", f"{own} = b2.NeuronGroup(", f"    {n.size},", *_text(self.b.equations(n)))
        yield from (f"    {name}={_literal(value)}," for name, value in n.options.items())
        if n.refractory_ms:
            yield f"    refractory={n.refractory_ms!r} * ms,"
        if n.differential:
            yield f'    method="{self.b.method}",'
        yield from (self._place(order, n.name, bool(n.differential or n.spikes)), ")")
        for event in n.options.get("events", {}):
            yield f'{own}.set_event_schedule("{event}", when="thresholds", order={order})'
            if code := "; ".join(n.on_spike[event]):
                yield f'{own}.run_on_event("{event}", "{code}", when="resets", order={order})'
        yield from self._values(n)

    def _wires(self, w: Wires, order: int) -> Iterator[str]:
        own, equations = self._own(w.name), self.b.equations(w)
        self.arrays |= {f"{w.name}_i": w.i.astype(np.int32), f"{w.name}_j": w.j.astype(np.int32)}
        yield from ("", f"{own} = b2.Synapses(", f"    {self._own(w.pre)}, {self._own(w.post)},")
        yield from _text(equations) if equations else ()
        yield from (f"    {name}={_literal(value)}," for name, value in w.options.items())
        yield from (self._place(order, w.name, bool(w.decays)), ")")
        yield f'{own}.connect(i=arrays["{w.name}_i"], j=arrays["{w.name}_j"])'
        yield from (f"{own}.{pathway}.order = {place}" for pathway, place in self.b.pathways(w).items())
        yield from self._values(w)
        if w.delays_ms is not None:
            self.arrays[f"{w.name}_delay"] = w.delays_ms
            yield from (f'{own}.{pathway}.delay = arrays["{w.name}_delay"] * ms' for pathway in w.events)

    def _place(self, order: int, name: str, runs: bool) -> str:
        """The last arguments of an object, which needs an order if it runs anything by itself."""
        return f'    order={order}, name="{name}",' if runs else f'    name="{name}",'

    def _values(self, part: Neurons | Wires) -> Iterator[str]:
        for name, value in part.values.items():
            if not np.any(value):
                continue  # Brian2 sets variables to 0
            if np.ndim(value):
                self.arrays[f"{part.name}_{name}"] = np.asarray(value, dtype=float)
            given = f'arrays["{part.name}_{name}"]' if np.ndim(value) else repr(float(value))
            yield f"{self._own(part.name)}.{name} = {given}"

    def _action(self, action: Action, order: int) -> Iterator[str]:
        own, place = self._own(action.owner), f'when="{action.when}", order={order}'
        if isinstance(action, Run):
            yield from (f"{own}.run_regularly(", *_text(action.code), f"    {place}{self._at(action.every_ms)},", ")")
        elif action.largest:
            end, group, variable = self.b.wires[action.owner].split(action.target)
            take = f'largest({own}, "{action.expression}", "{end}", {self._own(group)}, "{variable}")'
            yield f"{own}_largest_{order} = b2.NetworkOperation({take}, {place})"
        else:
            yield f'{own}.summed_updaters["{action.target}"].order = {order}  # {action.expression}'

    def _monitor(self, m: Monitor) -> Iterator[str]:
        r, variables = m.records[0], ", ".join(f'"{variable}"' for variable in m.variables)
        which = f"np.arange({len(r.which)})" if r.which == tuple(range(len(r.which))) else list(r.which)
        yield f"{self._own(m.name)} = b2.StateMonitor("
        yield f"    {self._own(r.owner)}, [{variables}], record={which},"
        yield from (f'    when="{r.when}", order={m.order}, name="{m.name}"{self._at(r.every_ms)},', ")")

    def _results(self) -> Iterator[str]:
        b = self.b
        for name in b.readouts:  # an output is read when the next trial begins, and the last one after the run
            yield f'"output_{name}": np.column_stack([{self._own(f"{name}_F_record")}.F[:, 1:], {self._own(name)}.F]).T'
        yield from (f'"w_{w.name}": np.array({self._own(w.name)}.w)' for w in b.wires.values() if w.learns)
        for name, event in b.trains:
            train = self._own(f"{name}_{event}_train")
            yield f'"{event}_{name}": np.stack([{train}.t / ms, {train}.i])'
        for m in b.monitors:
            yield from (
                f'"{r.name}": np.array({self._own(m.name)}.{r.variable}).T' for r in m.records if r in b.records
            )


def _literal(value: Any) -> str:
    """A string, or a dict of strings, in double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": "{text}"' for key, text in value.items()) + "}"
    return f'"{value}"'


def _text(lines: Sequence[str]) -> list[str]:
    """An argument that is a text of one or several lines."""
    if len(lines) == 1:
        return [f'    "{lines[0]}",']
    return ['    """', *(f"    {line}" for line in lines), '    """,']


def _packed(arrays: Mapping[str, np.ndarray]) -> list[str]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(arrays))  # type: ignore[arg-type]
    return wrap(base64.b64encode(buffer.getvalue()).decode(), 120)
