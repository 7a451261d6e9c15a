"""Named lists of recipes: one experiment each, run with --sweep NAME.

All but ``keep``, ``refine`` and ``blur`` are in the paper's form, row ``paper``, which the others are held against
unless they name another. `replay`, `words` and `from_noise` hold each condition against its own plain run.
"""

from dataclasses import replace
from itertools import product

from freeanimate_pack.freeanimate_core.config import PatchConfig

from .methods import ALONE, CROSS, RA_SA, SELF, iba
from .recipes import OFF, WHOLE, Given, Inverting, Method, Recipe


def plain(**recipe) -> Recipe:
    """The paper's form under guidance at all levels, in which the parts of the method are told apart."""
    return Recipe(redraw="all", guided=WHOLE, **recipe)


PAPER = {"paper": Method("RA-SA in both passes and both replays; all is redrawn.", plain(), "paper")}
WITHOUT_CONTROL = Inverting(control=False)
GUIDANCE = (1.0, 2.0, 3.0, 5.0, 7.5)
PAPER_CFG = 7.5  # of its relatives
SPANS = (0.3, 0.5, 0.8, 1.0)
WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
STEPS = (12, 20, 30, 50)
FEWER_STEPS = (50, 30, 20, 12, 8)
CORRECTIONS = (0, 1)
MOST = "steps_50_correction_0"  # what fewer steps are held against
REFINED = (0.0, 0.35, 0.6)
BLURS = tuple(product((1, 2, 3, 4, 6, 9), (0.1, 0.25, 0.5, 0.75)))  # radius in pixels, least redraw probability
KEEP_SPANS = (0.5, 0.8, 1.0)
KEPT = "preview_through_vae"  # what the keep experiment is held against
KEPT_PARTS = {
    "full": PatchConfig(),
    "without_ra_sa": PatchConfig(0.0),
    "without_replay": PatchConfig(1.0, 0.0, 0.0),
    "without_both": PatchConfig(0.0, 0.0, 0.0),
}
LIVE_HOLES = ("live_in_holes",)
IDEAS = {
    "fading_replay": plain(patch=PatchConfig(1.0, 1.0, 1.0), extras=("fading_replay",)),
    "live_in_holes": plain(extras=LIVE_HOLES),
    "fresh_holes": plain(start="holes", extras=LIVE_HOLES),
    "statistics_of_reference": plain(extras=("statistics_of_reference",)),
    "statistics_of_preview": plain(extras=("statistics_of_preview",)),
    "masked_ra_sa": plain(extras=("masked_ra_sa",)),
}


def _guidance() -> dict[str, Method]:
    """Guidance of every strength: plain, rescaled, in an interval of levels, and by the CFG++ sampler."""
    found = {}
    for cfg in GUIDANCE:
        found[f"cfg_{cfg:g}"] = Method(f"Guidance {cfg:g}.", plain(cfg=cfg), f"cfg_{PAPER_CFG:g}")
    for cfg in GUIDANCE[1:]:
        rescaled = plain(cfg=cfg, extras=("rescaled_guidance",))
        limited = Recipe(cfg=cfg, redraw="all")
        found[f"cfg_{cfg:g}_rescaled"] = Method(f"Guidance {cfg:g}, rescaled.", rescaled, f"cfg_{cfg:g}")
        found[f"cfg_{cfg:g}_limited"] = Method(f"Guidance {cfg:g}, limited to some levels.", limited, f"cfg_{cfg:g}")
    for cfg in (0.5, 1.0, 1.5):
        recipe = plain(cfg=cfg, sampler="euler_cfg_pp")
        found[f"cfg_pp_{cfg:g}"] = Method(f"CFG++ at {cfg:g}.", recipe, f"cfg_{PAPER_CFG:g}")
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
        f"{name}/{label}": Method(f"{name}: {words}.", plain(inverting=record, patch=patch, **recipe), base)
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
            recipe = plain(start="noise", inverting=inverting, patch=patch, prompt=kind, extras=extras)
            found[f"{kind}_words/{label}"] = Method(f"From noise, {kind} words: {label}.", recipe, base)
    return found


def _ideas() -> dict[str, Method]:
    """Departures from the paper's form, each held against it at the same guidance."""
    found = {}
    for cfg in (3.0, 5.0):
        base = f"cfg_{cfg:g}/paper"
        for label, recipe in {"paper": plain(), **IDEAS}.items():
            found[f"cfg_{cfg:g}/{label}"] = Method(f"Guidance {cfg:g}: {label}.", replace(recipe, cfg=cfg), base)
    return found


