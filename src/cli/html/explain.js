// SPDX-License-Identifier: MIT
// What the page tells beside the steps, its controls, and the page itself.

/* ---- what moved ---- */

// A cell of the unedited matrix that is not what it is now.
function editedCells() {
    return state.x.flatMap((row, r) =>
        row.map((value, c) => ({ r, c, from: original[r][c], to: value })))
        .filter((cell) => cell.from !== cell.to && cell.r < state.rows);
}

function movedMap(operator) {
    const before = steps(operator, batch(original), state).y;
    const now = steps(operator, batch(state.x), state).y;
    const moved = mapCells(now, (value, r, c) => value !== before[r][c]);
    const count = moved.flat().filter(Boolean).length;
    const text = `${operator.name}: ${count} of ${moved.length * cols} cells of y moved`;
    return el("figure", { class: "map", "data-op": operator.name, "data-moved": count },
        el("figcaption", {}, el("h3", {}, operator.name),
            el("p", {}, `${count} of ${moved.length * cols} cells of y moved`)),
        el("table", { class: "moved", role: "img", "aria-label": text },
            el("tbody", {}, moved.map((row) => el("tr", {}, row.map((is) =>
                el("td", { class: is ? "is-moved" : null }, is ? "\u25cf" : "\u00b7")))))));
}

function movedParts() {
    const cells = editedCells();
    const list = cells.map(({ r, c, from, to }) =>
        `row ${r}, column ${c}: ${short(from)} became ${short(to)}`).join("; ");
    return [
        el("p", { id: "edits", "aria-live": "polite" }, cells.length === 0
            ? "Nothing is edited yet. Change a cell of the matrix above, and see which cells of " +
                "y follow."
            : `${list}.`),
        el("div", { class: "figures small-ones" }, operators.map(movedMap)),
    ];
}

/* ---- the batch ---- */

// As long as the batch is whole, it is put beside the smaller one that the command was asked for.
function batchParts() {
    const left = state.rows < data.rows ? state.rows : data.first;
    const rows = operators.flatMap((operator) => {
        const full = steps(operator, state.x, state).y[0];
        const part = steps(operator, state.x.slice(0, left), state).y[0];
        const same = full.every((value, c) => value === part[c]);
        return [[`${operator.name}, batch of ${data.rows}`, full, ""],
            [`${operator.name}, batch of ${left}`, part, same ? "the same" : "moved"]];
    });
    return [
        el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "y of row 0" },
            el("table", { class: "matrix", id: "batch-table" },
                el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "y of row 0"),
                    Array.from({ length: cols }, (_, c) =>
                        el("th", { scope: "col", class: "number" }, `col ${c}`)),
                    el("td", {}))),
                el("tbody", {}, rows.map(([name, y, verdict]) => el("tr", {},
                    el("th", { scope: "row" }, name),
                    y.map((value) => el("td", { title: String(value) }, decimals(value))),
                    el("td", { class: verdict === "moved" ? "bad" : "quiet" }, verdict)))))),
        left === 1 && operators.some((o) => o.byColumn) ? el("p", {},
            "In a batch of one, a column of batch_norm is a single cell: it is its own mean and " +
            "has no variance, so that y is the bias, whatever x is.") : null,
    ];
}

/* ---- a large mean ---- */

const wrongMark = (isWrong, text) =>
    (isWrong ? el("span", { class: "bad" }, `${text} \u2717`) : text);

function errorText(value) {
    if (Number.isNaN(value)) return "NaN";
    return value === 0 || (value >= 0.01 && value < 1e4)
        ? String(Number(value.toPrecision(2))) : minus(value.toExponential(1));
}

// Of the device, for the matrix that it had; null for another one.
function deviceErrors(operator) {
    const had = data.large_mean;
    const isSame = data.device && had?.op === operator.name && had.offset === state.offset &&
        state.rows === data.rows && f(state.eps) === f(data.eps) &&
        state.x.every((row, r) => row.every((value, c) => value === data.x[r][c]));
    return isSame ? had.sets.map((set) => set.y_error_device) : null;
}

