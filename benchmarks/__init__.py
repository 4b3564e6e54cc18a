"""Benchmarks of circuitsim (`python benchmarks/bench.py`), and scripts for docs/results.md. They are not installed."""
