#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/browser/explain.py COMMAND: the page of `clnorm explain --html`, opened from its file,
calculates what the command does: for the matrix as it is, with edited cells, for each operator, in a
batch of one, and with a large mean."""
import json
import math
import pathlib
import subprocess
import sys

from browser import Browser, Keys

COMMAND = str(pathlib.Path(sys.argv[1]).resolve())

# Sums of a few numbers of about 10 in double, in the page in another order: some units of 2^-53
# each, in numbers of up to 10^4. JSON has 9 digits on standard output, 15 in the page.
IN_PAGE = 1e-12
PRINTED = 1e-8


def explain(*arguments):
    done = subprocess.run([COMMAND, "explain", "--json", *arguments], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def operator_of(document, name):
    return next(o for o in document["operators"] if o["op"] == name)


def differs(got, must, tolerance):
    """The first number that is not as it must be; None."""
    if isinstance(must, list):
        if len(got) != len(must):
            return f"{len(got)} numbers, must be {len(must)}"
        return next((d for d in map(differs, got, must, [tolerance] * len(must)) if d), None)
    if must is None:  # what JSON has for NaN
        return None if math.isnan(got) else f"{got}, must be NaN"
    return None if abs(got - must) <= tolerance * max(1, abs(must)) else f"{got}, must be {must}"


class Page:
    def __init__(self, browser):
        self.browser = browser

    def choose(self, name):
        self.browser.run("arguments[0].click()",
                         self.browser.all(f"input[name=operator][value={name}]")[0])

    def type(self, selector, text, *keys):
        field = self.browser.all(selector)[0]
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text, *keys)

    def edit(self, row, col, text):
        self.type(f"#matrix input[data-row='{row}'][data-col='{col}']", text)

    def cells(self, step):
        """[rows, cols] as in the titles, which have all digits."""
        return self.browser.run("""
            return [...document.querySelectorAll(`table[data-step="${arguments[0]}"] tbody tr`)]
                .map((row) => [...row.querySelectorAll("td[data-row]")].map((c) => Number(c.title)))
                .filter((row) => row.length > 0)""", step)

    def stats(self, step):
        """The numbers of each set, in the order that they stand in."""
        return self.browser.run("""
            return [...document.querySelectorAll(`table[data-step="${arguments[0]}"] td.stat`)]
                .map((cell) => Number(cell.title))""", step)

    def device_errors(self):
        return [float(cell.get_attribute("data-device"))
                for cell in self.browser.all("#large-mean [data-device]")]

    def expect_operator(self, what, operator, tolerance):
        """The page shows the operator's numbers as a document has them."""
        name = operator["op"]
        self.choose(name)
        for step in ("centred", "squared", "normalized", "y"):
            if step in operator:
                self.browser.expect(f"{what}, {name}: {step}",
                                    differs(self.cells(step), operator[step], tolerance), None)
        if "mean" in operator:
            self.browser.expect(f"{what}, {name}: mean",
                                differs(self.stats("mean"), operator["mean"], tolerance), None)
        spread = operator.get("variance", operator.get("mean_of_squares"))
        self.browser.expect(f"{what}, {name}: variance",
                            differs(self.stats("squared"), spread, tolerance), None)
        self.browser.expect(f"{what}, {name}: rstd",
                            differs(self.stats("rstd")[2::3], operator["rstd"], tolerance), None)

    def expect_large_mean(self, what, document):
        for k, must in enumerate(document["large_mean"]["sets"]):
            got = self.browser.run("""
                return [...document.querySelectorAll("#large-mean tbody tr")[arguments[0]]
                    .querySelectorAll("td[title]")].map((cell) => cell.title)""", k)
            # the 3rd and later are float32 or differences from one: in double the same
            self.browser.expect(f"{what}: large mean, set {k}", differs(
                [float(number) for number in got],
                [must[key] for key in ("variance", "two_pass_f32", "naive_f32",
                                       "y_error_two_pass_f32", "y_error_naive_f32")], PRINTED), None)


def check_numbers(page, path):
    text = path.read_text(encoding="utf-8")
    begin = text.index('id="clnorm-data">') + len('id="clnorm-data">')
    embedded = json.loads(text[begin:text.index("</script>", begin)])
    for operator in embedded["operators"]:
        page.expect_operator("as written", operator, IN_PAGE)
    page.choose("layer_norm")
    page.expect_large_mean("as written", embedded)
    page.browser.expect("y off on the device", page.device_errors(),
                        [row["y_error_device"] for row in embedded["large_mean"]["sets"]])
    page.choose("batch_norm")
    page.browser.expect("y off on the device, of another operator", page.device_errors(), [])
    page.expect_large_mean("of columns", explain("--op", "batch_norm", "--device", "none"))


