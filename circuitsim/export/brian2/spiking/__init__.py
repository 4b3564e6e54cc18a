"""Spiking networks: neuron models, a description of the network, and Brian2 objects or Python files made from it."""
