"""Bulk records by area: the same numbers from batches of any size, points and codes, CSV and Parquet."""

from collections import Counter
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from data.errors import InputError
from data.restricted import bulk_counts as module
from data.restricted.bulk_counts import Columns, count_batch, count_files
from geo import point_index
from geo.areas import load_areas
from geo.point_index import PointIndex

AREAS = load_areas()
INDEX = PointIndex.of_areas(AREAS)
BY = Columns(("quarter", "kind"))
KINDS = ("kind 0", " kind 0", "kind 1", "kind 1 ", "kind 2", None, " ")  # three words, and none


def make_records(rows=3_000, seed=0):
    """Return invented records in both countries, some of them in no area or without a value."""
    rng = np.random.default_rng(seed)
    longitude, latitude = rng.uniform(19.5, 27.0, rows), rng.uniform(35.0, 42.5, rows)
    longitude[::50] = np.nan
    return pa.table(
        {
            "child": [f"K-{i}" for i in range(rows)],
            "longitude": pa.array(longitude, from_pandas=True),
            "latitude": latitude,
            "quarter": [f"{2009 + i // 4}-Q{1 + i % 4}" for i in rng.integers(0, 8, rows)],
            "kind": pa.array([KINDS[i] for i in rng.integers(0, len(KINDS), rows)]),
        }
    )


RECORDS = make_records()


def count_plainly(records=RECORDS):
    """Return the numbers of records by area, quarter and kind, and those refused, from the shapes one by one."""
    rows, refused = Counter(), Counter()
    for row in records.to_pylist():
        code = None if row["longitude"] is None else AREAS.locate(row["latitude"], row["longitude"], "municipality")
        if code is None and row["longitude"] is not None and (cell := INDEX.find(*point(row))[0]) < len(INDEX.codes):
            code = INDEX.codes[cell]  # Mount Athos, a region without a municipality
            assert AREAS.locate(row["latitude"], row["longitude"], "region") == code
        if code is None:
            refused["missing" if row["longitude"] is None else "outside"] += 1
        else:
            rows[code, row["quarter"], (row["kind"] or "").strip()] += 1
    return rows, refused


def point(row):
    return np.array([row["longitude"]]), np.array([row["latitude"]])


def rows_of(counts, by=BY.by):
    return {tuple(row.values())[:-1]: row["records"] for row in counts.tabulate(by).to_pylist()}


@pytest.fixture(scope="module")
def plain():
    return count_plainly()


@pytest.mark.parametrize("block", [1 << 17, 500])
def test_a_batch_is_counted_by_area_and_categories(plain, block, monkeypatch):
    for target in (module, point_index):
        monkeypatch.setattr(target, "_BLOCK", block)
    rows, refused = plain
    counts = count_batch(RECORDS.to_batches()[0], BY, INDEX)
    assert rows_of(counts) == rows
    assert counts.refused == refused
    assert counts.counted == rows.total() > 500


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_batches_of_any_size_and_order_add_up_to_the_same(plain, size):
    records = RECORDS.slice(0, 400) if size == 1 else RECORDS
    whole = count_batch(records.combine_chunks().to_batches()[0], BY, INDEX)
    parts = [count_batch(batch, BY, INDEX) for batch in records.to_batches(max_chunksize=size)]
    for ordered in (parts, parts[::-1]):
        counts = reduce(add, ordered)
        assert counts.tabulate(BY.by) == whole.tabulate(BY.by)
        assert counts.refused == whole.refused


def write(path, records, **how):
    if path.suffix == ".parquet":
        pq.write_table(records, path, **how)
    else:
        pa_csv.write_csv(records, path, pa_csv.WriteOptions(**how))
    return path


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.parquet", {"row_group_size": 500}),
        ("a.parquet", {"use_dictionary": False}),
        ("a.csv", {}),
        ("a.csv", {"delimiter": ";"}),
    ],
)
def test_files_of_both_kinds_have_the_same_counts(tmp_path, plain, name, how, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 20_000)
    monkeypatch.setattr(module, "_BATCH", 300)
    counts = count_files([write(tmp_path / name, RECORDS, **how)], BY, INDEX, workers=2)
    assert (rows_of(counts), counts.refused) == plain


def test_headings_and_values_of_a_csv_file_may_hold_separators_and_line_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 500)
    rows = '23.73,37.98,a,"met at, or near,\n\nthe ""station"""\n' * 100
    (tmp_path / "a.csv").write_text(f'longitude,latitude,"form, axis",remark\n{rows}', encoding="utf-8")
    counts = count_files([tmp_path / "a.csv"], Columns(("form, axis",)), INDEX)
    assert rows_of(counts, ("form, axis",)) == {("9186", "a"): 100}


