"""The display shows steps, rate, remaining time and the latest numbers; and is silent when asked to be."""

import re

import circuitsim as cs
from circuitsim.train.progress import RunProgress
from motifs import backprop


def run(progress: bool) -> None:
    data = cs.load_dataset("teacher", n_features=6, n_outputs=3, n_samples=200)
    cs.fit(cs.compile(backprop([6, 5, 3]), device="cpu"), data, epochs=2, batch_size=20, progress=progress)


def test_the_display_ends_with_all_steps_done_a_rate_and_the_metrics(capfd):
    run(progress=True)
    shown = capfd.readouterr().err
    assert re.search(r"backprop.*14/14.*steps/s.*loss \d\.\d+, accuracy \d\.\d+", shown, re.S)


def test_brackets_in_names_are_shown(capfd):
    with RunProgress("two [ends]", n_steps=1, show=True) as display:
        display.note("loss[up2] 0.250")
        display.advance()
    assert re.search(r"two \[ends\].*loss\[up2\] 0\.250", capfd.readouterr().err, re.S)


def test_without_progress_nothing_is_shown(capfd):
    run(progress=False)
    captured = capfd.readouterr()
    assert captured.err == captured.out == ""
