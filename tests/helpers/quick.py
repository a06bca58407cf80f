"""Fewer draws of the attack and of the model, for tests that do not check what depends on them."""

from functools import partial

import pytest


def use_few_worlds(patch: pytest.MonkeyPatch) -> None:
    """Use fewer worlds in the membership attack, for tests that do not check what a release withholds."""
    from data.disclosure.attacks.membership import attacker
    from data.restricted import publishing

    patch.setattr(attacker, "_SHORT", 200)
    patch.setattr(publishing, "withhold_cells", partial(publishing.withhold_cells, worlds=(500,)))


def use_few_draws(patch: pytest.MonkeyPatch) -> None:
    """Use fewer draws of the risk model, for tests that do not check its numbers."""
    from risk.report import model_card, tables

    for module in (tables, model_card):
        patch.setattr(module, "DRAWS", 400)
        patch.setattr(module, "REPLICATES", 99)
