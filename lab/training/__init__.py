"""How the demo's weights are made: pictures, an autoencoder, a pose hint, and a denoiser with its ControlNet."""
