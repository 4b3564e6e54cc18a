"""Write a blueprint as a Python file in plain Brian2, which runs without circuitsim."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from textwrap import wrap

import numpy as np

from circuitsim.export.brian2.spiking.blueprint import DELAY, Blueprint, Neurons, Wires
from circuitsim.export.brian2.spiking.order import LATE

HEAD = '''"""The spiking circuit {name!r}, {time}, in plain Brian2.

Written by circuitsim, which it does not need:

    python {file}            # saves weights, outputs and whatever is recorded

Weights and what is played to the network are in ARRAYS, at the end of this file.
"""

import base64
import io
import sys

import brian2 as b2
import numpy as np
from brian2 import Hz, ms


def main(arrays, target="numpy"):
    if target == "cpp_standalone":
        b2.set_device("cpp_standalone")
    else:
        b2.prefs.codegen.target = target
    b2.seed({seed})
    b2.defaultclock.dt = {dt!r} * ms
{clocks}
    # The arrays that are played to the network; dt is the duration of a row.
'''
WHERE = """
    # The second argument where the first is not 0, else the third. The other one may be anything, even NaN.
    where = b2.Function(lambda c, a, b: np.where(c != 0, a, b), arg_units=[1, 1, 1], return_unit=1)
    where.implementations.add_implementation("cpp", "static inline double where_(double c, double a, double b)"
                                             " { return c != 0 ? a : b; }", name="where_")
    where.implementations.add_implementation("cython", "cdef double where_(double c, double a, double b):\\n"
                                             "    return a if c != 0 else b", name="where_")
"""
TAIL = """

if __name__ == "__main__":
    arrays = dict(np.load(io.BytesIO(base64.b64decode("".join(ARRAYS.split())))))
    results = main(arrays, *sys.argv[1:])
    for name, values in results.items():
        print(name, values.shape, "mean", values.mean())
    np.savez(__file__.removesuffix(".py") + "_results.npz", **results)
