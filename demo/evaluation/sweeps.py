"""Named lists of recipes: one experiment each, run with --sweep NAME.

A method named ``full`` in a sweep is the pack's default, which the others are held against unless
they name another. `replay`, `words` and `from_noise` hold each condition against its own plain run.
"""

from dataclasses import replace

from freeanimate_core.config import PatchConfig

from .methods import ALONE, CROSS, METHODS, OFF, RA_SA, SELF, iba
from .recipes import Given, Inverting, Method, Recipe

FULL = {"full": METHODS["full"]}
WITHOUT_CONTROL = Inverting(control=False)
GUIDANCE = (1.0, 2.0, 3.0, 5.0, 7.5)
SPANS = (0.3, 0.5, 0.8, 1.0)
WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
STEPS = (12, 20, 30, 50)
REFINED = (0.0, 0.35, 0.6)
LIVE_HOLES = ("live_in_holes",)
IDEAS = {
    "fading_replay": Recipe(patch=PatchConfig(1.0, 1.0, 1.0), extras=("fading_replay",)),
    "live_in_holes": Recipe(extras=LIVE_HOLES),
    "fresh_holes": Recipe("holes", extras=LIVE_HOLES),
    "statistics_of_reference": Recipe(extras=("statistics_of_reference",)),
    "statistics_of_preview": Recipe(extras=("statistics_of_preview",)),
    "masked_ra_sa": Recipe(extras=("masked_ra_sa",)),
}


def _guidance() -> dict[str, Method]:
    """Full at each guidance: plain, rescaled, in an interval of levels, and by the CFG++ sampler."""
    found = dict(FULL)
    for cfg in GUIDANCE:
        found[f"cfg_{cfg:g}"] = Method(f"Guidance {cfg:g}.", Recipe(cfg=cfg))
    for cfg in GUIDANCE[1:]:
        for extra, words in (("rescaled_guidance", "rescaled"), ("guidance_interval", "in an interval of levels")):
            recipe = Recipe(cfg=cfg, extras=(extra,))
            found[f"cfg_{cfg:g}_{extra}"] = Method(f"Guidance {cfg:g}, {words}.", recipe, f"cfg_{cfg:g}")
    for cfg in (0.5, 1.0, 1.5):
        found[f"cfg_pp_{cfg:g}"] = Method(f"CFG++ at {cfg:g}.", Recipe(cfg=cfg, sampler="euler_cfg_pp"))
    return found


def _parts(name: str, inverting: Inverting, alone: Inverting, **recipe) -> dict[str, Method]:
    """What each part of the method adds in one condition; all against the inversion alone there."""
    base = f"{name}/nothing"
    rows = {
        "nothing": ("neither replay nor reference", alone, OFF),
        "ra_sa": ("RA-SA", inverting, RA_SA),
        "self": ("self replay", alone, iba(SELF, 0.0)),
        "cross": ("cross replay", alone, iba(0.0, CROSS)),
        "self_cross": ("both replays", alone, iba(SELF, CROSS)),
        "all": ("RA-SA and both replays", inverting, PatchConfig()),
    }
    return {
        f"{name}/{label}": Method(f"{name}: {words}.", Recipe(inverting=record, patch=patch, **recipe), base)
        for label, (words, record, patch) in rows.items()
    }


def _replay() -> dict[str, Method]:
    """Where the passes differ: nothing, ControlNet, guidance."""
    same, without = Inverting(), WITHOUT_CONTROL
    found = _parts("same", same, ALONE, cfg=1.0)
    found |= _parts("control", without, replace(without, weight=0.0), cfg=1.0)
    return found | _parts("guidance_3", same, ALONE, cfg=3.0) | _parts("guidance_5", same, ALONE, cfg=5.0)


def _words() -> dict[str, Method]:
    """Where the words of denoising are not those of the inversion, at guidance 3."""
    found = {}
    for kind in ("wrong", "extra", "empty"):
        found |= _parts(f"{kind}_words", Inverting(), ALONE, cfg=3.0, prompt=kind)
    return found


