"""The border to ComfyUI: the only module that imports it.

``run_inversion`` and ``run_sampling`` build the nodes' runs out of what is here.
"""

from collections.abc import Callable
from pathlib import Path

import comfy.model_management as management
import comfy.model_patcher
import comfy.model_sampling
import comfy.sampler_helpers
import comfy.samplers
import comfy.utils
import folder_paths
import latent_preview
import torch
from comfy.ldm.modules.attention import attention_basic, attention_split, attention_sub_quad, optimized_attention
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.patcher_extension import WrappersMP
from comfy_execution.utils import get_executing_context
from torch import Tensor

from .errors import FreeAnimateError
from .fingerprint import values_digest, weights_digest
from .hooks import cross_attention_patch, self_attention_patch
from .plan import Shape, unet_shape
from .progress import Bar
from .windows import ROOM_FRAMES, Windower, one_window

KEY = "freeanimate"
WRAPPED = WrappersMP.OUTER_SAMPLE, WrappersMP.PREPARE_SAMPLING, WrappersMP.CALC_COND_BATCH
ROWS_PER_FRAME = 2 * 1.5  # cond and uncond; half as much again for doubled keys and recorded inputs
entries_of = comfy.sampler_helpers.convert_cond  # a conditioning as the guider holds it: dicts with a uuid
evaluate_conds = comfy.samplers.calc_cond_batch  # (model, conds, x, timestep, options), through the options' wrappers
ESTIMATE_MARGIN = 1.25  # beside the estimate's own error: what the host and the allocator need


def torch_device() -> torch.device:
    """The device that the host computes on."""
    return management.get_torch_device()


def progress_bar(total: int):
    """A function of the number done, shown as the node's progress bar; raises when interrupted."""
    bar = comfy.utils.ProgressBar(total)

    def show(done: int) -> None:
        management.throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return show


def frames_bar(model, total: int) -> Bar:
    """The node's progress bar of ``total`` frames x levels, with latent previews as the host is set."""
    callback = latent_preview.prepare_callback(model, total)
    return Bar(progress_bar(total), lambda done, strip: callback(done - 1, strip, None, total), show_text)


def show_text(text: str) -> None:
    """Text on the node that is running, in the editor that asked for the run; without one nobody sees it."""
    if (context := get_executing_context()) is None:
        return
    from server import PromptServer  # a running node has a server; anything else need not load it

    server = PromptServer.instance
    if server.client_id is not None:  # None would show it in every open editor
        server.send_progress_text(text, context.node_id, server.client_id)


def temp_directory() -> Path:
    """The host's folder for files that need not outlive it."""
    path = Path(folder_paths.get_temp_directory())
    path.mkdir(parents=True, exist_ok=True)
    return path


def input_files(suffix: str) -> list[str]:
    """Files of the host's input folder that end in ``suffix``, with subfolders ("poses/walk.json"), sorted."""
    root = Path(folder_paths.get_input_directory())
    return sorted(path.relative_to(root).as_posix() for path in root.rglob(f"*{suffix}") if path.is_file())


def stored_file(name: str, where: str) -> Path:
    """The file that a widget names, as the host writes it ("a.json", "b/a.json [output]"); links out are refused."""
    roots = folder_paths.get_input_directory(), folder_paths.get_output_directory()
    base = folder_paths.annotated_filepath(name)[1] or roots[0]
    path = Path(base, folder_paths.annotated_filepath(name)[0])
    inside = base in roots and folder_paths.is_within_directory(base, str(path))
    if not inside or not path.is_file():
        raise FreeAnimateError(f"{where} '{name}' is no file in ComfyUI's input or output folder; put it there.")
    return path


def output_place(prefix: str, width: int, height: int, where: str) -> tuple[Path, str, int, str]:
    """Folder, file name, next number and subfolder for a prefix as the host's save nodes take it."""
    root = folder_paths.get_output_directory()
    if not folder_paths.is_within_directory(root, str(Path(root, prefix).parent)):
        raise FreeAnimateError(f"{where} '{prefix}' leads out of ComfyUI's output folder; leave out '..' and drives.")
    folder, name, number, subfolder, _ = folder_paths.get_save_image_path(prefix, root, width, height)
    return Path(folder), name, number, subfolder


