"""Text on a node."""

from comfy_api.latest import ui

from ..freeanimate_core.host.screen import show_text


def shown(text: str) -> ui.PreviewText:
    """The ui of a result: the editor shows the text on the node now, the history and the API keep it."""
    show_text(text)
    return ui.PreviewText(text)
