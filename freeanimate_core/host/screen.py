"""What a running node shows: its progress bar, live previews, and text on it."""

import comfy.model_management as management
import comfy.utils
import latent_preview
from comfy_execution.utils import get_executing_context

from .progress import Bar


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
