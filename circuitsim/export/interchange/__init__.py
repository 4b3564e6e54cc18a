"""Files that other programs read: motifs and connectomes as graphs, weights as arrays. Nothing is unpickled."""

from circuitsim.export.interchange.connectome_file import read_connectome, write_connectome
from circuitsim.export.interchange.motif_file import read_motif, write_motif
from circuitsim.export.interchange.weight_file import read_weights, write_weights

__all__ = ["read_connectome", "read_motif", "read_weights", "write_connectome", "write_motif", "write_weights"]
