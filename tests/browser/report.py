#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/browser/report.py COMMAND: the page of `clnorm report`, opened from its file: it loads
nothing, draws its charts, sorts its tables, is light and dark, fits a telephone and prints."""
import json
import pathlib
import re
import subprocess
import sys

from browser import Browser, By, Keys, luminance, write

COMMAND = str(pathlib.Path(sys.argv[1]).resolve())
FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
ATTACK = "4 devices </script><script>document.title = 'attacked'</script>"


def results(path, *options):
    return write(path, sys.executable, FIXTURES / "bench_results.py", *options)


def report(path, *arguments):
    subprocess.run([COMMAND, "report", *arguments, "-o", path], check=True)
    return path


def column(browser, place):
    return browser.run("""return [...document.querySelectorAll("#results tbody tr")]
        .map((row) => row.cells[arguments[0]].textContent)""", place)


def seconds(text):
    """Of a cell such as "1.23ms"."""
    number, unit = re.fullmatch(r"([\d.\u202f]+)(\S*)", text).groups()
    return float(number.replace("\u202f", "")) * {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]


def check_sorting(browser):
    heads = browser.all("#results thead button")
    place = [head.text for head in heads].index("Time")
    states = lambda: [head.find_element(By.XPATH, "..").get_attribute("aria-sort") for head in heads]
    browser.expect("sorted before anything was done", [s for s in states() if s], [])
    heads[place].click()
    browser.expect("state after a click", states()[place], "ascending")
    times = [seconds(text) for text in column(browser, place) if text != "–"]
    browser.expect("times, rising", times, lambda got: len(got) > 100 and got == sorted(got))
    heads[place].send_keys(Keys.ENTER)
    browser.expect("state after Enter", states()[place], "descending")
    times = [seconds(text) for text in column(browser, place) if text != "–"]
    browser.expect("times, falling", times, lambda got: got == sorted(got, reverse=True))
    browser.expect("the last row, which has no time", column(browser, place)[-1], "–")
    heads[0].send_keys(Keys.SPACE)
    browser.expect("states after Space on another heading", [s for s in states() if s], ["ascending"])
    names = column(browser, 0)
    browser.expect("names, rising", names, lambda got: got == sorted(got))


def check_filter(browser):
    field = browser.all("#results input[type=search]")[0]
    visible = lambda: browser.run("""return [...document.querySelectorAll("#results tbody tr")]
        .filter((row) => row.offsetHeight > 0).map((row) => row.textContent)""")
    field.send_keys("layer_norm bf16")
    browser.expect("rows that the filter leaves", visible(), lambda rows: 0 < len(rows) < 40 and
                   all("layer_norm" in row and "bf16" in row for row in rows))
    browser.expect("the count beside it", browser.all("#results .tools span")[0].text,
                   f"{len(visible())} of 160 rows")
    field.send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    browser.expect("rows without a filter", len(visible()), 160)


def pixels(browser, selector):
    return browser.run("return document.querySelector(arguments[0]).toDataURL()", selector)


def check_schemes(browser):
    ground = lambda: luminance(browser.run("return getComputedStyle(document.body).backgroundColor"))
    browser.prefer("light")
    browser.expect("luminance of the light ground", ground(), lambda got: got > 0.9)
    light = pixels(browser, "#share canvas")
    browser.picture("light")
    browser.prefer("dark")
    browser.expect("luminance of the dark ground", ground(), lambda got: got < 0.15)
    browser.expect("charts are drawn again in the dark", pixels(browser, "#share canvas") != light, True)
    browser.picture("dark")
    browser.prefer("light")
    browser.expect("and as before in the light", pixels(browser, "#share canvas") == light, True)


def check_choice(browser):
    before = pixels(browser, "#cases canvas")
    browser.all("#cases input[value=share]")[0].click()
    browser.expect("bars change with what they show", pixels(browser, "#cases canvas") != before, True)


def check_large(browser, folder):
    source = results(folder / "four.json")
    path = report(folder / "four.html", source, "--title", ATTACK)
    browser.resize(1280, 900)
    browser.open(path)
    browser.expect("the title", browser.driver.title, ATTACK)
    browser.expect("the heading", browser.all("h1")[0].text, ATTACK)
    browser.expect("cards of devices", len(browser.all("#devices .card")), 4)
    browser.expect("sections", len(browser.all("main > section")), 9)
    browser.expect_charts(path, len(browser.all("figure")))
    check_schemes(browser)
    check_choice(browser)
    check_sorting(browser)
    check_filter(browser)
    saved = browser.download(browser.all("#origin a[download]")[0])
    browser.expect("the saved file is what the report was made of",
                   saved != "" and json.loads(saved) == json.loads(source.read_text()), True)
    browser.expect_prints(path)
    browser.expect_fits(path, 375)
    browser.picture("narrow")
    browser.expect_quiet(path)
    return path


def check_without_library(browser, page, folder):
    """The tables are what is left, and are open."""
    text = page.read_text()
    begin = text.index("<script>\n") + len("<script>\n")
    path = folder / "no-charts.html"
    path.write_text(text[:begin] + text[text.index("</script>", begin):])
    browser.resize(1280, 900)
    browser.open(path)
    browser.expect_charts(path, 0)
    browser.expect("figures whose table is closed", len(browser.all("figure details:not([open])")), 0)
    browser.expect("a note that says so", len(browser.all("main > .note")), 1)
    browser.expect_quiet(path)


def check_sizes(browser, folder):
    """The smallest there is, the largest one may want, nothing that was measured."""
    one = report(folder / "one.html", results(folder / "1.json", "--devices", "1", "--cases", "1"))
    browser.open(one)
    browser.expect("title of one device", browser.driver.title, "Normalization on Example CPU 16")
    browser.expect_charts(one, len(browser.all("figure")))
    browser.expect_fits(one, 375)
    browser.picture("one")
    browser.expect_quiet(one)
    six = report(folder / "six.html", results(folder / "6.json", "--devices", "6", "--cases", "200"))
    browser.resize(1280, 900)
    browser.open(six)
    browser.expect_charts(six, len(browser.all("figure")))
    tallest = browser.run("return Math.max(...[...document.querySelectorAll('.chart')]"
                          ".map((chart) => chart.offsetHeight))")
    browser.expect("height of the tallest chart", tallest, lambda got: got <= 700)
    browser.picture("six")
    browser.expect_fits(six, 375)
    browser.expect_quiet(six)
    document = json.loads((folder / "1.json").read_text())
    document["results"] = []
    (folder / "none.json").write_text(json.dumps(document))
    none = report(folder / "none.html", folder / "none.json")
    browser.open(none)
    browser.expect("lead of nothing", "Nothing was measured" in browser.all(".lead")[0].text, True)
    browser.expect_quiet(none)


def check_origin(browser, folder):
    """Each command that measures a case again means one device of those that were measured; a
    selector is a part of a text. What was built is known, too."""
    devices = [("AMD EPYC", "Intel(R) OpenCL", "platform=Intel(R) OpenCL"),
               ("pthread-AMD EPYC", "Portable", "platform=Portable"),
               ("Fast", "ROCm", "name=Fast"), ("Slow", "rocm", "name=Slow"),
               ("Twin", "CUDA", "8"), ("Twin", "CUDA", "9")]
    document = json.loads(results(folder / "origin.json", "--devices", "6", "--cases", "1").read_text())
    document["tool"]["commit"] = "0123456789ab"
    for number, (device, (name, platform, _)) in enumerate(zip(document["devices"], devices)):
        device.update(name=name, platform=platform, index=number + 4)
    (folder / "origin.json").write_text(json.dumps(document))
    browser.open(report(folder / "origin.html", folder / "origin.json"))
    commands = browser.run("return document.querySelector('#origin pre').textContent")
    browser.expect("selectors", re.findall("--device '([^']*)'", commands), [d[2] for d in devices])
    browser.expect("the commit", browser.all("#origin .card")[0].text, lambda got: "0123456789ab" in got)


def check_runs(browser, folder):
    """Two runs of a device in one file: a card, with what is true of each run."""
    results(folder / "12.json", "--devices", "1", "--cases", "12")
    text = (folder / "12.json").read_text()
    bound = [r["case"] for r in json.loads(text)["results"] if r.get("launch_bound")]
    varied = subprocess.run(
        [sys.executable, FIXTURES / "vary.py", "--empty", "2", "--drop", bound[0],
         "--set", 'created="2026-11-23T01:02:03Z"', "--set", 'command="clnorm bench --preset smoke"',
         "--set", 'devices.0.driver_version="9.0"', "--set", 'tool.commit="fedcba987654"'],
        input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
    (folder / "second.json").write_text(varied)
    whole = folder / "runs.json"
    subprocess.run([COMMAND, "compare", "--merge", folder / "12.json", folder / "second.json", "-o", whole],
                   check=True, stderr=subprocess.DEVNULL)
    page = report(folder / "runs.html", whole)
    browser.open(page)
    cards = browser.all("#devices .card")
    browser.expect("cards of one device", len(cards), 1)
    browser.expect("drivers on it", "3.0.1, 9.0" in cards[0].text, True)
    origin = [card.text for card in browser.all("#origin .card")]
    browser.expect("cards of two runs", len(origin), 2)
    for told in ("clnorm bench --preset smoke", "2026-11-23T01:02:03Z", "fedcba987654"):
        browser.expect(f"{told} in the second", told in origin[1] and told not in origin[0], True)
    empty = browser.run("""
        const place = [...document.querySelectorAll("#latency thead th")]
            .findIndex((head) => head.textContent.includes("Empty kernel"));
        return [...document.querySelectorAll("#latency tbody tr")]
            .map((row) => row.cells[place].textContent)""")
    known = json.loads(whole.read_text())
    device = known["devices"][0]
    expected = {device["empty_seconds"] if "run" not in r else device["runs"][r["run"]]["empty_seconds"]
                for r in known["results"] if r.get("launch_bound")}
    browser.expect("empty kernels of the runs", sorted({seconds(text) for text in empty}), sorted(expected))
    browser.expect_quiet(page)


def main():
    with Browser() as browser:
        folder = browser.folder
        page = check_large(browser, folder)
        check_without_library(browser, page, folder)
        check_sizes(browser, folder)
        check_origin(browser, folder)
        check_runs(browser, folder)
        browser.finish()


main()
