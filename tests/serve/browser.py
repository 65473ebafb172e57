"""Chromium without a screen, as Qt brings it: loads a page, runs a script, then another one again and again
until it says something, which is printed.

    python -m tests.serve.browser URL FIRST_SCRIPT LAST_SCRIPT
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineQuick import QtWebEngineQuick

ASK_MS = 500


class Page(QWebEnginePage):
    """It may use the microphone; what the page complains of goes to stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.permissionRequested.connect(lambda asked: asked.grant())

    def javaScriptConsoleMessage(self, level, message, line, source):
        print(f"{source}:{line}: {message}", file=sys.stderr)


def main(url: str, first: str, last: str) -> None:
    QtWebEngineQuick.initialize()
    app = QGuiApplication(sys.argv)
    page = Page()

    def hear(result: object) -> None:
        if result:
            print(result, flush=True)
            app.quit()

    def loaded(good: bool) -> None:
        assert good, url
        page.runJavaScript(first)
        asking.start(ASK_MS)

    asking = QTimer()
    asking.timeout.connect(lambda: page.runJavaScript(last, 0, hear))

    page.loadFinished.connect(loaded)
    page.load(QUrl(url))
    app.exec()


if __name__ == "__main__":
    main(*sys.argv[1:])
