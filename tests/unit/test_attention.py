"""RA-SA and IBA against softmax maps written out."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.attention import (
    biased,
    inversion_boosted,
    reference_anchored,
    reference_bias,
    repeated_text,
)
from freeanimate_pack.freeanimate_core.method.passes import RecordingPass, TargetPass

F, N, C, HEADS = 3, 10, 8, 2


def attention(q, k, v, heads, mask=None):
    """Multi-head attention [b,n,c] with an additive mask, as the host calls it."""
    q, k, v = (t.reshape(t.shape[0], t.shape[1], heads, -1).transpose(1, 2) for t in (q, k, v))
    mask = None if mask is None else mask.unsqueeze(1)
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out.transpose(1, 2).flatten(2)


def literal(q, k, v, weights):
    """softmax(q k^T / sqrt d + ln weights) v for one head [b,n,c]."""
    logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + weights.log()
    return logits.softmax(-1) @ v


@pytest.fixture
def tokens():
    rng = torch.Generator().manual_seed(0)
    live, recorded = torch.randn(2, F, N, C, generator=rng, dtype=torch.float64)
    return live, recorded, torch.randn(1, N, C, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("weight", [0.25, 1.0, 3.0])
def test_weighted_reference_is_the_formula(tokens, weight):
    live, _, reference = tokens
    q, k, v = reference_anchored(live, live, live, reference)
    out = biased(attention, reference_bias(N, N, weight, live))(q, k, v, 1)
    both = torch.cat([live, reference.expand(F, -1, -1)], 1)
    weights = torch.cat([torch.ones(N), torch.full((N,), weight)]).double()
    assert torch.allclose(out, literal(live, both, both, weights), atol=1e-12)


def test_weight_one_needs_no_mask_and_weight_zero_no_reference(tokens):
    live, _, reference = tokens
    q, k, v = reference_anchored(live, live, live, reference)
    plain = attention(q, k, v, HEADS)
    masked = biased(attention, reference_bias(N, N, 1.0, live))(q, k, v, HEADS)
    assert torch.allclose(plain, masked, atol=1e-12)
    faint = biased(attention, reference_bias(N, N, 1e-12, live))(q, k, v, HEADS)
    assert torch.allclose(faint, attention(*reference_anchored(live, live, live, None), HEADS), atol=1e-9)


def test_a_present_mask_is_added_to(tokens):
    live, _, reference = tokens
    q, k, v = reference_anchored(live, live, live, reference)
    present = torch.zeros(1, 1, 2 * N, dtype=torch.float64)
    present[..., :N] = -torch.inf
    out = biased(attention, reference_bias(N, N, 0.5, live))(q, k, v, 1, present)
    assert torch.allclose(out, literal(live, reference.expand(F, -1, -1), reference, torch.ones(N).double()))


def boosted(live, recorded, reference):
    """IBA and RA-SA of one conditioning's rows."""
    inputs = inversion_boosted((live, live, live), recorded, recorded, [0], frozenset({0}))
    return reference_anchored(*inputs, reference)


def test_frames_do_not_meet(tokens):
    live, recorded, reference = tokens
    order = torch.tensor([2, 0, 1])
    together = attention(*boosted(live, recorded, reference), HEADS)
    shuffled = attention(*boosted(live[order], recorded[order], reference), HEADS)
    assert torch.allclose(together[order], shuffled, atol=1e-12)


def test_replay_is_the_recorded_map_times_live_values(tokens):
    live, recorded, reference = tokens
    out = attention(*boosted(live, recorded, reference), 1)
    anchored = [torch.cat([t, reference.expand(F, -1, -1)], 1) for t in (recorded, live)]
    assert torch.allclose(out, literal(recorded, *anchored, torch.ones(2 * N).double()), atol=1e-12)


def test_repeated_text_changes_no_attention(tokens):
    live, _, text = tokens
    longer = repeated_text(text, live.repeat(1, 3, 1))
    assert longer.shape == (F, 3 * N, C)
    short = text.expand(F, -1, -1)
    assert torch.allclose(attention(live, longer, longer, HEADS), attention(live, short, short, HEADS), atol=1e-12)


