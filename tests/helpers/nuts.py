"""The risk model written again for a sampler, sharing no code with the product."""

import numpy as np


def sample_areas(root, true, chance, offset, likelihood):
    """Return draws of log means and hyperparameters by NUTS, as arrays (draws, ...) by name.

    root : square root of the covariance of neighbours, (areas, areas). true, chance : the possible true counts, and the
    log probability of the published count given each, (values, areas). offset : log of the expected counts, (areas,).
    likelihood : "poisson"; any other text means negative binomial.
    """
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.special import gammaln, logsumexp
    from numpyro.infer import MCMC, NUTS

    def model():
        level = numpyro.sample("level", dist.Normal(0.0, 5.0))
        sd = numpyro.sample("area_sd", dist.HalfNormal(1.0))
        share = numpyro.sample("structured", dist.Beta(0.5, 0.5))
        with numpyro.plate("areas", len(offset)):
            smooth = numpyro.sample("smooth", dist.Normal())
            plain = numpyro.sample("plain", dist.Normal())
        eta = offset + level + sd * (jnp.sqrt(share) * (root @ smooth) + jnp.sqrt(1.0 - share) * plain)
        numpyro.deterministic("eta", eta)
        if likelihood == "poisson":
            log = true * eta - jnp.exp(eta) - gammaln(true + 1.0)
        else:
            kappa = numpyro.sample("kappa", dist.HalfNormal(0.5))
            # Of Γ(y + r) / Γ(r), r = κ⁻², as a product: the difference of two large log Γ loses all its digits.
            steps = jnp.log1p(jnp.arange(true.max()) * kappa**2)
            log = jnp.concatenate([jnp.zeros(1), jnp.cumsum(steps)])[true.astype(int)]
            log = log + true * eta - gammaln(true + 1.0)
            log = log - (true + kappa**-2.0) * jnp.log1p(jnp.exp(eta) * kappa**2)
        numpyro.factor("published", logsumexp(log + chance, axis=0).sum())

    with jax.enable_x64(True):
        chain = MCMC(
            NUTS(model, target_accept_prob=0.9),
            num_warmup=600,
            num_samples=2500,
            num_chains=2,
            chain_method="vectorized",
            progress_bar=False,
        )
        chain.run(jax.random.PRNGKey(0))
        return {name: np.asarray(values) for name, values in chain.get_samples().items()}
