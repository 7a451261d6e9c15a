"""The study of the price: seconds of an animation against the host's own sampling."""
