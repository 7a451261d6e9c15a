"""The study of reconstruction: how close previews come back from their inversion, by solver and steps."""
