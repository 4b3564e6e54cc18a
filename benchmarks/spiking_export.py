"""How fast is the exported standalone network, against the same model written by hand?

    python benchmarks/spiking_export.py [--samples 5640] [--repeats 5]

Both C++ programs are built first; then they run in turns, with the same number of trials, and the ratio of the medians
is printed, in processor seconds. By hand: `benchmarks/spiking_by_hand.py`, one run of all trials. Exported: a run for
each segment, weights read back after each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import circuitsim as cs
from circuitsim.export import SpikingNetwork
from circuitsim.studies.spiking_motif import spiking_sal

BY_HAND = Path(__file__).with_name("spiking_by_hand.py")
N_TEST = 360  # of the script by hand, played as trials too


def main() -> None:
    """Print the times of each pair of runs, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=5640)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--segment", type=int, default=1000, help="trials of one run of the exported program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--programs", default=None, help="folder of exported programs, to be used again")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "by_hand"
        command = [sys.executable, "-W", "ignore", str(BY_HAND), "--directory", str(program)]
        done = subprocess.run(
            [*command, "--seed", str(args.seed), "--samples", str(args.samples)],
            capture_output=True,
            text=True,
            check=True,
        )
        print("by hand:", *done.stdout.strip().splitlines(), sep="\n  ")
        data = cs.load_dataset("digits", standardize=False)
        circuit = cs.compile(spiking_sal([64, 32, 10]), seed=args.seed, device="cpu")
        n = args.samples + N_TEST

        def export() -> SpikingNetwork:
            return cs.export_brian2(
                circuit, mode="spiking", n_trials=args.segment, directory=args.programs or Path(folder) / "exported"
            )

        started = time.perf_counter()
        export().fit(data, samples=1, progress=False)
        print(f"exported: built in {time.perf_counter() - started:.1f} s")
        pairs = []
        for _ in range(args.repeats):
            hand, ours = timed_program(program), timed_export(export(), data, n)
            pairs.append((hand, ours))
            print(f"by hand {hand:6.2f} s, exported {ours:6.2f} s, ratio {ours / hand:.2f}", flush=True)
    hand, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"medians of {args.repeats}: by hand {hand:.2f} s, exported {ours:.2f} s, ratio {ours / hand:.2f}")


def timed_program(folder: Path) -> float:
    """One run of the program by hand."""
    return _children(lambda: subprocess.run(["./main"], cwd=folder, check=True, capture_output=True))


def timed_export(net: SpikingNetwork, data: cs.Dataset, n: int) -> float:
    """One run of the exported network; everything that `fit` does is in it."""
    return _children(lambda: net.fit(data, samples=n, progress=False))


def _children(run: Callable[[], object]) -> float:
    """Processor seconds, of this process and of those that it starts: other work on the machine does not count."""
    before = os.times()
    run()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


if __name__ == "__main__":
    main()
