"""The signatures of the four rules on spikes."""

import pandas as pd
import pytest

from stdp import main

pytest.importorskip("brian2")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_quick_run_shows_each_signature(tmp_path):
    main(out=tmp_path, quick=True)
    window, triplets, reward = (
        pd.read_csv(tmp_path / f"{name}.csv", index_col=0) for name in ("window", "frequencies", "reward")
    )
    rates = pd.read_csv(tmp_path / "balance.csv", index_col=[0, 1])
    assert (window[window.index > 0] > 0).all(axis=None) and (window[window.index < 0] < 0).all(axis=None)
    assert triplets["-10 ms"].iloc[0] < 0 < triplets["-10 ms"].iloc[-1]
    assert (rates.iloc[1] < rates.iloc[0]).all()
    assert (reward[reward.index < 0] == 0).all(axis=None)
    assert (reward[reward.index >= 0].diff().dropna() < 0).all(axis=None)
    report = (tmp_path / "report.md").read_text()
    assert "| reward | decay of the effect with the delay of the reward, ms | 1000 | 1000 |" in report
    assert (tmp_path / "stdp.png").stat().st_size > 10_000
