"""Socket types, category and id prefix of the pack: the only place for these strings."""

from comfy_api.latest import io

CATEGORY = "FreeAnimate"
PREFIX = "FreeAnimate"

PoseKeypoint = io.Custom("POSE_KEYPOINT")
Inversion = io.Custom("FREEANIMATE_INVERSION")
