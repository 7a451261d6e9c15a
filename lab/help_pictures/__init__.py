"""The pictures of the help pages and the README's animation, made by the nodes themselves."""
