"""Published circuits, one per file; each file has one function of the same name, which returns a `cs.Motif`."""

from motifs.backprop import backprop
from motifs.direct_kolen_pollack import direct_kolen_pollack
from motifs.feedback_alignment import feedback_alignment
from motifs.kolen_pollack import kolen_pollack
from motifs.sal import sal
from motifs.two_stream import two_stream

__all__ = ["backprop", "direct_kolen_pollack", "feedback_alignment", "kolen_pollack", "sal", "two_stream"]