def model_files(folder: str) -> list[str]:
    """Files below models/``folder`` and below the folders that the user's extra paths give for it."""
    folder_paths.add_model_folder_path(folder, str(Path(folder_paths.models_dir, folder)))
    return folder_paths.get_filename_list(folder)


def load_weights(folder: str, name: str) -> dict[str, Tensor]:
    """The state dict of a model file, read without running what a pickle may hold."""
    return comfy.utils.load_torch_file(folder_paths.get_full_path_or_raise(folder, name), safe_load=True)


def free_memory(device: torch.device) -> int:
    """Free bytes of a device (``cpu``: of the machine's RAM)."""
    return management.get_free_memory(device)


def require_unet(model, node: str) -> None:
    """FreeAnimateError unless the model is a U-Net of the SD1.5, SD2 or SDXL family."""
    sampling = model.get_model_object("model_sampling")
    kind = type(model.model).__name__
    supported = "use an SD1.5, SD2 or SDXL checkpoint"
    if not isinstance(model.model.diffusion_model, UNetModel):
        raise FreeAnimateError(f"{node}: model is a {kind}, which is no U-Net; {supported}.")
    noise_or_v = (comfy.model_sampling.EPS, comfy.model_sampling.V_PREDICTION)
    others = (comfy.model_sampling.X0, comfy.model_sampling.EDM)
    discrete = isinstance(sampling, comfy.model_sampling.ModelSamplingDiscrete)
    if not discrete or not isinstance(sampling, noise_or_v) or isinstance(sampling, others):
        raise FreeAnimateError(f"{node}: model {kind} predicts neither noise nor v over DDPM levels; {supported}.")
    if model.model.concat_keys:
        raise FreeAnimateError(f"{node}: model {kind} is an inpainting or edit checkpoint; {supported} without them.")


def latent_channels(model) -> int:
    """Channels of the latents that the model was trained on."""
    return model.model.latent_format.latent_channels


def ddim_uniform(model, steps: int) -> tuple[Tensor, float]:
    """The host's ``ddim_uniform`` sigmas [S+1] (descending, ending in 0) and the model's smallest sigma."""
    sampling = model.get_model_object("model_sampling")
    return comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", steps), float(sampling.sigma_min)


def model_digests(model) -> dict[str, str]:
    """Digests of the checkpoint's own weights, of the weight patches (LoRA) on them, and of its noise levels."""
    weights = dict(model.model.diffusion_model.state_dict(prefix="diffusion_model."))
    for name, saved in model.backup.items():
        if name in weights:
            weights[name] = saved.weight
    sampling = model.get_model_object("model_sampling")
    kinds = [kind.__name__ for kind in type(sampling).__mro__]
    return {
        "weights": weights_digest(weights),
        "patches": values_digest(model.patches),
        "sampling": values_digest(kinds, getattr(sampling, "sigmas", None)),
    }


def to_model_space(model, samples: Tensor) -> Tensor:
    """Latents as the model sees them, fp32, from LATENT samples [F,C,h,w]; zeros stay, as in the host."""
    samples = samples.float()
    return model.model.process_latent_in(samples) if torch.count_nonzero(samples) else samples


def to_latent(model, latents: Tensor) -> dict:
    """A LATENT of latents [F,C,h,w] in model space."""
    samples = model.model.process_latent_out(latents)
    return {"samples": samples.to(management.intermediate_device(), management.intermediate_dtype())}


def shape_of(model, latents: tuple[int, ...]) -> Shape:
    """What the model's U-Net is made of for latents of a shape (F,C,h,w)."""
    return unet_shape(model.model.diffusion_model, *latents[-2:], model.model.get_dtype_inference().itemsize)


def make_windower(model, size: int, shape: tuple[int, ...], bytes_per_frame: float) -> Windower:
    """Windows of ``size`` frames of a clip (F,C,h,w), or, at 0, of what fits into the memory of the model's device."""
    estimate = ESTIMATE_MARGIN * bytes_per_frame
    if optimized_attention in (attention_basic, attention_split, attention_sub_quad):  # these hold whole maps
        estimate = model.model.memory_required([ROWS_PER_FRAME, *shape[1:]])
    return Windower(
        min(size or ROOM_FRAMES, shape[0]),
        management.is_oom,
        management.soft_empty_cache,
        lambda start: management.throw_exception_if_processing_interrupted(),
        0.0 if size else estimate,
    )


