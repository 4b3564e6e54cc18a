"""Make the figures of the gallery again: ``python docs/make_gallery.py [motif | EXAMPLE ...]``, all by default.

Draws the motif SAL, runs each example on digits with its own defaults, and keeps the drawing and one figure of each
example, made small, in docs/figures.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from motifs import sal

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
WIDTH = 900  # pixels, at most

# example -> the figure of its run folder that the gallery shows
SHOWN = {
    "self_assembly": "weights", "theory": "lemma", "benchmark_table": "validation", "parity": "validation",
    "feedback_width": "accuracy", "representations": "matrices_sal", "pathway_ablation": "curves",
    "learning_rates": "learning_rates", "short_term_modulation": "modulation", "winner_take_all": "weights",
    "local_losses": "local_loss_W1", "motif_census": "census", "atlas": "atlas", "stdp": "stdp",
    "local_fields": "accuracy",
}  # fmt: skip


def make(name: str, runs: Path) -> Path:
    """Draw the motif, or run one example and keep its figure; a run folder that exists is not made again."""
    if name == "motif":
        runs.mkdir(parents=True, exist_ok=True)
        sal([64, 32, 32, 10]).draw(runs / "motif.png")
        return keep(runs / "motif.png", FIGURES / "motif.png")
    out = runs / name
    if not out.is_dir():
        subprocess.run([sys.executable, ROOT / "examples" / f"{name}.py", "--out", out], check=True)
    return keep(out / f"{SHOWN[name]}.png", FIGURES / "gallery" / f"{name}.png")


def keep(source: Path, path: Path) -> Path:
    """A small copy of a picture."""
    image = Image.open(source).convert("RGB")
    image.thumbnail((WIDTH, WIDTH))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    for name in sys.argv[1:] or ["motif", *SHOWN]:
        print(make(name, ROOT / "runs" / "gallery"))
