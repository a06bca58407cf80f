"""A JSON Schema of OpenAPI 3.0 documents. It allows only the members that the product uses.

Written from the OpenAPI Specification 3.0.3, sections 4.7.1 to 4.7.24.
"""

_TEXT = {"type": "string", "minLength": 1}
_REFERENCE = {
    "type": "object",
    "properties": {
        "$ref": {"type": "string", "pattern": "^#/components/(parameters|schemas|responses)/[A-Za-z0-9._-]+$"}
    },
    "required": ["$ref"],
    "additionalProperties": False,
}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}


def _object(needed, /, **properties):
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _map(values, names="^[A-Za-z0-9._-]+$"):
    return {"type": "object", "patternProperties": {names: values}, "additionalProperties": False}


def _either(name):
    return {"if": {"required": ["$ref"]}, "then": _REFERENCE, "else": {"$ref": f"#/$defs/{name}"}}


OPENAPI_30 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        ["openapi", "info", "paths"],
        openapi={"type": "string", "pattern": r"^3\.0\.\d+$"},
        info=_object(["title", "version"], title=_TEXT, description=_TEXT, version=_TEXT),
        servers={"type": "array", "items": _object(["url"], url={"type": "string", "format": "uri"})},
        paths=_map(_object([], get={"$ref": "#/$defs/operation"}), "^/"),
        components=_object(
            [],
            parameters=_map(_either("parameter")),
            schemas=_map(_either("schema")),
            responses=_map(_either("response")),
        ),
    ),
    "$defs": {
        "operation": _object(
            ["responses"],
            summary=_TEXT,
            parameters={"type": "array", "items": _either("parameter")},
            responses={"minProperties": 1, **_map(_either("response"), "^[1-5][0-9][0-9]$")},
        ),
        "parameter": {
            **_object(
                ["name", "in", "schema"],
                **{"name": _TEXT, "in": {"enum": ["query", "path"]}, "schema": _either("schema")},
                description=_TEXT,
                required={"type": "boolean"},
                style={"enum": ["form", "simple"]},
                explode={"type": "boolean"},
            ),
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"properties": {"required": {"const": True}}, "required": ["required"]},
        },
        "response": _object(
            ["description"],
            description=_TEXT,
            content=_map(_object([], schema=_either("schema")), "^[a-z]+/[a-z0-9.+;=-]+$"),
        ),
        "schema": {
            **_object(
                [],
                type={"enum": ["array", "boolean", "integer", "number", "object", "string"]},
                items=_either("schema"),
                properties={"type": "object", "additionalProperties": _either("schema")},
                required={"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True},
                enum={"type": "array", "minItems": 1, "uniqueItems": True},
                pattern=_TEXT,
                nullable={"type": "boolean"},
                minimum=_NUMBER,
                maximum=_NUMBER,
                default={},
                minItems=_COUNT,
                maxItems=_COUNT,
                oneOf={"type": "array", "minItems": 1, "items": _either("schema")},
            ),
            "if": {"properties": {"type": {"const": "array"}}, "required": ["type"]},
            "then": {"required": ["items"]},
        },
    },
}


def find_references(value):
    """Yield the text of every reference ($ref) in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from find_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_references(inner)


def resolve(document, value):
    """Return the part of the document to which a reference points, or the value itself if it is no reference."""
    if "$ref" not in value:
        return value
    target = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target
