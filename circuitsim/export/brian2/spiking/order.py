"""The order of objects within a slot of Brian2, which would otherwise order them by name."""

LATE = 1000  # for objects that come after the neurons
