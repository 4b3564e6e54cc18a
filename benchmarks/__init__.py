"""Benchmarks: the rivals that `circuitsim bench` measures against, and the scripts behind docs/results.md."""
