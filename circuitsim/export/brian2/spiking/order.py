"""The order of objects within a slot of Brian2, which would else go by their names."""

LATE = 1000  # of what comes after the neurons
