"""A file in memory is read like the same file on a disk."""

import pandas as pd
import pytest

from data.restricted.intake import guess_kind, is_invented
from data.restricted.intake.memory_file import MemoryFile
from tests.data.restricted.intake.test_messy_files import READ, ask, learn, names, read


def count_opens(file):
    """Return a list that grows by each mode in which the file is opened."""
    opened, whole = [], file.open

    def open_file(mode="r", **how):
        opened.append(mode)
        return whole(mode, **how)

    file.open = open_file
    return opened


@pytest.mark.always("utf16-tabs", "sheets", "old-excel", "kobo-repeat")
@pytest.mark.slow
@pytest.mark.parametrize("messy", READ, ids=names(READ))
def test_a_file_in_memory_is_read_like_one_on_a_disk(tmp_path, messy):
    path = messy.write(tmp_path)
    file = MemoryFile(path.name, path.read_bytes())
    path.unlink()
    assert guess_kind(file) == messy.kind
    assert not is_invented(file)
    learnt, _asked = learn(file, messy)
    assert ask(file, messy, {messy.kind: learnt}).rows == len(messy.rows)
    opened = count_opens(file)
    read(file, messy, learnt)
    from_memory = read(file, messy, learnt)
    assert not opened
    from_disk = read(messy.write(tmp_path), messy, learnt)
    pd.testing.assert_frame_equal(from_memory.accepted, from_disk.accepted)
    pd.testing.assert_frame_equal(from_memory.rejects, from_disk.rejects)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../../list.csv", "C:\\Users\\x\\list.csv", "/list.csv", "list.csv"])
def test_a_name_chooses_no_folder(name):
    assert (MemoryFile(name, b"").name, MemoryFile(name, b"").suffix) == ("list.csv", ".csv")


def test_it_says_nothing_of_its_content_or_name():
    assert repr(MemoryFile("K-0412.csv", b"K-0412")) == "MemoryFile()"
