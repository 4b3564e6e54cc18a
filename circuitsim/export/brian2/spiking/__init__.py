"""Spikes: declared models, the network in words, Brian2 and Python files made from it."""
