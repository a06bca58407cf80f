"""Published blocks in the format of earlier versions: the numbers, followed by marks of the children."""

import json
import struct

NUMBERS = {"children": [7]}


def with_marks(marks):
    """Return the bytes of a block of format 2; `marks` is an array of 64-bit numbers."""
    head = json.dumps([NUMBERS, {}], separators=(",", ":")).encode()
    return struct.pack("<BI", 2, len(head)) + head + marks.astype("<u8").tobytes()
