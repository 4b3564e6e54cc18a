"""A circuit of one hidden layer with signed spikes, trial by trial, in NumPy; by the equations of docs/spiking.md."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

DT, EVERY, WINDOW, TRIAL = 0.5, 4, 50.0, 140.0  # ms; EVERY in steps
RATE = 0.1  # spikes per ms of one unit
TAU_M, TAU_S, LONG, SHORT, K = 20.0, 5.0, 50.0, 10.0, 4.0


def paper(eta, gamma):
    """The rules of the paper's form: the terms with data and those without, of each weight."""

    def rules(q, weights, M):
        data = [
            np.outer(q.D * q.fired, q.x0), np.outer(q.D_out, q.x1), np.outer(q.D_back, q.e),
            np.outer(q.x1, q.b), np.outer(q.b, q.x1),
        ]  # fmt: skip
        return [(e * d, -e * g * w) for w, d, e, g in zip(weights, data, eta, gamma, strict=True)]

    return rules


def normalised(eta, gamma, tau, gain, cap, few, sizes):
    """The rules of the normalised form, which read the means M of `squares`."""
    n_in, n_hidden, _ = sizes

    def rules(q, weights, M):
        W0, W1, Wt, V, Vt = weights
        h, g, error, D = (np.sqrt(M[name] + 1e-24) for name in ("x1", "b", "e", "D"))
        rate, x1_hat, b_hat = eta / (1 + few), q.x1 / h, q.b / g
        dendrite = error * min(gain, cap / D) * q.fired * q.D / g
        return [
            (rate * np.outer(dendrite, q.x0) / (n_in * M["x0"]), -rate * gamma * W0),
            (rate * np.outer(q.D_out, q.x1) / (n_hidden * M["x1"]), -rate * gamma * W1),
            (np.outer(q.D_back / h, q.e / error) / (n_hidden * np.sqrt(n_hidden) * tau), -Wt / tau),
            (np.outer(x1_hat, b_hat) / tau, -V / tau),
            (np.outer(b_hat, x1_hat) / tau, -Vt / tau),
        ]

    return rules


def squares(q, M):
    """The squares whose means the normalised form reads."""
    return {"x0": q.x0**2, "x1": q.x1**2, "b": q.b**2, "e": q.e**2, "D": (q.fired * q.D) ** 2 / (M["b"] + 1e-24)}


def run(weights, rules, x, wanted, M=None, mean_trials=64):
    """Play trials from rest; `weights` (W0, W1, Wt1, V1, Vt1; [post, pre]) change in place.

    Returns outputs [trial, neuron] and the means, which start at `M`.
    """
    M = M or dict.fromkeys(("x0", "x1", "b", "e", "D"), 1.0)
    pooled = dict.fromkeys(M, 0.0)  # means over neurons, of the time step before
    W0, W1, Wt, V, Vt = weights
    n_in, n_hidden, n_out, n_back = W0.shape[1], len(W0), len(W1), len(Wt)
    image = {"v": np.zeros(n_in), "x": np.zeros(n_in)}
    hidden = {k: np.zeros(n_hidden) for k in ("I", "x", "D")} | {"v": np.full(n_hidden, 0.9)}
    held = np.full(n_hidden, -1e9)
    out = {k: np.zeros(n_out) for k in ("F", "I", "D")}
    error = {k: np.zeros(n_out) for k in ("v", "x")}
    back = {k: np.zeros(n_back) for k in ("v", "I", "x", "D")}
    n, outputs = round(TRIAL / DT), []
    for trial in range(len(x)):
        out["F"][:] = 0
        for step in range(n):
            t = step * DT
            ascends, descends = float(t < WINDOW), float(WINDOW <= t < 2 * WINDOW)
            now = trial * n + step
            M = {k: m + DT * (TRIAL / WINDOW * pooled[k] - m) / (mean_trials * TRIAL) for k, m in M.items()}
            old = {k: v.copy() for k, v in hidden.items()}
            free = (now - held) * DT >= 2.0  # refractory for 2 ms
            _euler(out, F=ascends * out["I"] / WINDOW, I=-out["I"] / TAU_S, D=-out["D"] / SHORT)
            _euler(image, v=RATE * ascends * x[trial], x=-image["x"] / LONG)
            _euler(
                hidden, v=free * (0.9 + 2.1 * old["I"] - old["v"]) / TAU_M, I=-old["I"] / TAU_S, x=-old["x"] / LONG,
                D=-old["D"] / SHORT,
            )  # fmt: skip
            _euler(error, v=K * RATE * descends * (wanted[trial] - out["F"]), x=-error["x"] / SHORT)
            o = {k: v.copy() for k, v in back.items()}
            _euler(back, v=K * RATE * o["I"], I=-o["I"] / TAU_S, x=-o["x"] / SHORT, D=-o["D"] / LONG)
            q = SimpleNamespace(
                x0=image["x"], x1=hidden["x"], e=error["x"], b=back["x"], D=hidden["D"], D_out=out["D"],
                D_back=back["D"], fired=hidden["x"] > 0.02,
            )  # fmt: skip
            pooled = {k: square.mean() for k, square in squares(q, M).items()}
            fired_in, fired = image["v"] >= 1, (hidden["v"] >= 1) & free
            sign_error = np.where(np.abs(error["v"]) >= 1, np.sign(error["v"]), 0)
            sign_back = np.where(np.abs(back["v"]) >= 1, np.sign(back["v"]), 0)
            hidden["I"] += W0 @ fired_in / (RATE * TAU_S)
            out["I"] += W1 @ fired / (RATE * TAU_S)
            back["I"] += Wt @ sign_error / (K * RATE * TAU_S)
            hidden["D"] += V @ sign_back / (K * RATE * SHORT)
            back["D"] += Vt @ fired / (RATE * LONG)
            out["D"] += sign_error / (K * RATE * SHORT)
            image["v"][fired_in] -= 1
            hidden["v"][fired] = 0
            held[fired] = now
            error["v"] -= sign_error
            back["v"] -= sign_back
            image["x"] += fired_in / (RATE * LONG)
            hidden["x"] += fired / (RATE * LONG)
            error["x"] += sign_error / (K * RATE * SHORT)
            back["x"] += sign_back / (K * RATE * SHORT)
            if now % EVERY == 0:
                q.fired = hidden["x"] > 0.02
                for w, (data, rest) in zip(weights, rules(q, weights, M), strict=True):
                    w += EVERY * DT / WINDOW * data + EVERY * DT / TRIAL * rest
        outputs.append(out["F"].copy())
    return np.array(outputs), M


def _euler(state, **slopes):
    for name, slope in slopes.items():
        state[name] += DT * slope
