"""Files of other programs: motifs and connectomes as graphs, weights as arrays. Reading never unpickles data."""
