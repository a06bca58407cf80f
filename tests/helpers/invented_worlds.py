"""Make invented worlds over the product's areas, with the same neighbours each time."""

from benchmarks import worlds as sim
from data.reference import area_table

# Which counties and regions touch; the islands of Greece touch none.
BORDERS = (
    "AL-10 AL-07, AL-10 AL-08, AL-07 AL-08, AL-07 AL-09, AL-08 AL-09, AL-08 AL-02, AL-02 AL-09, "
    "AL-02 AL-11, AL-09 AL-11, AL-09 AL-03, AL-11 AL-03, AL-11 AL-04, AL-03 AL-04, AL-03 AL-01, "
    "AL-03 AL-06, AL-01 AL-04, AL-01 AL-06, AL-01 AL-05, AL-04 AL-05, AL-04 AL-12, AL-05 AL-12, "
    "AL-05 AL-06, AL-05 GR-D, AL-12 GR-D, AL-06 GR-C, AL-06 GR-D, GR-A GR-B, GR-B GR-C, GR-B GR-E, "
    "GR-C GR-E, GR-C GR-D, GR-D GR-E, GR-D GR-G, GR-E GR-H, GR-E GR-G, GR-G GR-H, GR-H GR-I, "
    "GR-G GR-J, GR-I GR-J, GR-B GR-69"
)


def list_neighbours():
    """Return the borders of regions, and a chain through the municipalities of each region."""
    pairs = [tuple(pair.split()) for pair in BORDERS.split(", ")]
    towns = area_table().query("level == 'municipality' and counted").sort_index()
    for _, inside in towns.groupby("parent"):
        pairs += list(zip(inside.index[:-1], inside.index[1:], strict=True))
    return pairs


NOW = sim.WorldParameters(start="2023-12")


def make_world(**parameters):
    """Simulate a world with these parameters and the population of the end of 2023."""
    people = sim.read_population(NOW)
    return sim.simulate(sim.WorldParameters(**parameters), area_table(), list_neighbours(), people)
