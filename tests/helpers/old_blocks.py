"""Published blocks as vaults of earlier versions have them: with marks of the children after the numbers."""

import json
import struct

NUMBERS = {"children": [7]}


def with_marks(marks):
    """Pack a block of format 2; `marks` are words of 64 bits."""
    head = json.dumps([NUMBERS, {}], separators=(",", ":")).encode()
    return struct.pack("<BI", 2, len(head)) + head + marks.astype("<u8").tobytes()
