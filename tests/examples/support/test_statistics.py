"""Numbers over seeds leave out those that ran away."""

import numpy as np

from support import compared, deviations, interval, mean, mean_and_spread, versus


def test_mean_and_spread_are_over_the_seeds_that_are_left():
    values = [1.0, np.nan, 3.0]
    assert mean(values) == 2.0 and np.isnan(mean([np.nan]))
    assert mean_and_spread(values) == "2.00 ± 1.41 (2 of 3 seeds)"  # sqrt(2)
    assert mean_and_spread([1.0, 3.0]) == "2.00 ± 1.41"
    assert mean_and_spread([0.5], 1, scale=100) == "50.0 ± 0.0"
    assert mean_and_spread([np.nan, np.inf]) == "-"


def test_differences_are_paired_and_leave_out_lost_seeds():
    a, b = np.array([3.0, 2.0, np.nan]), np.array([1.0, 2.5, 9.0])
    assert versus(a, b) == "+0.75 ± 1.77 (higher in 1 of 2 seeds; 1 left out, which ran away)"
    assert versus(a[:2], b[:2]) == "+0.75 ± 1.77 (higher in 1 of 2 seeds)"
    assert versus(a[2:], b[2:]) == "not comparable (every seed ran away)"


def test_deviations_are_of_the_difference():
    # means 3 and 1; variances 1 and 4, so the difference has a standard deviation of sqrt(5)
    assert abs(deviations(np.array([2.0, 3.0, 4.0]), np.array([-1.0, 1.0, 3.0])) - 2 / np.sqrt(5)) < 1e-12
    assert (
        abs(deviations(np.array([2.0, np.nan, 3.0, 4.0]), np.array([-1.0, 1.0, 3.0, np.inf])) - 2 / np.sqrt(5)) < 1e-12
    )
    a, b = np.array([2.0, 4.0, 9.0]), np.array([1.0, 2.0, 6.0])  # differences of 1, 2 and 3
    assert abs(deviations(a, b, paired=True) - 2.0) < 1e-12
    assert abs(deviations(np.append(a, np.nan), np.append(b, 0.0), paired=True) - 2.0) < 1e-12
    assert np.isnan(deviations(np.array([1.0, np.nan]), np.array([1.0, 2.0]), paired=True))
    assert np.isnan(deviations(np.array([1.0, np.nan]), np.array([1.0, 2.0])))


def test_the_interval_of_a_paired_gap_is_students():
    # differences 1, 2, 3: mean 2, standard error 1 / sqrt(3); Student's table: 4.303 for two degrees of freedom
    low, high = interval(np.array([2.0, 4.0, 6.0, np.nan]), np.array([1.0, 2.0, 3.0, 0.0]))
    assert abs(low - (2 - 4.303 / np.sqrt(3))) < 1e-3 and abs(high - (2 + 4.303 / np.sqrt(3))) < 1e-3
    assert np.isnan(interval(np.array([1.0]), np.array([0.0]))).all()


def test_a_comparison_has_an_interval_if_there_are_two_seeds():
    # differences 1, 2, 3, with the interval of the test above
    several = np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0])
    assert compared(*several) == "+2.00 ± 1.00 (higher in 3 of 3 seeds), -0.5 to +4.5"
    assert compared(np.array([1.0]), np.array([0.0])) == "+1.00 ± 0.00 (higher in 1 of 1 seeds)"
