"""A loop with all asserts of a test must not be empty: then the test would pass whatever the code does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")
_LITERALS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Constant, ast.JoinedStr)
_SAME_LENGTH = {"enumerate", "zip", "sorted", "reversed", "list", "tuple", "product", "pairwise"}


def nonempty(things: Iterable[_T]) -> Iterator[_T]:
    """Yield the things; fail if there are none."""
    is_empty = True
    for thing in things:
        is_empty = False
        yield thing
    if is_empty:
        raise AssertionError("There is nothing to check: the test would pass whatever the code does.")


def list_idle_loops(code: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the tests all of whose asserts stand in loops that may be empty, each with what such a loop runs over."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            loops = [find_loop(node, place) for place in ast.walk(node) if is_check(place)]
            if loops and all(loops):
                yield from ((node.name, loop.iter) for loop in {id(loop): loop for loop in loops if loop}.values())


def is_check(node: ast.AST) -> bool:
    """Return whether a place of a test checks something."""
    return isinstance(node, ast.Assert) or (isinstance(node, ast.With) and "raises(" in ast.unparse(node.items[0]))


def find_loop(test: ast.AST, check: ast.AST) -> ast.For | None:
    """Return the outermost loop around a check if it may be empty; else None."""
    loops = (node for node in ast.walk(test) if isinstance(node, ast.For) and check in ast.walk(node))
    outermost = next(loops, None)  # ast.walk goes from the outside to the inside
    return outermost if outermost and may_be_empty(outermost.iter) else None


def may_be_empty(things: ast.expr) -> bool:
    """Return whether a loop over this expression may run no time."""
    match things:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.Constant() | ast.JoinedStr():
            return False
        case ast.Name(id=name) | ast.Attribute(attr=name) if name.isupper():
            return False
        case ast.Subscript(value=value):
            return may_be_empty(value) or not isinstance(value, _LITERALS)
        case ast.BinOp(left=left, right=right):
            return may_be_empty(left) and may_be_empty(right)
        case ast.Call(func=ast.Name(id="nonempty")):
            return False
        case ast.Call(func=ast.Name(id="range"), args=args):
            return not all(isinstance(part, ast.Constant) for part in args)
        case ast.Call(func=ast.Attribute(attr="items" | "keys" | "values", value=value), args=[]):
            return may_be_empty(value)
        case ast.Call(func=ast.Name(id="zip"), args=args, keywords=[ast.keyword(arg="strict")]):
            return all(map(may_be_empty, args))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _SAME_LENGTH:
            return any(map(may_be_empty, args))
    return True
