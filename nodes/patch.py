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
            description="Adds the two parts of the method to your model. Reference-Anchored Self-Attention (RA-SA): "
            "every frame reads the reference. Inversion-Boosted Attention (IBA): frames reuse the attention that "
            "DDIM Inversion stored. With reference_weight, self_span, cross_span and keep_span at 0 the model stays "
            "as it came.",
            search_aliases=[
                "RA-SA",
                "IBA",
                "reference-anchored self-attention",
                "inversion-boosted attention",
                "stored attention",
                "keep identity",
            ],
            inputs=[
                io.Model.Input("model", tooltip="The same model that the inversion was made with."),
                Inversion.Input("inversion", tooltip="The inversion of DDIM Inversion (Attention Capture)."),
                reference_weight(DEFAULTS.reference_weight, "frames'"),
                *_replays(),
                frames_per_window(),
                *_release(),
                preset("all widgets but frames_per_window and noise_seed"),
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
            "Share of the steps, from the first, that reuses the recorded self-attention (0-1); 0 never.",
        ),
        _share(
            "cross_span",
            DEFAULTS.cross_span,
            "Share of the steps, from the first, that reuses the recorded cross-attention (0-1); 0 never.",
        ),
        io.Combo.Input(
            "halves",
            advanced=True,
            options=list(HALVES),
            default=DEFAULTS.halves,
            tooltip="cond reuses attention under the positive prompt only; both reuses self-attention under the "
            "negative prompt too.",
        ),
    ]


def _release() -> list[io.Input]:
    """What of the preview is kept, and how the rest leaves it: later than the first version, so all optional."""
    return [
        _share(
            "keep_span",
            DEFAULTS.keep_span,
            "Share of the steps, from the first, that hold frames to the preview where redraw_mask is 0 (0-1); 0 "
            "never.",
            optional=True,
        ),
        io.Mask.Input(
            "redraw_mask",
            optional=True,
            tooltip="Where the preview is to be redrawn (1) and kept (0): redraw_mask of Preview Generation, or your "
            "own. Empty: all is redrawn.",
        ),
        io.Combo.Input(
            "release",
            optional=True,
            options=list(RELEASES),
            default=DEFAULTS.release,
            tooltip="How redraw_mask acts: graded gives each place more or fewer steps by its value, blend mixes by "
            "the value in every step.",
        ),
        _share(
            "eta",
            DEFAULTS.eta,
            "How much noise each step replaces in what is redrawn (0-1): 0 stays near the preview, 1 changes more. "
            "Needs euler.",
            optional=True,
        ),
        io.Int.Input(
            "noise_seed",
            optional=True,
            default=DEFAULTS.noise_seed,
            min=0,
            max=MAX_SEED,
            control_after_generate=True,  # as the editor has it for inputs of this name in any case
            tooltip="Seed of the noise of eta (0-9007199254740991); without eta it does nothing.",
        ),
    ]


def _share(name: str, default: float, tooltip: str, optional: bool = False) -> io.Float.Input:
    """A number from 0 to 1."""
    return io.Float.Input(name, optional=optional, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)