def without_wrappers(model):
    """A clone that no record of an earlier Patch Model node reaches."""
    clone = model.clone()
    for wrapper in WRAPPED:
        clone.remove_wrappers_with_key(wrapper, KEY)
    return clone


def with_attention_patches(model):
    """A clone that carries the two chained patches once, and none of our wrappers."""
    clone = without_wrappers(model)
    clone.remove_additional_models("multigpu")  # cond and uncond would run in threads over one pass
    patches = clone.model_options["transformer_options"].get("patches", {})
    if self_attention_patch not in patches.get("attn1_patch", []):
        clone.set_model_attn1_patch(self_attention_patch)
        clone.set_model_attn2_patch(cross_attention_patch)
        patches = clone.model_options["transformer_options"]["patches"]
        for name in ("attn1_patch", "attn2_patch"):
            patches[name].insert(0, patches[name].pop())  # first: others then act on recorded inputs as on live ones
    return clone


def release(conditionings) -> None:
    """Drop what the host cached on the ControlNets of entries; one that never ran has nothing."""
    for entry in conditionings:
        control = entry.get("control")
        if control is not None and control.timestep_range is not None:
            control.cleanup()


def install(clone, outer_sample: Callable, prepare_sampling: Callable, calc_cond_batch: Callable) -> None:
    """Hang the three wrappers on a clone made by ``with_attention_patches``, or in the place of those on it."""
    for kind, wrapper in zip(WRAPPED, (outer_sample, prepare_sampling, calc_cond_batch), strict=True):
        clone.wrappers.setdefault(kind, {})[KEY] = [wrapper]


def limit_estimate(clone, windower: Windower) -> None:
    """The host makes room for one window of an inversion, not for the clip."""
    clone.add_wrapper_with_key(WrappersMP.PREPARE_SAMPLING, KEY, one_window(windower, free_memory))


def placed(options: dict, model) -> dict:
    """A copy of recorded model options with the patches in them on the model's device."""
    options = comfy.model_patcher.create_model_options_clone(options)
    comfy.samplers.cast_transformer_options(options["transformer_options"], model.load_device, model.model_dtype())
    return options


def sample(
    guider,
    latent: Tensor,
    sampler,
    sigmas: Tensor,
    callback: Callable | None = None,
    noise: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Run a guider over ``sigmas`` from a latent [F,C,h,w].

    noise [F,C,h,w]: None when the latent carries its own. mask [F,H,W]: 0 where the latent stays.
    """
    noise = torch.zeros_like(latent) if noise is None else noise
    show = comfy.utils.PROGRESS_BAR_ENABLED
    return guider.sample(noise, latent, sampler, sigmas, mask, callback, disable_pbar=not show, seed=0)


def cell_size(vae) -> int:
    """Pixels, each way, of one cell of the VAE's latents."""
    return vae.spacial_compression_encode()


def decode(vae, samples: Tensor) -> Tensor:
    """Images [F,H,W,3], float32 0-1 on the CPU, of LATENT samples [F,C,h,w]."""
    return vae.decode(samples).to("cpu", torch.float32).clamp(0, 1)


def euler():
    """The host's euler, which is DDIM (eta = 0) in the host's variable."""
    return comfy.samplers.sampler_object("euler")


def function_sampler(function: Callable):
    """A SAMPLER of the host that calls ``function(guider, base_model, x, options)`` and returns its latents."""

    def run(model, x, sigmas, extra_args=None, callback=None, disable=None):
        guider = model.inner_model
        return function(guider, guider.inner_model, x, extra_args["model_options"])

    return comfy.samplers.KSAMPLER(run)


class _Guider(comfy.samplers.CFGGuider):
    scale: Callable[[float], float]

    def predict_noise(self, x, timestep, *args, **kwargs):
        self.set_cfg(self.scale(float(timestep.max())))
        return super().predict_noise(x, timestep, *args, **kwargs)


def cfg_guider(model, scale: Callable[[float], float], **conds: list):
    """The host's guider over named conditionings, with a scale for every sigma; at 1 no negative is evaluated."""
    guider = _Guider(model)
    guider.scale = scale
    guider.inner_set_conds(conds)
    return guider
