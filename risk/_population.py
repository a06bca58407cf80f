"""How many of the people are children: rounded national shares, until child populations are imported."""

__all__ = ["CHILD_SHARE", "USUAL_SHARE"]

# Of people under 18. Another country's cancels like these, in its intercept.
CHILD_SHARE = {"AL": 0.24, "GR": 0.17}
USUAL_SHARE = 0.2
