"""What a case gives to the nodes: latents and conditionings, each made once. Needs the host."""

import nodes as host_nodes

from .case import Previewed
from .models import Models


class Inputs:
    """LATENTs and CONDITIONINGs of one case, by the host's own nodes."""

    def __init__(self, models: Models, case: Previewed):
        self.models, self.case = models, case
        self._latents: dict[str, dict] = {}
        self._conditionings: dict[tuple[str, bool], tuple[list, list]] = {}

    def latent(self, name: str) -> dict:
        """LATENT of a batch of pictures of the case."""
        if name not in self._latents:
            pixels = getattr(self.case, name)
            self._latents[name] = host_nodes.VAEEncode().encode(self.models.vae, pixels)[0]
        return self._latents[name]

    def anchor(self, name: str) -> dict:
        """LATENT of one picture: the reference or a frame of the preview."""
        if name == "reference":
            return self.latent("reference")
        frames = self.latent("preview")["samples"]
        index = {"first": 0, "middle": len(frames) // 2}[name]
        return {"samples": frames[index : index + 1]}

    def conditioning(self, prompt: str, control: bool) -> tuple[list, list]:
        """Positive and negative, with the poses applied to both or to none."""
        if (prompt, control) not in self._conditionings:
            encode = host_nodes.CLIPTextEncode().encode
            pair = [encode(self.models.clip, text)[0] for text in (self.case.prompts[prompt], "")]
            if control:
                apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
                pair = apply(*pair, self.models.control_net, self.case.poses, 1.0, 0.0, 1.0)
            self._conditionings[prompt, control] = tuple(pair)
        return self._conditionings[prompt, control]
