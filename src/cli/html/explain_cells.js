// SPDX-License-Identifier: MIT
// What the page shows of the steps: matrices, cells that are edited, formulas, and a card for each.

/* ---- cells ---- */

const isActive = (row) => row < state.rows;

// Every cell of every matrix knows its place, so that all of them follow the pointer; the ends of
// sets are round.
function cellAttributes(row, col, looks) {
    const isLast = state.operator.byColumn ? row === state.rows - 1 : col === cols - 1;
    const names = [looks.class, isLast ? "last" : "", state.rows === 1 ? "only" : ""];
    return {
        "data-row": row, "data-col": col, mouseenter: () => select(row, col), ...looks,
        class: names.join(" ").trim() || null,
    };
}

// How far from 0, as a tint: below and above are told apart.
function tint(value, largest) {
    const part = largest > 0 ? Math.min(Math.abs(value) / largest, 1) : 0;
    return { class: value < 0 ? "below" : "above", style: `--heat: ${part.toFixed(3)}` };
}

const largestOf = (cells) => Math.max(...cells.flat().map(Math.abs));

// Tinted are results, with four decimals; others are x, as it was typed.
function numberCell(value, row, col, largest, tinted) {
    const looks = tinted ? tint(value, largest) : {};
    return el("td", cellAttributes(row, col, { ...looks, title: String(value) }),
        tinted ? decimals(value) : short(value));
}

function columnHeads(extra) {
    return el("thead", {}, el("tr", {}, el("td", {}),
        Array.from({ length: cols }, (_, c) => el("th", { scope: "col" }, `col ${c}`)),
        extra.map((e) => el("th", { scope: "col", class: "stat-head" }, e.title))));
}

const statCell = (value, k) => el("td", { class: "stat", "data-set": k, title: String(value) },
    decimals(value));

const matrixClass = () => `cells ${state.operator.byColumn ? "by-column" : "by-row"}`;

// A matrix with numbers of each set: behind its row, or below its column.
function matrix(step, label, cells, sets, tinted) {
    const operator = state.operator;
    const largest = largestOf(cells);
    const beside = operator.byColumn ? [] : sets;
    const below = operator.byColumn ? sets : [];
    const rows = cells.map((row, r) => el("tr", {}, el("th", { scope: "row" }, `row ${r}`),
        row.map((value, c) => numberCell(value, r, c, largest, tinted)),
        beside.map((set) => statCell(set.values[r], r))));
    const stats = below.map((set) => el("tr", { class: "stat-row" },
        el("th", { scope: "row" }, set.title), set.values.map(statCell)));
    return el("div", { class: "wide" },
        el("table", { class: matrixClass(), "data-step": step },
            el("caption", { class: "hidden" }, label), columnHeads(beside),
            el("tbody", {}, rows, stats)));
}

/* ---- cells that are edited ---- */

function readNumber(text, least) {
    const value = text.trim() === "" ? NaN : Number(text.trim().replace("\u2212", "-"));
    return Number.isFinite(f(value)) && f(value) >= least ? f(value) : null;
}

const inputMessage = el("p", { class: "bad small", role: "status", id: "input-message" });

// What cannot be read is marked, and what was there before counts. Numbers below `least` are none.
function numberInput(label, value, take, attributes, least = -Infinity) {
    return el("input", {
        type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": label,
        value: short(value).replace("\u2212", "-"),
        input: (event) => {
            const number = readNumber(event.target.value, least);
            event.target.setAttribute("aria-invalid", String(number === null));
            inputMessage.textContent = number === null
                ? `${label}: \u201c${event.target.value}\u201d is no finite float32 number` +
                    (least === 0 ? " from 0 on" : "") : "";
            if (number !== null) {
                take(number);
                update();
            }
        },
        ...attributes,
    });
}

// Up, down and Enter go to the next row; left and right to the next column from the ends of a text,
// and where all of it is selected.
function moveFocus(event, row, col) {
    const { selectionStart, selectionEnd, value: { length } } = event.target;
    const isAll = selectionStart === 0 && selectionEnd === length;
    const atStart = isAll || selectionEnd === 0, atEnd = isAll || selectionStart === length;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0],
        ArrowLeft: atStart ? [0, -1] : null, ArrowRight: atEnd ? [0, 1] : null };
    const move = moves[event.key];
    const next = move && document.querySelector(
        `#matrix input[data-row="${row + move[0]}"][data-col="${col + move[1]}"]`);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
}

function editedCell(row, col) {
    return el("td", cellAttributes(row, col, {}),
        numberInput(`row ${row}, column ${col}`, state.x[row][col],
            (number) => { state.x[row][col] = number; },
            {
                "data-row": row, "data-col": col, disabled: !isActive(row),
                focus: () => select(row, col), keydown: (event) => moveFocus(event, row, col),
            }));
}

