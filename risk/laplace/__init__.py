"""Inference for latent Gaussian models of counts that are published through a noisy channel."""