def _variants(about: str, recipes: dict[str, Recipe]) -> dict[str, Method]:
    return PAPER | {name: Method(f"{about}: {name}.", recipe, "paper") for name, recipe in recipes.items()}


def _patches(about: str, patches: dict[str, PatchConfig]) -> dict[str, Method]:
    return _variants(about, {name: plain(patch=patch) for name, patch in patches.items()})


def _weighted(weight: float) -> Recipe:
    return plain(inverting=Inverting(weight=weight), patch=PatchConfig(weight))


def _keep() -> dict[str, Method]:
    """What is kept of the preview, for how long, and what is redrawn, under guidance that ends early or not."""
    found = {"preview_through_vae": Method("The preview encoded and decoded.", Given("preview", True), KEPT)}
    for cfg in (1.0, 2.0, 3.0, 5.0):
        for span, redraw in (*((s, "holes") for s in KEEP_SPANS), (1.0, "grown"), (1.0, "large")):
            recipe = Recipe(cfg=cfg, patch=PatchConfig(keep_span=span), redraw=redraw)
            found[f"cfg_{cfg:g}/span_{span:g}_{redraw}"] = Method(f"Guidance {cfg:g}: {redraw}.", recipe, KEPT)
        always = Recipe(cfg=cfg, guided=WHOLE)
        found[f"cfg_{cfg:g}/always_guided"] = Method(f"Guidance {cfg:g} at all levels.", always, KEPT)
    for label, patch in KEPT_PARTS.items():
        found[f"cfg_3/{label}"] = Method(f"Guidance 3: {label}.", Recipe(cfg=3.0, patch=patch), KEPT)
        record = Inverting(prompt="empty", reference_prompt="empty")
        wordless = Recipe(cfg=3.0, inverting=record, patch=patch, prompt="empty")
        found[f"wordless/{label}"] = Method(f"No words in either pass: {label}.", wordless, KEPT)
    return found


def _fewer_steps() -> dict[str, Method]:
    """Steps with and without the correction of the inversion, in the default's form and in the paper's."""
    found = {}
    for form, recipe in (("full", Recipe()), ("paper", plain())):
        for steps in FEWER_STEPS:
            for correction in CORRECTIONS:
                how = replace(recipe, steps=steps, inverting=Inverting(correction=correction))
                about = f"{form}, {steps} steps, correction {correction}."
                found[f"{form}/steps_{steps}_correction_{correction}"] = Method(about, how, f"{form}/{MOST}")
    return found


SWEEPS: dict[str, dict[str, Method]] = {
    "control": _variants(
        "The ControlNet in the inversion",
        {"control_on": plain(), "control_off": plain(inverting=WITHOUT_CONTROL)},
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
            "all_layers": plain(),
            "decoder_only": plain(extras=("decoder_only",)),
            "half_size_layers": plain(extras=("half_size_layers",)),
        },
    ),
    "weight": _variants(
        "Weight of the reference",
        {f"weight_{w:g}": _weighted(w) for w in WEIGHTS} | {"masked": plain(extras=("masked_ra_sa",))},
    ),
    "steps": _variants("Steps", {f"steps_{steps}": plain(steps=steps) for steps in STEPS}),
    "fewer_steps": _fewer_steps(),
    "ideas": _ideas(),
    "keep": _keep(),
    "refine": {
        f"{kind}_{denoise:g}": Method(
            f"Refine Preview at {denoise:g}: {words}.", replace(how, refine=denoise), f"{kind}_0"
        )
        for denoise in REFINED
        for kind, words, how in (
            ("preview", "its frames", Given("preview", False)),
            ("full", "the whole method after it", Recipe()),
            ("paper", "the paper's form after it", plain()),
        )
    },
    "blur": {"preview": Method("The preview as it is.", Given("preview", False), "preview")}
    | {
        f"radius_{radius}_above_{above:g}": Method(
            f"Smoothed by {radius} px where it is likelier wrong than {above:g}.",
            Given("preview", False, blur=radius, blur_above=above),
            "preview",
        )
        for radius, above in BLURS
    },
    "reference": _variants(
        "Latents and words of the reference",
        {
            "its_inversion": plain(),
            "denoised_along": plain(denoised_along=True),
            "without_words": plain(inverting=Inverting(reference_prompt="empty")),
            "own_words": plain(extras=("own_words",)),  # each half from its own
        },
    ),
    "label": _variants(
        "The level that the model is asked at while inverting",
        {"source": plain(), "target": plain(inverting=Inverting(label="target"))},
    ),
    "inversion_prompt": _variants(
        "Words in the inversion",
        {"same_words": plain(), "no_words": plain(inverting=Inverting(prompt="empty"))},
    ),
}
