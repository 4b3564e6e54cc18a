"""The spiking experiments, quick, as a user runs them."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("brian2")
EXAMPLES = Path(__file__).parents[2] / "examples"
ROWS = {
    "spiking_self_assembly": {
        "spikes",
        "spikes, feedback frozen at random",
        "rates, batches of 4",
        "rates, the paper's form",
    },
    "spiking_depth": {"two hidden layers"},
    "spiking_delays": {"0 ms", "20 ms"},
    "spiking_feedback": {
        "assembled",
        "feedback frozen at random",
        "shuffled error",
        "the paper's form, assembled",
        "the paper's form, frozen",
        "rates, batches of 16",
    },
    "spike_timing": {"traces 50 / 10 ms", "traces 50 / 50 ms"},
    "spiking_conversion": {"SAL"},
}
FIGURES = {
    "spiking_self_assembly": {"self_assembly", "weights", "raster"},
    "spiking_depth": {"depth"},
    "spiking_delays": {"delays", "raster"},
    "spiking_feedback": {"feedback"},
    "spike_timing": {"stationarity_cosine", "mirror_cosine", "gradient_cosine", "accuracy", "jitter"},
    "spiking_conversion": set(),
}


SLOW = [pytest.mark.slow]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in ("spiking_self_assembly", "spiking_conversion") else SLOW) for n in ROWS]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_quick_run_writes_its_table_and_figures(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--quick", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as left:  # typer leaves so, also when all went well
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert left.value.code in (0, None)
    table = pd.read_csv(tmp_path / "table.csv")
    assert set(table.iloc[:, 0]) == ROWS[name]
    assert all((tmp_path / f"{figure}.png").stat().st_size > 5000 for figure in FIGURES[name])
    if name == "spiking_conversion":
        assert float(table["same answer, %"][0].split()[0]) > 85  # 7 of 8 images
        return
    history = pd.read_csv(tmp_path / "history.csv")
    ends = history.groupby("circuit").epoch.max()
    assert np.allclose(ends, ends.iloc[0])  # rates have seen as many samples as spikes
    cosines = history[history.metric == "mirror_cosine"].value
    assert len(cosines) and cosines.between(-1, 1).all()
