"""Record, bank, fingerprint and windows."""

import gc
from functools import partial

import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.bank import AttentionBank, choose_storage
from freeanimate_pack.freeanimate_core.method.fingerprint import (
    Fingerprint,
    closed_over,
    signs_digest,
    values_digest,
    weights_digest,
)
from freeanimate_pack.freeanimate_core.method.record import Inversion, find_level
from freeanimate_pack.freeanimate_core.method.schedule import ddim_step, noise_estimate
from freeanimate_pack.freeanimate_core.method.windows import Windower, auto_size

LEVELS = torch.tensor([0.03, 0.5, 2.0, 6.0])
FINGERPRINT = Fingerprint("weights", "patches", "injected", "objects", "sampling", "prompt", "control")


def record(bank=None) -> Inversion:
    rng = torch.Generator().manual_seed(0)
    return Inversion(
        LEVELS,
        torch.randn(4, 2, 4, 3, 3, generator=rng),
        torch.randn(4, 1, 4, 3, 3, generator=rng),
        descending=torch.tensor([6.0, 2.0, 0.5, 0.0]),
        steps=3,
        positive=[[torch.zeros(1, 77, 8), {}]],
        reference_positive=[[torch.zeros(1, 77, 8), {}]],
        reference_weight=1.0,
        fingerprint=FINGERPRINT,
        options={},
        bank=bank,
    )


@pytest.mark.parametrize("index, sigma", list(enumerate(LEVELS.tolist())))
def test_levels_are_found_by_value(index, sigma):
    for near in (sigma, sigma * 1.0005):
        assert find_level(LEVELS, near).lower == index
        assert find_level(LEVELS, near).recorded


def test_between_levels_latents_blend_over_log_sigma():
    r = record()
    level = r.at(1.0)  # halfway between 0.5 and 2 in log sigma
    assert level.lower == 1 and level.blend == pytest.approx(0.5)
    expected = (r.preview[1, 1:] + r.preview[2, 1:]) / 2
    assert torch.allclose(level.of(r.preview, slice(1, 2)), expected, atol=1e-6)


@pytest.mark.parametrize("upper", [1, 2, 3])
def test_recorded_predictions_lead_down_the_trajectory(upper):
    r = record()
    sigmas = r.levels.tolist()
    following = 0.0 if upper == 1 else sigmas[upper - 1]  # the sampler goes from 0.5 to 0, past the smallest level
    x, denoised = r.preview[upper], r.prediction(r.at(sigmas[upper]))
    x = ddim_step(x, noise_estimate(x, denoised, sigmas[upper]), sigmas[upper], following)
    assert torch.allclose(x, r.preview[upper - 1], atol=1e-5)


def test_predictions_between_levels_are_those_of_the_step():
    r = record()
    assert torch.equal(r.prediction(r.at(3.0)), r.prediction(r.at(6.0)))


@pytest.mark.parametrize("sigma", [0.02, 7.0])
def test_levels_outside_the_record_are_refused(sigma):
    with pytest.raises(FreeAnimateError, match="recorded 0.03 to 6"):
        record().at(sigma)


def test_a_bank_cannot_answer_between_levels():
    with pytest.raises(FreeAnimateError, match="set storage .* to 'recompute'"):
        record(AttentionBank()).at(1.0)


def test_the_host_can_count_and_print_a_record():
    bank = AttentionBank()
    bank.put(1, range(0, 2), {"a.self": torch.zeros(2, 9, 8)})
    r = record(bank)
    assert isinstance(r, list) and all(isinstance(t, torch.Tensor) and t.device.type == "cpu" for t in r)
    assert sum(t.numel() for t in r) == 4 + 4 * 2 * 36 + 4 * 36 + 2 * 72
    assert len(repr(r)) < 80
    assert r == r and hash(r)
    twin = record()
    assert twin != record() and not twin == record()


@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
def test_a_bank_gives_back_any_window(tmp_path, disk):
    bank = AttentionBank(tmp_path if disk else None)
    features = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(0))
    for window in (range(0, 2), range(2, 4), range(4, 5)):
        bank.put(7, window, {"a.self": features[window.start : window.stop]})
    for window in (range(0, 5), range(1, 3), range(3, 5), range(4, 5)):
        assert torch.equal(bank.get(7, window)["a.self"], features[window.start : window.stop])
    assert len(bank.tensors()) == (0 if disk else 3)


def test_a_disk_bank_deletes_its_files(tmp_path):
    bank = AttentionBank(tmp_path)
    bank.put(0, range(0, 1), {"a.self": torch.zeros(1, 2, 2)})
    kept = bank.get(0, range(0, 1))
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1
    r = record(bank)
    del bank
    gc.collect()
    assert list(tmp_path.iterdir())
    del r
    gc.collect()
    assert not list(tmp_path.iterdir())
    assert kept["a.self"].sum() == 0


