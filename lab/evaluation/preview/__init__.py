"""The study of Preview Generation: known truth in six classes of pose, and a photograph."""
