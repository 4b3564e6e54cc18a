"""Spike-timing-dependent plasticity: the published signatures of four rules, as spiking networks.

python examples/stdp.py
python examples/stdp.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from matplotlib.figure import Figure
from rich.console import Console

import circuitsim as cs
from circuitsim.export import LIF, ContinuousNetwork, Poisson, SpikeTrain, Spiking
from circuitsim.files import check_writable, writing
from circuitsim.plots.style import RUN_COLOURS, plain_axes
from motifs import inhibitory_stdp, reward_stdp, stdp, triplet_stdp
from support import command
from support.statistics import mean_and_spread

FIRST_MS, N_PAIRS, TARGET_HZ = 200.0, 60, 20.0
GIVEN = {"input": SpikeTrain(), "output": SpikeTrain()}


def network(motif: cs.Motif, seed: int = 0, **options: object) -> ContinuousNetwork:
    """A motif as a spiking network without trials; by default, all spikes are given."""
    spiking = Spiking(trial=None, **{"cells": GIVEN, **options})  # type: ignore[arg-type]
    net: ContinuousNetwork = cs.export_brian2(motif, mode="spiking", spiking=spiking, seed=seed)
    return net


def window() -> pd.Series:
    """The change of a weight by a pair of spikes, by the lag in ms of the postsynaptic one."""
    lags = np.arange(-80.0, 81.0, 4.0)  # each has its own pair of neurons
    net = network(stdp([len(lags)] * 2, w_max=1.0))
    before = net.weights("W")
    pre = [[FIRST_MS]] * len(lags)
    net.run(2 * FIRST_MS, {"input": pre, "output": (FIRST_MS + lags)[:, None]})
    return pd.Series(np.diag(net.weights("W") - before), index=lags)


def distribution(seconds: int, seed: int) -> pd.DataFrame:
    """Weights as shares of the largest, before and after `seconds` of Poisson input."""
    motif = stdp([200, 1], A_plus=0.01, A_minus=0.0105, w_max=0.2)
    cells = {"output": LIF(bias=0.0, gain=1.0, refractory_ms=0.0)}
    net = network(motif, seed=seed, cells=cells, inputs=Poisson(), dt_ms=1.0)
    before = net.weights("W").ravel() / 0.2
    net.run(1e3 * seconds, {"input": 10.0}, seed=seed)
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


def balance(seconds: int, seed: int) -> pd.DataFrame:
    """The rate in Hz of a neuron in each second, for two strengths of its excitation. The rule aims at 20 Hz."""
    found = {}
    cells = {"excitatory": Poisson(), "inhibitory": Poisson(), "output": LIF()}
    for w_exc in (0.15, 0.3):
        motif = inhibitory_stdp([60, 1], n_inhibitory=40, eta=5e-3, target_hz=TARGET_HZ, w_exc=w_exc)
        net = network(motif, seed=seed, cells=cells, dt_ms=1.0)
        spikes = net.run(1e3 * seconds, {"excitatory": 10.0, "inhibitory": 20.0}, seed=seed).spikes
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


def signatures(results: Mapping[str, Any]) -> pd.DataFrame:
    """What was measured beside what was published, or what the equations say."""
    pairs, triplets, rewards = (results[name] for name in ("window", "frequencies", "reward"))
    lags = pairs.index.to_numpy()
    exact = np.sign(lags) * np.where(lags > 0, 0.005, 0.00525) * np.exp(-np.abs(lags) / 20.0)
    outer = [((weights < 0.1) | (weights > 0.9)).mean() for weights in results["distribution"]]  # before and after
    rates = {w: [one[w].iloc[len(one) // 2 :].mean() for one in results["balance"]] for w in results["balance"][0]}
    later = rewards[rewards.index > 0]
    tau_ms = -1.0 / np.polyfit(later.index, np.log(later), 1)[0]
    rows = [
        ("pair", "window: largest deviation from the equation, % of its peak",
         f"{100 * np.abs(pairs - exact).max() / np.abs(exact).max():.1g}", "0"),
        ("pair", "weights in the outer tenths before and after, %",
         ", ".join(mean_and_spread([o[when] for o in outer], 0, 100) for when in ("before", "after")), "20, more"),
        *(("triplet", f"60 pairs at {hz:g} Hz: {', '.join(triplets)}", f"{causal:+.2f}, {acausal:+.2f}", expected)
          for (hz, (causal, acausal)), expected in zip(
              triplets.iloc[[0, -1]].iterrows(), ("0, below 0", "both above 0"), strict=True)),
        *(("inhibitory", f"rate with excitation of {w}, Hz", mean_and_spread(found, 1), f"{TARGET_HZ:g}")
          for w, found in rates.items()),
        ("reward", "decay of the effect with the delay of the reward, ms", f"{tau_ms:.0f}", "1000"),
        ("reward", "change by a reward before the pairing", f"{rewards[rewards.index < 0].abs().max():g}", "0"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["rule", "signature", "measured", "expected"])


def draw(results: Mapping[str, Any]) -> Figure:
    """Draw each signature; of random input, that of the first seed."""
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    first, second = RUN_COLOURS[:2]
    axes[0].plot(results["window"], ".-", color="#000000")
    axes[0].set(title="Pair STDP: the window", xlabel="lag, ms", ylabel="change of the weight")
    weights = results["distribution"][0]
    axes[1].hist(
        [weights.before, weights.after], bins=10, range=(0, 1), color=(first, second), label=["before", "after"]
    )
    axes[1].set(title="Pair STDP: Poisson input", xlabel="weight, share of the largest", ylabel="synapses")
    axes[2].set(title="Triplet STDP: 60 pairs", xlabel="frequency, Hz", ylabel="change of the weight")
    axes[3].axhline(TARGET_HZ, color="#777777", linewidth=1)
    axes[3].set(title="Inhibitory STDP: two drives", xlabel="time, s", ylabel="rate, Hz")
    for ax, table in ((axes[2], results["frequencies"]), (axes[3], results["balance"][0])):
        for name, colour, line in zip(table, (first, second), ("-", "--"), strict=True):
            ax.plot(table[name], line, marker=".", color=colour, label=name)
    axes[3].set_ylim(0, None)
    axes[4].plot(results["reward"], ".-", color="#000000")
    axes[4].set(title="Reward-modulated STDP", xlabel="reward after the pairing, ms", ylabel="change of the weight")
    axes[5].set_axis_off()
    for ax in axes[:5]:
        plain_axes(ax, 10)
    for ax in axes[1:4]:
        ax.legend(frameon=False)
    return figure


def main(
    seeds: Annotated[int, typer.Option(help="the number of runs with random input", min=1)] = 3,
    out: Annotated[Path, typer.Option(help="the folder of the tables and the figure")] = Path("runs/stdp"),
    quick: Annotated[bool, typer.Option("--quick", help="one seed, and a few seconds of random input only")] = False,
) -> None:
    """Run four published rules on single spikes, and compare the signature of each with what is known of it.

    Pair STDP (Song, Miller & Abbott 2000): the change by a pair decays with its lag, and under Poisson input the
    weights become bimodal. Triplet STDP (Pfister & Gerstner 2006): at low frequencies pairs of +10 ms change nothing
    and those of -10 ms depress; at high frequencies both potentiate. Inhibitory STDP (Vogels et al. 2011): the rate of
    a neuron is the target rate, whatever its excitation. Reward-modulated STDP (Izhikevich 2007): a reward seconds
    after a pairing changes the weight, the less the later it comes.
    """
    check_writable(out)
    seeds = 1 if quick else seeds
    results: dict[str, Any] = {
        "window": window(),
        "frequencies": frequencies(),
        "reward": distal_reward(),
        "distribution": [distribution(2 if quick else 100, seed) for seed in range(seeds)],
        "balance": [balance(2 if quick else 20, seed) for seed in range(seeds)],
    }
    table = signatures(results)
    title = f"Rules on spikes, {seeds} seed{'s' * (seeds > 1)}: mean ± standard deviation"
    with writing(out):
        for name, found in results.items():
            (pd.concat(found, keys=range(seeds), names=["seed"]) if isinstance(found, list) else found).to_csv(
                out / f"{name}.csv"
            )
        (out / "report.md").write_text(f"# {title}\n\n{command.as_markdown(table)}")
        draw(results).savefig(out / "stdp.png", dpi=110)
    console = Console(markup=False)
    console.print(command.as_rich_table(table, title))
    console.print(f"wrote {out / 'stdp.png'}")


if __name__ == "__main__":
    command.run(main)
