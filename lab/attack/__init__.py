"""Prompts that nobody would write, over all nodes, on the real host: refused clearly, or right, or counted as faults.

``forms`` spoils or rewrites what travels between nodes, ``world`` holds the prompts that work, ``draw`` changes
them by a seed, ``host`` executes them as the server does, and ``judge`` says what came of it.
"""
