"""Published circuits. Each file defines one function of the same name, which returns a `cs.Motif`.

`stdp`, `triplet_stdp`, `inhibitory_stdp` and `reward_stdp` exist as spiking networks only (docs/spiking.md).
`frozen_feedback` and `shuffled_error` are controls, which take a motif and return a changed one.
"""

from motifs.apical_sal import apical_sal
from motifs.backprop import backprop
from motifs.bcm import bcm
from motifs.burst_dependent import burst_dependent
from motifs.contrastive_hebbian import contrastive_hebbian
from motifs.counter_streams import counter_streams
from motifs.deep_feedback_control import deep_feedback_control
from motifs.dendritic_microcircuit import dendritic_microcircuit
from motifs.difference_target_propagation import difference_target_propagation
from motifs.direct_feedback_alignment import direct_feedback_alignment
from motifs.direct_kolen_pollack import direct_kolen_pollack
from motifs.equilibrium_propagation import equilibrium_propagation
from motifs.feedback_alignment import feedback_alignment
from motifs.foldiak import foldiak
from motifs.forward_forward import forward_forward
from motifs.frozen_feedback import frozen_feedback
from motifs.incremental_predictive_coding import incremental_predictive_coding
from motifs.inhibitory_stdp import inhibitory_stdp
from motifs.kolen_pollack import kolen_pollack
from motifs.krotov_hopfield import krotov_hopfield
from motifs.linear import linear
from motifs.node_perturbation import node_perturbation
from motifs.oja import oja
from motifs.paper_sal import paper_sal
from motifs.pepita import pepita
from motifs.phaseless_alignment import phaseless_alignment
from motifs.predictive_coding import predictive_coding
from motifs.reward_modulated import reward_modulated
from motifs.reward_stdp import reward_stdp
from motifs.rflo import rflo
from motifs.sal import sal
from motifs.sanger import sanger
from motifs.shuffled_error import shuffled_error
from motifs.sign_symmetry import sign_symmetry
from motifs.softhebb import softhebb
from motifs.spiking_sal import spiking_sal
from motifs.stdp import stdp
from motifs.triplet_stdp import triplet_stdp
from motifs.two_stream import two_stream
from motifs.weight_mirror import weight_mirror
from motifs.winner_take_all import winner_take_all

__all__ = [
    "apical_sal", "backprop", "bcm", "burst_dependent", "contrastive_hebbian", "counter_streams",
    "deep_feedback_control", "dendritic_microcircuit", "difference_target_propagation", "direct_feedback_alignment",
    "direct_kolen_pollack", "equilibrium_propagation", "feedback_alignment", "foldiak", "forward_forward",
    "frozen_feedback", "incremental_predictive_coding", "inhibitory_stdp", "kolen_pollack", "krotov_hopfield", "linear",
    "node_perturbation", "oja", "paper_sal", "pepita", "phaseless_alignment", "predictive_coding", "reward_modulated",
    "reward_stdp", "rflo", "sal", "sanger", "shuffled_error", "sign_symmetry", "softhebb", "spiking_sal", "stdp",
    "triplet_stdp", "two_stream", "weight_mirror", "winner_take_all",
]  # fmt: skip
