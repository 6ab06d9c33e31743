// SPDX-License-Identifier: MIT
// The page of `clnorm report`, from top to bottom.

/* ---- the sentence above all ---- */

// Cases that each of these devices ran, as [case, results in the order of the devices].
function commonCases(wanted) {
    return groups(timed.filter((r) => wanted.includes(r.device)), (r) => r.case)
        .filter(([, rows]) => rows.length === wanted.length)
        .map(([name, rows]) => [name, wanted.map((d) => rows.find((r) => r.device === d))]);
}

function speedSentence() {
    const able = devices.filter((device) => device.timed.length > 0);
    const common = commonCases(able);
    if (able.length < 2 || common.length === 0) return null;
    const means = able.map((device, i) => ({
        device, seconds: geometricMean(common.map(([, rows]) => rows[i].seconds.median)),
    })).sort((a, b) => a.seconds - b.seconds);
    const times = means.slice(1).map((m) =>
        `${significant(m.seconds / means[0].seconds)} times as fast as ${m.device.letter}`);
    return `${means[0].device.title} (${means[0].device.letter}) is the fastest: ` +
        `${times.join(", ")}, in the geometric mean of ${plural(common.length, "case")} that all ` +
        "of them ran.";
}

function shareSentence() {
    const able = devices.filter((device) => device.share.count > 0);
    if (timed.length === 0) return "Nothing was measured.";
    if (able.length === 0) return "All cases are bound by the launch.";
    if (able.length === 1)
        return `${able[0].title} normalizes at ${inText(asPercent(able[0].share.mean))} of the ` +
            `speed of its own copy (${plural(able[0].share.count, "case")}).`;
    const list = able.map((device) => `${device.letter} ${inText(asPercent(device.share.mean))}`);
    return `Of the speed of their own copy the devices reach ${list.join(", ")}.`;
}

function verdictSentence() {
    const wrong = results.filter((result) => result.status === "wrong").length;
    if (wrong > 0)
        return el("strong", { class: "bad" },
            `${plural(wrong, "result is", "results are")} wrong.`);
    return timed.length > 0 ? "Each result that has a time was checked, and is right." : null;
}

function head() {
    const created = devices.flatMap((device) => inAllRuns(device, (run) => run.about("created")))
        .map((time) => time.slice(0, 10)).sort();
    const dates = [...new Set([created[0], created[created.length - 1]])].join(" to ");
    const partial = data.files.filter((file) => file.data.complete === false);
    return [
        el("h1", {}, data.title),
        el("p", { class: "lead" }, speedSentence(), " ", shareSentence(), " ", verdictSentence()),
        el("p", { class: "quiet small" }, `${plural(devices.length, "device")}, ` +
            `${plural(groups(results, (r) => r.case).length, "case")}, ` +
            `${caches.length === 1 ? `${caches[0]}, ` : ""}measured ${dates}. ` +
            "A case is timed beside a copy of its large tensors on the same device."),
        partial.map((file) => el("p", { class: "note" },
            `${file.name} is not complete: the run ended before all of its cases were measured.`)),
        noChartsNote(),
    ];
}

/* ---- devices ---- */

function clockText(timer) {
    if (!timer) return null;
    return timer.why ? `${timer.chosen}: ${timer.why}` : timer.chosen;
}