def test_several_files_add_up(tmp_path, plain):
    first = write(tmp_path / "first.csv", RECORDS.slice(0, 1_000))
    second = write(tmp_path / "second.parquet", RECORDS.slice(1_000))
    counts = count_files([first, second], BY, INDEX)
    assert (rows_of(counts), counts.refused) == plain


def test_codes_of_areas_keep_their_zeros_and_those_of_2019_count_in_their_predecessor(tmp_path):
    old, new = next(
        (code, row["succeeded_by"].split(";")[0]) for code, row in AREAS.rows.items() if row["succeeded_by"]
    )
    codes = [" 9201", "9201", new, "Tirana", "", None, "outside"]
    path = write(tmp_path / "codes.csv", pa.table({"place": codes, "row": range(7)}))
    counts = count_files([path], Columns(area="place"), INDEX)
    assert rows_of(counts, ()) == {("9201",): 2, (old,): 1}
    assert counts.refused == {"missing": 2, "unknown_area": 2}
    assert count_batch(pa.record_batch({"place": [9201, 1]}), Columns(area="place"), INDEX).counted == 1


def test_no_record_is_no_count(tmp_path):
    empty = RECORDS.slice(0, 0)
    for name in ("none.csv", "none.parquet"):
        counts = count_files([write(tmp_path / name, empty)], BY, INDEX)
        assert (counts.counted, counts.refused, counts.tabulate(BY.by).num_rows) == (0, {}, 0)


def refuse(path, columns=BY):
    with pytest.raises(InputError) as refusal:
        count_files([path], columns, INDEX)
    return str(refusal.value)


def test_a_file_that_cannot_be_counted_is_refused_without_its_values(tmp_path):
    text = "longitude,latitude,quarter,kind\n19.8,41.3,a,b\n19.8,Ana Hoxha,a,b\n"
    (tmp_path / "words.csv").write_text(text, encoding="utf-8")
    message = refuse(tmp_path / "words.csv")
    assert message.startswith("words.csv cannot be read. Columns of points hold degrees")
    assert "Hoxha" not in message
    (tmp_path / "short.csv").write_text("longitude,quarter\n1,2\n", encoding="utf-8")
    assert "short.csv has no column 'latitude', 'kind'." in refuse(tmp_path / "short.csv")
    (tmp_path / "twice.csv").write_text("longitude,latitude,quarter,kind,kind\n1,2,3,4,5\n", encoding="utf-8")
    assert "twice.csv has several columns 'kind'." in refuse(tmp_path / "twice.csv")
    (tmp_path / "no.parquet").write_text(text, encoding="utf-8")
    assert refuse(tmp_path / "no.parquet") == "no.parquet is no Parquet file. Write it again, or name a CSV file."
    lists = write(tmp_path / "lists.parquet", pa.table({"longitude": [1.0], "latitude": [1.0], "kind": [["Hoxha"]]}))
    assert refuse(lists, Columns(("kind",))).startswith("lists.parquet cannot be read.")
    words = write(tmp_path / "words.parquet", pa.table({"longitude": ["x"], "latitude": [1.0]}))
    assert refuse(words, Columns()) == "Column 'longitude' holds no numbers. Points are degrees, such as 41.33."
    lists = write(tmp_path / "lists.parquet", pa.table({"longitude": [1.0], "latitude": [1.0], "kind": [["x"]]}))
    assert refuse(lists, Columns(("kind",))).startswith("lists.parquet cannot be read.")
    damaged = write(tmp_path / "damaged.parquet", RECORDS)
    damaged.write_bytes(b"PAR1" + b"\0" * 20_000 + damaged.read_bytes()[20_004:])
    assert refuse(damaged).startswith("damaged.parquet cannot be read.")
    with pytest.raises(FileNotFoundError) as error:
        count_files([tmp_path / "gone.parquet"], BY, INDEX)
    assert error.value.filename == str(tmp_path / "gone.parquet")


def test_a_column_without_categories_is_refused(monkeypatch):
    monkeypatch.setattr(module, "_MOST_CELLS", 1_000)
    with pytest.raises(InputError, match="more than 1,000 combinations"):
        count_batch(RECORDS.to_batches()[0], Columns(("child",)), INDEX)
    parts = [count_batch(batch, Columns(("child",)), INDEX) for batch in RECORDS.to_batches(max_chunksize=500)]
    with pytest.raises(InputError, match="more than 1,000 combinations"):
        reduce(add, parts)
