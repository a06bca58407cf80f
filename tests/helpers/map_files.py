"""Small map files of OpenStreetMap for tests."""

from itertools import pairwise

import numpy as np
import osmium


def write_map(path, roads, ferries=()):
    """Write a map file of straight roads, each between two points in 30 pieces, and of ferries; tags are pairs."""
    ends, node = {}, iter(range(1, 10_000))
    with osmium.SimpleWriter(str(path)) as out:
        ways = []
        for start, end, tags in [*roads, *ferries]:
            pieces = 1 if ("route", "ferry") in tags.items() else 30
            points = np.linspace(start, end, pieces + 1)
            numbers = [ends.setdefault(tuple(point), next(node)) for point in points]
            ways += [(pair, tags) for pair in pairwise(numbers)]
        for point, number in sorted(ends.items(), key=lambda item: item[1]):
            out.add_node(osmium.osm.mutable.Node(id=number, location=tuple(map(float, point))))
        for number, (refs, tags) in enumerate(ways, 1):
            out.add_way(osmium.osm.mutable.Way(id=number, nodes=list(refs), tags=tags))
    return path
