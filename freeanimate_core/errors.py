"""The one exception of the pack: a sentence that names the node, the widget and the remedy."""


class FreeAnimateError(ValueError):
    """Input that FreeAnimate refuses.

    The message is for the person at the graph: what came, what is supported, and what to
    change, by the node's display name and the widget's label.
    """
