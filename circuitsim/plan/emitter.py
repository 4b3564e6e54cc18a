"""Translate plans into a program, without regard to speed, which is left to the passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from circuitsim.motif import Objective
from circuitsim.motif.expressions import PREVIOUS
from circuitsim.motif.phase import TIME
from circuitsim.plan.circuitry import Circuitry
from circuitsim.plan.instructions import Body, Instruction, Matrix, Neurons, Operand, Region, Register
from circuitsim.plan.plan import ONCE, Plan, PopulationPlan, ProjectionPlan, Times
from circuitsim.plan.program import Given, Program
from circuitsim.plan.quantities import POST, PRE, at_time, current, end_of, iteration_name, neuron, of, signal, synapse
from circuitsim.plan.writer import EVERYTHING, Writer
from circuitsim.rules import Axis, Reduction, SlowTerm, Sum, Term
from circuitsim.rules.functions import COMPARISONS
from circuitsim.rules.terms import ONE


def emit(plans: Sequence[Plan], circuitry: Circuitry, changes: str = "apply", times: Times = ONCE) -> Program:
    """Emit the program of a step.

    Args:
        plans: one for each phase.
        circuitry: the parts of the motif, from `circuitry_of`.
        changes: "apply" applies the rules; "measure" computes each change without the terms that do not depend on
            activity, as ``V1:change``, and applies nothing; "none" runs the cycle alone; "predict" runs the cycle
            without noise.
        times: the time steps of sequences, on which the number of iterations of some phases depends.
    Returns:
        The program, before any pass.
    Example:
        >>> import circuitsim as cs
        >>> from circuitsim.plan import build_plans, circuitry_of, emit
        >>> motif = cs.Motif("hebb")
        >>> x, y = motif.add(cs.Population("x", 4), cs.Population("y", 2))
        >>> W = motif.connect(x, y, name="W", rule=cs.Rule("eta * post * pre", eta=0.1))
        >>> plans = build_plans(motif)
        >>> print(emit(plans, circuitry_of(motif, plans)))
        program of 'hebb'
          input x.activity    [batch x 4]
        phase 'cycle'
          y.activity = y.drive = I_W = W:w @ x.activity    [batch x 2]
          W:w += W:eta * E[y.activity (x) x.activity]
    """
    return _Emitter(plans, circuitry, changes, times).program()


class _Emitter(Writer):
    """Emits the instructions of all phases, one after the other.

    Attributes:
        now: the register that holds each quantity at this point of the step.
    """

    def __init__(self, plans: Sequence[Plan], circuitry: Circuitry, changes: str, times: Times) -> None:
        super().__init__()
        self.plans, self.circuitry, self.changes, self.times = plans, circuitry, changes, times
        self.states = {name: self.register(name, space) for name, space in circuitry.states.items()}
        self.now: dict[str, Register] = dict(self.states)
        self.parameters: dict[str, Register] = {}
        self.inputs: dict[str, Register] = {}
        self.targets: dict[str, Register] = {}
        self.classes: set[str] = set()
        self.losses: dict[str, Register] = {}
        self.loss_at: dict[tuple[str, str], list[Operand]] = {}  # by phase and error, at each time step of its target
        self.judged: dict[str, Operand] = {}
        self.recorded: dict[str, Register] = {}
        self.changing: list[Instruction] = []
        self.changed: dict[str, Register] = {}
        self.deferred: dict[str, tuple[ProjectionPlan, list[Operand], list[Operand]]] = {}
        self.earlier: list[dict[str, Register]] = []  # `now` at the beginning of each iteration
        self.iteration, self.is_last = 0, False

    def program(self) -> Program:
        iterations = [(plan, k) for plan in self.plans for k in range(plan.n_iterations(self.times))]
        regions: list[Region] = []
        loss = None
        for plan, self.iteration in iterations:
            self.lines, self.changing = [], []
            self.is_last = self.iteration + 1 == plan.n_iterations(self.times)
            self.earlier.append(dict(self.now))
            self.phase(plan)
            if len(regions) + 1 == len(iterations):
                self.write_deferred()
                loss = self.fold("add", [*self.judged.values()]) if self.judged else None
                readable = self.readable() | {k: self.now[k] for k in self.circuitry.sampled if k in self.now}
            regions.append(Region(plan.phase, (*self.lines, *self.changing), self.iteration))
        assert loss is None or isinstance(loss, Register)
        given = Given(self.inputs, self.targets, frozenset(self.classes))
        return Program(
            self.circuitry.name, given, self.parameters, self.states, tuple(regions), readable | self.recorded,
            losses=self.losses, loss=loss, times=self.times,
        )  # fmt: skip

    def phase(self, plan: Plan) -> None:
        """Emit one iteration: the sweep, then dendritic currents, the loss and the rules."""
        for p in plan.populations.values():
            self.population(plan, p)
        for q in plan.projections.values():
            if q.compartment == "dendrite":  # with a delay if it drives the soma in other phases
                self.deliver(q, plan.populations[q.pre].seen)
        if plan.objectives:
            self.loss(plan)
        if self.changes == "predict" and plan.repeat == TIME:
            self.recorded |= {
                neuron("activity", at_time(p, self.iteration)).name: self.quantity(neuron("activity", p))
                for p in self.circuitry.sizes
            }
        learns = self.changes not in ("none", "predict")
        changes = learns and (plan.apply == "iteration" or self.is_last)
        self.read_signals(plan, learns, changes)
        self.sampled_states(plan, learns)
        if not changes:
            return
        self.changed = {}
        for q in plan.projections.values():
            _Rules(self, plan, q).write_changes()
        if self.changes != "measure":
            for p in plan.populations.values():
                self.neuron_states(p)
        self.now |= self.changed

    def read_signals(self, plan: Plan, learns: bool, changes: bool) -> None:
        """Emit the signals that are read: by states per sample in each iteration, by rules and states where they
        change."""
        read: set[sympy.Symbol] = set()
        for p in plan.populations.values():
            updates = [*p.sampled.values(), *(p.states.values() if changes else ())]
            read |= set().union(*(update.free_symbols for update in updates))
        for q in plan.projections.values():
            rules = [*(q.sampled.values() if learns else ()), *((q.rule, *q.states.values()) if changes else ())]
            read |= set().union(*(rule.symbols for rule in rules if rule is not None))
        names = [name for name in (*plan.signals, *plan.computed) if signal(name) in read]
        seen = self.readable() if set(names) & set(plan.signals) else {}
        for name in names:
            key = signal(name).name
            if name not in plan.computed:
                options = name, tuple(seen)
                self.now[key] = self.write("signal", seen.values(), EVERYTHING, batch=True, options=options, name=key)
                continue
            value = self.expression(plan.computed[name], self.quantity)
            if isinstance(value, Register) and not value.is_scalar:
                self.now[key] = self.renamed(value, key)
            else:
                self.now[key] = self.write("fill", (value,), EVERYTHING, name=key)

    def readable(self) -> dict[str, Register]:
        """What can be read of the cycle at this point: all activities and drives, and the currents computed so far."""
        names = [neuron(kind, p) for p in self.circuitry.sizes for kind in ("activity", "drive")]
        found = {symbol.name: self.quantity(symbol) for symbol in names}
        return found | {name: r for name, r in self.now.items() if name.startswith("I_")}

    # -- registers of quantities

    def quantity(self, symbol: sympy.Symbol, delay: int = 0) -> Register:
        """The register of a quantity, which is as at the beginning of the step if nothing has driven it yet; with a
        delay, as the iteration so long ago left it, which is 0 before the first of a step."""
        name = of(symbol)
        if delay:
            found = self.earlier[-delay].get(name) if delay <= len(self.earlier) else None
            return self.start(name) if found is None else found
        if name not in self.now:
            self.now[name] = self.renamed(self.start(name), name)
        return self.now[name]

    def start(self, name: str) -> Register:
        """The value of a quantity of neurons at the beginning of a step: 0, or that of a state per sample."""
        size = self.circuitry.sizes[name.partition(".")[0]]
        return self.write("fill", (self.circuitry.sampled.get(name, 0.0),), Neurons(size), batch=True)

    def define(self, p: PopulationPlan, kind: str, value: Operand) -> Register:
        """Bind a value to the name of a quantity, as one number per sample and neuron."""
        name = neuron(kind, p.name).name
        self.now[name] = self.renamed(self.spread(value, Neurons(p.size), name), name)
        return self.now[name]

    # -- states per sample

    def sampled_states(self, plan: Plan, learns: bool) -> None:
        """Emit their updates, which are computed from the values before, then made together."""
        found: dict[str, Register] = {}
        for p in plan.populations.values():
            for name, update in p.sampled.items():
                key = neuron(name, p.name).name
                found[key] = self.renamed(self.spread(self.of_neurons(p, update), Neurons(p.size), key), key)
        for q in plan.projections.values() if learns else ():  # no activity reads those of synapses
            rules = _Rules(self, plan, q)
            found |= {synapse(name, q.name).name: rules.sampled_state(name, u) for name, u in q.sampled.items()}
        self.now |= found

    # -- the cycle

    def population(self, plan: Plan, p: PopulationPlan) -> None:
        if p.source == "kept":
            return
        self.drive(plan, p)
        if (previous := neuron(PREVIOUS, p.name)) in p.activity.free_symbols:
            self.now[previous.name] = self.quantity(neuron("activity", p.name))
        value = self.of_neurons(p, p.activity)
        if p.noise and self.changes != "predict":
            quiet, name = self.define(p, "activity", value), neuron("activity", p.name).name
            options = p.name, iteration_name(plan.phase, self.iteration), p.noise
            value = self.write("noise", (quiet,), quiet.space, batch=True, options=options, name=name)
        self.define(p, "activity", value)
        if p.computes_slope:
            self.define(p, "slope", self.of_neurons(p, p.slope))
        if p.computes_trace:
            self.define(p, "trace", self.of_neurons(p, p.trace))

    def of_neurons(self, p: PopulationPlan, e: sympy.Expr) -> Operand:
        return self.expression(e, self.quantity, Neurons(p.size))

    def drive(self, plan: Plan, p: PopulationPlan) -> None:
        match p.source:
            case "input":
                key = at_time(p.name, self.iteration) if p.name in self.times.inputs else p.name
                if key not in self.inputs:
                    self.inputs[key] = self.register(f"{key}.input", Neurons(p.size), batch=True)
                value: Operand = self.inputs[key]
            case "target":
                assert p.target is not None
                value = self.target(p.target)
                if p.target.loss == "cross_entropy":
                    value = self.write("one_hot", (value,), Neurons(p.size), batch=True)
            case "error":
                value = self.error(next(o for o in plan.objectives if o.error == p.name))
            case "soma":
                currents = []
                for name in p.soma:
                    q = plan.projections[name]
                    delivered = self.deliver(q, neuron("activity", q.pre))
                    currents.append(delivered if q.gain == 1.0 else self.elementwise("multiply", q.gain, delivered))
                value = self.fold("add", currents)
            case _:
                value = 0.0
        self.define(p, "drive", value)

    def deliver(self, q: ProjectionPlan, seen: sympy.Symbol) -> Register:
        pre, name = self.quantity(seen, q.delay), current(q.name).name
        self.now[name] = self.write(
            "current", (self.weights(q), pre), Neurons(q.shape[0]), batch=True, options=(q.synapses,), name=name
        )
        return self.now[name]

    def weights(self, q: ProjectionPlan) -> Register:
        """A projection's own weights, or those derived from the projection that it is tied to."""
        tie, name = q.derived, synapse("w", q.name).name
        if tie is None:
            return self.now[name]
        values = self.now[synapse("w", tie.projection).name]
        if tie.transpose:
            values = self.write("turn", (values,), q.synapses, options=(q.synapses,))
        if tie.sign:
            values = self.elementwise("sign", values)
        return values if tie.scale == 1.0 else self.elementwise("multiply", tie.scale, values)

    # -- objectives

    def prepared(self, o: Objective) -> Register:
        """The output in the form that both the objective's loss and its error read."""
        output = self.quantity(neuron("activity", o.output))
        if o.loss != "cross_entropy":
            return output
        return self.write("log_softmax", (output,), output.space, batch=True)

    def target(self, o: Objective) -> Register:
        key = at_time(o.output, self.iteration) if o.output in self.times.targets else o.output
        if key not in self.targets:
            classes = o.loss == "cross_entropy"
            size = 1 if classes else self.circuitry.sizes[o.output]
            self.targets[key] = self.register(f"{key}.target", Neurons(size), batch=True)
            self.classes |= {key} if classes else set()
        return self.targets[key]

    def error(self, o: Objective) -> Register:
        """Emit minus the gradient of each sample's loss."""
        space = Neurons(self.circuitry.sizes[o.output])
        found = self.write("error", (self.prepared(o), self.target(o)), space, batch=True, options=(o.loss,))
        return self.write("shift", (found,), space, batch=True) if o.shuffled else found

    def loss(self, plan: Plan) -> None:
        """Emit the batch mean of the loss: over the time steps of the target, or else in the last iteration."""
        found: list[Operand] = []
        for o in plan.objectives:
            is_judged, is_timed = self.circuitry.judged.get(o.error) == plan.phase, o.output in self.times.targets
            if not (is_timed or self.is_last):
                continue
            name, output = f"{o.output}.loss", self.quantity(neuron("activity", o.output))
            value: Operand = self.write("loss", (self.prepared(o), self.target(o)), EVERYTHING, False, (o.loss,), name)
            if is_judged:
                self.recorded[f"{o.output}.judged"] = output
            if is_timed:
                self.recorded |= {f"{at_time(o.output, self.iteration)}.judged": output} if is_judged else {}
                each = self.loss_at.setdefault((plan.phase, o.error), [])
                each.append(value)
                value = self.elementwise("multiply", 1 / len(each), self.fold("add", each)) if self.is_last else value
            found.append(value)
            if is_judged:
                self.judged[o.error] = value
        if not self.is_last:
            return
        total = self.fold("add", found)
        assert isinstance(total, Register)
        self.losses[plan.phase] = total

    # -- changes

    def defer(self, q: ProjectionPlan, decay: Operand, pairs: Sequence[Operand]) -> None:
        """Keep the terms of a change for the end of the step."""
        changing = {self.now[name] for name in self.states}  # and views of them: a term needs a copy
        changing |= {i.out for i in self.lines if i.op in ("at_post", "at_pre", "turn")}
        kept = [self.write("copy", (v,), v.space) if isinstance(v, Register) and v in changing else v for v in pairs]
        _, decays, terms = self.deferred.setdefault(q.name, (q, [], []))
        decays += [decay] if decay != 0.0 else []
        terms += kept

    def write_deferred(self) -> None:
        """Emit the changes of weights that phases have left for the end of the step."""
        for q, decays, pairs in self.deferred.values():
            if self.changes == "measure":
                name = f"{q.name}:change"
                self.recorded[name] = self.write("combination", pairs, q.synapses, options=(q.synapses,), name=name)
            else:
                self.change(q, self.fold("add", decays) if decays else 0.0, pairs)

    def change(self, q: ProjectionPlan, decay: Operand, pairs: Sequence[Operand]) -> None:
        self.set("change", synapse("w", q.name).name, (decay, *pairs), (q.synapses, q.bounds))

    def set(self, op: str, key: str, args: tuple[Operand, ...], options: tuple[Any, ...] = ()) -> None:
        """Change weights or a state at the end of the region."""
        old = self.now[key]
        self.changed[key] = self.register(key + "'", old.space)
        self.changing.append(Instruction(op, self.changed[key], (old, *args), options))

    def neuron_states(self, p: PopulationPlan) -> None:
        """Set each state of the neurons to the batch mean of its update."""
        for name, update in p.states.items():
            value = self.of_neurons(p, update)
            if isinstance(value, Register) and value.batch:
                value = self.write("batch_mean", (value,), value.space)
            self.assign(neuron(name, p.name).name, value)

    def assign(self, key: str, value: Operand) -> None:
        if isinstance(value, Register) and value in self.now.values():  # another state, or a quantity read later
            value = self.write("copy", (value,), value.space)
        self.set("assign", key, (value,))


