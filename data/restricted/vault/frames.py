"""Conversion between canonical frames and the rows that the vault stores."""

import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import VaultError
from data.message import Message
from data.restricted.vault.sqlcipher import Connection
from data.restricted.vault.tables import Storage, columns_of, term_name

Frame: TypeAlias = pd.DataFrame | pa.Table | pa.RecordBatch

DIGEST_BYTES = 16
_HASH_BYTES = 32
_DIGEST = pa.binary(DIGEST_BYTES)


class TermBook:
    """The numbers that represent texts, for each column; used within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._codes: dict[str, dict[str, int]] = {}
        for column, code, text in connection.execute('SELECT "column", code, text FROM term'):
            self._codes.setdefault(column, {})[text] = code

    def codes(self, column: str, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the number that stands for each text, shape (n,); new texts are stored first."""
        numbers = self._codes.setdefault(column, {})
        new = [text for text in dict.fromkeys(texts) if text not in numbers]
        free = max(numbers.values(), default=-1) + 1  # numbers of forgotten texts leave gaps
        numbers.update({text: free + i for i, text in enumerate(new)})
        self._connection.executemany(
            "INSERT INTO term VALUES (?, ?, ?)", [(column, numbers[text], text) for text in new]
        )
        return np.fromiter((numbers[text] for text in texts), np.int32, len(texts))

    def texts(self, column: str) -> list[str]:
        """List a column's texts in the order of their numbers; "" for a text that was deleted."""
        numbers = self._codes.get(column, {})
        texts = [""] * (max(numbers.values(), default=-1) + 1)
        for text, code in numbers.items():
            texts[code] = text
        return texts


def encode(frame: Frame, kind: str, terms: TermBook) -> pa.RecordBatch | None:
    """Convert a canonical frame to the stored columns: identity, content, then the kind's columns.

    Returns None when the frame has no rows. Raises VaultError for an unknown kind, and for columns that are missing,
    unknown or of a wrong type; its message has no value.
    """
    storage = columns_of(kind)
    _check_columns(frame, kind, storage)
    if not len(frame):
        return None  # The columns of an empty frame have no types.
    table = _arrow(frame)
    arrays = [_digests(table, "identity"), _digests(table, "content")]
    for name, how in storage.items():
        column = _combined(table, name)
        if how == "term":
            arrays.append(_to_terms(column, term_name(kind, name), terms))
        else:
            arrays.append(_ENCODERS[how](column, name))
    return pa.RecordBatch.from_arrays(arrays, ["identity", "content", *storage])


def split_repeats(table: pa.Table) -> Iterator[pa.Table]:
    """Yield stored rows sorted by identity, in tables that contain no identity twice.

    Rows that repeat an identity come in later tables, in the order of the file, so that writing one table
    after the other has the same result as writing row after row. Nearly always there is one table.
    """
    if not len(table):
        return
    identity = _words(table["identity"])
    order = np.lexsort((identity[:, 1], identity[:, 0]))  # stable: repeats stay in order
    first = np.append(True, (identity[order][1:] != identity[order][:-1]).any(axis=1))
    position = np.arange(len(order))
    repeat = position - np.maximum.accumulate(np.where(first, position, 0))
    by_repeat = np.argsort(repeat, kind="stable")
    for part in np.split(order[by_repeat], np.cumsum(np.bincount(repeat))[:-1]):
        yield table.take(pa.array(part))


