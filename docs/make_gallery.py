"""Make the figures of the gallery again: ``python docs/make_gallery.py [EXAMPLE ...]``, all by default.

Runs each example on digits with its own defaults and keeps one of its figures, made small, in docs/figures/gallery.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "figures" / "gallery"
WIDTH = 900  # pixels, at most

# example -> the figure of its run folder that the gallery shows
FIGURES = {
    "self_assembly": "weights", "theory": "lemma_V1", "benchmark_table": "validation", "parity": "validation",
    "feedback_width": "accuracy", "representations": "matrices_sal", "pathway_ablation": "curves",
    "learning_rates": "learning_rates", "short_term_modulation": "modulation", "winner_take_all": "weights",
    "local_losses": "local_loss_W1",
}  # fmt: skip


def make(example: str, runs: Path) -> Path:
    """Run one example and keep its figure; a run folder that is there already is not made again."""
    out = runs / example
    if not out.is_dir():
        subprocess.run([sys.executable, ROOT / "examples" / f"{example}.py", "--out", out], check=True)
    image = Image.open(out / f"{FIGURES[example]}.png").convert("RGB")
    image.thumbnail((WIDTH, WIDTH))
    path = FOLDER / f"{example}.png"
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or FIGURES:
        print(make(name, ROOT / "runs" / "gallery"))