class _Rules:
    """Emits the changes of one projection's weights and synaptic states in one phase."""

    def __init__(self, emitter: _Emitter, plan: Plan, q: ProjectionPlan) -> None:
        self.emitter, self.plan, self.q = emitter, plan, q

    def write_changes(self) -> None:
        q, emitter = self.q, self.emitter
        measured = emitter.changes == "measure"
        if q.rule is not None:
            decays = [t.coefficient for t in q.rule.terms if isinstance(t, Term) and is_decay(t, q)]
            decay = 0.0 if measured else emitter.expression(-sympy.Add(*decays), self.number)
            flat = self.terms(q.rule, without_decay=True, data_only=measured)
            if measured or self.plan.apply == "step":
                emitter.defer(q, decay, flat)
            else:
                emitter.change(q, decay, flat)
        for name, update in q.states.items() if not measured else ():
            value = emitter.write("combination", self.terms(update), q.synapses, options=(q.synapses,))
            emitter.assign(synapse(name, q.name).name, value)

    def sampled_state(self, name: str, update: Sum) -> Register:
        self.reduce(update)
        (term,) = update.terms
        options, key = (self.q.synapses, self.body(term.expressions[0])), synapse(name, self.q.name).name
        return self.emitter.write("sample_values", (), self.q.synapses, batch=True, options=options, name=key)

    # -- terms

    def reduce(self, rule: Sum) -> None:
        self.axes, self.sums = rule.axes, dict[sympy.Symbol, Operand]()
        for r in rule.reductions:
            self.sums[r.symbol] = self.reduction(r)

    def terms(self, rule: Sum, without_decay: bool = False, data_only: bool = False) -> list[Operand]:
        """The terms of a rule, each as a scalar (which may differ between replicas) and what it multiplies."""
        self.reduce(rule)
        terms = [t for t in rule.terms if t.has_data or not data_only]
        return [part for t in terms if not (without_decay and is_decay(t, self.q)) for part in self.term(t)]

    def term(self, term: Term | SlowTerm) -> tuple[Operand, Operand]:
        if isinstance(term, SlowTerm):
            body = self.body(term.expression)
            return 1.0, self.emitter.write("sample_mean", (), self.q.synapses, options=(self.q.synapses, body))
        gates = [f for f in sympy.Mul.make_args(term.coefficient) if isinstance(f, COMPARISONS)]
        scale = self.emitter.expression(term.coefficient / sympy.Mul(*gates), self.number)
        weights = [f for f in sympy.Mul.make_args(term.weight) if f != ONE]
        data = [self.mean_of(term)] if term.has_data else []
        if not (gates or weights or data):
            return scale, 1.0
        value = self.emitter.product([*weights, *gates], self.at_synapse, *data)
        if isinstance(value, Register) and value.is_scalar:
            return self.emitter.fold("multiply", (scale, value)), 1.0
        return scale, value

    def mean_of(self, term: Term) -> Operand:
        """``E[post pre]`` over the batch, at each synapse."""
        post = self.vector(term.post)
        pre = self.vector(term.pre)
        if post is None or pre is None:
            vector, end = (pre, PRE) if post is None else (post, POST)
            assert vector is not None
            return self.place(self.batch_mean(vector), end)
        if post.space == EVERYTHING and self.q.shape[0] != 1:  # a signal, which has no postsynaptic neurons
            return self.place(self.batch_mean(self.emitter.elementwise("multiply", post, pre)), PRE)
        if pre.space == EVERYTHING and self.q.shape[1] != 1:
            return self.place(self.batch_mean(self.emitter.elementwise("multiply", post, pre)), POST)
        if not (post.batch and pre.batch):
            ends = self.place(self.batch_mean(post), POST), self.place(self.batch_mean(pre), PRE)
            return self.emitter.elementwise("multiply", *ends)
        # dense projections share a space, so that a mean can serve two that run in opposite directions
        where = Matrix(self.q.shape) if self.q.layout == "dense" else self.q.synapses.shared
        return self.emitter.write("outer", (post, pre), where, options=(where,))

    def vector(self, e: sympy.Expr) -> Register | None:
        """The factor of a term that belongs to one end of the synapse, or None if it is 1."""
        if e == ONE:
            return None
        value = self.emitter.expression(e, self.of_neuron)
        assert isinstance(value, Register)
        return value

    def batch_mean(self, vector: Register) -> Register:
        return self.emitter.write("batch_mean", (vector,), vector.space) if vector.batch else vector

    def reduction(self, r: Reduction) -> Operand:
        """A sum or maximum over synapses, with one number for each neuron of one end; or a mean, a single number."""
        if r.kind == "mean":
            (body,) = r.body
            assert isinstance(body, Term)
            return self.emitter.mean(body.post * body.pre, self.of_neuron)
        terms = [self.summed(r.kind, t) for t in r.body]
        return self.emitter.fold("add", terms)

    def summed(self, kind: str, term: Term | SlowTerm) -> Operand:
        """``coefficient_r a_i sum_j v_ij b_j``, as a single matrix product if there is a vector ``b_j``."""
        into = kind.endswith("in")
        space = Neurons(self.q.shape[0 if into else 1])
        options = (self.q.synapses, kind)
        if isinstance(term, SlowTerm):
            body = self.body(term.expression)
            return self.emitter.write("sample_reduce", (), space, batch=True, options=(*options, body))
        across, along = (term.pre, term.post) if into else (term.post, term.pre)
        values = self.emitter.expression(term.weight, self.at_synapse)
        vector = self.vector(across)
        if vector is None or vector.space == EVERYTHING:  # a factor shared by all synapses is taken out of the sum
            found: Operand = self.emitter.write("reduce", (values,), space, options=options)
            found = found if vector is None else self.emitter.elementwise("multiply", found, vector)
        else:
            present = self.emitter.write("present", (values,), self.q.synapses, options=(self.q.synapses,))
            op = "current" if into else "back_current"
            found = self.emitter.write(op, (present, vector), space, vector.batch, options=(self.q.synapses,))
        outside = [f for e in (term.coefficient, along) for f in sympy.Mul.make_args(e) if f != ONE]
        return self.emitter.product(outside, self.of_neuron, found)

    # -- reading names

    def number(self, symbol: sympy.Symbol) -> Operand:
        name = of(symbol)
        if name not in self.emitter.parameters:
            self.emitter.parameters[name] = self.emitter.register(name, self.emitter.circuitry.parameters[name])
        return self.emitter.parameters[name]

    def of_neuron(self, symbol: sympy.Symbol) -> Operand:
        """The value of a symbol per neuron of its end, not yet expanded to synapses."""
        if symbol in self.sums:
            return self.sums[symbol]
        if end_of(symbol):
            name = of(symbol)
            if self.q.delay and end_of(symbol) == PRE and name not in self.emitter.states:
                return self.emitter.quantity(symbol, self.q.delay)
            return self.emitter.now[name] if name.startswith("I_") else self.emitter.quantity(symbol)
        emitter, name = self.emitter, symbol.name  # a state per sample is a number until its first update
        found = emitter.now.get(name, emitter.circuitry.sampled.get(name))
        return self.number(symbol) if found is None else found

    def at_synapse(self, symbol: sympy.Symbol) -> Operand:
        """The value of a symbol at each synapse; it does not depend on the sample."""
        value = self.of_neuron(symbol)
        end = self.end(symbol)
        return self.place(value, end) if end and isinstance(value, Register) else value

    def end(self, symbol: sympy.Symbol) -> str:
        """The end of the synapse to which a quantity belongs, or "" if it belongs to none or to both."""
        return {Axis.POST: POST, Axis.PRE: PRE}.get(self.axes[symbol] & Axis.SYNAPSE, "")

    def place(self, vector: Register, end: str) -> Register:
        """Expand a vector over neurons to the synapses."""
        if vector.space == EVERYTHING:
            return vector
        return self.emitter.write(f"at_{end}", (vector,), self.q.synapses, options=(self.q.synapses,))

    def body(self, e: sympy.Expr) -> Body:
        """An expression that is evaluated sample by sample."""
        writer = Writer(self.emitter.names)

        def leaf(symbol: sympy.Symbol) -> Operand:
            value = self.of_neuron(symbol)
            if not isinstance(value, Register) or not isinstance(value.space, Neurons):
                return value
            if value.space == EVERYTHING:
                return writer.write("at_sample", (value,), EVERYTHING, options=(self.q.synapses,))
            return writer.write(f"at_{self.end(symbol)}", (value,), self.q.synapses, options=(self.q.synapses,))

        result = writer.expression(e, leaf)
        return Body(tuple(writer.lines), result)


def is_decay(term: Term | SlowTerm, q: ProjectionPlan) -> bool:
    """Whether a term is a multiple of the weight, the same for all synapses."""
    return isinstance(term, Term) and not term.has_data and term.weight == synapse("w", q.name)
