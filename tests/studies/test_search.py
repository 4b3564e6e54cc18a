"""Random search: the same draws for everybody, runaways marked, the best go on."""

import functools

import numpy as np

import circuitsim as cs
from circuitsim.studies.search import LogUniform, Rung, random_search
from motifs import backprop


def test_the_best_settings_go_on_and_runaways_do_not():
    data = cs.load_dataset("teacher", n_features=10, n_outputs=3, n_samples=500)
    saved = []
    table = random_search(
        functools.partial(backprop, [10, 8, 3]), {"eta": LogUniform(1e-3, 1e5)}, data,
        rungs=[Rung(8, 2), Rung(3, 3, seeds=(0, 1))], group=4, compile_options={"device": "cpu"},
        fit_options={"batch_size": 50}, done=lambda t: saved.append(len(t)),
    )  # fmt: skip
    first, second = table[table.rung == 0], table[table.rung == 1]
    assert len(first) == 8 and len(second) == 6 and saved == [4, 8, 11, 14]
    assert first.runaway.any() and np.isnan(first[first.runaway].validation).all()
    assert np.isfinite(first[~first.runaway].validation).all()
    best = set(first.sort_values("validation", ascending=False).trial[:3])
    assert set(second.trial) == best
    again = random_search(
        functools.partial(backprop, [10, 8, 3]), {"eta": LogUniform(1e-3, 1e5)}, data, rungs=[Rung(8, 2)], group=4,
        compile_options={"device": "cpu"}, fit_options={"batch_size": 50},
    )  # fmt: skip
    np.testing.assert_array_equal(again.eta, first.eta)
    np.testing.assert_array_equal(again.validation, first.validation)


def test_a_round_under_stress_puts_out_who_runs_away_and_judges_nobody():
    """With eta 1000 times as large and constant, the small ones are left, in the order in which they came."""
    data = cs.load_dataset("teacher", n_features=10, n_outputs=3, n_samples=500)

    def search(stress):
        return random_search(
            functools.partial(backprop, [10, 8, 3]), {"eta": LogUniform(1e-3, 1.0)}, data, search_seed=1,
            rungs=[Rung(8, 2), Rung(8, 3, stress=stress), Rung(3, 2)], compile_options={"device": "cpu"},
            fit_options={"batch_size": 50},
        )  # fmt: skip

    table = search(1000.0)
    first, stressed, last = (table[table.rung == k] for k in range(3))
    assert not first.runaway.any() and 0 < stressed.runaway.sum() < 8
    np.testing.assert_array_equal(stressed.set_index("trial").eta.sort_index(), first.set_index("trial").eta)
    out = set(stressed[stressed.runaway].trial)
    order = [k for k in first.sort_values("validation", ascending=False, kind="stable").trial if k not in out]
    assert list(last.trial) == order[:3]
    everybody_out = search(1e9)
    assert everybody_out.rung.max() == 1 and everybody_out[everybody_out.rung == 1].runaway.all()


def test_log_uniform_stays_in_its_range_and_covers_its_decades():
    draws = np.array([LogUniform(1e-4, 1e2).draw(np.random.default_rng(k)) for k in range(400)])
    assert draws.min() >= 1e-4 and draws.max() <= 1e2
    counts, _ = np.histogram(np.log10(draws), bins=6, range=(-4, 2))
    assert counts.min() > 40
