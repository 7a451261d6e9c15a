"""How the demo's weights are made: drawn pictures, an autoencoder, a pose hint, and a denoiser with its ControlNet."""