function deviceCard(device) {
    const units = device.compute_units ? plural(device.compute_units, "compute unit") : null;
    const clock = device.clock_mhz ? `${device.clock_mhz} MHz` : null;
    return el("article", { class: "card", style: `--mark: ${seriesVariable(device.number)}` },
        el("h3", {}, letter(device), el("span", {}, device.name)),
        el("p", { class: "big" }, inText(asPercent(device.share.mean))),
        el("p", { class: "quiet small" }, "of its copy's speed, geometric mean of " +
            `${plural(device.share.count, "case")} that the launch does not bound`),
        facts([
            ["Copy", inText(asRate(device.copy_bytes_per_second))],
            ["Launch", inAllRuns(device, (run) => inText(asTime(run.launch_seconds))).join(", ")],
            ["Units", [units, clock].filter(Boolean).join(", ")],
            ["Memory", device.mem_bytes ? inText(asBytes(device.mem_bytes)) +
                (device.unified_memory ? ", shared with the host" : "") : null],
            ["Cache", device.cache_bytes ? inText(asBytes(device.cache_bytes)) : null],
            ["Platform", device.platform],
            ["Driver", inAllRuns(device, (run) => run.driver_version).join(", ")],
            ["Clock", inAllRuns(device, (run) => clockText(run.timer)).join("; ")],
            ["Host", device.about("host")?.cpu],
            ["File", data.files.length > 1 ? device.file.name : null],
        ]));
}

function deviceSection() {
    return section("devices", "Devices", el("div", { class: "cards" }, devices.map(deviceCard)));
}

/* ---- all results ---- */

function resultsSection() {
    const columns = [...caseColumns, deviceColumn, timeColumn, noiseColumn, rateColumn, shareColumn,
        ulpColumn, { title: "Check", value: (r) => r.status, cell: verdictCell }];
    return section("results", "All results",
        el("p", {}, "Time is the median of the rounds' medians, noise how much these differ. " +
            "Rates are of the bytes that must move, 1 GB = 10⁹ bytes. Select a heading to sort."),
        sortableTable({ label: "All results", columns, rows: results, filter: true }));
}

/* ---- verdicts and warnings ---- */

const statuses = ["ok", "wrong", ...["unsupported", "oom", "error"]
    .filter((status) => results.some((result) => result.status === status))];

function checksSection() {
    const columns = [
        { title: "Device", value: (d) => d.letter, cell: (d) => [letter(d), ` ${d.title}`] },
        ...statuses.map((status) => ({ title: status, number: true,
            value: (d) => d.results.filter((r) => r.status === status).length })),
        { title: "Elements compared", number: true, cell: (d) => grouped(String(compared(d))),
            value: compared },
        { title: "Max ULP", number: true, value: largest("max_ulp"),
            cell: (d) => significant(largest("max_ulp")(d)) },
        measureColumn("Of its bound", largest("bound_share"), asPercent)];
    const bad = results.filter((result) => result.status !== "ok");
    return section("checks", "Checks",
        el("p", {}, "Before a case is timed, up to 2²⁰ of its elements are compared with a reference " +
            "on the host, each within a bound that is derived for it; the others are the same " +
            "again, and must have the same bits. What is wrong has no time."),
        sortableTable({ label: "Checks of each device", columns, rows: devices }),
        bad.length === 0 ? null : [el("h3", { style: "margin-top: 1.4rem" }, "Not measured"),
            sortableTable({ label: "Cases that were not measured", rows: bad, filter: true,
                columns: [...caseColumns, deviceColumn,
                    { title: "Status", value: (r) => r.status, cell: verdictCell },
                    { title: "Reason", value: (r) => r.reason ?? "", wraps: true }] })]);
}

function compared(device) {
    return device.results.reduce((sum, r) => sum + (r.check?.compared ?? 0), 0);
}

function largest(key) {
    return (device) => device.results.reduce((most, r) => Math.max(most, r.check?.[key] ?? 0), 0);
}

// One of each kind on each device: the words of that with the largest value, and which cases.
function warningKinds() {
    const every = results.flatMap((result) =>
        (result.warnings ?? []).map((warning) => ({ ...warning, result })));
    return groups(every, (warning) => `${warning.code} ${warning.result.device.number}`)
        .map(([, list]) => {
            list.sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
            return { ...list[0], device: list[0].result.device, count: list.length,
                cases: list.map((warning) => warning.result.case) };
        });
}

function casesText(cases) {
    const most = 3, left = cases.length - most;
    return cases.slice(0, most).join("; ") + (left > 0 ? `; and ${left} more` : "");
}

