"""What a method is: settings only, so that an experiment is one more line in a table."""

from dataclasses import dataclass, field, replace

from freeanimate_pack.freeanimate_core.config import InversionConfig, PatchConfig, SamplerConfig

STARTS = ("record", "noise", "preview", "holes")
ANCHORS = ("reference", "first", "middle")
REDRAWS = ("holes", "grown", "large", "trust", "all")
WHOLE = (0.0, 1.0)
GUIDED = (SamplerConfig().start, SamplerConfig().end)
OFF = PatchConfig(reference_weight=0.0, self_span=0.0, cross_span=0.0, keep_span=0.0)


@dataclass(frozen=True)
class Inverting:
    """How a record is made.

    weight: of the reference's keys in the preview passes. anchor: what stands for the reference,
    the reference itself or the first or middle preview frame. control: whether the ControlNet is
    on. prompt, reference_prompt: kinds of words, keys of ``Case.prompts``. label: the level that the
    model is asked at, ``target`` is FateZero's. correction: as the widget of DDIM Inversion.
    """

    weight: float = InversionConfig().reference_weight
    anchor: str = "reference"
    control: bool = True
    prompt: str = "true"
    reference_prompt: str = "true"
    label: str = "source"
    correction: int = InversionConfig().correction

    def __post_init__(self):
        if self.anchor not in ANCHORS:
            raise ValueError(f"anchor is '{self.anchor}', one of {ANCHORS} is known")


@dataclass(frozen=True)
class Recipe:
    """How frames are sampled; the defaults are those of the nodes' widgets.

    start: ``record`` is the inverted preview, ``noise`` one noise tensor for all frames,
    ``preview`` the preview noised to half, also with one tensor, ``holes`` the inverted preview with
    that noise where the preview is invented. inverting: the record that the patched model reads.
    denoised_along: the reference's latents come from denoising it under guidance like a frame, not
    from its inversion. patch: what is read of the record; all off is the plain model. prompt: kind of
    words while denoising. refine: denoise of Refine Preview, 0 = the preview as it is. cfg, steps:
    None is the run's. guided: fractions of the steps between which cfg acts. sampler: of the host.
    redraw: what may leave the preview within ``keep_span``: its ``holes``, these ``grown`` by a latent
    cell, only cells that are ``large`` in share, as the ``trust`` in it says, or ``all``. paste: whether Paste Preview
    stands behind the decoder. extras: further patches of the model, by
    name (extras.py).
    """

    start: str = "record"
    inverting: Inverting = field(default=Inverting())
    patch: PatchConfig = field(default=PatchConfig())
    prompt: str = "true"
    cfg: float | None = None
    steps: int | None = None
    guided: tuple[float, float] = GUIDED
    sampler: str = "euler"
    redraw: str = "holes"
    paste: bool = False
    refine: float = 0.0
    denoised_along: bool = False
    extras: tuple[str, ...] = ()

    def __post_init__(self):
        if self.start not in STARTS:
            raise ValueError(f"start is '{self.start}', one of {STARTS} is known")
        if self.redraw not in REDRAWS:
            raise ValueError(f"redraw is '{self.redraw}', one of {REDRAWS} is known")
        if self.start != "record" and self.redraw != "all":
            raise ValueError("what is kept of the preview follows its record; start there, or redraw all")
        if self.start == "preview" and not self.patch.off:
            raise ValueError("a run from the noised preview does not start where the record does; patch must be OFF")

    @property
    def plain(self) -> bool:
        """Whether the host's sampler does it all, without a record."""
        return self.start in ("noise", "preview") and self.patch.off

    @property
    def same_input(self) -> bool:
        """Whether denoising has the words and the ControlNet of the inversion, as the Animate Sampler asks."""
        return self.sampler == "euler" and self.inverting.control and self.inverting.prompt == self.prompt


def in_words(recipe: Recipe, words: str) -> Recipe:
    """The same with words of the kind ``words`` wherever it asks for the true ones."""

    def said(kind: str) -> str:
        return words if kind == "true" else kind

    way = recipe.inverting
    inverting = replace(way, prompt=said(way.prompt), reference_prompt=said(way.reference_prompt))
    return replace(recipe, prompt=said(recipe.prompt), inverting=inverting)


@dataclass(frozen=True)
class Given:
    """Frames that no method samples: those of the preview or of the truth, as they are or through the VAE.

    refine: denoise of Refine Preview, 0 = the preview as it is. blur: radius in pixels by which the preview's person
    is smoothed where it is likelier wrong than ``blur_above``, 0 = not at all.
    """

    frames: str
    through_vae: bool
    refine: float = 0.0
    blur: int = 0
    blur_above: float = 0.0

    def __post_init__(self):
        if self.blur and (self.frames != "preview" or self.through_vae):
            raise ValueError("only the preview as it is can be smoothed; frames must be 'preview', not through the VAE")


@dataclass(frozen=True)
class Method:
    """A named way to frames: one sentence, how, and the method that its differences are taken against."""

    about: str
    how: Recipe | Given
    against: str = "full"
