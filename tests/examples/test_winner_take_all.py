"""Winner-Take-All: what one-to-one-ness is, and which competition brings it about."""

import numpy as np
import pytest

import circuitsim as cs
import winner_take_all as study
from motifs import winner_take_all
from tests.examples.run import assert_written, numbers, run


def test_the_largest_share_is_1_for_one_to_one_and_even_for_equal_weights():
    one_to_one = np.diag([3.0, -1.0, 0.2])[[2, 0, 1]]
    even = np.full((3, 3), -0.5)
    mixed = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # 16/25, left out, 1
    found = study.largest_share(np.stack([one_to_one, even, mixed, np.zeros((3, 3))]))
    np.testing.assert_allclose(found, [1.0, 1 / 3, (16 / 25 + 1) / 2, np.nan])


def test_competition_with_the_strongest_rival_is_its_formula():
    motif = winner_take_all([6, 8, 4], rivals="strongest", competition=5.0, eta=0.2, gamma=0.1, gain_V=1.0, trace=None)
    circuit = cs.compile(motif, dtype="float64", device="cpu", record_changes=True)
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((16, 6)), rng.integers(0, 4, 16)
    V = circuit.weights("V1")[0].numpy()
    circuit.step(x, target)
    h, g = circuit.activity("up1")[0].numpy(), circuit.activity("down1")[0].numpy()
    rivals = 2 - V**2 / (V**2).max(1, keepdims=True) - V**2 / (V**2).max(0, keepdims=True)
    rule = motif.projection("V1").rule.parameters
    expected = rule["eta"] * (h.T @ g / len(x) - rule["gamma"] * V * (1 + 5.0 * rivals))
    np.testing.assert_allclose(circuit.last_change("V1")[0].numpy(), expected, rtol=1e-8, atol=1e-13)


def test_unknown_rivals_are_refused():
    with pytest.raises(cs.MotifError, match="rivals must be one of"):
        winner_take_all([6, 8, 4], rivals="weakest")


def test_the_strongest_rival_triples_the_largest_share_at_little_cost(tmp_path):
    table = run(study.WinnerTakeAll, tmp_path, epochs=40).table().set_index("circuit")
    assert list(table.index) == [study.SAL, study.ALL, study.STRONGEST]

    def number(column):
        return numbers(table, column)

    share = (number("largest share of V, end") + number("largest share of Vt, end")) / 2
    assert share[study.STRONGEST] > 2.8 * share[study.SAL]
    assert 0.8 < share[study.ALL] / share[study.SAL] < 1.3
    start = number("largest share of V, start")
    assert start.nunique() == 1 and start.iloc[0] < 0.25  # same seeds, same starts
    accuracy = number("validation accuracy, %")
    assert accuracy[study.STRONGEST] > accuracy[study.SAL] - 3 > 85
    assert_written(tmp_path, "share_V.png", "share_Vt.png", "weights.png")
