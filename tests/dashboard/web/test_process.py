"""What the web processes share: standard output is for addresses alone."""

import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

PROGRAM = """
from dashboard.web.process import print_address, take_output
output = take_output()
print_address(output, "http://127.0.0.1:8642", None)
print("a traceback that a library prints")
print_address(output, "http://127.0.0.1:8642", None)
"""


@pytest.mark.long
def test_standard_output_is_for_addresses_alone():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "http://127.0.0.1:8642\n" * 2
    assert "a traceback" in done.stderr
