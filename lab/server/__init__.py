"""The demo and the development server: a real ComfyUI, started, watched and stopped."""
