"""A plan in words, so that a reader can see what a step will do."""

from __future__ import annotations

from collections.abc import Iterator

from circuitsim.plan.plan import Change, Plan, PopulationPlan, ProjectionPlan
from circuitsim.rules.terms import ONE, SlowTerm


def describe(plan: Plan) -> str:
    """The sweeps, the currents, the products and the changes, a line each."""
    lines = [f"plan of {plan.name!r}", "sweep, in this order"]
    lines += [f"  {p.stream:10} {p.name}[{p.size}]: {_population(plan, p)}" for p in plan.populations.values()]
    currents = [p for p in plan.projections.values() if p.current_read and p.target == "dendrite"]
    if currents:
        lines.append("dendritic currents that rules read")
        lines += [f"  I[{p.name}] = {p.name} trace[{p.pre}]    {_shape(p.shape)}" for p in currents]
    lines.append("batch means, each computed once")
    lines += list(_moments(plan)) or ["  none"]
    lines.append("changes, all from the state before the step")
    for p in plan.plastic():
        lines += _changes(p)
    for p in plan.projections.values():
        lines += [f"  {name} of {p.name} <- {' + '.join(map(_change, s.changes))}" for name, s in p.states.items()]
    return "\n".join(lines)


def _population(plan: Plan, p: PopulationPlan) -> str:
    if p.source == "input":
        return "input" + _remembered(p)
    if p.source == "kept":
        return "keeps what the phase before left"
    objective = next((o for o in plan.objectives if o.error == p.name), None)
    if objective is not None:
        drive = f"-d {objective.loss} / d {objective.output}"
        drive += " of the neighbouring sample" if objective.shuffled else ""
    else:
        drive = " + ".join(map(str, (_gained(plan.projections[name]) for name in p.soma))) or "0"
    text = f"drive = {drive}; activity = {_short(p.activity, p.name)}"
    text += f"; slope = {_short(p.slope, p.name)}" if p.computes_slope else ""
    text += f"; trace = {_short(p.trace, p.name)}" if p.computes_trace else ""
    return text + _remembered(p)


def _gained(p: ProjectionPlan) -> str:
    return f"{p.name} {p.pre}" if p.gain == 1.0 else f"{p.gain:g} {p.name} {p.pre}"


def _remembered(p: PopulationPlan) -> str:
    """Noise and states."""
    noise = f" + noise of s.d. {p.noise:g}" if p.noise else ""
    return noise + "".join(f"; {name} <- {_short(update, p.name)}" for name, update in p.states.items())


def _moments(plan: Plan) -> Iterator[str]:
    for k, m in enumerate(plan.moments):
        users = [
            f"{p.name}{' (transposed)' if c.transposed else ''}"
            for p in plan.plastic()
            for c in p.changes
            if c.moment == k
        ]
        what = f"{m.post} (x) {m.pre}" if m.is_product else f"{m.post if m.pre == ONE else m.pre}"
        kind = "product" if m.is_product and m.layout != "one_to_one" else "mean"
        where = _shape(m.shape) + (" at its synapses" if m.layout == "sparse" else "")
        users += [
            f"state {name} of {p.name}"
            for p in plan.projections.values()
            for name, state in p.states.items()
            if any(c.moment == k for c in state.changes)
        ]
        yield f"  M{k} = E[{what}]    {kind} {where}, for {', '.join(users)}"


def _changes(p: ProjectionPlan) -> list[str]:
    assert p.rule is not None
    lines = [f"  {reduction}" for reduction in p.rule.reductions]
    terms = [_change(c) for c in p.changes] + [str(t) for t in p.rule.terms if isinstance(t, SlowTerm)]
    line = f"  {p.name} += {' + '.join(terms) or '0'}"
    if p.bounds is not None:
        line += f", clipped to {p.bounds}"
    return [*lines, line]


def _change(c: Change) -> str:
    parts = [str(x) for x in (c.coefficient, c.weight) if x != ONE]
    if c.moment is not None:
        parts.append(f"M{c.moment}{'^T' if c.transposed else ''}")
    return "*".join(parts) or "1"


def _short(expression: object, population: str) -> str:
    return str(expression).replace(f"[{population}]", "")


def _shape(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"
