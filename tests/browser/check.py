#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/browser/check.py COMMAND: the page of `clnorm check --html`, opened from its file, tells
what the JSON of the same check tells."""
import json
import pathlib
import subprocess
import sys

from browser import Browser

COMMAND = str(pathlib.Path(sys.argv[1]).resolve())


def main():
    with Browser() as browser:
        path = browser.folder / "check.html"
        done = subprocess.run([COMMAND, "check", "--shape", "3x65", "--dtype", "f32", "--variant",
                               "layer_norm", "--form", "sequential", "--json", "--html", path],
                              check=True, stdout=subprocess.PIPE)
        told = json.loads(done.stdout)
        browser.resize(1280, 900)
        browser.open(path)
        browser.expect("verdict", browser.all(".lead strong")[0].text, "Every case passed.")
        browser.expect("rows of operators", len(browser.all("[id^=device-] tbody tr")),
                       len(told["results"]))
        passed = sum(int(cell.text) for cell in browser.all("[id^=device-] tbody td:nth-child(4)"))
        browser.expect("cases that passed", passed, told["summary"]["passed"])
        browser.expect_charts(path, 1)
        for scheme in ("dark", "light"):
            browser.prefer(scheme)
            browser.picture(f"check-{scheme}")
        browser.expect_prints(path)
        browser.expect_fits(path, 375)
        browser.expect_quiet(path)
        browser.finish()


main()
