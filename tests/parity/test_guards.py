"""Any motif, any run: whatever can be declared, given and done between steps, against the oracle.

120 motifs by default; 20,000 behind the slow marker. These can be run in parts: ``GUARD_CHUNKS=10`` makes ten tests of
2,000 motifs each, and ``GUARD_SECONDS=600`` stops every one of them after ten minutes; each prints how many it did.
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import Phase, given, seed, settings

import circuitsim as cs
from circuitsim.plan.passes import rematerialization
from tests.oracle.wiring import predicted_in
from tests.parity.lockstep import Opinions, Start, apply, dense, difference, numbers_of
from tests.strategies import rich_motifs, runs, timed_motifs, timed_runs
from tests.strategies.runs import Step

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of slow rules, and of states that signals multiply

REPLICAS = 2
CHUNKS = int(os.environ.get("GUARD_CHUNKS", "1"))
SECONDS = float(os.environ.get("GUARD_SECONDS", "inf"))
GENERATE = [Phase.explicit, Phase.generate]


class Precision(NamedTuple):
    """What is asked of a circuit in one type of numbers.

    Args:
        dtype: the type.
        tolerance: relative to the largest number of an array.
        nudge: relative error of weights and products, of a few thousand roundings in float64, of one in float32.
        most: how far a nudge may move a number of a run that can be compared, relative to the largest of its array.
    """

    dtype: type
    tolerance: float
    nudge: float
    most: float


FLOAT64 = Precision(np.float64, 1e-9, 1e-12, 1e-6)
FLOAT32 = Precision(np.float32, 1e-3, 1e-7, 1e-3)


class UndecidedError(Exception):
    """Rounding decides: ``signal == 0`` of a signal that is 0 but for rounding, or weights that run away."""


class Sensitivity:
    """How far the numbers of a run move when its weights and products do; made when it is asked for."""

    N_NUDGES = 4

    def __init__(self, start: Start, steps: list[Step], precision: Precision) -> None:
        self.start, self.steps, self.nudge = start, steps, precision.nudge
        self.moved: list[dict[str, float]] = []

    @functools.cached_property
    def opinions(self) -> list[Opinions]:
        """One as the run was, and some whose weights and products are a little off."""
        return [Opinions(self.start), *(Opinions(self.start, self.nudge, seed) for seed in range(self.N_NUDGES))]

    def of(self, step: int, key: str) -> float:
        """The largest move of a number up to a step; at least the nudge itself."""
        while len(self.moved) <= step:
            given = self.steps[len(self.moved)]
            for operation in given.operations:
                for opinions in self.opinions:
                    opinions.operate(operation)
            one, *others = (opinions.numbers(opinions.step(given)) for opinions in self.opinions)
            self.moved.append({name: max(difference(other[name], one[name]) for other in others) for name in one})
        return max(self.nudge, *(moved.get(key, 0.0) for moved in self.moved[: step + 1]))


def check(data: st.DataObject, motifs: Any = rich_motifs, runs: Any = runs) -> None:
    """One motif and one run of it, every other one as if its buffers were large."""
    with mock.patch.object(rematerialization, "LARGE", 0 if data.draw(st.booleans()) else rematerialization.LARGE):
        check_run(data, motifs, runs)


def check_run(data: st.DataObject, motifs: Any, runs: Any) -> None:
    """In float64, now and then in float32 beside it."""
    motif = data.draw(motifs(REPLICAS))
    steps = data.draw(runs(motif, REPLICAS))
    options = {"replicas": REPLICAS, "seed": data.draw(st.integers(0, 99)), "device": "cpu"}
    options["record_changes"] = data.draw(st.booleans())
    circuit = cs.compile(motif, dtype="float64", **options)
    coarse = cs.compile(motif, dtype="float32", **options) if data.draw(st.integers(0, 7)) == 7 else None
    beside = {FLOAT64: circuit} | ({FLOAT32: coarse} if coarse else {})
    asked = data.draw(st.sampled_from([p.name for p in motif.populations])) if data.draw(st.booleans()) else None
    names = [value.name for value in (*motif.populations, *motif.projections)]
    everything = data.draw(st.booleans())
    options_of_step = {"keep": names} if everything else {}
    start = Start(circuit)
    opinions = Opinions(start)
    sensitivity = {precision: Sensitivity(start, steps, precision) for precision in beside}
    for k, step in enumerate(steps):
        for operation in step.operations:
            arguments = opinions.operate(operation)
            for each in beside.values():
                apply(each, operation, arguments)
        if FLOAT64 in beside and asked is not None and k in (0, len(steps) - 1):
            assert_predicts(circuit, opinions, step, asked)
        results = opinions.step(step)
        if not opinions.are_bounded:
            return
        expected = opinions.numbers(results)
        for precision, each in list(beside.items()):
            each.eta_scale = step.eta_scale
            x, target, signals = step.given(precision.dtype)
            told = each.step(x, target, signals, **options_of_step)
            assert set(told.losses) == set(results[0].losses) and (told.loss is None) == (not told.losses)
            got = numbers_of(each, told, expected, opinions, everything)
            close = functools.partial(assert_close, precision, sensitivity[precision], k)
            try:
                for key, value in got.items():
                    close(key, value, expected[key])
                for name, change, value in changes_of(each, results) if options["record_changes"] else ():
                    w = got[f"weights {name}"]
                    close(
                        f"weights {name}, change",
                        change,
                        value,
                        rounding=2 * float(np.spacing(np.abs(w).max(initial=0.0))),
                    )
            except UndecidedError:
                del beside[precision]


def assert_close(
    precision: Precision, sensitivity: Sensitivity, step: int, what: str, got: np.ndarray, expected: np.ndarray,
    rounding: float = 0.0,
) -> None:  # fmt: skip
    """Finite first, then equal relative to the largest number; in an ill-conditioned run, as nearly as can be had.

    Args:
        rounding: what the numbers may be off by because they are the difference of larger ones.
    Raises:
        UndecidedError: a nudge moves the number too far to compare it.
    """
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert np.isfinite(expected).all(), f"{what}: the oracle is not finite"
    found = difference(got, expected)
    if found <= precision.tolerance or np.abs(got - expected).max(initial=0.0) <= rounding:
        return
    moved = sensitivity.of(step, what.partition(",")[0])
    if moved > precision.most:
        raise UndecidedError
    allowed = max(precision.tolerance, moved if precision is FLOAT64 else 10 * moved)
    assert found <= allowed, (
        f"{what}, step {step}, {precision.dtype.__name__}: differs by {found:.1e} of its largest number, "
        f"where a nudge of {precision.nudge:g} moves it by {moved:.1e}"
    )


def changes_of(circuit: cs.Circuit, results: Any) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What the last step changed, and the opinion on it; what did not change says so. (Bounds are another matter.)"""
    for p in circuit.motif.projections:
        if p.name not in results[0].change:
            with pytest.raises(cs.ParameterError):
                circuit.last_change(p.name)
        elif p.bounds is None:
            yield p.name, dense(circuit.last_change(p.name)), np.stack([result.change[p.name] for result in results])


