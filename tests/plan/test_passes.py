"""Every pass gives a program that means the same, by the NumPy interpreter, on any motif."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.plan import build_plans, circuitry_of, emit
from circuitsim.plan.passes import (
    Sizes,
    distribute,
    fuse_gates,
    fuse_sums,
    reassociate,
    rematerialize,
    share_common_subexpressions,
    update_in_place,
    without_dead_code,
    without_relays,
)
from motifs import backprop, paper_sal
from motifs import sal as normalised_sal
from tests.plan.programs import Case, assert_same, cases

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
LARGE = Sizes(batch=4096)  # as if products over the batch cost most, so that all is reassociated that can be


def reassociated(program):
    return reassociate(share_common_subexpressions(program), LARGE)


def rematerialized(program):
    return rematerialize(program, Sizes(batch=2**14))


PASSES = {
    "common subexpressions": share_common_subexpressions,
    "dead code": without_dead_code,
    "gates": fuse_gates,
    "reassociation": reassociated,
    "rematerialization": rematerialized,
    "updates": update_in_place,
    "distribution": distribute,
    "sums": fuse_sums,
    "all": lambda p: fuse_sums(
        update_in_place(distribute(rematerialized(reassociated(fuse_gates(without_dead_code(p))))))
    ),
}


def test_a_pass_changes_no_value():
    finite = []

    @settings(max_examples=40)
    @given(cases())
    def look(case):
        program = case.program()
        expected = case.run(program)
        finite.append(all(np.isfinite(v).all() for v in expected.values()))
        for name, change in PASSES.items():
            assert_same(case.run(change(program)), expected, 1e-11, f"{name}: ")

    look()
    assert np.mean(finite) > 0.9  # a pass that is only seen on infinities would go unseen


def program_of(motif: cs.Motif):
    plans = build_plans(motif)
    return emit(plans, circuitry_of(motif, plans))


def operations(program) -> Counter:
    return Counter(i.op for i in program.instructions)


def test_v_and_vt_share_one_batch_mean():
    program = program_of(paper_sal([6, 5, 4, 3], trace=None))
    before, after = operations(program), operations(share_common_subexpressions(program))
    assert before["outer"] - after["outer"] == 2 and after["turn"] == 2  # two hidden layers


def test_a_slope_that_gates_needs_no_array_of_its_own():
    program = without_dead_code(program_of(paper_sal([6, 5, 4, 3], trace=None)))
    assert operations(program)["gate"] == operations(program)["greater"] == 2
    fused = operations(fuse_gates(program))
    assert fused["gate_above"] == 2 and fused["gate"] == fused["greater"] == 0


def test_a_leaky_activation_is_two_operations():
    motif = cs.Motif()
    motif.add(cs.Population("x", 3), cs.Population("h", 4, activation="0.8 * previous + 0.2 * tanh(drive)"))
    motif.add(cs.Phase("settle", repeat=2))
    motif.connect("x", "h", name="W")
    program = share_common_subexpressions(program_of(motif))
    before, after = operations(program), operations(fuse_sums(program))
    assert before["add"] == 2 and not after["add"] and after["add_multiple"] == 2
    assert before["multiply"] - after["multiply"] == 2
    assert str(fuse_sums(program)) == str(program)


def n_multiplications(program, batch: int) -> int:
    """Of all products."""
    total = 0
    for i in program.instructions:
        if i.op == "current":
            rows, columns = i.args[0].space.shape
            total += batch * (rows if i.options[0].__dict__.get("layout") == "one_to_one" else rows * columns)
        elif i.op == "outer":
            total += batch * i.args[0].space.size * i.args[1].space.size
        elif i.op == "matmul":
            (n, k), (m, columns) = (
                a.space.shape[::-1] if t else a.space.shape for a, t in zip(i.args, i.options, strict=True)
            )
            assert k == m
            total += n * k * columns
    return total


def test_the_descending_stream_is_not_made_where_that_takes_fewer_multiplications():
    program = share_common_subexpressions(program_of(paper_sal([784, 200, 200, 200, 10], trace=None)))
    cheap = reassociate(program, Sizes(batch=256))
    assert {"down1.activity", "down2.activity", "down3.activity", "I_Vt1"} <= set(cheap.images)
    forward = 256 * (784 * 200 + 2 * 200 * 200 + 200 * 10)
    # those of the sweep and of W's changes, and little more
    assert n_multiplications(cheap, 256) < 1.1 * 2 * forward
    assert n_multiplications(program, 256) > 1.4 * n_multiplications(cheap, 256)


def test_a_unit_trace_of_a_linear_stream_takes_its_size_from_the_moments_of_the_error():
    program = share_common_subexpressions(program_of(normalised_sal([784, 200, 200, 200, 10])))
    cheap = reassociate(program, Sizes(batch=256))
    assert {"down1.activity", "down2.activity", "down3.activity", "I_Vt1", "I_Vt3"} <= set(cheap.images)
    assert [i.op for i in cheap.instructions].count("mean_of_squares") == 3
    forward = 256 * (784 * 200 + 2 * 200 * 200 + 200 * 10)
    assert n_multiplications(cheap, 256) < 1.1 * 2 * forward
    assert not reassociate(program, Sizes(batch=256), kept={"*"}).images


@pytest.mark.parametrize("layers", [[9, 12, 11, 10, 3], [9, 12, 3], [9, 6, 7, 6, 5, 3]])
def test_a_reassociated_circuit_with_unit_traces_means_the_same(layers):
    rng = np.random.default_rng(0)
    circuit = cs.compile(normalised_sal(layers), replicas=2, device="cpu", dtype="float64")
    inputs, targets = {"up0": rng.standard_normal((1, 8, 9))}, {f"up{len(layers) - 1}": rng.integers(0, 3, (1, 8, 1))}
    case = Case(circuit.motif, circuit, inputs, targets)
    program = case.program()
    changed = reassociated(program)
    assert changed.images
    assert_same(case.run(changed), case.run(program), 1e-11)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_small_batch_is_swept_as_it_is_declared(batch):
    program = share_common_subexpressions(program_of(paper_sal([20, 30, 30, 30, 10], trace=None)))
    assert not reassociate(program, Sizes(batch=batch)).images


def test_a_quantity_that_is_asked_for_is_made():
    program = share_common_subexpressions(program_of(paper_sal([784, 200, 200, 200, 10], trace=None)))
    found = reassociate(program, Sizes(batch=256), kept={"I_Vt1", "down2.activity"})
    assert "I_Vt1" not in found.images and "down2.activity" not in found.images and "down3.activity" in found.images
    assert not reassociate(program, Sizes(batch=256), kept={"*"}).images


def test_a_stream_that_is_not_linear_is_made():
    program = share_common_subexpressions(program_of(backprop([784, 200, 200, 10])))
    assert not reassociate(program, Sizes(batch=256)).images


def test_a_large_drive_is_written_over_and_a_small_one_is_kept():
    program = fuse_gates(share_common_subexpressions(program_of(backprop([20, 30, 30, 10]))))
    assert {"up2.drive", "I_W1"} <= set(rematerialize(program, Sizes(batch=1000)).images)
    assert "I_W0" in rematerialize(program, Sizes(batch=1000)).readable  # its owner may write over an input
    assert not rematerialize(program, Sizes(batch=100)).images
    assert "I_W1" in rematerialize(program, Sizes(batch=1000), kept={"I_W1"}).readable


def test_products_go_straight_into_the_weights():
    program = share_common_subexpressions(program_of(backprop([6, 5, 3])))
    found = operations(update_in_place(program))
    assert found["accumulate"] == 2 and found["change"] == found["outer"] == 0


def test_weights_that_others_read_change_after_them():
    """V changes by a product with Wt, and Wt by one with Vt: Wt comes last, or its product is made first."""
    program = share_common_subexpressions(program_of(paper_sal([784, 200, 200, 10], trace=None)))
    done = update_in_place(reassociate(program, Sizes(batch=256)))
    changed = set()
    for i in done.instructions:
        assert not any(a in changed for a in i.args), f"{i.op} of {i.out} reads weights that have changed"
        if i.op in ("change", "accumulate"):
            changed.add(i.args[0])
    assert len(changed) == 3 + 2 * 3  # W of three layers; V, Vt and Wt of two


def test_every_batch_mean_of_a_shared_batch_is_summed_over_processes():
    program = without_dead_code(share_common_subexpressions(program_of(paper_sal([6, 5, 3]))))
    found = operations(distribute(program))
    means = sum(found[op] for op in ("outer", "batch_mean", "mean", "mean_square", "loss"))
    assert found["all_reduce"] == means > 5


def test_a_relay_needs_no_product_and_its_current_can_be_read():
    motif = cs.Motif()
    motif.add(cs.Population("x", 3), cs.Population("y", 3, activation="tanh"), cs.Population("z", 3))
    for name, pre, post in (("R", "x", "y"), ("S", "y", "z")):
        motif.connect(pre, post, name=name, connectivity=cs.OneToOne(), init=cs.Identity())
    program = program_of(motif)
    found = without_relays(program, {"R", "S"})
    assert operations(program)["current"] == 2 and operations(found)["current"] == 1
    assert found.readable["I_S"] is found.readable["y.activity"] is not program.readable["I_S"]
    assert found.readable["I_R"] is program.readable["I_R"]  # the caller may write over x after the step
    assert str(without_relays(program, set())) == str(program)
