"""The three evaluations of one U-Net at one noise level: reference, preview, target.

A pass says what each attention layer of one evaluation reads, and keeps what it records. It
lives as long as that evaluation. Layers are named by ``site``; rows of a batch come in chunks,
one per conditioning, whose indices the host gives as ``chunks``.
"""

from dataclasses import dataclass, field

from torch import Tensor

from ..errors import PATCH_MODEL, FreeAnimateError
from .attention import Inputs, inversion_boosted, reference_anchored, reference_bias, repeated_text

Features = dict[str, Tensor]


def recorded_at(features: Features, layer: str) -> Tensor:
    """What a pass recorded at a layer; FreeAnimateError when another patch kept it from running."""
    if layer not in features:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: attention layer {layer} was not evaluated in the recording pass; remove nodes that skip "
            "or replace parts of the U-Net (caches, block skipping) from the model."
        )
    return features[layer]


@dataclass
class AttentionPass:
    """What the attention layers of one evaluation read.

    reference: recorded inputs of the reference's self-attention by site, each [1,n,c].
    weight: w of the reference's keys, 0 = unread.
    """

    reference: Features = field(default_factory=dict)
    weight: float = 0.0
    _bias: Tensor | None = field(default=None, init=False)

    def self_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """(query, key, value) inputs of a self-attention layer under RA-SA."""
        query, key, value = inputs
        reference = recorded_at(self.reference, f"{site}.self") if self.weight > 0 else None
        self._bias = None
        if reference is not None and self.weight != 1:
            self._bias = reference_bias(key.shape[1], reference.shape[1], self.weight, key)
        return reference_anchored(query, key, value, reference)

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """(query, key, value) inputs of a cross-attention layer: untouched."""
        self._bias = None
        return inputs

    def take_bias(self, tokens: int) -> Tensor | None:
        """The key bias that the coming attention call over ``tokens`` keys needs, once."""
        bias, self._bias = self._bias, None
        return bias if bias is not None and bias.shape[-1] == tokens else None


@dataclass
class RecordingPass(AttentionPass):
    """Reference or preview: reads the reference (weight 0: nothing) and records layer inputs.

    cross: whether the inputs of the cross-attention layers are recorded too.
    """

    cross: bool = True
    features: Features = field(default_factory=dict)

    def self_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """Record the layer's input [b,n,c], then RA-SA."""
        self.features[f"{site}.self"] = inputs[0]
        return super().self_inputs(site, inputs, chunks)

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """Record the layer's query input [b,n,c]."""
        if self.cross:
            self.features[f"{site}.cross"] = inputs[0]
        return super().cross_inputs(site, inputs, chunks)


@dataclass
class TogetherPass(RecordingPass):
    """Frames of the preview and, as the last row, the reference, in one evaluation.

    The last row reads its own keys twice, which changes no softmax.
    """

    def self_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """Record both, then RA-SA with the last row as the reference."""
        rows = inputs[0]
        self.reference[f"{site}.self"] = rows[-1:].clone()  # a view would hold the window's rows for the whole level
        inputs = super().self_inputs(site, inputs, chunks)
        self.features[f"{site}.self"] = rows[:-1]
        return inputs

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """Record the frames' query inputs."""
        self.features[f"{site}.cross"] = inputs[0][:-1]
        return AttentionPass.cross_inputs(self, site, inputs, chunks)


@dataclass
class TargetPass(AttentionPass):
    """The frames being denoised: RA-SA in every row, recorded maps in the replayed chunks.

    preview: the preview pass's features of the same frames at the same level.
    text: recorded text [1 or f,L,c], which cross maps need. self_chunks, cross_chunks: conditionings that replay.
    """

    preview: Features = field(default_factory=dict)
    text: Tensor | None = None
    self_chunks: frozenset[int] = frozenset()
    cross_chunks: frozenset[int] = frozenset()

    def self_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """IBA: SELF = s_pre V, then RA-SA over recorded and live rows alike."""
        if self.self_chunks.intersection(chunks):
            recorded = recorded_at(self.preview, f"{site}.self")
            inputs = inversion_boosted(inputs, recorded, recorded, chunks, self.self_chunks)
        return super().self_inputs(site, inputs, chunks)

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """IBA: CROSS = c_pre V, V of the live text."""
        inputs = super().cross_inputs(site, inputs, chunks)
        if self.text is not None and self.cross_chunks.intersection(chunks):
            recorded = recorded_at(self.preview, f"{site}.cross")
            text = repeated_text(self.text, inputs[1].chunk(len(chunks))[0])
            inputs = inversion_boosted(inputs, recorded, text, chunks, self.cross_chunks)
        return inputs
