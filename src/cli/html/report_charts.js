// SPDX-License-Identifier: MIT
// The charts of `clnorm report`, each a section or a part of one.

/* ---- share of the copy, and the copy itself ---- */

function seriesOf(colors, device, more) {
    const label = `${device.letter}  ${device.title}`;
    return { label, ...seriesStyle(colors, device.number), ...more };
}

function copyLine(colors, bytes) {
    return { label: "its copy", data: [Math.min(...bytes) / 2, Math.max(...bytes) * 2]
        .map((x) => ({ x, y: 100 })), type: "line", borderColor: colors.ink, borderWidth: 1.5,
        borderDash: [4, 4], pointRadius: 0, pointHitRadius: 0, pointStyle: "line" };
}

const sized = timed.filter((result) => result.bytes > 0);

function shareChart(colors) {
    const bytes = sized.map((r) => r.bytes);
    const size = sized.length > 300 ? { pointRadius: 3, pointBorderWidth: 1 } : {};
    const able = devices.filter((device) => device.timed.length > 0);
    const sets = able.map((device) => seriesOf(colors, device, {
        data: sized.filter((r) => r.device === device)
            .map((r) => ({ x: r.bytes, y: 100 * r.of_copy, name: r.case })),
        backgroundColor: `${colors.series(device.number)}55`, showLine: false, ...size,
    }));
    const tip = (item) => item.raw.name === undefined ? null
        : `${item.dataset.label}: ${item.raw.name}, ${item.raw.y.toFixed(1)} % of the copy`;
    return { type: "scatter", data: { datasets: [...sets, copyLine(colors, bytes)] }, options: {
        plugins: { legend: legend(colors),
            tooltip: { usePointStyle: true, callbacks: { label: tip } } },
        scales: { x: bytesAxis(colors, "bytes that must move", bytes),
            y: axis(colors, "% of its copy", { beginAtZero: true, suggestedMax: 110 }) },
    } };
}

const curvePoints = devices.flatMap((device) => (device.copy_curve ?? [])
    .map((point) => ({ ...point, device })));

// Rates that differ much are drawn on a logarithmic axis: a slow device is to be seen, too.
function copyChart(colors) {
    const bytes = curvePoints.map((p) => p.bytes);
    const rates = curvePoints.map((p) => p.bytes_per_second);
    const isWide = Math.max(...rates) > 15 * Math.min(...rates);
    const sets = devices.filter((d) => d.copy_curve?.length > 0).map((d) => seriesOf(colors, d, {
        data: d.copy_curve
            .map((p) => ({ x: p.bytes, y: p.bytes_per_second / 1e9, name: p.variant })),
        pointRadius: 3.5,
    }));
    const tip = (item) => `${item.dataset.label}: ${significant(item.raw.y)} GB/s for ` +
        `${inText(asBytes(item.raw.x))}, ${item.raw.name}`;
    return { type: "line", data: { datasets: sets }, options: {
        plugins: { legend: legend(colors),
            tooltip: { usePointStyle: true, callbacks: { label: tip } } },
        scales: { x: bytesAxis(colors, "bytes of the array that is copied", bytes),
            y: axis(colors, "GB/s", isWide ? { type: "logarithmic" } : { beginAtZero: true }) },
    } };
}

function copyTable() {
    return sortableTable({ label: "Copy speed", rows: curvePoints, columns: [
        { title: "Device", value: (p) => p.device.letter, cell: (p) => letter(p.device) },
        measureColumn("Bytes", (p) => p.bytes, asBytes),
        measureColumn("Speed", (p) => p.bytes_per_second, asRate),
        { title: "Way of the copy", value: (p) => p.variant },
    ] });
}

function shareSection() {
    if (sized.length === 0) return null;
    const share = chartFigure({
        title: "Share of the copy, by size", height: 400, build: shareChart,
        text: "How near each case comes to the device's own copy of its tensors. Higher is " +
            "better; small cases are bound by the launch.",
        table: sortableTable({ label: "Share of the copy", rows: sized, columns: [...caseColumns,
            deviceColumn, measureColumn("Bytes", (r) => r.bytes, asBytes), shareColumn] }),
    });
    const copy = curvePoints.length === 0 ? null : chartFigure({
        title: "Copy speed, by size", height: 400, build: copyChart, table: copyTable(),
        text: "What each device reaches when it only copies, in its usual way or in one that is " +
            "a good deal faster.",
    });
    return section("share", "Share of the copy", el("div", { class: "figures" }, share, copy));
}

/* ---- bars: a case a row, devices side by side ---- */

