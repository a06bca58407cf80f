"""What programs ask for first: the landing page, the API definition (OpenAPI 3.0) and the conformance classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashboard.web.features.collection import Collection, make_link
from dashboard.web.features.query import describe_parameter, describe_parameters, list_filters
from geo.export import geojson

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_PART_1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CONFORMANCE = {"conformsTo": [f"{_PART_1}/{name}" for name in ("core", "oas30", "geojson")]}
_TITLE = "TACT Map: layers of releases"
_DESCRIPTION = "The layers of TACT Map, as in its files: every area, period and choice, with number, margin and state."


def describe_landing(base: str) -> dict[str, Any]:
    """Return the landing page, as values for JSON. `base` is its address."""
    return {
        "title": _TITLE,
        "description": _DESCRIPTION,
        "links": [
            make_link("self", f"{base}/"),
            make_link("service-desc", f"{base}/api", OPENAPI),
            make_link("conformance", f"{base}/conformance"),
            make_link("data", f"{base}/collections"),
        ],
    }


def describe_api(collections: Iterable[Collection], base: str) -> dict[str, Any]:
    """Return the API definition, as values for JSON. Each collection has its own paths, because it has its own filters.

    base : the address of the landing page.
    """
    paths = {
        "/": _describe_path("The landing page", "object"),
        "/conformance": _describe_path("What the service conforms to", "object"),
        "/collections": _describe_path("The collections", "object"),
    }
    for collection in collections:
        here = f"/collections/{collection.id}"
        shared = [{"$ref": f"#/components/parameters/{name}"} for name in describe_parameters()]
        choices = [
            describe_parameter(name, schema, f"A choice of the layer: {name}.")
            for name, schema in list_filters(collection.layer).items()
            if name in {option.id for option in collection.layer.options}
        ]
        paths[here] = _describe_path("The collection", "object", refuses=("404",))
        paths[f"{here}/items"] = _describe_path(
            "Its features", "features", [*shared, *choices], media_type=geojson.MEDIA_TYPE, refuses=("404",)
        )
        identifier = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[f"{here}/items/{{featureId}}"] = _describe_path(
            "One feature", "feature", [identifier], media_type=geojson.MEDIA_TYPE, refuses=("404",)
        )
    error = {"description": "Refused; the answer says why.", "content": _describe_content("error")}
    return {
        "openapi": "3.0.3",
        "info": {"title": _TITLE, "description": _DESCRIPTION, "version": "1.0.0"},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "parameters": describe_parameters(),
            "schemas": _SCHEMAS,
            "responses": dict.fromkeys(("400", "403", "404", "406", "500", "503"), error),
        },
    }


def _describe_path(
    summary: str,
    schema: str,
    parameters: list[dict[str, Any]] | None = None,
    media_type: str = "application/json",
    refuses: tuple[str, ...] = (),
) -> dict[str, Any]:
    codes = sorted(("400", "403", "406", "500", "503", *refuses))
    refusals = {code: {"$ref": f"#/components/responses/{code}"} for code in codes}
    answer = {"description": summary, "content": _describe_content(schema, media_type)}
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": {"200": answer, **refusals}}}


def _describe_content(schema: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _describe_geojson(kind: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401
    named = {"type": {"type": "string", "enum": [kind]}, **properties}
    return {"type": "object", "required": list(named), "properties": named}


_LINKS = {"type": "array", "items": {"type": "object"}}
_SCHEMAS: dict[str, Any] = {
    "object": {"type": "object"},
    "error": {
        "type": "object",
        "required": ["code", "description"],
        "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
    },
    "feature": _describe_geojson(
        "Feature", id={"type": "string"}, geometry={"type": "object", "nullable": True}, properties={"type": "object"}
    ),
    "features": _describe_geojson(
        "FeatureCollection",
        features={"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
        links=_LINKS,
    ),
}
