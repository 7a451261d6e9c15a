"""The small model that ships: its layout in the host's own classes, and its trained weights."""
