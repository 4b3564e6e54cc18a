"""Compare the speed of the exported standalone network with that of the same model written by hand.

    python benchmarks/spiking_export.py [--samples 5640] [--repeats 5]

The script builds both C++ programs, runs them in turns with the same number of trials, and prints the ratio of their
median processor seconds. The hand-written program, `benchmarks/spiking_by_hand.py`, plays all trials in one run. The
exported network has one run per segment, after each of which the weights are read.
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
from motifs import spiking_sal

BY_HAND = Path(__file__).with_name("spiking_by_hand.py")
N_TEST = 360  # test images of the hand-written script, which also presents them as trials


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
    """Run the hand-written program once."""
    return _children(lambda: subprocess.run(["./main"], cwd=folder, check=True, capture_output=True))


def timed_export(net: SpikingNetwork, data: cs.Dataset, n: int) -> float:
    """Run the exported network once, including everything that `fit` does."""
    return _children(lambda: net.fit(data, samples=n, progress=False))


def _children(run: Callable[[], object]) -> float:
    """The processor seconds of this process and its child processes, which exclude other work on the machine."""
    before = os.times()
    run()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


if __name__ == "__main__":
    main()
