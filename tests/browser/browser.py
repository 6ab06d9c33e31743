# SPDX-License-Identifier: MIT
"""A page in Chromium without a window, and what every page must be: quiet and alone.

With CLNORM_SCREENSHOTS=DIRECTORY pictures of it are kept there, to be looked at."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

LOUD = ("WARNING", "SEVERE")


def skip(reason):
    """With CLNORM_TEST_ALL=1 what is missing is a failure."""
    print(reason)
    sys.exit(1 if os.environ.get("CLNORM_TEST_ALL", "0") != "0" else 77)


try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    skip("no Selenium: python3-selenium is missing")


def find(*names):
    for name in names:
        for folder in os.environ["PATH"].split(":"):
            if os.access(f"{folder}/{name}", os.X_OK):
                return f"{folder}/{name}"
    return skip(f"no {' or '.join(names)}")


def make_driver(home):
    options = webdriver.ChromeOptions()
    options.binary_location = find("chromium", "chromium-browser", "google-chrome")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-extensions", f"--user-data-dir={home}/profile",
                     "--force-color-profile=srgb", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(find("chromedriver")), options=options)


class Browser:
    """`with Browser() as browser:` ... expectations are counted; finish() says how many failed."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self.home.name)
        self.driver = make_driver(self.home.name)
        self.cases = self.failures = 0
        return self

    def __exit__(self, *unused):
        self.driver.quit()
        self.home.cleanup()

    def finish(self):
        print(f"{self.cases} cases, {self.failures} failures")
        sys.exit(1 if self.failures else 0)

    # ---- expectations ----

    def expect(self, what, got, must):
        """must: the value, or a function that says whether it is right."""
        self.cases += 1
        if not (must(got) if callable(must) else got == must):
            self.failures += 1
            print(f"FAIL: {what}: got {got!r}" + ("" if callable(must) else f", must be {must!r}"))

    def expect_quiet(self, path):
        """Nothing is asked for but the page itself, and the console has nothing to say."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = {event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"}
        self.expect(f"{path.name}: what it loads beside itself",
                    sorted(url[:80] for url in urls if url != path.as_uri() and url[:5] != "data:"), [])
        self.expect(f"{path.name}: the console",
                    [entry for entry in self.driver.get_log("browser") if entry["level"] in LOUD], [])

    def expect_fits(self, path, width):
        """No part of the page is wider than the window; what is wide scrolls in its own box."""
        self.resize(width, 800)
        wide = self.run("return document.documentElement.scrollWidth")
        self.expect(f"{path.name}: width in a window of {width}", wide, lambda got: got <= width)

    def expect_charts(self, path, count):
        """Each canvas has something drawn on it; count: how many there must be."""
        colors = self.run("""
            document.querySelectorAll("details.group").forEach((group) => { group.open = true; });
            return new Promise((done) => setTimeout(() => done([...document.querySelectorAll("canvas")]
                .map((canvas) => {
                    if (!canvas.width || !canvas.height) return 0;
                    const { data } = canvas.getContext("2d")
                        .getImageData(0, 0, canvas.width, canvas.height);
                    return new Set(new Uint32Array(data.buffer)).size;
                })), 300));""")
        self.expect(f"{path.name}: number of charts", len(colors), count)
        self.expect(f"{path.name}: colours on its charts, the fewest", min(colors, default=99),
                    lambda got: got > 5)
        self.expect(f"{path.name}: charts without role and label", self.run("""
            return [...document.querySelectorAll("canvas")].filter((canvas) =>
                canvas.getAttribute("role") !== "img" || !canvas.getAttribute("aria-label")).length"""), 0)

    def expect_prints(self, path):
        text = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
        pdf = base64.b64decode(text)
        self.expect(f"{path.name}: the PDF's first bytes", pdf[:5], b"%PDF-")
        self.expect(f"{path.name}: the PDF's size", len(pdf), lambda got: got > 20000)
        self.expect(f"{path.name}: still in its printed state",
                    self.run("return 'print' in document.documentElement.dataset"), False)
        if "CLNORM_SCREENSHOTS" in os.environ:
            pathlib.Path(os.environ["CLNORM_SCREENSHOTS"], f"{path.stem}.pdf").write_bytes(pdf)

    # ---- what one does with a page ----

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def open(self, path):
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # of the page before
        self.driver.get(path.as_uri())

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        time.sleep(0.2)  # charts follow a frame later

    def prefer(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        time.sleep(0.2)

    def picture(self, name):
        """Of the whole page, as wide as the window."""
        if "CLNORM_SCREENSHOTS" not in os.environ:
            return
        width, height = self.run("return [innerWidth, innerHeight]")
        self.resize(width, self.run("return document.documentElement.scrollHeight"))
        time.sleep(0.5)
        self.driver.save_screenshot(str(pathlib.Path(os.environ["CLNORM_SCREENSHOTS"], f"{name}.png")))
        self.resize(width, height)

    def download(self, link, seconds=10):
        """The text of the file that a click on the link saves."""
        self.driver.execute_cdp_cmd("Page.setDownloadBehavior", {
            "behavior": "allow", "downloadPath": str(self.folder)})
        path = self.folder / link.get_attribute("download")
        link.click()
        for _ in range(10 * seconds):
            if path.exists():
                return path.read_text()
            time.sleep(0.1)
        return ""


def write(path, *command):
    """What a command prints, as a file."""
    path.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return path


def luminance(color):
    """0 to 1, of "rgb(R, G, B)"."""
    red, green, blue = (int(part) for part in color[color.index("(") + 1:-1].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
