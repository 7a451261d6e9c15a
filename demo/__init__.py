"""The embedded demo: drawn characters, their motions, and the tiny model that animates them."""