// value, mark: of a result, in the unit that is the name.
const metrics = {
    rate: { name: "GB/s", value: (r) => r.bytes_per_second / 1e9,
        mark: (r) => r.copy_bytes_per_second / 1e9 },
    share: { name: "% of copy", value: (r) => 100 * r.of_copy, mark: () => 100 },
};
const latency = { name: "µs", value: (r) => r.seconds.median * 1e6,
    mark: (r) => r.inRun.empty_seconds * 1e6 };

// An upright mark on each bar: datasets have `marks`, values as those of the bars or null.
const barMarks = {
    id: "barMarks",
    afterDatasetsDraw(chart) {
        const pen = chart.ctx;
        chart.data.datasets.forEach((set, place) => {
            const bars = chart.getDatasetMeta(place);
            if (bars.hidden) return;
            bars.data.forEach((bar, i) => {
                if (!Number.isFinite(set.marks[i])) return;
                const x = chart.scales.x.getPixelForValue(set.marks[i]), half = bar.height / 2 + 1;
                for (const [width, color] of [[5, set.halo], [2, set.ink]]) {
                    pen.fillStyle = color;
                    pen.fillRect(x - width / 2, bar.y - half, width, 2 * half);
                }
            });
        });
    },
};

// rows: [lines of the label, results of devices, undefined where there is none].
function barChart(colors, rows, metric) {
    const present = devices.filter((d) => rows.some(([, list]) => list[d.number]));
    const pick = (d, get) => rows.map(([, list]) => list[d.number] ? get(list[d.number]) : null);
    const sets = present.map((d) => ({
        label: `${d.letter}  ${d.title}`, data: pick(d, metric.value), marks: pick(d, metric.mark),
        ...barStyle(colors, d.number), halo: colors.paper, ink: colors.ink,
    }));
    const tip = (item) => `${item.dataset.label}: ${significant(item.raw)} ${metric.name}`;
    return { type: "bar", plugins: [barMarks],
        data: { labels: rows.map(([label]) => label), datasets: sets }, options: {
            indexAxis: "y",
            plugins: { legend: barLegend(colors),
                tooltip: { callbacks: { label: tip } } },
            scales: { x: axis(colors, metric.name, { beginAtZero: true, position: "top",
                suggestedMax: Math.max(...sets.flatMap((set) => set.marks)) }),
                y: axis(colors, "", { grid: { display: false }, ticks: { autoSkip: false } }) },
        } };
}

// The results of a part of the cases as rows of a bar chart.
function barRows(list, label) {
    return groups(list, (r) => r.case).map(([, rows]) => {
        const places = [];
        rows.forEach((row) => { places[row.device.number] = row; });
        return [label(rows[0]), places];
    });
}

const mostHeight = 620, mostFigures = 16; // of a figure; on the page without being folded

// Figures of at most that height each; the rows are spread over them evenly.
function barFigures(title, text, rows, metric, columns) {
    const present = devices.filter((d) => rows.some(([, list]) => list[d.number])).length;
    const lines = Math.max(...rows.map(([label]) => label.length));
    const each = Math.max(10 * present + 12, 14 * lines + 6), around = 90 + 22 * present;
    const parts = Math.ceil(rows.length / Math.max(4, Math.floor((mostHeight - around) / each)));
    const size = Math.ceil(rows.length / parts);
    return Array.from({ length: parts }, (_, i) => rows.slice(i * size, (i + 1) * size))
        .filter((part) => part.length > 0)
        .map((part, i) => chartFigure({
            title: parts > 1 ? `${title}, ${i + 1} of ${parts}` : title, text,
            height: around + each * part.length,
            build: (colors) => barChart(colors, part, metric()),
            table: sortableTable({
                label: title, columns: [...caseColumns, deviceColumn, ...columns],
                rows: part.flatMap(([, list]) => list.filter(Boolean)),
            }),
        }));
}

// In lines, as there is little room beside a chart.
function caseLabel(result) {
    const cache = caches.length > 1 ? ` ${result.cache}` : "";
    return [`${result.dtype} ${shape(result)}${cache}`, extras(result)].filter(Boolean);
}

function metricChoice(chosen, redraw) {
    return el("fieldset", { class: "choice" }, el("legend", {}, "Bars show"),
        Object.entries(metrics).map(([key, metric]) => el("label", {}, el("input", {
            type: "radio", name: "metric", value: key, checked: metric === chosen,
            change: () => redraw(metric),
        }), metric.name)));
}

const byForward = ([a], [b]) => (b === "forward") - (a === "forward");

