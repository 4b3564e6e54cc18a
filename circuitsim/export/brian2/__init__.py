"""Export of a circuit as a Brian2 network. Modules here import brian2 only during an export."""
