"""Plain NumPy transcriptions of published circuits, float64, one layer loop each. They know nothing of circuitsim."""

from __future__ import annotations

import numpy as np


def softmax_error(output: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """Minus the gradient of each sample's cross entropy, ``[batch, class]``, and the mean loss."""
    shifted = output - output.max(1, keepdims=True)
    probability = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    loss = -np.log(probability[np.arange(len(target)), target]).mean()
    return np.eye(output.shape[1])[target] - probability, float(loss)


def ascend(W: list[np.ndarray], x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Equation 1: activities h_0 .. h_L and soma inputs p_1 .. p_L; ReLU in hidden layers."""
    h, p = [x], []
    for k, weight in enumerate(W):
        p.append(h[-1] @ weight.T)
        h.append(np.maximum(p[-1], 0) if k < len(W) - 1 else p[-1])
    return h, p


def sal_step(
    w: dict[str, np.ndarray],
    x: np.ndarray,
    target: np.ndarray,
    rates: dict[str, tuple[float, float]],
    gated: bool = True,
    scaled: bool = True,
    normalised: bool = False,
) -> tuple[dict[str, np.ndarray], float]:
    """Equations 1, 2 and 5 to 8 for weights W0.., Wt1.., V1.., Vt1..; V at the output is the identity.

    Args:
        rates: kind -> (eta, gamma).
    Returns:
        The change of every weight, and the loss.
    """
    depth = sum(name.startswith("W") and not name.startswith("Wt") for name in w)
    h, p = ascend([w[f"W{k}"] for k in range(depth)], x)
    g = {depth: None}
    g[depth], loss = softmax_error(h[-1], target)
    for layer in range(depth - 1, 0, -1):
        g[layer] = g[layer + 1] @ w[f"Wt{layer}"].T
    seen = [a / np.sqrt((a**2).mean() + 1e-6) if normalised else a for a in h[:-1]]
    n = len(x)
    change = {}
    for layer in range(depth):
        I_V = g[depth] if layer + 1 == depth else g[layer + 1] @ w[f"V{layer + 1}"].T
        if gated and layer + 1 < depth:
            I_V = I_V * (p[layer] > 0)
        change[f"W{layer}"] = I_V.T @ seen[layer] / n
    for layer in range(1, depth):
        I_Vt = seen[layer] @ w[f"Vt{layer}"].T
        change[f"Wt{layer}"] = I_Vt.T @ g[layer + 1] / n
        change[f"V{layer}"] = seen[layer].T @ g[layer] / n
        change[f"Vt{layer}"] = g[layer].T @ seen[layer] / n
    for name, data in change.items():
        eta, gamma = rates[name.rstrip("0123456789")]
        change[name] = eta * (data - gamma * w[name]) if scaled else eta * data - gamma * w[name]
    return change, loss
