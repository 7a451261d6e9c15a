"""The demo's model: where the trained one plugs in. For now an untrained stand-in of the SD1.5 layout."""

from . import tiny

STAND_IN_SEED = 1


def load_demo_model() -> tuple[object, object, object, object]:
    """Build (MODEL, CLIP, VAE, CONTROL_NET) for the demo, anew at each call, in fp32 on the host's devices.

    The weights are drawn, not trained: the U-Net predicts next to nothing, so DDIM inverts almost exactly,
    and the VAE shows its picture smoothed, so the result looks like the preview that went in.
    """
    layout = tiny.SD15_DEMO
    return (
        tiny.build_model(layout, STAND_IN_SEED),
        tiny.build_clip(layout, STAND_IN_SEED + 1),
        tiny.build_vae(layout),
        tiny.build_control_net(layout, STAND_IN_SEED + 2),
    )
