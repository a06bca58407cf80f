"""Find the texts that the functions of the product keep in their caches."""

import gc
from functools import _lru_cache_wrapper


def list_texts(value, depth=8):
    """Yield the texts in an object and in the lists, sets, tuples and dictionaries in it, down to `depth` levels."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict | list | tuple | set | frozenset):
        for part in gc.get_referents(value):
            yield from list_texts(part, depth - 1)


def list_remembered():
    """Return the texts in the caches (`lru_cache`) of all functions of the product."""
    return look_into_memory()[0]


def look_into_memory(*kinds):
    """Return the texts in the caches of all functions of the product, and all objects of the classes `kinds`."""
    gc.unfreeze()  # conftest.py hides modules that were imported before the tests
    gc.collect()
    objects = [value for value in gc.get_objects() if isinstance(value, (_lru_cache_wrapper, *kinds))]
    gc.freeze()
    caches = [value for value in objects if isinstance(value, _lru_cache_wrapper)]
    ours = [cache for cache in caches if cache.__module__.partition(".")[0] in ("dashboard", "data", "geo", "risk")]
    texts = [text for cache in ours for part in gc.get_referents(cache) for text in list_texts(part)]
    return texts, [value for value in objects if not isinstance(value, _lru_cache_wrapper)]
