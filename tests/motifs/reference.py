"""What the NumPy oracles of the motifs share. Activities are ``[sample, neuron]``, weights ``[post, pre]``."""

import numpy as np

import circuitsim as cs

STEPS = 3  # several, since a later one starts from what an earlier one has changed


def softmax_error(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Minus the gradient of the cross-entropy of each sample with respect to y."""
    exponentials = np.exp(y - y.max(1, keepdims=True))
    return np.eye(y.shape[1])[classes] - exponentials / exponentials.sum(1, keepdims=True)


def compiled(motif: cs.Motif, **options) -> cs.Circuit:
    return cs.compile(motif, **{"seed": 1, "dtype": "float64", "device": "cpu", **options})


def batches(n_in: int, n_out: int, n: int = 7):
    """Inputs and classes of several steps."""
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        yield rng.standard_normal((n, n_in)), rng.integers(0, n_out, n)


def weights_of(circuit: cs.Circuit, *names: str) -> list[np.ndarray]:
    return [circuit.weights(name)[0].numpy().copy() for name in names]


def assert_weights(circuit: cs.Circuit, expected: dict[str, np.ndarray], start: dict[str, np.ndarray]) -> None:
    """The changes since the start are those expected, and there are some."""
    for name, w in expected.items():
        change = w - start[name]
        assert np.isfinite(change).all() and np.abs(change).max() > 1e-6, name
        found = circuit.weights(name)[0].numpy() - start[name]
        np.testing.assert_allclose(found, change, rtol=1e-10, atol=1e-12 * np.abs(change).max(), err_msg=name)
