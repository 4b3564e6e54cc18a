"""The bench measures what it says; no test looks at a time."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer

import circuitsim as cs
from benchmarks import bench, timing
from benchmarks.cases import (
    CASES,
    LONG,
    batch_sizes,
    compile_time,
    fit_overhead,
    memory,
    relatives,
    sal_steps,
    settling,
    sparse,
)
from benchmarks.cases.epochs import time_epochs
from benchmarks.cases.optional import with_optional
from benchmarks.cases.replicas import time_replicas
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import Spread, interleaved, repeated

ROOT = Path(__file__).parents[2]
LAYERS = (12, 7, 5, 3)


def row(**changes):
    return Row(**{"bench": "step", "case": "a", "contestant": "us", "over": "", "unit": "s"} | changes)


# rounds


def test_contestants_are_called_in_turn_forwards_and_backwards_for_about_as_long(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def contestant(name, seconds):
        def call():
            calls.append(name)
            now[0] += seconds

        return call

    found = interleaved({"quick": contestant("quick", 0.01), "slow": contestant("slow", 0.04)}, rounds=3)
    warm, counted = calls[:8], calls[8:]
    assert warm == ["quick"] * 4 + ["slow"] * 4
    quick, slow = ["quick"] * 6, ["slow"]  # a block of 0.05 s, and one call before it for the caches
    assert counted == [*quick, *slow, *slow, *quick, *quick, *slow]
    assert found["quick"].values == pytest.approx((0.01,) * 3) and found["slow"].values == pytest.approx((0.04,) * 3)


def test_what_takes_long_is_called_twice_before_it_counts(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def call():
        calls.append(1)
        now[0] += 2.0

    assert interleaved({"long": call}, rounds=2)["long"].values == (2.0, 2.0)
    assert len(calls) == 4
    assert repeated(call, 3).values == (2.0,) * 3
    assert len(calls) == 8


def test_medians_quartiles_and_ratios_within_rounds():
    ours, theirs = Spread((1.0, 2.0, 30.0)), Spread((2.0, 4.0, 20.0))
    assert (ours.low, ours.median, ours.high) == (1.5, 2.0, 16.0)
    assert ours.over(theirs).values == (0.5, 0.5, 1.5)


# rows


def test_a_target_is_met_up_to_its_limit_and_missed_above_it():
    assert row(value=1.0, low=0, high=2, at_most=1.0).met == "met"
    assert row(value=1.01, low=0, high=2, at_most=1.0).met == "missed"
    assert row(value=1.0, low=0, high=2).met == ""


def test_rows_are_the_figures_then_the_ratios_to_those_that_were_there():
    timings = {"us": Spread((0.001, 0.003)), "them": Spread((0.002, 0.002))}
    targets = [Target("us", "them", 0.9), Target("us", "not installed", 1.0), Target("them", "us")]
    figure, other, ratio, inverse = rows_of("step", "a", timings, targets)
    assert (figure.contestant, figure.over, figure.unit, figure.value) == ("us", "", "ms", pytest.approx(2.0))
    assert (other.contestant, other.low, other.high) == ("them", pytest.approx(2.0), pytest.approx(2.0))
    assert (ratio.contestant, ratio.over, ratio.unit, ratio.value, ratio.met) == ("us", "them", "", 1.0, "missed")
    assert (inverse.over, inverse.at_most, inverse.met) == ("us", None, "")


# cases


def check(rows, figures, ratios):
    """Names of contestants and of ratios; numbers in order; targets are answered."""
    assert [r.contestant for r in rows if not r.over] == figures
    assert [(r.contestant, r.over) for r in rows if r.over] == ratios
    for r in rows:
        assert np.isfinite([r.value, r.low, r.high]).all() and 0 < r.low <= r.value <= r.high
        assert (r.met in ("met", "missed")) == (r.at_most is not None)


def test_a_step_of_sal_is_measured_beside_its_rivals(monkeypatch):
    monkeypatch.setattr(sal_steps, "COMPILERS", {sal_steps.COMPILED: "not_there"})
    with pytest.warns(UserWarning, match=r"reassociated torch.compile is left out: No module named"):
        rows = sal_steps.time_steps(LAYERS, 0.95, 1, "cpu", batch=4)
    ours, traced, sgd, nn = sal_steps.OURS, sal_steps.NORMALISED, sal_steps.SGD, sal_steps.NN
    default, plain, by_hand = sal_steps.DEFAULT, sal_steps.PLAIN, sal_steps.BY_HAND
    check(
        rows,
        [ours, traced, default, sgd, nn, plain, by_hand],
        [(ours, sgd), (traced, sgd), (default, sgd), (ours, nn), (ours, plain), (ours, by_hand)],
    )
    assert [r.at_most for r in rows if r.over] == [0.95, pytest.approx(0.98), 1.05, None, None, 1.0]


def test_circuits_that_settle_are_compared_with_themselves_by_hand():
    found = settling.time_predictive_coding(1, "cpu", layers=LAYERS, batch=4)
    found += settling.time_recurrent(1, "cpu", layers=(3, 5, 2), n_times=4, batch=2)
    ratios = [(row.bench, row.case, row.at_most) for row in found if row.over == settling.BY_HAND]
    assert ratios == [
        ("predictive coding", "12-7-5-3, batch 4, 6 iterations", 1.1),
        ("RFLO", "3-5-2, batch 2, 4 times", 1.3),
    ]
    assert all(row.value > 0 for row in found)


@pytest.mark.parametrize("name", relatives.RELATIVES)
def test_a_relative_is_measured_beside_autograd(name):
    rows = relatives.time_relative(name, 1, "cpu", layers=LAYERS, batch=4)
    check(rows, ["circuitsim", "autograd"], [("circuitsim", "autograd")])
    assert rows[-1].at_most == 0.95


def test_replicas_are_measured_beside_as_many_solo_circuits():
    rows = time_replicas(2, 1, "cpu")
    names = ["circuitsim", "loop of solo circuits", "plain torch, batched"]
    check(rows, names, [(names[0], names[1]), (names[0], names[2])])


def test_batch_sizes_in_turn_do_as_many_steps_as_each_alone():
    rows = batch_sizes.time_batch_sizes(1, "cpu", LAYERS, (4, 3, 2))
    in_turn, steady = batch_sizes.IN_TURN, batch_sizes.STEADY
    check(rows, [in_turn, steady], [(in_turn, steady)])
    assert len(batch_sizes.BATCHES) == 8 and rows[-1].at_most == 1.3


def test_fit_is_measured_beside_its_steps_and_beside_a_loop_of_autograd():
    check(fit_overhead.time_fit(1, "cpu", LAYERS, 600), ["circuitsim", "steps alone"], [("circuitsim", "steps alone")])
    rows = time_epochs(LAYERS, 512, 1.0, 1, "cpu")
    check(rows, ["circuitsim", "autograd loop, torch.nn"], [("circuitsim", "autograd loop, torch.nn")])


def test_listed_synapses_are_measured_beside_scipy():
    check(sparse.time_sparse(1_000, 0.01, 1, "cpu"), ["circuitsim", "SciPy"], [("circuitsim", "SciPy")])


def test_the_motif_of_many_phases_is_sound_and_settles():
    motif = compile_time.predictive_coding()
    assert len(motif.phases) == 81 and len(motif.projections) == 11 and len(motif.populations) == 7
    motif.validate()
    circuit = cs.compile(compile_time.predictive_coding(21), seed=0, device="cpu")
    before = circuit.weights("W1").clone()
    circuit.step(torch.randn(5, 64))
    assert all(circuit.activity(f"value{k}").abs().sum() > 0 for k in (1, 2))
    assert torch.isfinite(circuit.weights("W1")).all() and not torch.equal(circuit.weights("W1"), before)


def test_the_numbers_that_the_equations_name_are_counted():
    # up0 3, up1 2, up2 1; down1 2, down2 1; W0 2x3, W1 1x2, Wt1 2x1, V1 and Vt1 2x2, V2 one to one
    weights, activities = 6 + 2 + 2 + 4 + 4 + 1, 6 + 3
    currents = (2 + 1) + 2 + 2 + 2  # W0, W1; Wt1; V1; Vt1
    means = 6 + 2 + 2 + 4  # of W0, W1, Wt1, and one for V1 and Vt1
    assert memory.numbers_named((3, 2, 1), batch=5) == weights + 5 * (activities + currents) + means


def test_the_memory_of_a_circuit_is_counted_to_the_byte():
    motif = cs.Motif("one")
    motif.add(cs.Population("x", 5), cs.Population("y", 4))
    motif.connect("x", "y", name="W")
    circuit = cs.compile(motif, device="cpu")
    assert circuit.n_bytes == 5 * 4 * 4
    circuit.cycle(np.zeros((3, 5)))
    assert circuit.n_bytes == 5 * 4 * 4 + 3 * 4 * 4  # and the current
    check(memory.measure_memory(LAYERS, "cpu", 4), ["circuitsim", memory.NAMED], [("circuitsim", memory.NAMED)])


def test_a_rival_that_does_not_run_is_named_and_the_others_stay():
    x, y = torch.zeros(2, 3), torch.zeros(2)

    def fails():
        raise RuntimeError("no compiler\nwith a long trace")

    steps = {"us": lambda x, y: None}
    with pytest.warns(UserWarning, match="^slow is left out: no compiler$"):
        with_optional(steps, {"slow": fails, "fast": lambda: lambda x, y: None}, x, y)
    assert list(steps) == ["us", "fast"]


# the command


def test_cases_are_chosen_by_the_beginning_of_a_name():
    assert bench.chosen([], quick=False) == list(CASES)
    assert set(CASES) - set(bench.chosen([], quick=True)) == set(LONG)
    assert bench.chosen(["sal", "tiny"], quick=True) == ["sal-784x200", "sal-3072x200", "sal-784x1024", "tiny"]
    assert bench.chosen(["sparse-20000"], quick=True) == ["sparse-20000"]
    assert bench.chosen(["sparse-2000"], quick=True) == ["sparse-2000"], "a whole name is no beginning of another"
    with pytest.raises(typer.BadParameter, match="no case 'huge'"):
        bench.chosen(["huge"], quick=False)


def test_a_run_prints_its_machine_and_verdicts_and_writes_them(tmp_path, monkeypatch, capsys):
    rows = rows_of(
        "step",
        "tiny",
        {"us": Spread((1e-3,)), "them": Spread((2e-3,))},
        [Target("us", "them", limit) for limit in (1, 0.1)],
    )
    monkeypatch.setitem(CASES, "fake", lambda rounds, device: rows)
    monkeypatch.setattr(bench, "machine", lambda device: "some machine")
    out = tmp_path / "new" / "bench.csv"
    table = bench.bench(["fake"], 1, out, "cpu")
    printed = capsys.readouterr().out
    assert printed.startswith("some machine") and "1 targets met, 1 missed" in printed and "us / them" in printed
    pd.testing.assert_frame_equal(pd.read_csv(out).fillna(""), table.fillna(""), check_dtype=False)
    assert list(table.met) == ["", "", "met", "missed"] and set(table.machine) == {"some machine"}


def test_the_script_runs_from_anywhere_on_the_checkout_that_it_lies_in(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = subprocess.run(
            [sys.executable, ROOT / "benchmarks" / "bench.py", "--only", "tiny", "--quick", "--device", "cpu"],
            cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "wrote runs/bench.csv" in done.stdout and (tmp_path / "runs" / "bench.csv").is_file()
