// SPDX-License-Identifier: MIT
// The page of `clnorm check --html`: {version, created, seed, left_out, devices, results, summary},
// a result for each variant of an operator, type, direction and device.

const devices = data.devices.map((device, number) => ({
    ...device, number, letter: String.fromCharCode(65 + number % 26),
    lines: data.results.filter((line) => line.device === device.index),
}));
const deviceOf = (line) => devices.find((device) => device.index === line.device);
const isKnown = (line) => line.compared > 0;
const outcomes = ["passed", "failed", "skipped"];

/* ---- the sentence above all, devices ---- */

function head() {
    const { passed, failed, skipped } = data.summary;
    const verdict = failed > 0
        ? el("strong", { class: "bad" }, `${plural(failed, "case")} failed.`)
        : el("strong", { class: "good" }, "Every case passed.");
    const compared = data.results.reduce((sum, line) => sum + line.compared, 0);
    return [
        el("h1", {}, data.title),
        el("p", { class: "lead" }, verdict, ` ${plural(passed + failed, "case")} on ` +
            `${plural(devices.length, "device")}: ${grouped(String(compared))} elements were ` +
            "compared with a reference, each with a bound that is derived for it.",
            skipped > 0 ? ` ${plural(skipped, "case was", "cases were")} skipped.` : null),
        el("p", { class: "quiet small" },
            `clnorm ${data.version}, ${data.created}, seed ${data.seed}.`,
            data.left_out > 0 ? ` ${plural(data.left_out, "shape was", "shapes were")} left out: ` +
                "too large, or none for their operator." : null),
        data.complete ? null : el("p", { class: "note" },
            "This check is not complete: it was interrupted."),
        noChartsNote(),
    ];
}

const count = (device, outcome) => device.lines.reduce((sum, line) => sum + line.cases[outcome], 0);
// JSON has no infinity: what is wrong beyond all numbers is null.
const boundShare = (line) => isKnown(line) ? line.bound_share ?? Infinity : null;
const maxUlp = (line) => isKnown(line) ? line.max_ulp ?? Infinity : null;
const errorAt1e6 = (line) => isKnown(line) ? line.scaled_error_at_mean_1e6 : null;
const largestShare = (lines) => Math.max(0, ...lines.map(boundShare));
const asShare = (share) => share > 10 ? { number: "> 1000", unit: "%" } : asPercent(share);

function deviceCard(device) {
    const failed = count(device, "failed");
    return el("article", { class: "card", style: `--mark: ${seriesVariable(device.number)}` },
        el("h3", {}, letter(device), el("span", {}, device.name)),
        el("p", { class: failed > 0 ? "big bad" : "big good" },
            failed > 0 ? `✗ ${plural(failed, "failure")}` : "✓ all right"),
        facts([
            ["Cases", outcomes.map((o) => `${grouped(String(count(device, o)))} ${o}`).join(", ")],
            ["Of its bound", inText(asShare(largestShare(device.lines))) + " at most"],
            ["Platform", device.platform],
            ["Driver", device.driver],
            ["Units", device.compute_units ? plural(device.compute_units, "compute unit") : null],
            ["Memory", device.mem_bytes ? inText(asBytes(device.mem_bytes)) : null],
        ]));
}

/* ---- how much of its bound an operator takes ---- */

const operatorOf = (line) => `${line.op} ${line.direction}`;
const operators = [...new Set(data.results.filter(isKnown).map(operatorOf))];

function shareOf(device, operator) {
    const lines = device.lines.filter((l) => isKnown(l) && operatorOf(l) === operator);
    return lines.length > 0 ? largestShare(lines) : null;
}

const mostShown = 1.5; // of the bound: what is wrong may be beyond everything that is right