function warningsSection() {
    const rows = warningKinds();
    if (rows.length === 0) return null;
    return section("warnings", "Warnings",
        el("p", {}, "What makes numbers less certain, and what to do about it."),
        sortableTable({ label: "Warnings", rows, filter: true, columns: [
            { title: "Warning", value: (w) => w.code,
                cell: (w) => el("span", { class: "warn" }, w.code) },
            deviceColumn,
            { title: "Cases", number: true, value: (w) => w.count },
            { title: "What it says", value: (w) => w.text, wraps: true },
            { title: "Where", value: (w) => casesText(w.cases), wraps: true }] }));
}

/* ---- where the numbers come from ---- */

function spelled(value) {
    if (value === null || value === undefined) return null;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// What is true of the file, and of each run of its devices that differs from it.
function environmentsOf(file) {
    const aboutFile = (key) => file.data[key];
    const runs = devices.filter((device) => device.file === file)
        .flatMap((device) => device.inRuns.map((run) => run.about));
    const keys = ["command", "created", "tool", "host", "settings"];
    const text = (about) => JSON.stringify(keys.map((key) => about(key) ?? null));
    return groups([aboutFile, ...runs], text)
        .map(([, [about]], number) => environmentCard(file, about, number));
}

// number: 0 is the file itself.
function environmentCard(file, about, number) {
    const [host, tool, settings] = ["host", "tool", "settings"].map((key) => about(key) ?? {});
    const command = about("command");
    const name = number > 0 ? `${file.name}, run ${number + 1}` : file.name;
    return el("article", { class: "card" }, el("h3", {}, name), facts([
        ["Command", command ? el("code", {}, command) : null],
        ["Created", about("created")],
        ["clnorm", [tool.version, tool.commit, tool.build, tool.compiler].filter(Boolean)
            .join(", ")],
        ["Host", [host.os, host.kernel, host.arch].filter(Boolean).join(", ")],
        ["CPU", [host.cpu, host.cpus && plural(host.cpus, "core")].filter(Boolean).join(", ")],
        ["Memory", host.mem_bytes ? inText(asBytes(host.mem_bytes)) : null],
        ["Load", Number.isFinite(host.load) ? significant(host.load, 2) : null],
        ...Object.entries(settings)
            .map(([key, value]) => [key.replaceAll("_", " "), spelled(value)]),
    ]), number > 0 ? null : el("p", { class: "screen-only", style: "margin: 1rem 0 0" },
        saveLink(file.name.replace(/^.*[\\/:]/, "").replace(/\.\w+$/, "") + ".json",
            `${JSON.stringify(file.data, null, 1)}\n`, "application/json")));
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// Selectors take a part of a text, in any case.
function isOnly(device, key) {
    const text = device[key]?.toLowerCase();
    return Boolean(text) && !device.file.data.devices.some((other, place) =>
        place !== device.place && other[key]?.toLowerCase().includes(text));
}

function selectorOf(device) {
    const key = ["platform", "name"].find((key) => isOnly(device, key));
    return key ? `${key}=${device[key]}` : String(device.index ?? device.place);
}

function commandOf(result) {
    return `clnorm bench ${quoted(result.case)} --device ${quoted(selectorOf(result.device))}`;
}

function originSection() {
    return section("origin", "Settings and origin",
        el("p", {}, "The numbers that this page is made of are in it, too: clnorm compare and " +
            "clnorm report read it as they read the files."),
        el("div", { class: "cards wide" }, data.files.map(environmentsOf)),
        el("details", {}, el("summary", {}, "How to measure a case again"),
            el("pre", { tabindex: 0 }, results.map(commandOf).join("\n"))));
}

const body = [deviceSection(), shareSection(), barsSection(), latencySection(), resultsSection(),
    ulpSection(), checksSection(), warningsSection(), originSection()];
showPage(head(), body);