def assert_predicts(circuit: cs.Circuit, opinions: Opinions, step: Step, population: str) -> None:
    """The activity where the objectives are judged, or an error that says what it needs."""
    repeats = {phase.name: phase.repeat for phase in circuit.motif.phases}
    every_time = repeats[predicted_in(circuit.motif, population)] == "time"
    (expected, reads_error), x = opinions.predict(step, population, every_time), step.given()[0]
    try:  # perhaps it reads an error that has no effect, like a slope of 1
        got = circuit.predict(x, population, every_time=every_time).numpy()
    except cs.ParameterError as error:
        assert reads_error and re.search(rf"{population}.*circuit\.cycle\(x, target\)", str(error))
        return
    if every_time:
        np.testing.assert_array_equal(circuit.predict(x, population), got[:, :, -1])
    assert got.shape == expected.shape and np.isfinite(expected).all()
    assert difference(got, expected) <= FLOAT64.tolerance, f"prediction of {population}"


@pytest.mark.timeout(1200)  # half a minute on a machine that is not busy
@settings(max_examples=120, phases=GENERATE)  # a motif that fails is told as it is: a smaller one takes long to find
@given(st.data())
def test_any_motif_any_run(data):
    check(data)


@pytest.mark.timeout(600)
@settings(max_examples=40, phases=GENERATE)
@given(st.data())
def test_any_motif_over_time_with_states_per_sample(data):
    check(data, timed_motifs, timed_runs)


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_many_motifs_many_runs(chunk, capsys):
    n, start = 0, time.monotonic()

    @seed(chunk)
    @settings(max_examples=20_000 // CHUNKS, phases=GENERATE, derandomize=False, print_blob=True)
    @given(st.data())
    def many(data):
        nonlocal n
        if time.monotonic() - start < SECONDS:
            check(data)
            n += 1

    try:
        many()
    finally:
        with capsys.disabled():
            print(f"\nchunk {chunk} of {CHUNKS}: {n} motifs in {time.monotonic() - start:.0f} s")
