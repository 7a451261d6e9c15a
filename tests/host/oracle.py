"""The pack's truth: the literal method on a test's clip, in double precision."""

from lab.benchmark.literal import Layers, applied, attention_map, denoise

__all__ = ["applied", "attention_map", "oracle"]


def oracle(clip, record, cfg: float, self_span=0.8, cross_span=0.8, replay=True, model=None, **weights):
    """Final latents over the record's trajectories; model: with patches that leave the attention slots free."""
    layers = Layers(**weights)
    spans = self_span, cross_span
    return denoise(model or clip.tiny.model, clip.positive, clip.negative, record, cfg, layers, *spans, replay)
