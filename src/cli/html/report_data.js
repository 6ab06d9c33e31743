// SPDX-License-Identifier: MIT
// The data of `clnorm report`: {title, files: [{name, data: a clnorm.bench/1 document}]}.

/* ---- devices of all files, their results, cases ---- */

// Of what was measured in several runs, `runs` has what was not the same in each but the first. A
// result's `run` is a place in them.
function makeDevice(file, device, place) {
    const first = { ...device, about: (key) => device[key] ?? file.data[key] };
    const others = (device.runs ?? []).map((run) => ({ ...device, ...run,
        about: (key) => key in run ? run[key] : first.about(key) }));
    return { ...first, file, place, inRuns: [first, ...others] };
}

function makeDevices() {
    const devices = data.files.flatMap((file) => file.data.devices
        .map((device, place) => makeDevice(file, device, place)));
    devices.forEach((device, number) => {
        device.number = number;
        device.letter = number < 26 ? String.fromCharCode(65 + number) : `A${number - 25}`;
        const twins = devices.filter((other) => other.name === device.name);
        const more = twins.length === 1 ? null
            : twins.some((t) => t !== device && t.platform === device.platform)
                ? device.file.name : device.platform;
        device.title = more ? `${device.name} (${more})` : device.name;
    });
    return devices;
}

const devices = makeDevices();

const results = data.files.flatMap((file) => file.data.results.map((result) => {
    const device = devices.find((d) => d.file === file && d.place === result.device);
    return { ...result, device, inRun: device.inRuns[(result.run ?? -1) + 1] };
}));
// What all runs of a device say, each of it once.
const inAllRuns = (device, valueOf) =>
    [...new Set(device.inRuns.map(valueOf).filter((value) => value ?? false))];
const timed = results.filter((result) => result.status === "ok");
devices.forEach((device) => {
    device.results = results.filter((result) => result.device === device);
    device.timed = device.results.filter((result) => result.status === "ok");
    // what an empty launch takes most of says nothing of the memory
    const large = device.timed.filter((result) => !result.launch_bound);
    const mean = geometricMean(large.map((result) => result.of_copy));
    device.share = { mean, count: large.length };
});

const caches = [...new Set(results.map((result) => result.cache))];
const shape = (result) => `${result.rows}×${result.cols}`;
const variant = (result) => result.case.split(" ")[0];
// What of the case's name has no column of its own.
function extras(result) {
    const known = [result.dtype, result.direction, `${result.rows}x${result.cols}`, result.cache];
    return result.case.split(" ").slice(1).filter((word) => !known.includes(word)).join(" ");
}

// [[key, rows]] in the order of their first rows.
function groups(rows, keyOf) {
    const found = new Map();
    for (const row of rows) {
        const key = keyOf(row);
        if (!found.has(key)) found.set(key, []);
        found.get(key).push(row);
    }
    return [...found];
}

/* ---- columns of their tables ---- */

const caseColumns = [
    { title: "Operator", value: (r) => `${variant(r)} ${extras(r)}`,
        cell: (r) => [variant(r), el("span", { class: "quiet more" }, extras(r))] },
    { title: "Type", value: (r) => r.dtype },
    { title: "Direction", value: (r) => r.direction },
    { title: "Shape", value: (r) => r.rows * r.cols, cell: shape, number: true },
    ...(caches.length > 1 ? [{ title: "Cache", value: (r) => r.cache }] : []),
];
const deviceColumn = {
    title: "Device", value: (r) => r.device.letter, cell: (r) => letter(r.device),
};

const timeColumn = measureColumn("Time", (r) => r.seconds?.median, asTime);
const noiseColumn = measureColumn("Noise", (r) => r.seconds?.noise, (v) => asPercent(v, 1));
const rateColumn = measureColumn("GB/s", (r) => r.bytes_per_second, asRate);
rateColumn.cell = (r) => asRate(r.bytes_per_second)?.number ?? "–";
const shareColumn = {
    title: "Of copy", number: true, value: (r) => r.of_copy,
    cell: (r) => Number.isFinite(r.of_copy) ? [
        el("span", { class: "share", "aria-hidden": "true",
            style: `--part: ${Math.min(100, 100 * r.of_copy)}%` }),
        inCell(asPercent(r.of_copy)),
    ] : "–",
};
const ulpColumn = {
    title: "Max ULP", number: true, value: (r) => r.check?.max_ulp,
    cell: (r) => Number.isFinite(r.check?.max_ulp) ? r.check.max_ulp.toFixed(2) : "–",
};

const verdicts = { ok: ["good", "✓ ok"], wrong: ["bad", "✗ wrong"] };

function verdictCell(result) {
    const [name, text] = verdicts[result.status] ?? ["quiet", `– ${result.status}`];
    return el("span", { class: name }, text);
}