def _from_noise() -> dict[str, Method]:
    """What the reference's keys give where nothing else tells of it, with the true words and without words."""
    found = {}
    for kind in ("true", "empty"):
        base, inverting = f"{kind}_words/pose_only", Inverting(prompt=kind)
        for label, patch, extras in (
            ("pose_only", OFF, ()),
            ("ra_sa", RA_SA, ()),
            ("ra_sa_twice", PatchConfig(2.0, 0.0, 0.0), ()),
            ("reference_only", RA_SA, ("reference_keys_only",)),
        ):
            recipe = Recipe("noise", inverting, patch, kind, extras=extras)
            found[f"{kind}_words/{label}"] = Method(f"From noise, {kind} words: {label}.", recipe, base)
    return found


def _ideas() -> dict[str, Method]:
    """Departures from the paper's form, each held against it at the same guidance."""
    found = {}
    for cfg in (3.0, 5.0):
        base = f"cfg_{cfg:g}/full"
        for label, recipe in {"full": Recipe(), **IDEAS}.items():
            found[f"cfg_{cfg:g}/{label}"] = Method(f"Guidance {cfg:g}: {label}.", replace(recipe, cfg=cfg), base)
    return found


def _variants(about: str, recipes: dict[str, Recipe]) -> dict[str, Method]:
    return FULL | {name: Method(f"{about}: {name}.", recipe) for name, recipe in recipes.items()}


def _patches(about: str, patches: dict[str, PatchConfig]) -> dict[str, Method]:
    return _variants(about, {name: Recipe(patch=patch) for name, patch in patches.items()})


def _weighted(weight: float) -> Recipe:
    return Recipe(inverting=Inverting(weight=weight), patch=PatchConfig(weight))


SWEEPS: dict[str, dict[str, Method]] = {
    "control": _variants(
        "The ControlNet in the inversion",
        {"control_on": Recipe(), "control_off": Recipe(inverting=WITHOUT_CONTROL)},
    ),
    "guidance": _guidance(),
    "replay": _replay(),
    "words": _words(),
    "from_noise": _from_noise(),
    "spans": _patches(
        "Spans of self and cross replay",
        {f"self_{s:g}_cross_{c:g}": PatchConfig(1.0, s, c) for s in SPANS for c in SPANS},
    ),
    "halves": _patches("Halves that replay", {half: PatchConfig(halves=half) for half in ("cond", "both")}),
    "layers": _variants(
        "Layers with RA-SA and replay",
        {
            "all_layers": Recipe(),
            "decoder_only": Recipe(extras=("decoder_only",)),
            "half_size_layers": Recipe(extras=("half_size_layers",)),
        },
    ),
    "weight": _variants(
        "Weight of the reference",
        {f"weight_{w:g}": _weighted(w) for w in WEIGHTS} | {"masked": Recipe(extras=("masked_ra_sa",))},
    ),
    "steps": _variants("Steps", {f"steps_{steps}": Recipe(steps=steps) for steps in STEPS}),
    "ideas": _ideas(),
    "refine": {
        f"{kind}_{denoise:g}": Method(
            f"Refine Preview at {denoise:g}: {words}.", replace(how, refine=denoise), f"{kind}_0"
        )
        for denoise in REFINED
        for kind, words, how in (
            ("preview", "its frames", Given("preview", False)),
            ("full", "the whole method after it", Recipe()),
        )
    },
    "reference": _variants(
        "Latents and words of the reference",
        {
            "its_inversion": Recipe(),
            "denoised_along": Recipe(denoised_along=True),
            "without_words": Recipe(inverting=Inverting(reference_prompt="empty")),
        },
    ),
    "label": _variants(
        "The level that the model is asked at while inverting",
        {"source": Recipe(), "target": Recipe(inverting=Inverting(label="target"))},
    ),
    "inversion_prompt": _variants(
        "Words in the inversion",
        {"same_words": Recipe(), "no_words": Recipe(inverting=Inverting(prompt="empty"))},
    ),
}
