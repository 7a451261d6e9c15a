"""FreeAnimate for ComfyUI: animate a character from one picture, training-free."""

if __package__:  # pytest collects this file without a package; the host always imports it with one
    from comfy_api.latest import ComfyExtension

    from .nodes import FreeAnimateExtension

    WEB_DIRECTORY = "./web"

    async def comfy_entrypoint() -> ComfyExtension:
        """Hand the host this pack's extension."""
        return FreeAnimateExtension()
