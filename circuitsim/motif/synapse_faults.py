"""Faults of the synapses of a projection: which there are, their initial weights, and their sign."""

from __future__ import annotations

import numpy as np

from circuitsim.motif import connectivity as c
from circuitsim.motif import init as i
from circuitsim.motif.arrays import LARGEST, counted_are, fault_of, first_of
from circuitsim.motif.checks import Faults, is_interval, is_number, is_whole, must, parse_faults
from circuitsim.motif.checks import shape as shape_of
from circuitsim.motif.declarations import Declarations, population_of, projection_of
from circuitsim.motif.neuron_names import matrix_of, name_faults
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Derived, Projection
from circuitsim.motif.synapses import (
    Bounds,
    bounds_of,
    ends_of,
    is_random,
    outside_fault,
    pattern_of,
    probabilities,
    seen_places,
    stray_fault,
)


def synapse_faults(motif: Declarations, p: Projection, sound: set[str]) -> Faults:
    """Yield the faults of a projection's connectivity, tie, initial weights, and sign."""
    yield from _connectivity(motif, p)
    yield from _derived(motif, p, sound)
    yield from list(name_faults(motif, p)) or init_faults(motif, p)
    if _has_sound_weights(motif, p):
        yield from sign_faults(motif, p)


def _connectivity(motif: Declarations, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.connectivity:
        case c.Random(probability=np.ndarray() as array) if array.shape != shape:
            yield f"{owner}: Random probability has shape {array.shape}, needs [post, pre] = {shape}"
        case c.Random(probability=np.ndarray() as array):
            yield from _probabilities(owner, "Random", array)
        case c.Random(probability=one) as random:
            yield from must(f"{owner}: ", random, {"probability": (is_number(one) and 0 < one <= 1, "in (0, 1]")})
        case c.DistanceDependent() as dependence:
            yield from _distances(owner, p, dependence, motif.population(p.post), motif.population(p.pre))
        case c.Local() as fields:
            yield from _local(owner, fields, motif.population(p.post), motif.population(p.pre))
        case c.OneToOne() if shape[0] != shape[1]:
            yield f"{owner}: OneToOne needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case c.Mask() as mask:
            yield from _matrix(owner, mask, shape)
        case c.Edges() as edges:
            yield from _edges(owner, shape, edges)
        case c.ReciprocalOf() as reciprocal:
            yield from _turned(motif, p, reciprocal)


def _matrix(owner: str, value: c.NamedMatrix, shape: tuple[int, int]) -> Faults:
    what, found = type(value).__name__, value.array.shape
    if found[-2:] != shape or len(found) not in (2, 3):
        yield f"{owner}: {what} has shape {found}, needs [post, pre] = {shape}"
    elif fault := fault_of(what, value.array, value.post_names, value.pre_names):
        yield f"{owner}: {fault}"


def _edges(owner: str, shape: tuple[int, int], edges: c.Edges) -> Faults:
    pre, post = edges.pre, edges.post
    yield from must(f"{owner}: Edges ", edges, {"repeated": (edges.repeated in (None, "sum"), "None or 'sum'")})
    if pre.ndim != 1 or pre.shape != post.shape:
        yield f"{owner}: Edges needs pre and post of equal length (got shapes {pre.shape} and {post.shape})"
        return
    sound = True
    for end, index, size in (("pre", pre, shape[1]), ("post", post, shape[0])):
        whole = np.isfinite(index) & (index == np.floor(index))
        wrong = ~(whole & (index >= 0) & (index < size))
        if wrong.any():
            sound, k = False, int(np.argmax(wrong))
            yield (
                f"{owner}: Edges {end} must hold indices of neurons, whole numbers in 0 .. {size - 1}, but "
                f"{counted_are(wrong)} not: the first is {index[k]:g}, of synapse {k}"
            )
    if sound and edges.repeated is None:
        yield from _repeated(owner, edges, shape[1])


def _repeated(owner: str, edges: c.Edges, n_pre: int) -> Faults:
    pairs, times = np.unique(edges.numbers(n_pre), return_counts=True)
    if (times > 1).any():
        post, pre = divmod(int(pairs[times > 1][0]), n_pre)
        n = int(np.count_nonzero(times > 1))
        yield (
            f"{owner}: Edges lists {n} pair{'s' if n > 1 else ''} of neurons more than once, the first is pre {pre} -> "
            f"post {post}, {int(times[times > 1][0])} times; Edges(..., repeated='sum') adds their weights up, and a "
            "second projection keeps them apart"
        )


def _local(owner: str, fields: c.Local, post: Population, pre: Population) -> Faults:
    table = {
        "radius": (is_whole(fields.radius, 0), "a whole number, 0 or more"),
        "stride": (is_whole(fields.stride, 1), "a whole number, 1 or more"),
    }
    wrong = list(must(f"{owner}: Local ", fields, table))
    needs = f"{owner}: Local needs the shape of population"
    wrong += [f"{needs} {end.name!r}, as in Population(..., shape=(28, 28))" for end in (post, pre) if end.grid is None]
    yield from wrong
    if wrong:
        return
    assert post.grid is not None and pre.grid is not None
    if len(post.grid) != len(pre.grid):
        yield (
            f"{owner}: Local needs maps of equal dimension (got post {post.name!r} with {post.shape}, pre {pre.name!r} "
            f"with {pre.shape})"
        )
    elif blind := [k for k, axis in enumerate(seen_places(fields, post, pre)) if not axis.any(axis=1).all()]:
        yield (
            f"{owner}: Local leaves neurons of {post.name!r} without a presynaptic place: {post.grid[blind[0]]} fields "
            f"at stride {fields.stride} and radius {fields.radius} reach beyond the {pre.grid[blind[0]]} places of "
            f"{pre.name!r}; give {post.name!r} a smaller shape, or the fields a smaller stride"
        )


def _distances(owner: str, p: Projection, dependence: c.DistanceDependent, post: Population, pre: Population) -> Faults:
    for end in (post, pre):
        if end.coordinates is None:
            yield f"{owner}: DistanceDependent needs the shape or the positions of population {end.name!r}"
    if post.coordinates is None or pre.coordinates is None:
        return
    n_post, n_pre = post.coordinates.shape[1], pre.coordinates.shape[1]
    if n_post != n_pre:
        yield (
            f"{owner}: DistanceDependent needs positions of equal dimension (got post {post.name!r} with {n_post}, pre "
            f"{pre.name!r} with {n_pre})"
        )
    elif post.size * pre.size > LARGEST:
        yield (
            f"{owner}: DistanceDependent computes {post.size * pre.size:,} distances, but the limit is {LARGEST:,}; "
            "list the synapses with Edges"
        )
    elif wrong := list(parse_faults(probabilities, p, dependence, post, pre)):
        yield from wrong
    else:
        yield from _probabilities(owner, "DistanceDependent", probabilities(p, dependence, post, pre))


def _probabilities(owner: str, what: str, given: np.ndarray) -> Faults:
    wrong = ~((given >= 0) & (given <= 1))
    if wrong.any():
        yield (
            f"{owner}: {what}: probabilities must lie in [0, 1], but {counted_are(wrong)} outside, the first "
            f"{first_of(given, wrong)}; clip(..., 0, 1) limits an expression"
        )


def _turned(motif: Declarations, p: Projection, value: c.ReciprocalOf | i.TransposeOf) -> Faults:
    """Yield the faults of what is taken over from another projection, transposed."""
    owner, name = f"projection {p.name!r}: {type(value).__name__}({value.projection!r})", value.projection
    other = projection_of(motif).get(name)
    is_mask = isinstance(value, c.ReciprocalOf)
    field, what = ("connectivity", "a connectivity") if is_mask else ("init", "initial weights")
    if other is None:
        yield f"{owner} names an unknown projection (known: {', '.join(q.name for q in motif.projections)})"
    elif other.tied_to is not None or isinstance(getattr(other, field), type(value)):
        yield f"{owner}: {name} must have {what} of its own"
    elif {other.pre, other.post} <= set(population_of(motif)) and shape_of(motif, other)[::-1] != shape_of(motif, p):
        turned = shape_of(motif, other)[::-1]
        yield f"{owner}, whose transposed shape [post, pre] is {turned}; needs {shape_of(motif, p)}"


def _derived(motif: Declarations, p: Projection, sound: set[str]) -> Faults:
    if p.tied_to is None:
        return
    owner = f"projection {p.name!r}: tied to {p.tied_to.projection!r}"
    source = projection_of(motif).get(p.tied_to.projection)
    if source is None:
        yield f"{owner}, which is unknown (known: {', '.join(q.name for q in motif.projections)})"
        return
    if isinstance(source.tied_to, Derived):
        yield f"{owner}, which is itself derived; tie both to {source.tied_to.projection!r}"
    if not {source.pre, source.post} <= sound:
        return
    shape = shape_of(motif, source)
    given = shape[::-1] if p.tied_to.transpose else shape
    if given != shape_of(motif, p):
        turned = " transposed" if p.tied_to.transpose else ""
        yield f"{owner}{turned}, whose shape [post, pre] is {given}; needs {shape_of(motif, p)}"
    yield from must(f"{owner}: ", p.tied_to, {"scale": (is_number(p.tied_to.scale), "a finite number")})


def init_faults(motif: Declarations, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.init:
        case i.Gaussian(gain=gain, scaling=scaling, sign=sign) as gaussian:
            table = {
                "gain": (is_number(gain), "a finite number"),
                "scaling": (scaling in ("fan_in", "fan_out"), "'fan_in' or 'fan_out'"),
                "sign": (sign in (None, "positive", "negative"), "None, 'positive' or 'negative'"),
            }
            yield from must(f"{owner}: Gaussian ", gaussian, table)
        case i.Constant(value=value):
            if not is_number(value):
                yield f"{owner}: Constant value must be a finite number (got {value!r})"
            elif fault := outside_fault("Constant lies", _added_up(motif, p, value), _bounds(motif, p)):
                yield f"{owner}: {fault}"
        case i.Uniform(low=low, high=high) if not (is_number(low) and is_number(high) and low < high):
            yield f"{owner}: Uniform needs finite low < high (got {low!r}, {high!r})"
        case i.Identity() if shape[0] != shape[1]:
            yield f"{owner}: Identity needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case i.Identity() if _is_settled(motif, p):
            ends = ends_of(motif, p)
            for weight in (0.0, 1.0) if ends is None else np.unique(ends[0] == ends[1]):
                if fault := outside_fault("Identity lies", weight, _bounds(motif, p)):
                    yield f"{owner}: {fault}"
        case i.Given() as given:
            yield from _given(motif, p, given, shape)
        case i.TransposeOf() as transpose:
            yield from _turned(motif, p, transpose)


def _given(motif: Declarations, p: Projection, given: i.Given, shape: tuple[int, int]) -> Faults:
    owner, edges = f"projection {p.name!r}", p.connectivity
    if given.array.ndim == 1 and isinstance(edges, c.Edges):
        found = [_of_list(motif, p, given.array, edges)]
    elif wrong := list(_matrix(owner, given, shape)):
        yield from wrong
        return
    elif not _is_settled(motif, p):
        return  # the fault is reported where it is declared
    elif is_random(motif, p):
        found = [
            "Given weights belong to known synapses, but these are drawn at random; declare them with Mask, or use "
            "circuit.set_weights(name, weights * circuit.mask(name))"
        ]
    else:
        weights, present = matrix_of(motif, p, given), pattern_of(motif, p)
        n = {len(array) for array in (weights, present) if array is not None and array.ndim == 3}
        if len(n) == 2:
            yield f"{owner}: Given holds {len(weights)} replicas, but its Mask {max(n - {len(weights)})}"
            return
        found = [outside_fault("Given lies", weights, _bounds(motif, p), present)]
        found += [] if present is None else [stray_fault("Given holds weights", weights, present)]
    yield from (f"{owner}: {fault}" for fault in found if fault is not None)


def _is_settled(motif: Declarations, p: Projection) -> bool:
    """Return whether a projection's connectivity, and that of the projection it is reciprocal to, has no fault."""
    if any(_connectivity(motif, p)) or any(name_faults(motif, p)):
        return False
    return not isinstance(p.connectivity, c.ReciprocalOf) or _is_settled(
        motif, motif.projection(p.connectivity.projection)
    )


def _of_list(motif: Declarations, p: Projection, weights: np.ndarray, edges: c.Edges) -> str | None:
    if weights.shape != edges.pre.shape:
        return f"Given has {weights.size} weights, but Edges lists {edges.pre.size} synapses"
    return fault_of("Given", weights) or outside_fault("Given lies", _added_up(motif, p, weights), _bounds(motif, p))


def _added_up(motif: Declarations, p: Projection, weights: np.ndarray | float) -> np.ndarray | float:
    """Return the weights of the listed synapses, with those of one pair added up if the projection does so."""
    edges = p.connectivity
    if not isinstance(edges, c.Edges) or edges.repeated is None or not _is_settled(motif, p):
        return weights
    pairs, pair = np.unique(edges.numbers(shape_of(motif, p)[1]), return_inverse=True)
    return np.bincount(pair, np.broadcast_to(weights, pair.shape), minlength=len(pairs))


def _bounds(motif: Declarations, p: Projection) -> Bounds | None:
    return bounds_of(motif, p) if p.bounds is None or is_interval(p.bounds) else None


def _has_sound_weights(motif: Declarations, p: Projection) -> bool:
    """Return whether bounds, initial weights and tie of a projection, and of what it is tied to, have no fault."""
    if p.bounds is not None and not is_interval(p.bounds):
        return False
    if p.tied_to is None:
        return isinstance(p.init, i.Init | None) and not any(init_faults(motif, p))
    source = projection_of(motif).get(p.tied_to.projection)
    if source is None or source.tied_to is not None or not {source.pre, source.post} <= set(population_of(motif)):
        return False
    return is_number(p.tied_to.scale) and _has_sound_weights(motif, source)


def sign_faults(motif: Declarations, p: Projection) -> Faults:
    """Yield how a projection contradicts the sign of its presynaptic population."""
    sign = motif.population(p.pre).sign
    if sign is None:
        return
    owner = f"projection {p.name!r}: its presynaptic population {p.pre!r} is {sign}"
    low, high = bounds_of(motif, p) or (None, None)
    if low is not None and high is not None and low >= high:
        yield f"{owner}, but its bounds are {p.bounds}"
    match p.init:
        case i.Gaussian(sign="positive" | "negative" as other) if (other == "positive") != (sign == "excitatory"):
            yield f"{owner}, but its weights are Gaussian(..., sign={other!r}); leave out the sign"
        case i.Uniform(low=low, high=high) if low < 0 < high:
            yield f"{owner}, but its weights are of both signs: Uniform({low}, {high}); begin or end it at 0"
    if p.tied_to is not None:
        source = motif.projection(p.tied_to.projection)
        low, high = bounds_of(motif, source) or (None, None)
        ends = (-np.inf if low is None else low) * p.tied_to.scale, (np.inf if high is None else high) * p.tied_to.scale
        if p.tied_to.scale and (min(ends) < 0 if sign == "excitatory" else max(ends) > 0):
            yield (
                f"{owner}, but its weights are tied to {source.name!r}, whose bounds {bounds_of(motif, source)} allow "
                "others"
            )
