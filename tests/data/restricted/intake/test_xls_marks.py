"""The cells with an error in a workbook of the old format, wherever its file stores the stream of the workbook."""

import struct
import tracemalloc

import pytest

from data.restricted.intake.xls_marks import list_marks
from tests.helpers.old_excel import write_old_workbook

SECTOR, FREE, END = 512, 0xFFFFFFFF, 0xFFFFFFFE
# In the header: the size of a stream from which on it is no small one, and where lists of sectors begin.
LEAST, SMALL_TABLE, MORE_TABLES, TABLES = 56, 60, 68, 76
FOLDER = 2 * SECTOR
START = 116  # in an entry of the folder, before the size


@pytest.fixture
def content(tmp_path):
    """The bytes of a workbook with errors in the rows 2 and 4."""
    path = write_old_workbook(tmp_path / "a.xls", [["a", "b"], [1, "#N/A"], [1, 2], ["=#N/A", 2]])
    return bytearray(path.read_bytes())


def add_sector(content, *numbers):
    """Add a sector of numbers to a file, and return its own number."""
    content += struct.pack(f"<{SECTOR // 4}I", *numbers, *[FREE] * (SECTOR // 4 - len(numbers)))
    number = len(content) // SECTOR - 2
    struct.pack_into("<I", content, SECTOR + 4 * number, END)
    return number


def add_records(content, *records):
    """Add records at the end of the sheet, in place of the zeros that fill the file."""
    added = b"".join(struct.pack("<2H", sort, len(data)) + data for sort, data in records)
    place = content.rindex(struct.pack("<2H", 0x00A, 0))
    content[place:place] = added
    del content[-len(added) :]


def test_truths_texts_and_numbers_of_formulas_and_charts_are_no_errors(content):
    add_records(
        content,
        (0x205, struct.pack("<3H2B", 5, 0, 0, 1, 0)),
        (0x006, struct.pack("<3H6BH8x", 6, 0, 0, *[0] * 6, 0xFFFF)),
        (0x006, struct.pack("<3H8B8x", 7, 0, 0, 2, *[0] * 6, 0x40)),
        (0x809, struct.pack("<4H2I", 0x600, 0x20, 0, 0, 0, 0)),
        (0x205, struct.pack("<3H2B", 8, 0, 0, 0x2A, 1)),
        (0x00A, b""),
        (0x205, struct.pack("<3H2B", 9, 0, 0, 0x2A, 1)),
    )
    assert [set(marks.errors) for marks in list_marks(content)] == [{2, 4, 10}]


def test_a_small_stream_is_read_in_the_order_of_its_own_sectors(content):
    stream = content[3 * SECTOR :]
    small = [stream[n : n + 64] for n in range(0, len(stream), 64)]
    content[3 * SECTOR :] = b"".join(reversed(small))
    struct.pack_into("<I", content, LEAST, len(stream) + 1)
    struct.pack_into("<I", content, SMALL_TABLE, add_sector(content, END, *range(len(small) - 1)))
    struct.pack_into("<2I", content, FOLDER + START, 2, len(stream))
    struct.pack_into("<I", content, FOLDER + 128 + START, len(small) - 1)
    assert [set(marks.errors) for marks in list_marks(content)] == [{2, 4}]


def test_a_large_file_lists_the_sectors_of_its_table_in_more_sectors(content):
    struct.pack_into("<I", content, MORE_TABLES, add_sector(content, 0, *[FREE] * 126, END))
    struct.pack_into("<I", content, TABLES, FREE)
    assert [set(marks.errors) for marks in list_marks(content)] == [{2, 4}]


def test_a_file_that_names_its_sectors_again_and_again_takes_no_more_memory(content):
    content += bytes(1000 * SECTOR)
    itself = len(content) // SECTOR - 1
    content += struct.pack(f"<{SECTOR // 4}I", *[0] * 127, itself)
    struct.pack_into("<I", content, MORE_TABLES, itself)
    tracemalloc.start()
    assert [set(marks.errors) for marks in list_marks(content)] == [{2, 4}]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(content)


def test_a_stream_that_runs_in_a_circle_is_refused(content):
    struct.pack_into("<I", content, SECTOR + 4 * 5, 2)
    with pytest.raises(ValueError, match="circle"):
        list_marks(content)
