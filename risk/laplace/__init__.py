"""The engine: latent Gaussian models of counts that are seen through a noisy channel."""