"""


def script(b: Blueprint, played: Mapping[str, np.ndarray], seed: int, file: str) -> str:
    """Write the text of the file.

    Args:
        b: the network.
        played: the arrays of `Blueprint.played`.
        seed: the seed of random spikes.
        file: the file's name, for its docstring.
    """
    s = b.spiking
    begins = b.readouts or any(part.at_trial for part in b.parts.values())
    clocks = f"    trial = b2.Clock({b.length_ms!r} * ms)\n" if begins else ""
    clocks += f"    rules = b2.Clock({s.rule_every_ms!r} * ms)\n" if any(w.rule for w in b.wires.values()) else ""
    arrays: dict[str, np.ndarray] = {name: np.asarray(played[name], dtype=float) for name in b.played}
    head = HEAD.format(
        name=b.name, file=file, seed=seed, dt=s.dt_ms, clocks=clocks,
        time=f"{b.length_ms:g} ms" if s.trial is None else f"{b.n_trials} trials of {b.length_ms:g} ms",
    )  # fmt: skip
    lines = [f'    {n} = b2.TimedArray(arrays["{n}"], dt={ms!r} * ms)' for n, (ms, _) in b.played.items()]
    if "where(" in b.code:
        lines += WHERE.strip("\n").split("\n")
    for k, n in enumerate(b.neurons.values()):
        lines += _neurons(n, k, b.method)
    for n in b.neurons.values():
        lines += [f'    {n.name}.{own} = b2.linked_var({g}, "{v}")' for own, (g, v) in n.links.items()]
    for k, w in enumerate(b.wires.values()):
        lines += _wires(w, k, arrays)
    lines += ["", "    # Operations at intervals, and monitors."]
    for k, part in enumerate(b.parts.values()):
        if part.at_trial:
            code = "; ".join(part.at_trial)
            lines.append(f'    {part.name}.run_regularly("{code}", clock=trial, when="start", order={LATE - k})')
    for k, w in enumerate(b.wires.values()):
        if w.rule:
            lines.append(f'    {w.name}.run_regularly("{w.rule}", clock=rules, when="end", order={k})')
    for name in b.readouts:  # an output is read when the next trial begins, and the last one after the run
        lines.append(
            f'    {name}_read = b2.StateMonitor({name}, "F", record=True, clock=trial, when="start", order=0, '
            f'name="{name}_read")'
        )
    for name, event in b.trains:
        lines.append(f'    {name}_{event} = b2.EventMonitor({name}, "{event}", name="{name}_{event}_train")')
    for r in b.records:
        which = list(r.which) if r.which != tuple(range(len(r.which))) else f"np.arange({len(r.which)})"
        lines.append(
            f'    {r.name} = b2.StateMonitor({r.owner}, "{r.variable}", record={which}, dt={r.every_ms!r} * ms, '
            f'when="end", order={LATE}, name="{r.name}")'
        )
    lines += [f"    b2.run({b.n_trials} * {b.length_ms!r} * ms)", "    return {"]
    for name in b.readouts:
        lines.append(f'        "output_{name}": np.column_stack([{name}_read.F[:, 1:], {name}.F]).T,')
    lines += [f'        "w_{w.name}": np.array({w.name}.w),' for w in b.wires.values() if w.learns]
    for name, event in b.trains:
        lines.append(f'        "{event}_{name}": np.stack([{name}_{event}.t / ms, {name}_{event}.i]),')
    lines += [f'        "{r.name}": np.array({r.name}.{r.variable}).T,' for r in b.records]
    lines += ["    }", "", "", 'ARRAYS = """', *_packed(arrays), '"""']
    return head + "\n".join(lines) + "\n" + TAIL


def _neurons(n: Neurons, order: int, method: str) -> list[str]:
    options = []
    for s in n.spikes:
        if s.event == "spike":
            options.append(f'threshold="{s.condition}", reset="{n.on(s)}"' if n.on(s) else f'threshold="{s.condition}"')
    others = [s for s in n.spikes if s.event != "spike"]
    if others:
        options.append("events={" + ", ".join(f'"{s.event}": "{s.condition}"' for s in others) + "}")
    if n.refractory_ms:
        options.append(f"refractory={n.refractory_ms!r} * ms")
    options.append(f'method="{method}", order={order}, name="{n.name}"')
    equations = "\n           ".join(n.equations)
    lines = ["", f"    {n.name} = b2.NeuronGroup(", f"        {n.size},", f'        """{equations}""",']
    lines += [f"        {option}," for option in options] + ["    )"]
    for s in others:
        lines.append(f'    {n.name}.set_event_schedule("{s.event}", when="thresholds", order={order})')
        if n.on(s):
            lines.append(f'    {n.name}.run_on_event("{s.event}", "{n.on(s)}", when="resets", order={order})')
    return lines + [f"    {n.name}.{name} = {value!r}" for name, value in n.rest.items() if value]


def _wires(w: Wires, order: int, arrays: dict[str, np.ndarray]) -> list[str]:
    """The code of synapses. Their arrays are added to `arrays`."""
    arrays |= {f"{w.name}_i": w.i.astype(np.int32), f"{w.name}_j": w.j.astype(np.int32)}
    options = [f"{w.pre}, {w.post}, {_quoted(w.equations)}"]
    if w.on_spike:
        options.append("on_pre={" + ", ".join(f'"{e}": "{code}"' for e, code in w.on_spike.items()) + "}")
    if w.on_post:
        options.append(f'on_post={{"post": "{w.on_post}"}}')
    if w.on_spike or w.on_post:
        events = {event: event for event in w.on_spike} | ({"post": "spike"} if w.on_post else {})
        options.append("on_event={" + ", ".join(f'"{path}": "{event}"' for path, event in events.items()) + "}")
    if w.decays:
        options.append('method="exact"')
    options.append(f'order={order}, name="{w.name}"')
    lines = ["", f"    {w.name} = b2.Synapses(", *(f"        {option}," for option in options), "    )"]
    lines.append(f'    {w.name}.connect(i=arrays["{w.name}_i"], j=arrays["{w.name}_j"])')
    for name, value in {**w.variables, **w.parameters}.items():
        if np.ndim(value):
            arrays[f"{w.name}_{name}"] = np.asarray(value, dtype=float)
        given = f'arrays["{w.name}_{name}"]' if np.ndim(value) else repr(float(value))
        lines.append(f"    {w.name}.{name} = {given}")
    if w.delays_ms is not None:
        arrays[f"{w.name}_delay"] = w.delays_ms
        lines += [f'    {w.name}.{DELAY} = arrays["{w.name}_delay"]'] if w.reads_delay else []
        lines += [f'    {w.name}.{event}.delay = arrays["{w.name}_delay"] * ms' for event in w.on_spike]
    for k, target in enumerate(w.sums):
        lines.append(f'    {w.name}.summed_updaters["{target}"].order = {LATE + order + k}')
    return lines


def _quoted(text: str) -> str:
    return f'"""{text}"""' if "\n" in text else f'"{text}"'


def _packed(arrays: Mapping[str, np.ndarray]) -> list[str]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(arrays))  # type: ignore[arg-type]
    return wrap(base64.b64encode(buffer.getvalue()).decode(), 120)