function boundChart(colors) {
    const sets = devices.map((device) => ({
        label: `${device.letter}  ${device.name}`, ...barStyle(colors, device.number),
        data: operators.map((operator) => shareOf(device, operator))
            .map((share) => share === null ? null : 100 * Math.min(share, mostShown)),
        shares: operators.map((operator) => shareOf(device, operator)),
    }));
    const tip = (item) => `${item.dataset.label}: ` +
        `${inText(asShare(item.dataset.shares[item.dataIndex]))} of its bound`;
    return { type: "bar", data: { labels: operators, datasets: sets }, options: {
        indexAxis: "y",
        plugins: { legend: barLegend(colors),
            tooltip: { callbacks: { label: tip } } },
        scales: { x: axis(colors, "% of its bound; 100 is the most that is right", {
            beginAtZero: true, suggestedMax: 100, position: "top" }),
        y: axis(colors, "", { grid: { display: false }, ticks: { autoSkip: false } }) },
    } };
}

function boundSection() {
    if (operators.length === 0) return null;
    const rows = operators.map((operator) => ({ operator }));
    const columns = [{ title: "Operator", value: (row) => row.operator },
        ...devices.map((device) => measureColumn(`${device.letter} ${device.name}`,
            (row) => shareOf(device, row.operator), asShare))];
    return section("bound", "Share of the bound",
        el("p", {}, "How far a right result may be from the reference is derived for each " +
            "element from the arithmetic that leads to it. The bars are the largest share of it " +
            "that an error took."),
        chartFigure({
            title: "The largest error of each operator", text: "Over all its switches and types.",
            height: 100 + 22 * devices.length + operators.length * (10 * devices.length + 12),
            build: boundChart,
            table: sortableTable({ label: "Share of the bound", columns, rows }),
        }));
}

/* ---- operators x types x directions, a table for each device ---- */

const verdicts = {
    PASS: ["good", "✓ pass"],
    FAIL: ["bad", "✗ fail"],
    SKIP: ["quiet", "– skip"],
};

function verdictCell(line) {
    const [name, text] = verdicts[line.verdict];
    return el("span", { class: name }, text);
}

function asError(value) {
    return value === null ? "–" : value === 0 ? "0" : value.toExponential(1);
}

function asUlp(value) {
    return value === null ? "–" : value < 1e5 ? value.toFixed(2) : "> 10⁵";
}

const lineColumns = [
    { title: "Operator", value: (line) => line.variant },
    { title: "Type", value: (line) => line.dtype },
    { title: "Direction", value: (line) => line.direction },
    ...outcomes.map((outcome) => ({
        title: outcome[0].toUpperCase() + outcome.slice(1), number: true,
        value: (line) => line.cases[outcome],
    })),
    { title: "Max ULP", number: true, value: maxUlp, cell: (line) => asUlp(maxUlp(line)) },
    measureColumn("Of its bound", boundShare, asShare),
    { title: "At mean 1e6", number: true, value: errorAt1e6,
        cell: (line) => asError(errorAt1e6(line)) },
    { title: "Verdict", value: (line) => line.verdict, cell: verdictCell },
];

function reasons(device) {
    const rows = device.lines.filter((line) => line.reason !== "");
    if (rows.length === 0) return null;
    return el("details", { open: count(device, "failed") > 0 },
        el("summary", {}, `What failed or was skipped first: ${plural(rows.length, "reason")}`),
        sortableTable({ label: `Reasons on ${device.name}`, rows, columns: [
            ...lineColumns.slice(0, 3), lineColumns[lineColumns.length - 1],
            { title: "Reason", value: (line) => line.reason, wraps: true }] }));
}

function deviceSection(device) {
    return section(`device-${device.index}`, `${device.letter}: ${device.name}`,
        el("p", { class: "quiet" }, `${device.platform}, driver ${device.driver}`),
        sortableTable({ label: `Operators on ${device.name}`, columns: lineColumns,
            rows: device.lines, filter: true }),
        reasons(device));
}

const body = [section("devices", "Devices", el("div", { class: "cards" }, devices.map(deviceCard))),
    boundSection(), ...devices.map(deviceSection),
    section("origin", "The numbers",
        el("p", {}, "As clnorm check --json prints them."),
        saveLink("check.json", `${JSON.stringify(data, null, 1)}\n`, "application/json"))];
showPage(head(), body);