function inputTable() {
    return el("table", { id: "matrix", class: matrixClass() },
        el("caption", { class: "hidden" }, "The matrix: its cells can be edited"), columnHeads([]),
        el("tbody", {}, state.x.map((row, r) => el("tr", { class: isActive(r) ? null : "left-out" },
            el("th", { scope: "row" }, `row ${r}`), row.map((_, c) => editedCell(r, c))))));
}

/* ---- formulas with the numbers of the selected cell ---- */

function formulas(operator, x, all) {
    const [row, col] = state.selected;
    const k = setOf(operator, row, col);
    const set = setsOf(operator, x)[k];
    const squares = setsOf(operator, all.squared)[k];
    const name = `${operator.set} ${k}`;
    const n = set.length;
    const plus = (list, show) => list.map(show).join(" + ");
    const centred = all.centred[row][col], normalized = all.normalized[row][col];
    return {
        mean: `mean of ${name} = (${plus(set, inBrackets)}) / ${n} = ${decimals(all.mean[k])}`,
        centred: `${short(x[row][col])} \u2212 ${inFormula(all.mean[k])} = ${decimals(centred)}`,
        squared: `${operator.centres ? "variance" : "mean of squares"} of ${name} = ` +
            `(${plus(squares, inFormula)}) / ${n} = ${decimals(all.variance[k])}`,
        rstd: `rstd of ${name} = 1 / \u221a(${decimals(all.variance[k])} + ` +
            `${short(state.eps)}) = ${decimals(all.rstd[k])}`,
        normalized: `${decimals(centred)} \u00d7 ${decimals(all.rstd[k])} = ` +
            decimals(normalized),
        y: `${decimals(normalized)} \u00d7 ${inBrackets(state.weight[col])} + ` +
            `${inBrackets(state.bias[col])} = ${decimals(all.y[row][col])}`,
    };
}

/* ---- cards: one for each step ---- */

function rstdTable(all) {
    const operator = state.operator;
    const head = [operator.set, operator.centres ? "variance" : "mean of squares", "+ eps",
        "rstd = 1 / \u221a"];
    return el("div", { class: "wide" }, el("table", { class: "cells plain", "data-step": "rstd" },
        el("caption", { class: "hidden" }, "What is divided by"),
        el("thead", {}, el("tr", {}, head.map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", {}, all.rstd.map((rstd, k) => el("tr", {},
            el("th", { scope: "row" }, `${operator.set} ${k}`), statCell(all.variance[k], k),
            statCell(all.variance[k] + f(state.eps), k), statCell(rstd, k))))));
}

function cards(operator, x, all) {
    const spread = operator.centres ? "variance" : "mean of squares";
    return [
        operator.centres && { id: "mean", title: `Mean of each ${operator.set}`,
            text: `Add up the cells of a ${operator.set}, and divide by how many they are.`,
            body: () => matrix("mean", "x and means", x, [{ title: "mean", values: all.mean }]) },
        operator.centres && { id: "centred", title: "Centre",
            text: "Subtract it: what is left is how far a cell is from the mean of its " +
                `${operator.set}. Blue is below, orange above.`,
            body: () => matrix("centred", "x - mean", all.centred, [], true) },
        { id: "squared", title: `Square, and average: the ${spread}`,
            text: operator.centres ? "Divided by N, not by N \u2212 1."
                : "Of x itself: no mean is subtracted.",
            body: () => matrix("squared", "squares", all.squared,
                [{ title: spread, values: all.variance }], true) },
        { id: "rstd", title: "What is multiplied by",
            text: "eps keeps the root away from 0. rstd is 1 / standard deviation.",
            body: () => rstdTable(all) },
        { id: "normalized", title: "Normalize",
            text: operator.centres
                ? `The proof: each ${operator.set} has mean 0 and variance 1, less what eps takes.`
                : "The proof: the mean of squares is 1, less what eps takes.",
            body: () => matrix("normalized", "normalized", all.normalized,
                [operator.centres && { title: "mean", values: all.proofMean },
                    { title: spread, values: all.proofVariance }].filter(Boolean), true) },
        { id: "y", title: "Weight and bias",
            text: "Learned numbers, one of each for a column. With 1 and 0 nothing changes.",
            body: () => matrix("y", "y", all.y, [], true) },
    ].filter(Boolean);
}

function paramTable() {
    return el("div", { class: "wide" }, el("table", { class: "cells plain", id: "params" },
        el("caption", { class: "hidden" }, "Weight and bias: can be edited"), columnHeads([]),
        el("tbody", {}, ["weight", "bias"].map((name) => el("tr", {},
            el("th", { scope: "row" }, name),
            state[name].map((value, c) => el("td", {}, numberInput(`${name} ${c}`, value,
                (number) => { state[name][c] = number; }, { "data-col": c }))))))));
}

// The parts of a card stay: inputs in them keep the focus while the numbers change.
function makeCard(card, place) {
    return el("figure", { class: "step", id: `step-${card.id}` },
        el("figcaption", {},
            el("h3", {}, el("span", { class: "place" }, String(place + 1)), card.title),
            el("p", {}, card.text)),
        el("div", { class: "body" }), el("p", { class: "formula", "data-formula": card.id }));
}
