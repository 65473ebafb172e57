"""A skip that nobody expects fails where CI is set, and only there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.skips import unexpected

CI = {"CI": "true"}


@pytest.mark.parametrize(
    ("reason", "environ", "platform", "fails"),
    [
        ("I felt like it", {}, "linux", False),
        ("I felt like it", CI, "linux", True),
        ("no small disk can be made here: permission denied", CI, "linux", False),
        ("there is no small disk can be made here", CI, "linux", True),
        ("no /dev/full here", CI, "linux", True),
        ("no /dev/full here", CI, "win32", False),
        ("could not import 'torch': No module named 'torch'", CI, "linux", True),
        (
            "could not import 'torch': No module named",
            CI | {"VOICELANE_WITHOUT": "ray,torch"},
            "linux",
            False,
        ),
        ("could not import 'ray.data': No module", CI | {"VOICELANE_WITHOUT": "ray"}, "linux", False),
        ("could not import 'rays': No module", CI | {"VOICELANE_WITHOUT": "ray"}, "linux", True),
    ],
)
def test_only_expected_reasons_pass(reason, environ, platform, fails):
    assert unexpected(reason, environ, platform) is fails


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "outcome"), [("", "2 skipped"), ("true", "1 failed, 1 error")])
def test_a_skip_fails_while_it_runs_and_while_it_is_collected(tmp_path, ci, outcome):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.skips"]\n')
    (tmp_path / "test_a.py").write_text("import pytest\ndef test_a():\n    pytest.skip('so')\n")
    (tmp_path / "test_b.py").write_text("import pytest\npytest.importorskip('no_such_package')\n")
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "."]
    environ = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert outcome in ended.stdout, ended.stdout
    assert (ended.returncode == 0) is not bool(ci)
