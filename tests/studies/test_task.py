"""What studies run on."""

import numpy as np

import circuitsim as cs
from circuitsim.studies.experiment import Options
from circuitsim.studies.task import deviations, hidden_sites, interval, task_for, versus
from motifs import backprop, sal


def test_quick_means_few_epochs_and_at_most_two_seeds_unless_the_options_say_more():
    task = task_for(Options(quick=True, seeds=5), quick_epochs=3)
    assert (task.setting.epochs, task.seeds) == (3, 2)
    assert task_for(Options(quick=True, seeds=1, epochs=7), quick_epochs=3).setting.epochs == 7
    assert task_for(Options(seeds=5), quick_epochs=3, epochs=50).setting.epochs == 50
    full = task_for(Options(seeds=5), quick_epochs=3)
    assert (full.setting.epochs, full.seeds, full.layers) == (40, 5, [64, 32, 32, 10])


def test_hidden_sites_leave_out_the_output_and_all_other_pathways():
    assert hidden_sites(sal([5, 4, 3, 2])) == hidden_sites(backprop([5, 4, 3, 2])) == ["W0", "W1"]
    assert hidden_sites(sal([5, 4, 3, 2], bias=True)) == ["W0", "W1"]


def test_a_run_that_loses_every_replica_gives_nan_and_does_not_stop_the_study():
    task = task_for(Options(quick=True, seeds=2, device="cpu", progress=False), quick_epochs=3)
    circuit = cs.compile(sal(task.layers, eta=1000.0), replicas=2, device="cpu")
    history = task.learn(circuit)
    assert len(history.runaways) >= 1 and np.isnan(task.accuracy(circuit, history)).all()


def test_differences_are_paired_and_leave_out_lost_seeds():
    a, b = np.array([3.0, 2.0, np.nan]), np.array([1.0, 2.5, 9.0])
    assert versus(a, b) == "+0.75 ± 1.77 (higher in 1 of 2 seeds)"
    assert versus(a[2:], b[2:]) == "not comparable (every seed ran away)"


def test_deviations_are_of_the_difference():
    # means 3 and 1; variances 1 and 4, so the difference has a standard deviation of sqrt(5)
    assert abs(deviations(np.array([2.0, 3.0, 4.0]), np.array([-1.0, 1.0, 3.0])) - 2 / np.sqrt(5)) < 1e-12


def test_the_interval_of_a_paired_gap_is_students():
    # differences 1, 2, 3: mean 2, standard error 1 / sqrt(3); Student's table: 4.303 for two degrees of freedom
    low, high = interval(np.array([2.0, 4.0, 6.0, np.nan]), np.array([1.0, 2.0, 3.0, 0.0]))
    assert abs(low - (2 - 4.303 / np.sqrt(3))) < 1e-3 and abs(high - (2 + 4.303 / np.sqrt(3))) < 1e-3
    assert np.isnan(interval(np.array([1.0]), np.array([0.0]))).all()
