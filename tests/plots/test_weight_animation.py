"""The animation shows each moment once, in one order, and as a GIF that any program plays."""

import importlib
import itertools

import numpy as np
import pytest
from PIL import Image

import circuitsim as cs
from circuitsim.plots import animation
from tests.plots.figures import named

RANDOM = np.random.default_rng(0)


def becoming_alike(n=5, rows=6, columns=4):
    """A matrix over time, and another that becomes it."""
    a = np.repeat(np.outer(RANDOM.normal(size=rows), RANDOM.normal(size=columns))[None], n, axis=0)
    share = np.linspace(0, 1, n)[:, None, None]
    return a, share * a + (1 - share) * RANDOM.normal(size=a.shape)


def frames_of(path):
    with Image.open(path) as image:
        found = []
        for k in range(image.n_frames):
            image.seek(k)
            found.append((np.asarray(image.convert("RGB")).astype(int), image.info["duration"]))
        return found


def test_there_is_a_frame_for_each_moment_and_the_last_stands_longer(tmp_path):
    animation({("V1", "Vt1ᵀ"): becoming_alike()}, [0, 2, 4, 6, 8], tmp_path / "a" / "a.gif", seconds=0.2)
    frames = frames_of(tmp_path / "a" / "a.gif")
    assert [duration for _, duration in frames] == [200, 200, 200, 200, 2500]
    assert all((frame[0, 0] == 255).all() for frame, _ in frames)  # paper is white
    assert all((one != other).any() for (one, _), (other, _) in itertools.pairwise(frames))


def test_each_frame_holds_both_matrices_of_its_moment_in_one_order_and_their_cosine(tmp_path, monkeypatch):
    seen, module = [], importlib.import_module("circuitsim.plots.weight_animation")
    draw = module._frame

    def look(figure):
        curve = named(figure, "cosine:V1")
        seen.append(
            [*(np.array(named(figure, f"matrix:{name}").get_array()) for name in ("V1", "Vt1ᵀ")), curve.get_data()]
        )
        return draw(figure)

    monkeypatch.setattr(module, "_frame", look)
    a, b = becoming_alike()
    animation({("V1", "Vt1ᵀ"): (a, b)}, [0, 2, 4, 6, 8], tmp_path / "a.gif")
    rows = [np.flatnonzero((np.sort(a[-1], axis=1) == np.sort(row)).all(axis=1))[0] for row in seen[-1][0]]
    columns = [np.flatnonzero((np.sort(a[-1], axis=0).T == np.sort(column)).all(axis=1))[0] for column in seen[-1][0].T]
    for k, (first, second, (epochs, cosines)) in enumerate(seen):
        np.testing.assert_array_equal(first, a[k][np.ix_(rows, columns)])
        np.testing.assert_array_equal(second, b[k][np.ix_(rows, columns)])
        expected = [np.sum(x * y) / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)][: k + 1]
        assert list(epochs) == [0, 2, 4, 6, 8][: k + 1] and list(cosines) == pytest.approx(expected)
    assert len(seen) == 5 and cosines[-1] == pytest.approx(1)


def test_what_cannot_be_shown_is_refused_before_a_file_is_made(tmp_path):
    a, b = becoming_alike()
    for pairs, name, message in (
        ({}, "a.gif", "one to four pairs of matrices .got 0"),
        ({("V1", "Vt1ᵀ"): (a, b)}, "a.mp4", "'.*a.mp4': the name of an animation must end with .gif"),
        (
            {("V1", "Vt1ᵀ"): (a, b[:, :, :3])},
            "a.gif",
            r"V1 and Vt1ᵀ must both have shape .*6, 4.*6, 3",
        ),
        ({("V1", "Vt1ᵀ"): (a[:2], b[:2])}, "a.gif", "with 5 moments"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            animation(pairs, range(5), tmp_path / name)
    assert not list(tmp_path.iterdir())
