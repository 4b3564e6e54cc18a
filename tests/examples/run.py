"""What the tests of the experiments share."""

from pathlib import Path

import pandas as pd

from support import Setup, Study


def run(study: type[Study], out: Path, **options) -> Study:
    """A quick run, without a display."""
    return study.on(quick=True, out=out, device="cpu", progress=False, **options).run()


def quick_setup(study: type[Study], **options) -> Setup:
    """What a quick run would be on."""
    return study.on(quick=True, device="cpu", progress=False, **options).setup


def numbers(table: pd.DataFrame, column: str) -> pd.Series:
    """The means in cells such as ``0.41 ± 0.03``."""
    return table[column].str.split().str[0].astype(float)


def assert_written(folder: Path, *names: str) -> None:
    for name in ("table.csv", "report.md", "configuration.json", "history.csv", *names):
        assert (folder / name).stat().st_size > 100