def check_edits(page):
    browser = page.browser
    page.edit(0, 2, "60")
    page.edit(3, 5, "-1.5")
    document = explain("--device", "none", "--set", "0,2=60", "--set", "3,5=-1.5")
    for operator in document["operators"]:
        page.expect_operator("edited", operator, PRINTED)
    browser.expect("cells that moved", {figure.get_attribute("data-op"): figure.get_attribute("data-moved")
                                        for figure in browser.all("[data-moved]")},
                   {"layer_norm": "12", "batch_norm": "8", "rms_norm": "12"})
    browser.expect("what is edited", browser.all("#edits")[0].text,
                   "row 0, column 2: 6 became 60; row 3, column 5: 6 became \u22121.5.")
    browser.picture("explain-edited")
    page.choose("layer_norm")
    browser.expect("y off on the device, of another matrix", page.device_errors(), [])
    y = page.cells("y")
    page.edit(1, 1, "x")
    field = browser.all("#matrix input[data-row='1'][data-col='1']")[0]
    browser.expect("a cell with x is marked", field.get_attribute("aria-invalid"), "true")
    browser.expect("the message", browser.all("#input-message")[0].text,
                   "row 1, column 1: \u201cx\u201d is no finite float32 number")
    browser.expect("y with a cell of x", page.cells("y"), y)
    browser.run("document.getElementById('reset').click()")
    page.expect_operator("reset", operator_of(explain("--device", "none"), "layer_norm"), PRINTED)


def check_keys(page):
    """From cell to cell with the arrows; the formulas follow, and the radio buttons too."""
    browser = page.browser
    page.choose("layer_norm")
    browser.run("document.querySelector(\"#matrix input[data-row='0'][data-col='0']\").focus()")
    for key in (Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ENTER):
        browser.run("return document.activeElement").send_keys(key)
    browser.expect("the place of the focus", browser.run(
        "return [document.activeElement.dataset.row, document.activeElement.dataset.col]"), ["2", "1"])
    browser.expect("the formula of the mean",
                   browser.all("[data-formula=mean]")[0].text,
                   "mean of row 2 = (5 + 2 + 5 + 4 + 7 + 3) / 6 = 4.3333")
    browser.all("input[name=operator]:checked")[0].send_keys(Keys.ARROW_RIGHT)
    browser.expect("the formula of the other operator", browser.all("[data-formula=mean]")[0].text,
                   "mean of column 1 = (1 + 0 + 2 + 3) / 4 = 1.5000")


def check_batch(page):
    browser = page.browser
    browser.run("""const range = document.getElementById("batch-size");
        range.value = 1; range.dispatchEvent(new Event("input"));""")
    document = explain("--device", "none")
    for operator in document["operators"]:
        page.expect_operator("a batch of one", {"op": operator["op"], **operator["first"]}, PRINTED)
    browser.expect("who moved", [cell.text for cell in browser.all("#batch-table td:last-child")
                                 if cell.text], ["the same", "moved", "the same"])
    browser.picture("explain-batch")
    browser.run("""const range = document.getElementById("batch-size");
        range.value = 4; range.dispatchEvent(new Event("input"));""")


def check_offset(page):
    page.choose("layer_norm")
    page.type("#offset", "300000")
    page.expect_large_mean("offset 300000", explain("--device", "none", "--offset", "300000"))


def check_params(page):
    page.type("#params tbody tr:nth-child(1) td:nth-of-type(3) input", "-2")
    page.type("#params tbody tr:nth-child(2) td:nth-of-type(1) input", "0.5")
    page.type("#eps", "0.25")
    document = explain("--device", "none", "--weight", "1,1,-2,1,1,1", "--bias", "0.5,0,0,0,0,0",
                       "--eps", "0.25")
    for operator in document["operators"]:
        page.expect_operator("weight, bias, eps", operator, PRINTED)


def check_looks(browser, path):
    for scheme in ("dark", "light"):
        browser.prefer(scheme)
        for name in ("layer_norm", "batch_norm", "rms_norm"):
            Page(browser).choose(name)
            browser.picture(f"explain-{scheme}-{name}")
    browser.expect_prints(path)
    browser.expect_fits(path, 375)
    browser.picture("explain-narrow")


def main():
    with Browser() as browser:
        path = browser.folder / "explain.html"
        subprocess.run([COMMAND, "explain", "--html", path], check=True)
        page = Page(browser)
        browser.resize(1280, 900)
        browser.open(path)
        check_numbers(page, path)
        check_looks(browser, path)
        browser.resize(1280, 900)
        for check in (check_edits, check_keys, check_batch, check_offset, check_params):
            check(page)
        browser.expect_quiet(path)
        browser.finish()


main()
