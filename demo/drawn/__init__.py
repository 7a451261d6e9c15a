"""Drawn characters with known truth: layers of limbs, for the demo and the evaluations."""
