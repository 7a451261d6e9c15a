"""The border to ComfyUI: the only folder of the core that imports it."""
