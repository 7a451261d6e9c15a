"""The small model that ships: its layout in the host's own classes, and its trained weights."""

SIDE = 128  # pixels, both sides, of the pictures that the model was trained on