function largeMeanTable(operator) {
    const sets = largeMean(operator, batch(state.x), state.offset, state.eps);
    const device = deviceErrors(operator);
    const heads = [operator.set, "mean", "variance, exact", "two passes, float32",
        "E[x\u00b2] \u2212 E[x]\u00b2, float32", "y off by: two passes",
        "y off by: E[x\u00b2] \u2212 E[x]\u00b2", device && "y off by: clnorm"].filter(Boolean);
    const off = (value) => wrongMark(!(value < 1e-3), errorText(value));
    return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Variances" },
        el("table", { class: "matrix", id: "large-mean" },
            el("thead", {}, el("tr", {}, heads.map((title, i) =>
                el("th", { scope: "col", class: i ? "number" : null }, title)))),
            el("tbody", {}, sets.map((set, k) => el("tr", {},
                el("th", { scope: "row" }, `${operator.set} ${k}`),
                el("td", {}, decimals(set.mean)),
                el("td", { title: String(set.exact) }, decimals(set.exact)),
                el("td", { title: String(set.twoPass) }, decimals(set.twoPass)),
                el("td", { title: String(set.naive) },
                    wrongMark(!(Math.abs(set.naive - set.exact) <= 1e-3 * set.exact),
                        decimals(set.naive))),
                el("td", { title: String(set.twoPassError) }, off(set.twoPassError)),
                el("td", { title: String(set.naiveError) }, off(set.naiveError)),
                device ? el("td", { "data-device": device[k] }, errorText(device[k])) : null)))));
}

function largeMeanParts() {
    const operator = state.operator;
    if (!operator.centres)
        return el("p", {}, `${operator.name} subtracts no mean: nothing cancels. Choose another ` +
            "operator above.");
    return largeMeanTable(operator);
}

/* ---- the device ---- */

function deviceRows(operator) {
    const device = operator.data.device;
    return operator.data.rstd.map((rstd, k) => ({
        name: `${operator.set} ${k}`,
        mean: operator.data.mean?.[k], deviceMean: device.mean?.[k], meanUlp: device.mean_ulp?.[k],
        rstd, deviceRstd: device.rstd[k], rstdUlp: device.rstd_ulp[k],
        yUlp: Math.max(...setsOf(operator, device.y_ulp)[k]),
    }));
}

function deviceParts() {
    const operator = state.operator;
    const { compared, wrong } = operator.data.device;
    const column = (title, get, show) => ({ title, number: true, value: get,
        cell: (row) => show(get(row)) });
    const nine = (value) => minus(String(Number(value.toPrecision(9))));
    const ulp = (value) => value.toFixed(2);
    const means = [column("mean", (r) => r.mean, nine),
        column("on the device", (r) => r.deviceMean, nine), column("ULP", (r) => r.meanUlp, ulp)];
    return [
        sortableTable({
            label: "reference and device", rows: deviceRows(operator),
            columns: [
                { title: operator.set, value: (r) => r.name }, operator.centres ? means : [],
                column("rstd", (r) => r.rstd, nine),
                column("on the device", (r) => r.deviceRstd, nine),
                column("ULP", (r) => r.rstdUlp, ulp), column("y: most ULP", (r) => r.yUlp, ulp),
            ].flat(),
        }),
        el("p", { class: wrong ? "bad" : null },
            `${wrong} of ${compared} numbers are outside of what rounding can explain.`),
    ];
}

/* ---- the page ---- */

// Cards are as wide as the matrix with two numbers for each row takes.
const parts = {
    about: el("p", { class: "lead", id: "about", "aria-live": "polite" }),
    matrix: el("div", { class: "wide" }),
    steps: el("div", { class: "steps", style: `--card: ${(3.8 * cols + 11).toFixed(1)}rem` }),
    moved: el("div"), batch: el("div"), large: el("div"), device: el("div"),
};

function showFormulas(operator, x, all) {
    for (const [id, text] of Object.entries(formulas(operator, x, all))) {
        const place = parts.steps.querySelector(`[data-formula="${id}"]`);
        if (place) place.textContent = text;
    }
}

function markSelected() {
    const [row, col] = state.selected;
    const k = setOf(state.operator, row, col);
    for (const cell of page.querySelectorAll("td[data-row]")) {
        const r = Number(cell.dataset.row), c = Number(cell.dataset.col);
        cell.classList.toggle("selected", r === row && c === col);
        cell.classList.toggle("same-set", isActive(r) && setOf(state.operator, r, c) === k);
    }
    for (const cell of page.querySelectorAll("td[data-set]"))
        cell.classList.toggle("same-set", Number(cell.dataset.set) === k);
}

// Numbers follow: after an edit. Cards and inputs stay.
function update() {
    const operator = state.operator, x = batch(state.x);
    const all = steps(operator, x, state);
    for (const card of cards(operator, x, all))
        if (card.id === "y") { // its inputs may have the focus
            const body = parts.steps.querySelector("#step-y .body");
            if (!body.firstChild) body.append(paramTable(), el("div"));
            body.lastChild.replaceChildren(card.body());
        } else {
            parts.steps.querySelector(`#step-${card.id} .body`).replaceChildren(card.body());
        }
    parts.moved.replaceChildren(...movedParts());
    parts.batch.replaceChildren(...batchParts().filter(Boolean));
    parts.large.replaceChildren(largeMeanParts());
    showFormulas(operator, x, all);
    markSelected();
}

