"""The three evaluations of one U-Net at one noise level: reference, preview, target.

A pass says what each attention layer of one evaluation reads, and keeps what it records. It
lives as long as that evaluation. Layers are named by ``site``; rows of a batch come in chunks,
one per conditioning, whose indices the host gives as ``chunks``.
"""

from dataclasses import dataclass, field

from torch import Tensor

from ..errors import INVERSION, PATCH_MODEL, FreeAnimateError, counted
from .attention import Inputs, inversion_boosted, reference_anchored, reference_bias, repeated_text

Features = dict[str, Tensor]


def recorded_at(features: Features, layer: str, like: Tensor) -> Tensor:
    """What a pass recorded at a layer, [b,n,c] for live rows ``like`` [b',n,c].

    Raises FreeAnimateError when another patch kept the layer from running, or has changed the number of tokens since.
    """
    if layer not in features:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: attention layer {layer} was not evaluated in the recording pass; remove nodes that skip "
            "or replace parts of the U-Net (caches, block skipping) from the model."
        )
    recorded = features[layer]
    if recorded.shape[1] != like.shape[1]:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: attention layer {layer} has {counted(like.shape[1], 'token')} and the recording pass had "
            f"{recorded.shape[1]}; put the node that changes the size of layers (such as Deep Shrink) before both "
            f"{INVERSION} and {PATCH_MODEL}, or remove it."
        )
    return recorded


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
        reference = recorded_at(self.reference, f"{site}.self", key) if self.weight > 0 else None
        self._bias = None
        if reference is not None and self.weight != 1:
            self._bias = reference_bias(key.shape[1], reference.shape[1], self.weight, key)
        return reference_anchored(query, key, value, reference)

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """(query, key, value) inputs of a cross-attention layer: untouched."""
        self._bias = None
        return inputs

    def take_bias(self, tokens: int) -> Tensor | None:
        """The key bias that the coming attention call over ``tokens`` keys needs, once.

        Raises FreeAnimateError when the keys are not those that it was made for.
        """
        if self._bias is not None and self._bias.shape[-1] != tokens:
            self.refuse_pending(f"another patch, which makes {tokens} keys of {self._bias.shape[-1]}")
        bias, self._bias = self._bias, None
        return bias

    def refuse_pending(self, what: str) -> None:
        """FreeAnimateError, blaming ``what``, if this layer's key bias waits for a call of attention that took none."""
        if self._bias is not None:
            raise FreeAnimateError(
                f"{PATCH_MODEL}: reference_weight {self.weight:g} cannot act in a self-attention layer because of "
                f"{what}; remove that patch from the model, or set reference_weight to 1 or 0 wherever it stands."
            )


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
            recorded = recorded_at(self.preview, f"{site}.self", inputs[0])
            inputs = inversion_boosted(inputs, recorded, recorded, chunks, self.self_chunks)
        return super().self_inputs(site, inputs, chunks)

    def cross_inputs(self, site: str, inputs: Inputs, chunks: list[int]) -> Inputs:
        """IBA: CROSS = c_pre V, V of the live text."""
        inputs = super().cross_inputs(site, inputs, chunks)
        if self.text is not None and self.cross_chunks.intersection(chunks):
            recorded = recorded_at(self.preview, f"{site}.cross", inputs[0])
            text = repeated_text(self.text, inputs[1].chunk(len(chunks))[0])
            inputs = inversion_boosted(inputs, recorded, text, chunks, self.cross_chunks)
        return inputs
