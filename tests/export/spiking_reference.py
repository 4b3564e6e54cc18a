"""A circuit of one hidden layer with signed spikes, trial by trial, in NumPy; by the equations of docs/spiking.md."""

from __future__ import annotations

import numpy as np

DT, EVERY, WINDOW, TRIAL = 0.5, 4, 50.0, 140.0  # ms; EVERY in steps
RATE = 0.1  # spikes per ms of one unit
TAU_M, TAU_S, LONG, SHORT, K = 20.0, 5.0, 50.0, 10.0, 4.0


def run(weights, eta, gamma, x, wanted):
    """Play trials; `weights` (W0, W1, Wt1, V1, Vt1; [post, pre]) change in place. Returns outputs [trial, neuron]."""
    W0, W1, Wt, V, Vt = weights
    n_in, n_hidden, n_out, n_back = W0.shape[1], len(W0), len(W1), len(Wt)
    image = {"v": np.zeros(n_in), "x": np.zeros(n_in)}
    hidden = {k: np.zeros(n_hidden) for k in ("I", "J", "x", "D")} | {"v": np.full(n_hidden, 0.9)}
    held = np.full(n_hidden, -1e9)
    out = {k: np.zeros(n_out) for k in ("F", "I", "D")}
    error = {k: np.zeros(n_out) for k in ("v", "x")}
    back = {k: np.zeros(n_back) for k in ("v", "I", "J", "x", "D")}
    n, outputs = round(TRIAL / DT), []
    for trial in range(len(x)):
        out["F"][:] = 0
        for step in range(n):
            t = step * DT
            ascends, descends = float(t < WINDOW), float(WINDOW <= t < 2 * WINDOW)
            now = trial * n + step
            old = {k: v.copy() for k, v in hidden.items()}
            free = (now - held) * DT >= 2.0  # refractory for 2 ms
            _euler(out, F=ascends * out["I"] / WINDOW, I=-out["I"] / TAU_S, D=-out["D"] / SHORT)
            _euler(image, v=RATE * ascends * x[trial], x=-image["x"] / LONG)
            _euler(
                hidden, v=free * (0.9 + 2.1 * old["I"] - old["v"]) / TAU_M, I=-old["I"] / TAU_S,
                J=(old["I"] - old["J"]) / LONG, x=-old["x"] / LONG, D=-old["D"] / SHORT,
            )  # fmt: skip
            _euler(error, v=K * RATE * descends * (wanted[trial] - out["F"]), x=-error["x"] / SHORT)
            o = {k: v.copy() for k, v in back.items()}
            _euler(
                back, v=K * RATE * o["I"], I=-o["I"] / TAU_S, J=(o["I"] - o["J"]) / SHORT, x=-o["x"] / SHORT,
                D=-o["D"] / LONG,
            )  # fmt: skip
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
                data = [
                    np.outer(hidden["D"] * (hidden["x"] > 0.02), image["x"]), np.outer(out["D"], hidden["x"]),
                    np.outer(back["D"], error["x"]), np.outer(np.maximum(hidden["J"], 0), back["x"]),
                    np.outer(back["J"], hidden["x"]),
                ]  # fmt: skip
                for w, d, e, g in zip(weights, data, eta, gamma, strict=True):
                    w += e * (EVERY * DT / WINDOW * d - EVERY * DT / TRIAL * g * w)
        outputs.append(out["F"].copy())
    return np.array(outputs)


def _euler(state, **slopes):
    for name, slope in slopes.items():
        state[name] += DT * slope
