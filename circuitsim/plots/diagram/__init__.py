"""The parts of a circuit's picture: places of populations, routes of projections, labels, shapes, legend."""
