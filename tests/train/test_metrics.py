"""Metrics against NumPy and scikit-learn, also where some are undefined."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from circuitsim.train.metrics import metrics


def labels(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of two replicas for three labels, of which the last is always 1."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, (1, 40, 3)).astype(float)
    target[..., 2] = 1
    return rng.standard_normal((2, 40, 3)), target


def test_labels_with_one_value_are_left_out_of_the_auc_and_count_for_the_accuracy():
    output, target = labels()
    found = metrics("bce", torch.from_numpy(output), torch.from_numpy(target))
    expected = [np.mean([roc_auc_score(target[0, :, k], output[r, :, k]) for k in (0, 1)]) for r in range(2)]
    np.testing.assert_allclose(found["auc"], expected, rtol=1e-12)
    np.testing.assert_allclose(found["accuracy"], ((output > 0) == (target == 1)).mean((1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found["loss"], (np.log1p(np.exp(output)) - output * target).sum(2).mean(1), rtol=1e-12)


def test_the_auc_is_undefined_where_no_label_has_both_values_or_outputs_are_not_finite():
    output, target = labels()
    alone = metrics("bce", torch.from_numpy(output[..., 2:]), torch.from_numpy(target[..., 2:]))
    assert np.isnan(alone["auc"]).tolist() == [True, True] and np.isfinite(alone["accuracy"]).all()
    output[1, 3, 0] = np.inf
    found = metrics("bce", torch.from_numpy(output), torch.from_numpy(target))
    assert np.isfinite(found["auc"]).tolist() == [True, False]