// Another operator or batch: everything is built again but the controls.
function rebuild() {
    const operator = state.operator, x = batch(state.x);
    state.selected[0] = Math.min(state.selected[0], state.rows - 1);
    parts.about.replaceChildren(el("strong", {}, operator.name), ` walks ${operator.walks}. `,
        operator.about);
    parts.matrix.replaceChildren(inputTable());
    parts.steps.replaceChildren(...cards(operator, x, steps(operator, x, state)).map(makeCard));
    if (data.device) parts.device.replaceChildren(...deviceParts().flat().filter(Boolean));
    update();
}

function select(row, col) {
    if (!isActive(row)) return;
    state.selected = [row, col];
    const x = batch(state.x);
    showFormulas(state.operator, x, steps(state.operator, x, state));
    markSelected();
}

function reset() {
    state.x = original.map((row) => [...row]);
    state.weight = [...data.weight];
    state.bias = [...data.bias];
    inputMessage.textContent = "";
    rebuild();
}

/* ---- controls ---- */

function operatorChoice() {
    return el("fieldset", { class: "segments" }, el("legend", { class: "hidden" }, "Operator"),
        operators.map((operator) => el("label", {},
            el("input", { type: "radio", name: "operator", value: operator.name,
                checked: operator === state.operator,
                change: () => { state.operator = operator; rebuild(); } }),
            el("span", {}, operator.name))));
}

function batchControl() {
    const text = () => `${state.rows} of ${data.rows}`;
    const shown = el("output", { for: "batch-size", class: "shown" }, text());
    return el("label", {}, "batch", el("input", {
        type: "range", id: "batch-size", min: 1, max: data.rows, value: state.rows,
        disabled: data.rows === 1,
        input: (event) => {
            state.rows = Number(event.target.value);
            shown.textContent = text();
            rebuild();
        },
    }), shown);
}

function epsControl() {
    return el("label", {}, "eps", numberInput("eps", state.eps, (number) => {
        state.eps = number;
    }, { id: "eps" }, 0));
}

function offsetControl() {
    const field = numberInput("offset", state.offset, (number) => { state.offset = number; },
        { id: "offset" });
    const slide = el("input", {
        type: "range", min: 0, max: 7, step: 1, "aria-label": "offset, a power of ten",
        value: Math.round(Math.log10(Math.abs(state.offset))) || 0,
        input: (event) => {
            state.offset = 10 ** Number(event.target.value);
            field.value = String(state.offset);
            field.removeAttribute("aria-invalid");
            update();
        },
    });
    return el("div", { class: "tools" }, el("label", {}, "added to every cell", slide, field));
}

function deviceSection() {
    if (!data.device) return null;
    return section("device", "On a device",
        el("p", {}, `What ${data.device.name} (${data.device.platform}) gave for the matrix as ` +
            "it was when this page was written, in float32, beside the reference. 1 ULP is the " +
            "distance from a number to the next float32; half of one is lost by rounding alone."),
        parts.device);
}

function build() {
    const title = el("h1", {}, "Normalization, step by step");
    const main = [
        section("matrix-section", "The matrix",
            el("p", {}, `${plural(data.rows, "sample")} (rows) with ${plural(cols, "feature")} ` +
                "(columns). Change a cell: all that follows is calculated again. Point at a " +
                "cell, or go there with the arrow keys, and the formulas below are those of that " +
                "cell. Cells that are joined share their statistics."),
            parts.about, parts.matrix, inputMessage),
        section("steps", "The steps", parts.steps),
        section("moved", "What an edit moves", parts.moved),
        section("batch", "When the batch shrinks",
            el("p", {}, "Take samples away with the batch control at the top. layer_norm and " +
                "rms_norm do not look at other rows."), parts.batch),
        section("large", "A large mean",
            el("p", {}, "The same number is added to every cell, so y should stay as it is. In " +
                "float32, which has 24 bits, E[x\u00b2] and E[x]\u00b2 become so large that " +
                "their difference is what rounding left; a negative variance gives NaN. Two " +
                "passes (the mean first, then the mean of squared distances) lose only what " +
                "rounding of the mean takes, and clnorm, which keeps the mean in two floats, " +
                "not even that."),
            offsetControl(), parts.large),
        deviceSection(),
    ].filter(Boolean);
    const bar = el("div", { class: "bar" }, operatorChoice(), batchControl(), epsControl(),
        el("button", { type: "button", id: "reset", click: reset }, "Undo edits"));
    page.replaceChildren(title, el("p", { class: "lead" },
        "Layer, batch and RMS normalization do the same to different cells of a matrix."),
    sectionLinks(), bar, ...main, el("footer", { class: "quiet small" },
        `Made by clnorm ${data.version} (clnorm explain), from: ${data.source}. It is one file ` +
        "that loads nothing."));
    rebuild();
}

build();