def test_auto_storage_looks_at_what_is_free():
    assert choose_storage("auto", 100, 200, 0) == "memory"
    assert choose_storage("auto", 101, 200, 10**9) == "recompute"
    assert choose_storage("auto", 1, 200, 10**9, computes_in_ram=False) == "recompute"
    assert choose_storage("memory", 1, 200, 10**9, computes_in_ram=False) == "memory"
    assert choose_storage("recompute", 10**12, 1, 1) == "recompute"
    for tier in ("memory", "disk"):
        assert choose_storage(tier, 10, 100, 100) == tier
        with pytest.raises(FreeAnimateError, match="set storage to 'recompute'"):
            choose_storage(tier, 95, 100, 100)


def test_a_disk_that_cannot_be_written_says_so(tmp_path):
    bank = AttentionBank(tmp_path)
    next(tmp_path.iterdir()).rmdir()
    with pytest.raises(FreeAnimateError, match="storage 'disk' could not write"):
        bank.put(0, range(0, 1), {"a.self": torch.zeros(1, 2, 2)})


def test_a_disk_bank_that_cannot_begin_says_so(tmp_path):
    with pytest.raises(FreeAnimateError, match="storage 'disk' could not write .*temp folder writable.*'recompute'"):
        AttentionBank(tmp_path / "none")


@pytest.mark.parametrize("damage", ["deleted", "cut", "folder"])
def test_a_stale_disk_bank_says_how_to_run_the_inversion_again(tmp_path, damage):
    bank = AttentionBank(tmp_path)
    bank.put(0, range(0, 3), {"a.self": torch.zeros(3, 2, 2)})
    bank.put_reference(0, {"a.self": torch.zeros(1, 2, 2)})
    bank.require()
    bank.part(range(1, 2)).require()
    (folder,) = tmp_path.iterdir()
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-20]) if damage == "cut" else file.unlink()
    if damage == "folder":
        folder.rmdir()
    ways = [lambda: bank.get(0, range(0, 2)), lambda: bank.part(range(1, 2)).reference(0)]
    for way in ways + ([] if damage == "cut" else [bank.require, bank.part(range(1, 2)).require]):
        with pytest.raises(FreeAnimateError, match="DDIM Inversion.*run that node again: change one of its widgets"):
            way()


def test_digests_follow_values():
    weights = {f"layer{i}": torch.full((3, 3), float(i)) for i in range(5)}
    changed = {**weights, "layer2": weights["layer2"] + 1e-3}
    assert weights_digest(weights) == weights_digest(dict(reversed(weights.items())))
    assert weights_digest(weights) != weights_digest(changed)
    assert values_digest({"a": [(1.0, torch.ones(2))]}) == values_digest({"a": [(1.0, torch.ones(2))]})
    assert values_digest({"a": [(1.0, torch.ones(2))]}) != values_digest({"a": [(0.5, torch.ones(2))]})


def test_functions_are_told_apart_by_what_they_hold():
    def scaled(factor):
        def patch(x):
            return factor * x

        return patch

    told = [values_digest(closed_over(f)) for f in (scaled(2.0), scaled(2.0), scaled(3.0), partial(scaled, 2.0))]
    assert told[0] == told[1] and len(set(told)) == 3
    assert values_digest(closed_over(partial(scaled, 2.0))) != values_digest(closed_over(partial(scaled, 3.0)))


def test_signs_outlast_every_cast():
    weights = {"a": torch.randn(50, 50, generator=torch.Generator().manual_seed(0))}
    for dtype in (torch.float16, torch.bfloat16):
        assert signs_digest({"a": weights["a"].to(dtype)}) == signs_digest(weights)
    assert signs_digest({"a": -weights["a"]}) != signs_digest(weights)


def test_windows_cover_the_clip_in_order():
    seen = []

    def evaluate(window):
        seen.append(window)
        return [torch.tensor(list(window))]

    assert Windower(3).map(7, evaluate)[0].tolist() == list(range(7))
    assert seen == [range(0, 3), range(3, 6), range(6, 7)]


def test_only_a_full_device_halves_a_window():
    def evaluate(window):
        if len(window) > 2:
            raise RuntimeError("full" if window.start < 4 else "broken")
        return [torch.tensor(list(window))]

    windower = Windower(4, out_of_memory=lambda error: "full" in str(error))
    assert windower.map(7, evaluate)[0].tolist() == list(range(7))
    assert windower.size == 2
    with pytest.raises(RuntimeError, match="broken"):
        Windower(3, lambda error: "full" in str(error)).map(9, lambda w: evaluate(range(5, 9)))


@pytest.mark.parametrize("free, size", [(0, 1), (10, 1), (45, 4), (10**6, 16)])
def test_auto_windows_fit_the_free_memory(free, size):
    assert auto_size(64, 10.0, free) == size
    assert auto_size(2, 10.0, free) == min(2, size)
    chosen, given = Windower(4, bytes_per_frame=10.0), Windower(4)
    for windower in (chosen, given):
        windower.fit(64, free)
    assert (chosen.size, given.size) == (size, 4)
