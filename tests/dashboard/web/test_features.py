"""OGC API Features, point by point as its conformance tests check it: AT n is an abstract test of Part 1."""

import json
import re
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

import jsonschema
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from dashboard.site import Site
from dashboard.web.features import make_routes
from dashboard.web.features.query import MOST, USUAL
from geo.layers import LAYERS
from geo.layers.output import wide
from tests.helpers import small_release
from tests.helpers.asgi import ask
from tests.helpers.nonempty import nonempty
from tests.helpers.openapi import OPENAPI_30, find_references, resolve

BASE = "http://map.test/features"
GEOJSON = "application/geo+json"
API = "application/vnd.oai.openapi+json;version=3.0"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
NAMED = f"encounters_region_{small_release.NAME}"
ITEMS = f"{BASE}/collections/encounters_region/items"
# Boxes of the conformance tests; the third crosses the date line.
BOXES = ("-1.5,50,1.5,53", "-80,-5,-70,5", "177,65,-177,70", "-180,85,180,90", "-180,-90,180,-85")


@pytest.fixture(scope="module", params=["partner", "public"])
def tier(request):
    return request.param


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return small_release.make_both(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def release(releases, tier):
    return Site(releases, tier).release()


@pytest.fixture(scope="module")
def get(releases, tier):
    return partial(ask, make_application(releases, tier))


@pytest.fixture(scope="module")
def api(get):
    landing = get(f"{BASE}/", accept="application/json").json
    return get(find_link(landing, "service-desc", API)["href"]).json


@pytest.fixture(scope="module")
def collections(get):
    return get(f"{BASE}/collections").json["collections"]


def make_application(releases, tier, **settings):
    return Starlette(routes=make_routes(Site(releases, tier), **{"is_encrypted": False, **settings}))


def find_link(document, relation, media_type):
    (link,) = (entry for entry in document["links"] if (entry["rel"], entry["type"]) == (relation, media_type))
    return link


def follow_pages(get, address):
    """Return all pages from an address on, by their next links."""
    pages = []
    while address:
        answer = get(address, accept=f"{GEOJSON}, application/json")
        assert (answer.status, answer.headers["content-type"]) == (200, GEOJSON)
        pages.append(answer.json)
        address = next((link["href"] for link in pages[-1]["links"] if link["rel"] == "next"), None)
    return pages


def check_features(get, document):
    """Check points 21 to 27 of an answer with features."""
    assert document["type"] == "FeatureCollection"  # 22 (AT 22)
    assert isinstance(document["features"], list)
    assert all(link["rel"] and link["type"] for link in document["links"])  # 23 (AT 23)
    address = find_link(document, "self", GEOJSON)["href"]
    assert get(address).json == document
    assert document["numberReturned"] == len(document["features"])  # 26 (AT 26)
    for feature in document["features"]:
        assert feature["id"]
        points = list_points((feature["geometry"] or {}).get("coordinates", []))
        assert all(-180 <= x <= 180 and -90 <= y <= 90 and x < y for x, y in points)  # 21 (AT 2): longitude first


def list_points(value):
    if value and isinstance(value[0], float | int):
        return [value]
    return [point for inner in value for point in list_points(inner)]


@pytest.mark.always("partner")
@pytest.mark.slow
def test_1_to_3_everything_is_found_from_the_landing_page_by_links(get):
    seen, ahead = set(), [f"{BASE}/"]
    while ahead:
        address = ahead.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = get(address, accept="application/json, */*;q=0.1")
        assert answer.status == 200, address
        ahead += re.findall(r'"href": ?"([^"]+)"', json.dumps(answer.json))
    assert {f"{BASE}/api", f"{BASE}/conformance", f"{BASE}/collections", ITEMS, f"{BASE}/collections/{NAMED}"} <= seen


@pytest.mark.parametrize("address", [f"{BASE}/", BASE])
def test_4_and_5_the_landing_page_leads_to_definition_conformance_and_data(get, address):
    answer = get(address, accept="application/json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert find_link(answer.json, "service-desc", API)["href"] == f"{BASE}/api"
    assert find_link(answer.json, "conformance", "application/json")["href"] == f"{BASE}/conformance"
    # QGIS 1: of this very type, at an address without a query.
    assert find_link(answer.json, "data", "application/json")["href"] == f"{BASE}/collections"


def test_6_the_definition_is_there_under_its_media_type(get):
    answer = get(f"{BASE}/api", accept=f"{API}, application/openapi+json;version=3.0, application/json")
    assert (answer.status, answer.headers["content-type"]) == (200, API)


def test_7_the_definition_is_an_openapi_3_0_document(api):
    jsonschema.Draft202012Validator(OPENAPI_30).validate(api)
    assert all(resolve(api, {"$ref": name}) for name in find_references(api))
    for path, item in api["paths"].items():
        named = [resolve(api, parameter) for parameter in item["get"]["parameters"]]
        assert len({(parameter["in"], parameter["name"]) for parameter in named}) == len(named)
        assert {parameter["name"] for parameter in named if parameter["in"] == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )


def test_8_the_definition_lists_every_path_with_its_answer(api, collections):
    for path in ("/", "/conformance", "/collections"):
        assert "application/json" in api["paths"][path]["get"]["responses"]["200"]["content"]
    for collection in collections:
        here = f"/collections/{collection['id']}"
        assert "application/json" in api["paths"][here]["get"]["responses"]["200"]["content"]
        for path in (f"{here}/items", f"{here}/items/{{featureId}}"):
            assert list(api["paths"][path]["get"]["responses"]["200"]["content"]) == [GEOJSON]


def test_9_servers_give_the_public_address(releases, tier, api):
    assert api["servers"] == [{"url": BASE}]
    behind = make_application(releases, tier, is_encrypted=True)
    assert ask(behind, f"{BASE}/api").json["servers"] == [{"url": "https://map.test/features"}]


def test_10_and_11_it_says_what_it_conforms_to_and_no_more(get):
    answer = get(f"{BASE}/conformance")
    part = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
    assert answer.status == 200
    assert sorted(answer.json["conformsTo"]) == [f"{part}/core", f"{part}/geojson", f"{part}/oas30"]


def test_12_to_14_the_collections_have_links(get, tier):
    answer = get(f"{BASE}/collections")
    assert answer.status == 200
    assert find_link(answer.json, "self", "application/json")["href"] == f"{BASE}/collections"
    # One for each layer and level, of the shown release and of each by its name.
    ids = [collection["id"] for collection in answer.json["collections"]]
    shown = [name for name in ids if not name.endswith(small_release.NAME)]
    assert ids == [*shown, *(f"{name}_{small_release.NAME}" for name in shown)]
    assert "encounters_region" in shown
    assert ("encounters_municipality" in shown) is (tier == "partner")


def test_15_to_17_each_collection_leads_to_its_features_and_says_where_and_when(collections):
    for collection in nonempty(collections):
        here = f"{BASE}/collections/{collection['id']}"
        assert all(link["rel"] and link["type"] for link in collection["links"])
        assert find_link(collection, "items", GEOJSON)["href"] == f"{here}/items"
        assert collection["crs"][0] == CRS84
        (box,) = collection["extent"]["spatial"]["bbox"]
        assert len(box) == 4
        assert box[0] < box[2]
        assert box[1] < box[3]
        for start, end in collection["extent"].get("temporal", {}).get("interval", []):
            assert pd.Timestamp(start) < pd.Timestamp(end)
            assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in (start, end))


def test_18_and_19_each_collection_alone_is_what_the_list_says(get, collections):
    for collection in nonempty(collections):
        answer = get(f"{BASE}/collections/{collection['id']}")
        assert answer.status == 200
        assert answer.json == collection


@pytest.mark.slow
def test_20_to_27_the_features_of_each_collection(get, collections):
    for collection in nonempty(collections):
        address = find_link(collection, "items", GEOJSON)["href"]
        (first, *others) = follow_pages(get, address)
        check_features(get, first)
        pages = [first, *others]
        ids = [feature["id"] for page in pages for feature in page["features"]]
        assert len(ids) == len(set(ids))
        assert {page["numberMatched"] for page in pages} == {len(ids)}  # 25 (AT 25)
        assert "timeStamp" not in first  # 24 (AT 24): not there, because a release never changes


def test_25_the_next_address_is_absolute_with_a_query_of_escaped_values(get):
    page = get(f"{ITEMS}?limit=3&period=2006-06-01%2FP1Y&state=few").json
    page = page if page["numberMatched"] > 3 else get(f"{ITEMS}?limit=3&period=2006-06-01%2FP1Y").json
    address = find_link(page, "next", GEOJSON)["href"]
    assert address.startswith(f"{ITEMS}?")
    assert "%2FP1Y" in address
    assert dict(parse_qsl(urlsplit(address).query))["offset"] == "3"


def test_27_an_empty_answer_is_a_collection_without_features_and_without_a_next_page(get):
    for query in ("code=NOWHERE", "offset=999999999", "offset=999999999&limit=1"):
        document = get(f"{ITEMS}?{query}").json
        assert document["features"] == []
        assert document["numberReturned"] == 0
        assert [link["rel"] for link in document["links"]] == ["self", "collection"]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        (
            "bbox",  # 28 (AT 14); four or six
            {
                "type": "array",
                "items": {"type": "number"},
                "minItems": 4,
                "maxItems": 6,
                "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            },
        ),
        ("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),  # 31 (AT 16)
        ("datetime", {"type": "string", "pattern": "^[0-9A-Z:.+/-]{1,100}$"}),  # 33 (AT 18)
    ],
)
def test_28_31_and_33_the_definition_names_the_parameters(api, collections, name, schema):
    assert api["components"]["parameters"][name]["schema"] == schema  # QGIS 2: under this very name
    for collection in collections:
        listed = api["paths"][f"/collections/{collection['id']}/items"]["get"]["parameters"]
        (parameter,) = (entry for entry in (resolve(api, each) for each in listed) if entry["name"] == name)
        assert parameter["in"] == "query"
        assert (parameter["required"], parameter["style"], parameter["explode"]) == (False, "form", False)
        assert parameter["schema"] == schema


def test_29_boxes_of_every_kind_are_answered(get, collections):
    for collection in nonempty(collections[:4]):
        address = find_link(collection, "items", GEOJSON)["href"]
        extent = ",".join(map(str, collection["extent"]["spatial"]["bbox"][0]))
        for box in (extent, *BOXES):
            check_features(get, get(f"{address}?{urlencode({'bbox': box, 'limit': 5})}").json)
        everything = get(address).json["numberMatched"]
        assert get(f"{address}?{urlencode({'bbox': extent})}").json["numberMatched"] == everything


@pytest.mark.parametrize(
    ("box", "codes"),
    [
        ("21.2,40.2,21.4,40.4", {"AL-01"}),
        ("21.2,40.2,0,21.4,40.4,900", {"AL-01"}),
        ("22,40.5,22.2,40.6", {"AL-01", "AL-02"}),  # the edge of one, the inside of the other
        ("25.5,0,-170,50", {"GR-A", "GR-I"}),  # over the date line
        ("-20,0,21.5,50", {"AL-01"}),
        ("100,0,101,1", set()),
        ("-1e150,-1e150,1e150,1e150", set(small_release.REGIONS)),
    ],
)
def test_30_a_box_keeps_the_areas_that_it_meets(get, box, codes):
    features = get(f"{ITEMS}?{urlencode({'bbox': box, 'period': small_release.WHOLE, 'of': 'all'})}").json["features"]
    assert {feature["properties"]["code"] for feature in features} == codes


def test_30_a_box_keeps_areas_without_a_shape(releases):
    get = partial(ask, make_application(releases, "partner"))
    features = get(f"{BASE}/collections/encounters_municipality/items?bbox=100,0,101,1").json["features"]
    assert {feature["properties"]["code"] for feature in features} == {"9999"}
    assert {feature["geometry"] for feature in features} == {None}


@pytest.mark.parametrize(("limit", "most"), [("1", 1), ("7", 7), (str(MOST + 1), MOST), ("9" * 18, MOST)])
def test_32_a_page_has_no_more_than_the_limit_and_a_limit_above_the_largest_is_the_largest(get, limit, most):
    document = get(f"{ITEMS}?limit={limit}").json
    assert len(document["features"]) == min(most, document["numberMatched"])
    assert f"limit={most}&" in find_link(document, "self", GEOJSON)["href"]


FIRST_YEAR, BOTH = "2006-06-01/P1Y", {"2006-06-01/P1Y", "2007-06-01/P1Y"}


@pytest.mark.parametrize(
    ("time", "years"),
    [
        ("2007-05-31", {FIRST_YEAR}),
        ("2007-05-31T23:59:59Z", {FIRST_YEAR}),
        ("2007-06-01T00:30:00+02:00", {FIRST_YEAR}),  # still the day before in UTC
        ("2007-06-01T00:00:00Z", BOTH - {FIRST_YEAR}),
        ("2007-05-31/2007-06-01", BOTH),
        ("../2007-05-31", {FIRST_YEAR}),
        ("/2007-05-31", {FIRST_YEAR}),
        ("2007-06-01/..", BOTH - {FIRST_YEAR}),
        ("2007-06-01T00:00:00Z/", BOTH - {FIRST_YEAR}),
        ("../..", BOTH),
        ("2007-05-31T00:00:00Z/P1D", BOTH),
        ("2007-05-30/P1DT2H31M12S", {FIRST_YEAR}),
        ("P1M/2007-06-30", BOTH),
        ("1999-01-01/2000-01-01", set()),
    ],
)
def test_34_times_and_intervals_keep_the_periods_that_they_meet(get, time, years):
    answer = get(f"{ITEMS}?{urlencode({'datetime': time})}")
    assert answer.status == 200
    periods = {feature["properties"]["period"] for feature in answer.json["features"]}
    assert periods & BOTH == years


BAD = [
    *((name, value) for name in ("limit", "offset") for value in ("", "ten", "-1", "1.5", "１", "1 ", "9" * 19)),
    ("limit", "0"),  # 35 (AT 20), below the least
    ("offset", "1000000000"),
    *(
        ("bbox", value)
        for value in ("", "1,2,3", "1,2,3,4,5", "1,2,3,x", "1,50,2,40", "nan,1,2,3", "1,2,3,inf", "1,2,3,1e999")
    ),
    *(("bbox", value) for value in ("1,2,3,4,5,6,7", "1 2 3 4", "1" * 400 + ",1,2,3")),
    *(("datetime", value) for value in ("", "yesterday", "2007", "2007-13-01", "20070101", "2008-01-01/2007-01-01")),
    *(("datetime", value) for value in ("2007-01-01/P", "P1Y/P1Y", "2007-01-01/2007-02-01/2007-03-01", "/P1Y")),
    *(("datetime", value) for value in ("9999-12-31/P9999Y", "0001-01-01T00:00:00+23:59", "2007-01-01T00:00:00")),
    ("state", "unknown"),
    ("of", "everybody"),
    ("country", "XX"),
    ("code", "AL-01'--"),
    ("period", "2006"),
    ("period", "2006-06-01/P1Y\n"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_35_a_bad_value_is_refused_with_400(get, name, value):
    answer = get(f"{ITEMS}?{urlencode({name: value})}")
    check_refusal(answer, 400)


@pytest.mark.parametrize(
    "address",
    [f"{ITEMS}?unknown=1", f"{ITEMS}?level=region", f"{ITEMS}?limit=1&limit=2", f"{BASE}/?f=json"]
    + [f"{BASE}/{path}?limit=1" for path in ("api", "conformance", "collections", "collections/encounters_region")],
)
def test_36_a_parameter_that_the_definition_does_not_name_is_refused_with_400(get, address):
    check_refusal(get(address), 400)


ABSENT = [
    "nothing",
    *("collections/nothing", "collections/nothing/items", "collections/_/items", "collections/../items"),
    *("collections/encounters_region_2000-01-001/items", "collections/encounters_region_..%2f.."),
    *("collections/encounters_region/items/nothing", "collections/encounters_region/items/a/b"),
]


@pytest.mark.parametrize("path", ABSENT)
def test_37_what_is_not_there_is_404(get, path):
    check_refusal(get(f"{BASE}/{path}"), 404)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "image/*, text/*"])
def test_37_a_media_type_that_cannot_be_given_is_406(get, accept):
    for path in ("", "/", "/api", "/conformance", "/collections", "/collections/encounters_region/items"):
        check_refusal(get(BASE + path, accept=accept), 406)
    for path in ("", "/api", "/collections/encounters_region/items"):
        assert get(BASE + path, accept=f"{accept}, */*;q=0.1").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405(get, method):
    for path in ("", "/", "/api", "/collections", "/collections/encounters_region/items"):
        answer = get(BASE + path, method)
        check_refusal(answer, 405)
        assert "GET" in answer.headers["allow"]


def check_refusal(answer, status):
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"code", "description"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"}],"x":{"', "%00", "${7*7}"])
def test_a_refusal_repeats_nothing_from_outside(get, hostile):
    quoted = urlencode({"": hostile})[1:]
    addresses = [f"{ITEMS}?{urlencode({hostile: 1})}", f"{ITEMS}?state={quoted}", f"{ITEMS}?datetime={quoted}"]
    addresses += [f"{BASE}/collections/{quoted}", f"{ITEMS}/{quoted}", f"{BASE}/{quoted}"]
    for address in nonempty(addresses):
        answer = get(address, accept="*/*")
        assert answer.status in (400, 404)
        assert hostile.encode() not in answer.body
        assert quoted.encode() not in answer.body
    check_refusal(get(f"{BASE}/", host=f"a{hostile}"), 400)


@pytest.mark.always("partner")
@pytest.mark.slow
def test_38_and_39_each_feature_of_a_page_is_there_by_itself(get, collections):
    for collection in nonempty(collections):
        address = find_link(collection, "items", GEOJSON)["href"]
        for feature in get(f"{address}?limit=1").json["features"]:
            assert re.fullmatch(r"[A-Za-z0-9._~-]+", feature["id"])
            answer = get(f"{address}/{feature['id']}", accept=f"{GEOJSON}, application/json")
            assert (answer.status, answer.headers["content-type"]) == (200, GEOJSON)
            alone = answer.json
            assert find_link(alone, "self", GEOJSON)["href"] == f"{address}/{feature['id']}"
            assert find_link(alone, "collection", "application/json")["href"] == address.removesuffix("/items")
            assert {name: alone[name] for name in feature} == feature
            assert alone["type"] == "Feature"


def test_40_media_types_are_those_of_geojson_and_json(get):
    assert get(ITEMS).headers["content-type"] == GEOJSON
    assert get(f"{BASE}/collections").headers["content-type"] == "application/json"


def test_qgis_2_choices_and_states_are_queryables_of_each_collection(api, collections):
    for collection in nonempty(collections):
        listed = api["paths"][f"/collections/{collection['id']}/items"]["get"]["parameters"]
        named = {parameter["name"]: parameter for parameter in (resolve(api, each) for each in listed)}
        layer = next(each for each in LAYERS if collection["id"].startswith(each.id))
        for name in ("code", "country", "parent", "period", "state", *(option.id for option in layer.options)):
            assert (named[name]["style"], named[name]["explode"]) == ("form", False)
            assert named[name]["schema"]["type"] == "string"


def test_qgis_4_every_feature_has_every_property_with_one_type(get, collections):
    for collection in nonempty(collections):
        pages = follow_pages(get, find_link(collection, "items", GEOJSON)["href"])
        rows = [feature["properties"] for page in pages for feature in page["features"]]
        types = {name: {type(row[name]) for row in rows} - {type(None)} for name in rows[0]}
        assert {tuple(row) for row in rows} == {tuple(rows[0])}
        assert all(len(kinds) <= 1 for kinds in types.values()), types


def test_features_are_the_rows_of_the_exported_tables(get, release, collections):
    for layer in LAYERS:
        for level in layer.levels(release):
            table = wide.build_long_table(release, layer)
            table = table[table["level"] == level]
            pages = follow_pages(get, f"{BASE}/collections/{layer.id}_{level}/items?limit=250")
            frame = pd.DataFrame([feature["properties"] for page in pages for feature in page["features"]])
            assert list(frame) == list(table)
            wanted = [tuple(None if pd.isna(v) else v for v in row) for row in table.itertuples(index=False)]
            got = [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]
            assert got == wanted


@pytest.mark.parametrize("query", ["state=few", "of=pathway-internal", "code=AL-11", "country=GR", "parent=AL"])
def test_a_filter_keeps_the_rows_with_its_value(get, release, query):
    name, _, value = query.partition("=")
    layer = next(each for each in LAYERS if each.id == "encounters")
    table = wide.build_long_table(release, layer)
    table = table[table["level"] == "region"]
    document = get(f"{ITEMS}?{query}&limit={MOST}").json
    assert {feature["properties"][name] for feature in document["features"]} <= {value}
    assert document["numberMatched"] == (table[name] == value).sum()


@pytest.mark.always("partner-encounters_region")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["encounters_region", "population_region", f"services_region_{small_release.NAME}"])
def test_what_the_definition_allows_is_answered_and_nothing_breaks(get, api, name):
    path = f"/collections/{name}/items"
    named = [resolve(api, each) for each in api["paths"][path]["get"]["parameters"]]
    good = st.fixed_dictionaries({}, optional={parameter["name"]: draw_good(parameter) for parameter in named})
    bad = st.dictionaries(
        st.sampled_from([*(parameter["name"] for parameter in named), "x"]), st.text(max_size=30), max_size=2
    )

    @settings(max_examples=25)
    @given(good, bad)
    def check(allowed, unlike):
        for values, statuses in ((allowed, (200,)), (allowed | unlike, (200, 400))):
            answer = get(f"{BASE}{path}?{urlencode(values)}")
            assert answer.status in statuses, values
            if answer.status == 200:
                document = answer.json
                assert document["numberReturned"] == len(document["features"]) <= document["numberMatched"]

    check()


def draw_good(parameter):
    """Return values that a parameter allows."""
    schema = parameter["schema"]
    if parameter["name"] == "datetime":
        return st.dates().map(str)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"].replace("$", r"\Z"), re.ASCII))
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], min(schema["maximum"], 50))
    west, south = st.floats(-180, 180), st.floats(-90, 90)
    return st.tuples(west, south, west, south).map(
        lambda box: ",".join(map(str, (box[0], min(box[1], box[3]), box[2], max(box[1], box[3]))))
    )
