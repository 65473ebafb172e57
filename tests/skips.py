"""Which tests may be left out where CI is set: every other skip is a failure."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator

import pytest
from _pytest.reports import BaseReport

EXPECTED = (
    r"a small disk can only be made by root",
    r"no small disk can be made here",
    r"no Node here that runs JavaScript",
)
"""Beginnings of reasons that hold on any machine of a CI."""

ELSEWHERE = (
    r"no /dev/full here",
    r"no C compiler to record what a process writes",
)
"""Reasons that hold on other systems than Linux."""

NOT_INSTALLED = re.compile(r"could not import '([\w.]+)'")


def unexpected(reason: str, environ: dict[str, str], platform: str = sys.platform) -> bool:
    """Whether a test must not be skipped for this reason.

    A package may be missing if the variable `VOICELANE_WITHOUT` names it: `torch,PySide6`.
    """
    if not environ.get("CI"):
        return False
    reasons = EXPECTED if platform == "linux" else (*EXPECTED, *ELSEWHERE)
    if missing := NOT_INSTALLED.search(reason):
        return missing[1].split(".")[0] not in environ.get("VOICELANE_WITHOUT", "").split(",")
    return not any(re.match(known, reason) for known in reasons)


def _judge(report: BaseReport) -> None:
    """A skip that nobody expects becomes a failure that tells the reason."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if unexpected(reason, dict(os.environ)):
        report.outcome = "failed"
        report.longrepr = f"skipped without being expected to be (see tests/skips.py): {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _judge(report)
    return report