function barsSection() {
    if (timed.length === 0) return null;
    let metric = metrics.rate;
    const before = figures.length;
    const all = groups(timed, variant).map(([name, list]) =>
        [name, groups(list, (r) => r.direction).sort(byForward).flatMap(([direction, part]) =>
            barFigures(`${name} ${direction}`, null, barRows(part, caseLabel), () => metric,
                [timeColumn, rateColumn, shareColumn]))]);
    const own = figures.slice(before);
    const choice = chartsAreThere ? metricChoice(metric, (chosen) => {
        metric = chosen;
        drawFigures(own);
    }) : null;
    return section("cases", "Case by case",
        el("p", {}, "The bars are what the operator reaches, the marks what the device's own copy " +
            "reached in the same rounds."),
        choice, own.length > mostFigures ? all.map(([name, list], i) =>
            el("details", { class: "group", open: i === 0 },
                el("summary", {}, `${name}, ${plural(list.length, "chart")}`),
                el("div", { class: "figures" }, list)))
            : el("div", { class: "figures" }, all.map(([, list]) => list)));
}

/* ---- cases that the launch bounds ---- */

function latencySection() {
    const bound = timed.filter((result) => result.launch_bound);
    if (bound.length === 0) return null;
    const columns = [timeColumn, measureColumn("Host's time", (r) => r.host_seconds, asTime),
        measureColumn("Empty kernel", (r) => r.inRun.empty_seconds, asTime),
        measureColumn("First call", (r) => r.first_seconds, asTime)];
    const label = (r) => [`${variant(r)} ${r.direction}`, ...caseLabel(r)];
    return section("latency", "Small cases",
        el("p", {}, "These take less than three times as long as an empty kernel: the launch " +
            "bounds them, not the memory. Lower is better; the marks are an empty kernel."),
        el("div", { class: "figures" }, barFigures("Time of launch-bound cases", null,
            barRows(bound, label), () => latency, columns)));
}

/* ---- how far results are from the reference ---- */

const ulpBins = ["to 0.5", "to 1", "to 2", "to 4", "to 8", "to 16", "to 32", "more"];

// [{device, counts}] of the devices that have a histogram among these results.
function histograms(list) {
    return devices.map((device) => {
        const counts = ulpBins.map(() => 0);
        list.filter((r) => r.device === device).forEach((r) =>
            r.check.ulp_histogram.slice(0, counts.length)
                .forEach((count, bin) => { counts[bin] += count; }));
        return { device, counts, total: counts.reduce((a, b) => a + b, 0) };
    }).filter((h) => h.total > 0);
}

function ulpChart(colors, list) {
    const shares = (h) => h.counts.map((count) => count > 0 ? 100 * count / h.total : null);
    const least = Math.min(...list.flatMap(shares).filter((share) => share !== null));
    const sets = list.map((h) => ({
        label: h.device.letter, title: h.device.title, data: shares(h),
        ...barStyle(colors, h.device.number),
    }));
    const tip = (item) =>
        `${item.dataset.label}  ${item.dataset.title}: ${item.raw.toPrecision(3)} %`;
    const isPower = (value) => Math.abs(Math.log10(value) % 1) < 1e-9;
    const labels = ulpBins.map((bin) => bin.replace("to ", ""));
    return { type: "bar", data: { labels, datasets: sets }, options: {
        plugins: { legend: barLegend(colors),
            tooltip: { callbacks: { label: tip } } },
        scales: { x: axis(colors, "off by up to so many ULP",
            { grid: { display: false }, ticks: { autoSkip: false } }),
            y: axis(colors, "% of elements", { type: "logarithmic", max: 100,
                min: 10 ** Math.floor(Math.log10(least) - 0.01),
                ticks: { callback: (value) => isPower(value) ? String(value) : null } }) },
    } };
}

function ulpTable(label, list) {
    return sortableTable({ label, rows: list, columns: [
        { title: "Device", value: (h) => h.device.letter, cell: (h) => letter(h.device) },
        ...ulpBins.map((title, bin) => ({ title, number: true, value: (h) => h.counts[bin],
            cell: (h) => grouped(String(h.counts[bin])) })),
    ] });
}

function ulpSection() {
    const known = results.filter((result) => result.check?.ulp_histogram);
    if (known.length === 0) return null;
    return section("accuracy", "Accuracy",
        el("p", {}, "How many elements are how far from the reference, in units of the last " +
            "place (ULP). Up to 0.5 is the nearest number that the type has. The axis is " +
            "logarithmic."),
        el("div", { class: "figures small-ones" },
            groups(known, (r) => `${r.dtype} ${r.direction}`).map(([name, rows]) => {
                const list = histograms(rows);
                return chartFigure({ title: name, height: 230, table: ulpTable(name, list),
                    build: (colors) => ulpChart(colors, list) });
            })));
}
