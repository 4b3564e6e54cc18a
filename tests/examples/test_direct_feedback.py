"""V is what direct Kolen-Pollack learns, times A^T, where Wt is frozen; and not where it is plastic."""

import numpy as np
import torch

import circuitsim as cs
from direct_feedback import FROZEN, PLASTIC, SHUFFLED, DirectFeedback, chain
from motifs import paper_sal
from tests.examples.run import assert_written, run


def test_direct_feedback_is_exact_at_every_step_where_wt_is_frozen_and_only_there(tmp_path):
    study = run(DirectFeedback, tmp_path, epochs=12)
    for label in (FROZEN, SHUFFLED, PLASTIC):
        table = study.results[label].history.to_pandas()
        for metric in ("V_error", "I_V_error"):
            error = table[table.metric == metric]
            assert set(error.site) == {"V1", "V2"} and error.step.nunique() > 200 and np.isfinite(error.value).all()
            if label == PLASTIC:
                assert error[error.step == error.step.max()].value.min() > 0.01
            else:
                assert error.value.max() < 1e-10
    table = study.table()
    assert len(table) == 6 and (table["ran away"] == "0 of 2").all()
    assert (table[table.circuit != PLASTIC]["|V - K A^T| / |V|"].astype(float) < 1e-10).all()
    assert_written(tmp_path)


def test_the_chain_of_feedback_leads_from_a_layer_to_the_output():
    circuit = cs.compile(paper_sal([6, 5, 4, 3, 2], [7, 8, 9]), replicas=2, dtype="float64", device="cpu")
    wt = [circuit.weights(f"Wt{layer}") for layer in (1, 2, 3)]
    torch.testing.assert_close(chain(circuit, 1), wt[0] @ wt[1] @ wt[2])
    assert chain(circuit, 3).shape == (2, 9, 2)
