// SPDX-License-Identifier: MIT
// Charts, drawn by Chart.js where the page has it.

const chartsAreThere = typeof Chart !== "undefined";

/* ---- colours, and what tells a series from the others beside its colour ---- */

const pointStyles = ["circle", "rect", "triangle", "rectRot", "star", "crossRot"];
const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [5, 5], [12, 4]];

function theme() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    return {
        ink: color("--ink"), quiet: color("--quiet"), line: color("--line"),
        paper: color("--paper"),
        series: (place) => color(`--series-${(place % 8) + 1}`),
    };
}

// Strokes of a hatched fill in a tile of 8 x 8; the first series is plain.
const hatches = [
    [],
    [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]],
    [[0, 4, 8, 4]],
    [[-2, -2, 10, 10], [6, -2, 10, 2], [-2, 6, 2, 10]],
    [[4, 0, 4, 8]],
    [[0, 4, 8, 4], [4, 0, 4, 8]],
];

function seriesFill(colors, place) {
    const tile = el("canvas", { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.fillStyle = colors.series(place);
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = colors.paper;
    pen.globalAlpha = 0.6;
    pen.lineWidth = 1.5;
    for (const [x, y, toX, toY] of hatches[place % hatches.length]) {
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(toX, toY);
        pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
}

// How a series of points or of lines looks.
function seriesStyle(colors, place) {
    return {
        borderColor: colors.series(place), backgroundColor: colors.series(place),
        pointStyle: pointStyles[place % pointStyles.length],
        borderDash: dashes[place % dashes.length],
        borderWidth: 2, pointBorderWidth: 1.5, pointRadius: 4.5, pointHoverRadius: 7,
    };
}

// How bars of a series look.
function barStyle(colors, place) {
    return {
        backgroundColor: seriesFill(colors, place), borderColor: colors.series(place),
        borderWidth: 1, barPercentage: 0.92, categoryPercentage: 0.8,
    };
}

/* ---- parts of charts ---- */

function legend(colors, more = {}) {
    return { display: true, position: "bottom", align: "start",
        labels: { color: colors.ink, usePointStyle: true, boxHeight: 7, padding: 14, ...more } };
}

const barLegend = (colors) => legend(colors, { usePointStyle: false, boxWidth: 14, boxHeight: 12 });

function axis(colors, title, more = {}) {
    return {
        title: { display: Boolean(title), text: title, color: colors.quiet },
        grid: { color: colors.line, borderColor: colors.line },
        ...more,
        ticks: { color: colors.quiet, maxRotation: 0, ...more.ticks },
    };
}

// A logarithmic axis of bytes, with a tick for each second power of two or so.
function bytesAxis(colors, title, bytes) {
    const low = Math.floor(Math.log2(Math.min(...bytes)));
    const high = Math.ceil(Math.log2(Math.max(...bytes)));
    const step = Math.max(1, Math.ceil((high - low) / 7));
    const setTicks = (scale) => {
        scale.ticks = [];
        for (let power = low; power <= high; power += step) scale.ticks.push({ value: 2 ** power });
    };
    return axis(colors, title, {
        type: "logarithmic", min: 2 ** low / 1.2, max: 2 ** high * 1.2, afterBuildTicks: setTicks,
        ticks: { callback: (value) => inText(asBytes(value)), autoSkip: true },
    });
}

/* ---- figures ---- */

const figures = []; // {canvas, build, chart}: build(colors) gives Chart.js's configuration

function drawFigure(figure) {
    figure.chart?.destroy();
    const { options = {}, ...rest } = figure.build(theme());
    figure.chart = new Chart(figure.canvas, {
        ...rest, options: { animation: false, maintainAspectRatio: false, ...options },
    });
}

function drawFigures(wanted = figures) {
    if (!chartsAreThere) return;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.color = theme().quiet;
    wanted.forEach(drawFigure);
}

// A chart with what it says in words and the table behind it. Without the library, the table alone.
function chartFigure({ title, text, height, build, table }) {
    const caption = el("figcaption", {}, el("h3", {}, title), text ? el("p", {}, text) : null);
    const canvas = el("canvas", { role: "img", "aria-label": `Chart: ${title}. ${text ?? ""}` });
    if (chartsAreThere) figures.push({ canvas, build });
    return el("figure", {}, caption,
        chartsAreThere ? el("div", { class: "chart", style: `height: ${height}px` }, canvas) : null,
        el("details", { open: !chartsAreThere },
            el("summary", {}, "These numbers as a table"), table));
}

function noChartsNote() {
    return chartsAreThere ? null : el("p", { class: "note" },
        "There are no charts, as this clnorm was built without Chart.js. The tables have it all.");
}

// Canvases keep the colours and the width that they were drawn with, so they are drawn again.
function followTheme() {
    const closed = [];
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawFigures());
    addEventListener("beforeprint", () => {
        closed.push(...document.querySelectorAll("details.group:not([open])"));
        closed.forEach((group) => { group.open = true; });
        document.documentElement.dataset.print = "";
        drawFigures();
    });
    addEventListener("afterprint", () => {
        closed.splice(0).forEach((group) => { group.open = false; });
        delete document.documentElement.dataset.print;
        drawFigures();
    });
}

// Puts the page together: `head` and then `body` after the list of its sections.
function showPage(head, body) {
    page.append(...asNodes([head, sectionLinks(), body]));
    drawFigures();
    followTheme();
}
