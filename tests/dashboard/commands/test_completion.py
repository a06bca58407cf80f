"""The shell completes commands and options of `tact`."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT


@pytest.mark.always("line0-candidates0")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        (["tact", "imp"], ["import", "imports"]),
        (["tact", "--workspace", "here", "exp"], ["export"]),
        (["tact", "mapping", ""], ["draft"]),
        (["tact", "import", "--head"], ["--heading-row"]),
    ],
)
def test_bash_completes_a_command_line(tact, tmp_path, line, candidates):
    """Run the script in a real bash, where `tact` is the command of this checkout."""
    script = tact("completion", "bash").out
    program = tmp_path / "tact"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dashboard.cli "$@"\n')
    program.chmod(0o755)
    words = " ".join(f"'{word}'" for word in line)
    asked = [script, f"COMP_WORDS=({words})", f"COMP_CWORD={len(line) - 1}", "_tact_completion tact"]
    asked.append('printf "%s\\n" "${COMPREPLY[@]}"')
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", "\n".join(asked)], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == candidates


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script_that_asks_tact(tact, shell):
    script = tact("completion", shell).out
    assert f"_TACT_COMPLETE=complete_{shell}" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_an_unknown_shell_names_those_that_there_are(tact):
    answer = tact("completion", "csh")
    assert (answer.code, "bash" in answer.err) == (2, True)
