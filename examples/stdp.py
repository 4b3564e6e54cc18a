"""Spike-timing-dependent plasticity: the published signatures of four rules, as spiking networks.

python examples/stdp.py
python examples/stdp.py --quick
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from matplotlib.figure import Figure

import circuitsim as cs
from circuitsim.export import LIF, ContinuousNetwork, Poisson, SpikeTrain, Spiking
from motifs import inhibitory_stdp, reward_stdp, stdp, triplet_stdp

FIRST_MS, N_PAIRS = 200.0, 60
GIVEN = {"input": SpikeTrain(), "output": SpikeTrain()}


def network(motif: cs.Motif, **options: object) -> ContinuousNetwork:
    """A motif as a spiking network without trials; by default, all spikes are given."""
    spiking = Spiking(trial=None, **{"cells": GIVEN, **options})  # type: ignore[arg-type]
    net: ContinuousNetwork = cs.export_brian2(motif, mode="spiking", spiking=spiking)
    return net


def window() -> pd.Series:
    """The change of a weight by a pair of spikes, by the lag in ms of the postsynaptic one."""
    lags = np.arange(-80.0, 81.0, 4.0)  # each has its own pair of neurons
    net = network(stdp([len(lags)] * 2, w_max=1.0))
    before = net.weights("W")
    pre = [[FIRST_MS]] * len(lags)
    net.run(2 * FIRST_MS, {"input": pre, "output": (FIRST_MS + lags)[:, None]})
    return pd.Series(np.diag(net.weights("W") - before), index=lags)


def distribution(seconds: int) -> pd.DataFrame:
    """Weights as shares of the largest, before and after `seconds` of Poisson input."""
    motif = stdp([200, 1], A_plus=0.01, A_minus=0.0105, w_max=0.2)
    cells = {"output": LIF(bias=0.0, gain=1.0, refractory_ms=0.0)}
    net = network(motif, cells=cells, inputs=Poisson(), dt_ms=1.0)
    before = net.weights("W").ravel() / 0.2
    net.run(1e3 * seconds, {"input": 10.0})
    return pd.DataFrame({"before": before, "after": net.weights("W").ravel() / 0.2})


def frequencies() -> pd.DataFrame:
    """The change of a weight by 60 pairs, by their frequency in Hz and their lag in ms."""
    hz = np.array([1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    found = {}
    for lag in (10.0, -10.0):
        net = network(triplet_stdp([len(hz)] * 2, init=cs.Constant(10.0)))
        pre = [FIRST_MS + np.arange(N_PAIRS) * np.rint(1e3 / f) for f in hz]
        net.run(2 * FIRST_MS + N_PAIRS * 1e3 / hz.min(), {"input": pre, "output": [times + lag for times in pre]})
        found[f"{lag:+.0f} ms"] = np.diag(net.weights("W")) - 10.0
    return pd.DataFrame(found, index=hz)


def balance(seconds: int) -> pd.DataFrame:
    """The rate in Hz of a neuron in each second, for two strengths of its excitation. The rule aims at 20 Hz."""
    found = {}
    cells = {"excitatory": Poisson(), "inhibitory": Poisson(), "output": LIF()}
    for w_exc in (0.15, 0.3):
        motif = inhibitory_stdp([60, 1], n_inhibitory=40, eta=5e-3, target_hz=20.0, w_exc=w_exc)
        spikes = (
            network(motif, cells=cells, dt_ms=1.0).run(1e3 * seconds, {"excitatory": 10.0, "inhibitory": 20.0}).spikes
        )
        times = spikes.time_ms[spikes.population == "output"]
        found[f"w = {w_exc}"] = np.histogram(times, np.arange(seconds + 1) * 1e3)[0]
    return pd.DataFrame(found, index=np.arange(seconds) + 1)


def distal_reward() -> pd.Series:
    """The change of a weight by a pairing, by the time in ms from it to a reward, which lasts 200 ms."""
    delays = np.arange(-200.0, 3001.0, 200.0)
    reward_ms = FIRST_MS + delays.max()
    net = network(reward_stdp([len(delays)] * 2, w_max=100.0))
    pre = (reward_ms - delays)[:, None]
    dopamine = np.zeros(int(reward_ms) + 600)
    dopamine[int(reward_ms) : int(reward_ms) + 200] = 1.0
    net.run(len(dopamine), {"input": pre, "output": pre + 5}, signals={"dopamine": dopamine})
    return pd.Series(np.diag(net.weights("W")) - 50.0, index=delays)


def main(
    out: Annotated[Path, typer.Option(help="the folder of the tables and the figure")] = Path("runs/stdp"),
    quick: Annotated[bool, typer.Option(help="a few seconds of random input only")] = False,
) -> None:
    """Run the four rules, and write a table for each signature and one figure."""
    out.mkdir(parents=True, exist_ok=True)
    pairs, triplets, rewards = window(), frequencies(), distal_reward()
    weights, rates = distribution(2 if quick else 100), balance(2 if quick else 20)
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    axes[0].plot(pairs, ".-", color="#000000")
    axes[0].set(title="Pair STDP: the window", xlabel="lag, ms", ylabel="change of the weight")
    axes[1].hist([weights.before, weights.after], bins=10, range=(0, 1), label=["before", "after"])
    axes[1].set(title="Pair STDP: Poisson input", xlabel="weight, share of the largest", ylabel="synapses")
    axes[2].plot(triplets, ".-", label=triplets.columns)
    axes[2].set(title="Triplet STDP: 60 pairs", xlabel="frequency, Hz", ylabel="change of the weight")
    axes[3].plot(rates, ".-", label=rates.columns)
    axes[3].axhline(20, color="#777777", linewidth=1)
    axes[3].set(title="Inhibitory STDP: two drives", xlabel="time, s", ylabel="rate, Hz", ylim=(0, None))
    axes[4].plot(rewards, ".-", color="#000000")
    axes[4].set(title="Reward-modulated STDP", xlabel="reward after the pairing, ms", ylabel="change of the weight")
    axes[5].set_axis_off()
    for axis in (axes[1], axes[2], axes[3]):
        axis.legend(frameon=False)
    figure.savefig(out / "stdp.png", dpi=110)
    tables: dict[str, pd.DataFrame | pd.Series] = {
        "window": pairs,
        "distribution": weights,
        "frequencies": triplets,
        "balance": rates,
        "reward": rewards,
    }
    for name, table in tables.items():
        table.to_csv(out / f"{name}.csv")
    print(f"wrote {out / 'stdp.png'}")


if __name__ == "__main__":
    typer.run(main)
