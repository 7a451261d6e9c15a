"""The world of rendered 3D people: a seed is a person, a room, a picture, a clip, with all of their truth."""

from .training import training_picture

__all__ = ["training_picture"]
