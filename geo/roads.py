"""Travel times along the roads and ferries of a map file of OpenStreetMap (.osm.pbf).

A file is read once: roads with their speeds, ferries with their durations, border crossings. The times between the main
towns of the municipalities are those of the fastest way (Dijkstra's algorithm in scipy).
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from data.errors import FileRefused, InputError
from data.reference import settlement_table
from data.workspace.types import Bools, Floats, Ints, Progress
from geo.areas import Areas
from geo.travel import RoadTimes, compute_distances, locate_places, weigh_settlements

if TYPE_CHECKING:
    import osmium

# Km per hour where no speed limit is given, by class of road; docs/planner.md section 2a.
SPEEDS = {
    "motorway": 105.0, "trunk": 85.0, "primary": 65.0, "secondary": 60.0, "tertiary": 50.0, "unclassified": 40.0,
    "residential": 30.0, "road": 30.0, "living_street": 10.0,
}  # fmt: skip
OF_LIMIT = 0.9  # of a speed limit that is driven
FERRY_SPEED, BOARDING, BORDER = 25.0, 30.0, 20.0  # km an hour without a duration; minutes for a ferry, and at a border
SIGNALS = 0.04  # minutes at traffic lights
NEAR_KM, QUAY_KM, STREET_SPEED = 5.0, 1.0, 20.0  # farthest from a road: a town, a quay; km an hour to get there
_PIECE = 500_000  # nodes
_LEAST_NODES = 20  # of a network of roads on which a town may lie
_CLOSED = {"no", "private"}
_LIMIT = re.compile(r"(\d+)( ?mph)?$")
_ISO = re.compile(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?")
_REMEDY = "Download an extract in the format .osm.pbf, for example of Greece or of Albania, and give its path."


def read_roads(path: Path, areas: Areas, day: str, progress: Progress | None = None) -> RoadTimes:
    """Read the times between the main towns of all municipalities in a map file, in minutes.

    day : of the file, as ISO. The times of a municipality's own people are the mean over its settlements. Towns outside
    the file have no times. Raises FileRefused for a file that is missing, damaged, or without roads, and InputError if
    it holds no town of the areas or if osmium is not installed.
    """
    tell = progress or (lambda *_: None)
    tell(0, None, "Reading roads and ferries")
    network = _Network.build(_read_ways(path))
    codes, points = locate_places(areas)
    nodes, access = network.find_nearest(points)
    inside = np.flatnonzero(nodes >= 0)
    if not len(inside):
        raise InputError(f"{path.name} has roads, but none near a town of Albania or Greece. {_REMEDY}")
    settlements = settlement_table()
    spots, ways = network.find_nearest(settlements[["lon", "lat"]].to_numpy(dtype=float))
    settlements = settlements.assign(spot=spots, way=ways, people=weigh_settlements(settlements))
    members = dict(tuple(settlements[spots >= 0].groupby("code", sort=False)))
    minutes = np.full((len(codes), len(codes)), np.nan)
    for done, i in enumerate(inside):
        tell(done, len(inside), "Finding the fastest ways")
        reached = dijkstra(network.graph, indices=nodes[i]) + access[i]
        minutes[i, inside] = reached[nodes[inside]] + access[inside]
        if (inner := members.get(codes[i])) is not None:
            there = np.where(inner["spot"] == nodes[i], 0.0, reached[inner["spot"]] + inner["way"])
            known = np.isfinite(there)
            minutes[i, i] = there[known] @ inner["people"][known] / inner["people"][known].sum()
    return RoadTimes(codes, np.where(np.isfinite(minutes), minutes, np.nan), path.name, day)


@dataclass
class _Ways:
    """The ways of a file one after the other; N nodes in W ways.

    nodes, lon, lat : number and position (degrees) of each node, (N,). counts : nodes of each way, (W,). forward,
    back : km an hour of each way, 0 where closed, (W,). duration : minutes of a whole way, 0 if it has none, (W,).
    ferry : whether it is one, (W,). waits : minutes at a node.
    """

    nodes: array[int] = field(default_factory=lambda: array("q"))
    lon: array[float] = field(default_factory=lambda: array("f"))
    lat: array[float] = field(default_factory=lambda: array("f"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    forward: array[float] = field(default_factory=lambda: array("f"))
    back: array[float] = field(default_factory=lambda: array("f"))
    duration: array[float] = field(default_factory=lambda: array("f"))
    ferry: array[int] = field(default_factory=lambda: array("b"))
    waits: dict[int, float] = field(default_factory=dict)

    def add(self, way: osmium.osm.Way) -> None:
        """Add a way of osmium, if people can drive or sail on it."""
        tags = way.tags
        ferry = tags.get("route") == "ferry"
        speed = FERRY_SPEED if ferry else _read_speed(tags)
        spots = [node for node in way.nodes if node.location.valid()]
        if not speed or len(spots) < 2 or (tags.get("access") in _CLOSED and not ferry):
            return
        oneway = tags.get("oneway", "yes" if _is_oneway(tags) else "no")
        self.nodes.extend(node.ref for node in spots)
        self.lon.extend(node.lon for node in spots)
        self.lat.extend(node.lat for node in spots)
        self.counts.append(len(spots))
        self.forward.append(0.0 if oneway == "-1" else speed)
        self.back.append(0.0 if oneway in {"yes", "true", "1"} and not ferry else speed)
        self.duration.append(_read_duration(tags.get("duration") or "") if ferry else 0.0)
        self.ferry.append(ferry)


def _read_ways(path: Path) -> _Ways:
    """Read the roads and ferries of a file."""
    try:
        import osmium
    except ImportError:
        msg = "Map files are read with osmium, which is not installed. Install it: pip install 'tact-map[osm]'"
        raise InputError(msg) from None
    if not path.is_file():
        raise FileRefused(f"There is no file {path}. {_REMEDY}")
    ways = _Ways()
    try:
        file = osmium.FileProcessor(str(path)).with_locations("sparse_mem_array")
        for item in file.with_filter(osmium.filter.KeyFilter("highway", "route", "barrier")):
            if isinstance(item, osmium.osm.Way):
                ways.add(item)
            elif isinstance(item, osmium.osm.Node) and (wait := _read_wait(item.tags)):
                ways.waits[item.id] = wait
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        msg = f"{path.name} is not a whole map file (.osm.pbf): {error}. {_REMEDY}"
        raise FileRefused(msg) from error
    if not any(not ferry for ferry in ways.ferry):
        raise FileRefused(f"{path.name} holds no roads. {_REMEDY}")
    return ways


def _read_speed(tags: osmium.osm.TagList) -> float:
    """Return the km an hour that are driven on a way; 0 if it is no road for cars."""
    usual = SPEEDS.get((tags.get("highway") or "").removesuffix("_link"), 0.0)
    limit = _LIMIT.match(tags.get("maxspeed") or "")
    if not usual or tags.get("motor_vehicle") in _CLOSED or limit is None:
        return 0.0 if tags.get("motor_vehicle") in _CLOSED else usual
    return OF_LIMIT * float(limit[1]) * (1.609 if limit[2] else 1.0)


def _is_oneway(tags: osmium.osm.TagList) -> bool:
    return bool(tags.get("junction") == "roundabout" or tags.get("highway") == "motorway")


def _read_wait(tags: osmium.osm.TagList) -> float:
    """Return the minutes that a node costs: a border control, or traffic lights."""
    return BORDER if tags.get("barrier") == "border_control" else SIGNALS * (tags.get("highway") == "traffic_signals")


def _read_duration(text: str) -> float:
    """Return the minutes of a duration as OpenStreetMap writes it: 90, 01:30, 26:00:00 or PT1H30M; 0 if it is none."""
    if text.isdigit():
        return float(text)
    if clock := re.fullmatch(r"(\d+):(\d\d)(?::\d\d)?", text):
        return 60.0 * int(clock[1]) + int(clock[2])
    if (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        days, hours, minutes = (int(part or 0) for part in iso.groups())
        return 1440.0 * days + 60.0 * hours + minutes
    return 0.0


@dataclass(frozen=True, eq=False)
class _Network:
    """Junctions and the minutes between them: (J, J) as a sparse matrix; points : lon and lat of each, (J, 2).

    usable : whether a town may lie at it, (J,): a junction of roads in a network of some size.
    """

    graph: csr_array
    points: Floats
    usable: Bools

    @classmethod
    def build(cls, ways: _Ways) -> _Network:
        """Build the network of the ways: a junction is where a way ends, where two meet, or where one waits."""
        nodes, counts = np.frombuffer(ways.nodes, np.int64), np.frombuffer(ways.counts, np.int64)
        points = np.column_stack([np.frombuffer(ways.lon, np.float32), np.frombuffer(ways.lat, np.float32)])
        ends = np.cumsum(counts)
        starts, way = ends - counts, np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        numbers, place, uses = np.unique(nodes, return_inverse=True, return_counts=True)
        joint = uses > 1
        joint[place[starts]] = joint[place[ends - 1]] = True
        wait = np.zeros(len(numbers))
        waiting = np.searchsorted(numbers, np.fromiter(ways.waits, np.int64, len(ways.waits)))
        for at_node, (number, minutes) in zip(waiting, ways.waits.items(), strict=True):
            if at_node < len(numbers) and numbers[at_node] == number:
                wait[at_node], joint[at_node] = minutes, True
        km = np.zeros(len(nodes))
        for piece in range(
            0, len(nodes) - 1, _PIECE
        ):  # of all at once, ten arrays of 80 MB would stand beside each other
            some = points[piece : piece + _PIECE + 1].astype(float)
            km[piece + 1 : piece + len(some)] = compute_distances(some[:-1], some[1:])
        km[starts] = 0.0
        along = np.cumsum(km)
        stops = np.flatnonzero(joint[place])
        first, last = stops[:-1], stops[1:]
        same = way[first] == way[last]
        first, last = first[same], last[same]
        label = np.cumsum(joint) - 1
        length = along[last] - along[first]
        whole = along[ends - 1] - along[starts]
        ferry, owner = np.frombuffer(ways.ferry, np.int8).astype(bool), way[first]
        duration = np.frombuffer(ways.duration, np.float32).astype(float)
        part = np.divide(length, whole[owner], out=np.zeros_like(length), where=whole[owner] > 0)
        extra = np.where(ferry[owner], BOARDING * part, 0.0)
        edges = []
        for begin, finish, speeds in ((first, last, ways.forward), (last, first, ways.back)):
            speed = np.frombuffer(speeds, np.float32).astype(float)[owner]
            minutes = np.where(duration[owner] > 0, duration[owner] * part, 60.0 * length / np.maximum(speed, 1e-9))
            open_way = speed > 0
            cost = np.maximum(minutes + extra + wait[place[finish]], 1e-6)
            edges.append((label[place[begin]][open_way], label[place[finish]][open_way], cost[open_way]))
        spots = np.zeros((int(joint.sum()), 2))
        spots[label[place[stops]]] = points[stops]
        on_road = np.zeros(len(spots), dtype=bool)
        on_road[label[place[stops[~ferry[way[stops]]]]]] = True
        edges.append(_join_quays(spots, on_road, label[place[np.concatenate([starts, ends - 1])[np.tile(ferry, 2)]]]))
        start, end, cost = (np.concatenate(parts) for parts in zip(*edges, strict=True))
        graph = _find_fastest(start, end, cost, len(spots))
        pieces = connected_components(graph, connection="strong")[1]
        return cls(graph, spots, on_road & (np.bincount(pieces)[pieces] >= _LEAST_NODES))

    def find_nearest(self, points: Floats) -> tuple[Ints, Floats]:
        """Return the usable junction nearest to points (lon, lat), and the minutes to it, (n,); -1 if it is too far."""
        usable, points = np.flatnonzero(self.usable), np.nan_to_num(points)  # a town of unknown place is far from all
        if not len(usable):
            return np.full(len(points), -1), np.zeros(len(points))
        near = cKDTree(_stretch(self.points[usable])).query(_stretch(points))[1]
        km = compute_distances(points, self.points[usable[near]])
        return np.where(km <= NEAR_KM, usable[near], -1), 60.0 * km / STREET_SPEED


def _join_quays(points: Floats, on_road: Bools, quays: Ints) -> tuple[Ints, Ints, Floats]:
    """Return the ways between the ends of ferries and the nearest junction of roads: start, end, minutes."""
    quays, roads = np.unique(quays[~on_road[quays]]), np.flatnonzero(on_road)
    if not (len(quays) and len(roads)):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    near = roads[cKDTree(_stretch(points[roads])).query(_stretch(points[quays]))[1]]
    km = compute_distances(points[quays], points[near])
    quays, near, minutes = quays[km <= QUAY_KM], near[km <= QUAY_KM], 60.0 * km[km <= QUAY_KM] / STREET_SPEED + 1e-6
    return np.concatenate([quays, near]), np.concatenate([near, quays]), np.tile(minutes, 2)


def _find_fastest(start: Ints, end: Ints, cost: Floats, size: int) -> csr_array:
    """Return the matrix of the fastest way between each two junctions that are joined, (size, size)."""
    order = np.lexsort((cost, end, start))
    start, end, cost = start[order], end[order], cost[order]
    first = np.ones(len(start), dtype=bool)
    first[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return csr_array(coo_array((cost[first], (start[first], end[first])), shape=(size, size)))


def _stretch(points: Floats) -> Floats:
    """Return points (lon, lat) in degrees with both directions alike in the middle of both countries."""
    return np.asarray(points * np.array([np.cos(np.radians(39.0)), 1.0]))
