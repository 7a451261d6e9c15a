"""Patch Model (RA-SA + IBA)."""

from comfy_api.latest import io

from ..freeanimate_core.config import HALVES, MAX_SEED, RELEASES, PatchConfig
from ..freeanimate_core.errors import PATCH_MODEL
from ..freeanimate_core.presets import CUSTOM
from ..freeanimate_core.runs.patch import patch_by_preset
from .shown import shown
from .sockets import CATEGORY, PREFIX, Inversion
from .widgets import frames_per_window, preset, reference_weight

DEFAULTS = PatchConfig()


class FreeAnimatePatchModel(io.ComfyNode):
    """A MODEL that reads the reference and the recorded attention, in any deterministic sampler."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}PatchModel",
            display_name=PATCH_MODEL,
            category=CATEGORY,
            description="Lets every frame read the reference (RA-SA) and replays the inversion's attention (IBA). "
            "With weight and spans at 0 the model stays as it came.",
            search_aliases=[
                "RA-SA",
                "IBA",
                "reference-anchored self-attention",
                "inversion-boosted attention",
                "attention replay",
                "keep identity",
            ],
            inputs=[
                io.Model.Input("model", tooltip="The same model that the inversion was made with."),
                Inversion.Input("inversion", tooltip="The record of DDIM Inversion (Attention Capture)."),
                reference_weight(DEFAULTS.reference_weight, "frames'"),
                *_replays(),
                frames_per_window(),
                *_release(),
                preset("weight, spans, halves, release and eta, and when the pack's samplers guide"),
            ],
            outputs=[io.Model.Output("patched_model", display_name="model", tooltip="The patched model.")],
        )

    @classmethod
    def execute(
        cls,
        model,
        inversion,
        reference_weight,
        self_span,
        cross_span,
        halves,
        frames_per_window,
        keep_span=DEFAULTS.keep_span,
        redraw_mask=None,
        release=DEFAULTS.release,
        eta=DEFAULTS.eta,
        noise_seed=DEFAULTS.noise_seed,
        preset=CUSTOM,
    ) -> io.NodeOutput:
        config = PatchConfig(
            reference_weight,
            self_span,
            cross_span,
            halves,
            frames_per_window,
            keep_span,
            release,
            eta,
            noise_seed,
        )
        patched, settings = patch_by_preset(model, inversion, config, redraw_mask, preset)
        return io.NodeOutput(patched, ui=shown(settings))


def _replays() -> list[io.Input]:
    """How long and where recorded attention is replayed."""
    return [
        _share(
            "self_span",
            DEFAULTS.self_span,
            "Fraction of the steps, from the first, that replays the recorded self-attention maps (0-1); 0 never.",
        ),
        _share(
            "cross_span",
            DEFAULTS.cross_span,
            "Fraction of the steps, from the first, that replays the recorded cross-attention maps (0-1); 0 never.",
        ),
        io.Combo.Input(
            "halves",
            advanced=True,
            options=list(HALVES),
            default=DEFAULTS.halves,
            tooltip="cond replays in the positive half only; both also replays self-attention in the negative half.",
        ),
    ]


def _release() -> list[io.Input]:
    """What of the preview is kept, and how the rest leaves it: later than the first version, so all optional."""
    return [
        _share(
            "keep_span",
            DEFAULTS.keep_span,
            "Fraction of the steps, from the first, in which frames follow the inverted preview exactly wherever "
            "redraw_mask is 0 (0-1); 0 never. Without a redraw_mask it does nothing.",
            optional=True,
        ),
        io.Mask.Input(
            "redraw_mask",
            optional=True,
            tooltip="Where the preview is not to be trusted (1) and where it is (0), one mask per frame or one for "
            "all: connect redraw_mask of Preview Generation, or paint your own. Empty: all is redrawn.",
        ),
        io.Combo.Input(
            "release",
            optional=True,
            options=list(RELEASES),
            default=DEFAULTS.release,
            tooltip="graded frees a cell of the latent the later the more redraw_mask trusts it, and the surest never; "
            "blend mixes both by the mask's value in all steps of keep_span.",
        ),
        _share(
            "eta",
            DEFAULTS.eta,
            "How much of the noise each step replaces where the preview is left (0-1): 0 none, which leads back "
            "towards the preview; 1 as an ancestral sampler, which mends more. Needs euler.",
            optional=True,
        ),
        io.Int.Input(
            "noise_seed",
            optional=True,
            default=DEFAULTS.noise_seed,
            min=0,
            max=MAX_SEED,
            control_after_generate=True,  # as the editor has it for inputs of this name in any case
            tooltip="Of the noise of eta, one for all frames (0-9007199254740991). Without eta it does nothing.",
        ),
    ]


def _share(name: str, default: float, tooltip: str, optional: bool = False) -> io.Float.Input:
    """A number from 0 to 1."""
    return io.Float.Input(name, optional=optional, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)
