"""Files of other programs: motifs and connectomes as graphs, weights as arrays. Reading never unpickles data."""

from circuitsim.export.interchange.connectome_file import read_connectome, write_connectome
from circuitsim.export.interchange.edge_table import read_edge_table
from circuitsim.export.interchange.graph_file import MissingPackage
from circuitsim.export.interchange.motif_file import read_motif, write_motif
from circuitsim.export.interchange.nir_file import LeftOutWarning, read_nir
from circuitsim.export.interchange.sonata import read_sonata
from circuitsim.export.interchange.weight_file import read_weights, write_weights

__all__ = [
    "LeftOutWarning", "MissingPackage", "read_connectome", "read_edge_table", "read_motif", "read_nir", "read_sonata",
    "read_weights", "write_connectome", "write_motif", "write_weights",
]  # fmt: skip
