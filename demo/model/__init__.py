"""The small model that ships: its layout in the host's own classes, and its trained weights."""

SIDE = 256  # pixels, both sides, of the pictures that the model was trained on
