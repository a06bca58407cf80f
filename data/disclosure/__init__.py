"""Disclosure control: the policy, the cell key method and its channel, the cost in accuracy, the attacks."""