def recorded_pass(tokens, weight=1.0):
    live, recorded, reference = tokens
    anchor = RecordingPass(cross=False)
    anchor.self_inputs("a", (reference, reference, reference), [0])
    preview = RecordingPass(anchor.features, weight)
    preview.self_inputs("a", (recorded, recorded, recorded), [0])
    preview.cross_inputs("a", (recorded, live, live), [0])
    return anchor.features, preview.features


def test_only_the_replayed_chunk_reads_the_record(tokens):
    """The negative half comes first: rows are found by the host's indices, not by halves."""
    live, recorded, reference = tokens
    features = recorded_pass(tokens)
    target = TargetPass(features[0], 1.0, features[1], live[:1], frozenset({0}), frozenset({0}))
    rows = torch.cat([live, live])
    q, k, v = target.self_inputs("a", (rows, rows, rows), [1, 0])
    assert torch.equal(q[:F], live) and torch.equal(q[F:], recorded)
    assert torch.equal(k[:F, :N], live) and torch.equal(k[F:, :N], recorded)
    assert torch.equal(v[:, :N], rows) and torch.equal(k[:, N:], reference.expand(2 * F, -1, -1))
    q, k, v = target.cross_inputs("a", (rows, rows, rows), [1, 0])
    assert torch.equal(q[F:], recorded) and torch.equal(k[F:], live[:1].expand(F, -1, -1))
    assert torch.equal(q[:F], live) and v is rows


def test_weight_zero_renormalises_the_recorded_keys(tokens):
    live, recorded, _ = tokens
    features = recorded_pass(tokens)
    target = TargetPass({}, 0.0, features[1], None, frozenset({0}))
    q, k, v = target.self_inputs("a", (live, live, live), [0])
    assert torch.equal(q, recorded) and torch.equal(k, recorded) and torch.equal(v, live)
    assert target.take_bias(N) is None


def test_a_layer_that_was_skipped_is_named(tokens):
    live, *_ = tokens
    with pytest.raises(FreeAnimateError, match="layer b.self was not evaluated"):
        TargetPass(recorded_pass(tokens)[0], 1.0).self_inputs("b", (live, live, live), [0])


def test_the_bias_is_for_the_next_self_attention_only(tokens):
    live, *_ = tokens
    features = recorded_pass(tokens)
    target = TargetPass(features[0], 0.5)
    target.self_inputs("a", (live, live, live), [0])
    assert target.take_bias(2 * N).shape == (1, 1, 2 * N)
    assert target.take_bias(2 * N) is None
    target.self_inputs("a", (live, live, live), [0])
    target.cross_inputs("a", (live, live, live), [0])
    assert target.take_bias(2 * N) is None


def test_a_bias_for_other_keys_is_not_dropped(tokens):
    live, *_ = tokens
    target = TargetPass(recorded_pass(tokens)[0], 0.5)
    target.self_inputs("a", (live, live, live), [0])
    with pytest.raises(FreeAnimateError, match=f"reference_weight 0.5 cannot act .* makes {3 * N} keys of {2 * N}"):
        target.take_bias(3 * N)


def test_a_layer_of_another_size_is_named(tokens):
    live, *_ = tokens
    anchor, preview = recorded_pass(tokens)
    small = live[:, ::2]
    with pytest.raises(FreeAnimateError, match=f"layer a.self has {N // 2} tokens and the recording pass had {N}"):
        TargetPass(anchor, 1.0).self_inputs("a", (small, small, small), [0])
    for weight in (0.0, 1.0):
        replay = TargetPass(anchor, weight, preview, live[:1], frozenset({0}), frozenset({0}))
        with pytest.raises(FreeAnimateError, match="layer a.self"):
            replay.self_inputs("a", (small, small, small), [0])
        with pytest.raises(FreeAnimateError, match="layer a.cross"):
            replay.cross_inputs("a", (small, live, live), [0])
