"""The default detour factor, judged on published road distances that lie outside the repository.

The links of European roads in Greece (eroads_greece.csv in the folder that --reference names). Calibrated on every
other link, judged on the others. Left out: links over water, links to places abroad or that GeoNames does not list, and
the three rows that are known or thought to be wrong.
"""

import csv

import numpy as np
import pytest

from geo import travel
from geo.travel import DETOUR_SLOPE, DETOUR_SPREAD, KM_PER_HOUR, estimate_ways

DOUBTFUL = {("Lárissa", "Almirós"), ("Amfilochía", "Karpenísi"), ("Almirós", "Lamía")}
# lon and lat of the towns (GeoNames, CC-BY 4.0).
TOWNS = {
    "Agrínio": (21.4078, 38.6214),
    "Aktio": (20.7687, 38.9486),
    "Alexandropoúli": (25.8764, 40.8499),
    "Amfilochía": (21.1664, 38.8594),
    "Antirrio": (21.7641, 38.3301),
    "Athína": (23.7278, 37.9838),
    "Chaniá": (24.0292, 35.5112),
    "Didimoticho": (26.4961, 41.3481),
    "Domokós": (22.3003, 39.1272),
    "Elefsína": (23.543, 38.0414),
    "Flórina": (21.4098, 40.782),
    "Géfira": (22.6936, 40.7325),
    "Gíthio": (22.5642, 36.755),
    "Igoumenítsa": (20.2673, 39.5034),
    "Ioánnina": (20.8519, 39.6649),
    "Iráklio": (25.1434, 35.3279),
    "Itéa": (22.4244, 38.432),
    "Kalámata": (22.1126, 37.0391),
    "Karpenísi": (21.7984, 38.9122),
    "Kastanies": (26.4768, 41.6455),
    "Kissámos": (23.6537, 35.4946),
    "Korinthos": (22.9513, 37.9401),
    "Kozáni": (21.789, 40.3007),
    "Lamía": (22.4333, 38.9),
    "Lárissa": (22.4176, 39.6369),
    "Mesolóngi": (21.4315, 38.3714),
    "Orménio": (26.2152, 41.7205),
    "Préveza": (20.7505, 38.9562),
    "Pátra": (21.7344, 38.2444),
    "Pírgos": (21.441, 37.6751),
    "Río": (21.785, 38.2956),
    "Sitía": (26.1047, 35.2078),
    "Spárti": (22.4301, 37.0745),
    "Séres": (23.5476, 41.085),
    "Thessaloníki": (22.9309, 40.6436),
    "Thíva": (23.3189, 38.325),
    "Tríkala": (21.7684, 39.5549),
    "Trípoli": (22.3794, 37.5089),
    "Vévi": (21.616, 40.7673),
    "Vólos": (22.9477, 39.3692),
    "Vónitsa": (20.8864, 38.9164),
    "Ágios Nikólaos": (25.7152, 35.1911),
    "Árta": (20.9856, 39.1601),
    "Égio": (22.0819, 38.2486),
}


@pytest.fixture(scope="module")
def links(reference_folder):
    """Return the published km of each link that counts, (n,), and its two towns, as numbers of TOWNS, (n, 2)."""
    path = reference_folder / "eroads_greece.csv"
    if not path.exists():
        pytest.skip(f"There is no {path.name} in the folder.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["watercrossing"] == "false"]
    chosen: dict[tuple[str, str], float] = {}
    for row in rows:
        chosen.setdefault((row["origin_reference_place"], row["destination_reference_place"]), float(row["distance"]))
    known = {pair: km for pair, km in chosen.items() if set(pair) <= set(TOWNS) and pair not in DOUBTFUL}
    number = {name: i for i, name in enumerate(TOWNS)}
    return np.array(list(known.values())), np.array([[number[name] for name in pair] for pair in known])


def _logs_of_errors(links):
    published, towns = links
    km = estimate_ways(np.array(list(TOWNS.values()))) * KM_PER_HOUR / 60.0
    return np.log(km[tuple(towns.T)] / published)


@pytest.mark.conformance
def test_the_detour_is_that_of_every_other_link_and_fits_the_rest(links, monkeypatch):
    error = _logs_of_errors(links)
    assert len(error) == 43
    judged = np.arange(len(error)) % 2 == 1
    assert error[~judged].mean() == pytest.approx(0.0, abs=0.003)
    spread = {}
    # A way that was found before has the slope of before.
    monkeypatch.setattr(travel, "_find_shortest_ways", travel._find_shortest_ways.__wrapped__)
    for slope in DETOUR_SLOPE + np.array([-0.006, -0.003, 0.0, 0.003, 0.006]):
        monkeypatch.setattr(travel, "DETOUR_SLOPE", slope)
        spread[slope] = _logs_of_errors(links)[~judged].std()
    assert min(spread, key=spread.get) == DETOUR_SLOPE
    # No rule that was tried reaches 15 % on every link; docs/limits.md says so. These are the bounds that it holds.
    off = np.abs(np.exp(error) - 1.0)
    assert np.median(off[judged]) < 0.1
    assert (off[judged] > 0.15).sum() <= 2
    assert (off > 0.15).sum() <= 4
    assert off.max() < 0.22
    assert error[judged].std() < DETOUR_SPREAD