def iter_rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Return an iterator over stored rows, as tuples for the database."""
    return zip(*(_python(column) for column in batch.columns), strict=True)


def column_decoder(kind: str, name: str, book: TermBook) -> Callable[[Sequence[Any]], pa.Array]:
    """Return the function that converts stored values of a column, `identity` or `batch` to Arrow.

    term: dictionary<int32, string> with the same dictionary each time; hash: 64 hexadecimal digits or "";
    text, integer (int64) and real (float64) are unchanged.
    """
    storage = {"identity": "identity", "batch": "integer", **columns_of(kind)}[name]
    if storage == "term":
        dictionary = pa.array(book.texts(term_name(kind, name)), pa.string())
        return lambda values: pa.DictionaryArray.from_arrays(pa.array(values, pa.int32()), dictionary)
    if storage == "hash":
        return _hex
    stored = {"identity": _DIGEST, "text": pa.string(), "integer": pa.int64(), "real": pa.float64()}[storage]
    return lambda values: pa.array(values, stored)


def _arrow(frame: Frame) -> pa.Table:
    if isinstance(frame, pd.DataFrame):
        try:
            return pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            msg = Message("A column of the records holds values of several types.")
            raise VaultError(msg) from None  # Arrow's message quotes the value.
    return pa.Table.from_batches([frame]) if isinstance(frame, pa.RecordBatch) else frame


def _check_columns(frame: Frame, kind: str, storage: Mapping[str, Storage]) -> None:
    names = frame.columns if isinstance(frame, pd.DataFrame) else frame.schema.names
    expected, present = {"identity", "content", *storage}, set(names)
    if expected == present:
        return
    missing, unknown = sorted(expected - present), sorted(map(str, present - expected))
    raise VaultError(
        Message(
            "Records of kind {kind!r} have the columns identity, content, {storage}. Missing: "
            "{missing}; unknown: {unknown}.",
            kind=kind,
            storage=", ".join(storage),
            missing=", ".join(missing) or "none",
            unknown=", ".join(unknown) or "none",
        )
    )


def _combined(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _digests(table: pa.Table, name: str) -> pa.Array:
    column = _combined(table, name)
    try:
        if column.null_count == 0:
            return column.cast(pa.binary()).cast(_DIGEST)
    except pa.ArrowInvalid:
        pass
    raise VaultError(
        Message("The column {name} must hold {digest_bytes} bytes in each row.", name=name, digest_bytes=DIGEST_BYTES)
    )


def _to_terms(column: pa.Array, name: str, terms: TermBook) -> pa.Array:
    encoded = column if pa.types.is_dictionary(column.type) else _strings(column).dictionary_encode()
    if encoded.null_count:
        encoded = _strings(encoded.cast(pa.string())).dictionary_encode()
    texts = _strings(encoded.dictionary).to_pylist()
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    # Only the texts that occur: the dictionary may have others.
    used = np.unique(indices)
    codes = np.zeros(len(texts), np.int32)
    codes[used] = terms.codes(name, [texts[i] for i in used])
    return pa.array(codes[indices] if len(indices) else codes[:0])


def _strings(column: pa.Array) -> pa.Array:
    return pc.fill_null(column.cast(pa.string()), "")


def _to_hash(column: pa.Array, name: str) -> pa.Array:
    texts = _strings(column)
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    try:
        if set(np.unique(lengths).tolist()) <= {0, 2 * _HASH_BYTES}:
            return _from_lengths(pa.binary(), lengths // 2, binascii.unhexlify("".join(texts.to_pylist())))
    except (binascii.Error, ValueError):
        pass
    # The last defence against an identifier that was not hashed, so the value is never shown.
    raise VaultError(
        Message(
            "The column {name} must hold hashes: {digits} hexadecimal digits, or nothing.",
            name=name,
            digits=2 * _HASH_BYTES,
        )
    )


def _hex(values: Sequence[bytes]) -> pa.Array:
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    return _from_lengths(pa.string(), 2 * lengths, binascii.hexlify(b"".join(values)))


def _from_lengths(kind: pa.DataType, lengths: npt.NDArray[Any], data: bytes) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(kind, len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _to_integer(column: pa.Array, name: str) -> pa.Array:
    try:
        return _no_nan(column).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise VaultError(Message("The column {name} must hold whole numbers, or nothing.", name=name)) from None


def _to_real(column: pa.Array, name: str) -> pa.Array:
    try:
        return _no_nan(column).cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise VaultError(Message("The column {name} must hold numbers, or nothing.", name=name)) from None


def _no_nan(column: pa.Array) -> pa.Array:
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


_ENCODERS: dict[str, Callable[[pa.Array, str], pa.Array]] = {
    "text": lambda column, _name: _strings(column),
    "hash": _to_hash,
    "integer": _to_integer,
    "real": _to_real,
}


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return 16-byte values as two big-endian words, shape (n, 2), which sort in the same order."""
    array = pa.concat_arrays(column.chunks)
    start = array.offset * DIGEST_BYTES
    raw = memoryview(array.buffers()[1])[start : start + len(array) * DIGEST_BYTES]
    return np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)


def _python(column: pa.Array) -> Sequence[Any]:
    if column.null_count == 0 and pa.types.is_primitive(column.type):
        return list(column.to_numpy().tolist())  # much faster than to_pylist
    return list(column.to_pylist())
