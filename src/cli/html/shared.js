// SPDX-License-Identifier: MIT
// What the pages share: elements, numbers, tables that sort.
// Names and texts come from files and drivers: they become text nodes and attributes, never markup.
"use strict";

const page = document.getElementById("page");
const data = JSON.parse(document.getElementById("clnorm-data").textContent);

/* ---- elements ---- */

const seriesVariable = (number) => `var(--series-${(number % 8) + 1})`;

// Texts, nodes, lists of them, or null.
const asNodes = (children) => children.flat(Infinity).filter((c) => c !== null && c !== undefined);

// An attribute that is a function listens to the event of that name; false and null leave it out.
function el(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) {
        if (typeof value === "function") element.addEventListener(key, value);
        else if (value === true) element.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(key, value);
    }
    element.append(...asNodes(children));
    return element;
}

// Sections of the page in their order, for the list of links above them.
const sections = [];

function section(id, title, ...children) {
    sections.push({ id, title });
    return el("section", { id, "aria-labelledby": `${id}-title` },
        el("h2", { id: `${id}-title` }, title), children);
}

function sectionLinks() {
    return el("nav", { "aria-label": "Sections" },
        el("ul", {}, sections.map((s) => el("li", {}, el("a", { href: `#${s.id}` }, s.title)))));
}

// pairs: [name, value]; those without a value are left out.
function facts(pairs) {
    const known = pairs.filter(([, value]) => ![null, undefined, ""].includes(value));
    return el("dl", { class: "facts" },
        known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function plural(count, one, many) {
    return `${grouped(String(count))} ${count === 1 ? one : many ?? `${one}s`}`;
}

// The mark of a series, such as a device: {letter, number}.
function letter(series) {
    return el("span", { class: "letter", style: `--mark: ${seriesVariable(series.number)}` },
        series.letter);
}

// A link that saves `text` as a file, without anything but this page.
function saveLink(fileName, text, type) {
    const blob = new Blob([text], { type });
    return el("a", { class: "button", download: fileName, href: URL.createObjectURL(blob) },
        `Save ${fileName}`);
}

/* ---- numbers: {number, unit}, null where there is none ---- */

// Digits in threes, from five digits on.
function grouped(text) {
    const [whole, rest] = text.split(".");
    const parts = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
    return rest === undefined ? parts : `${parts}.${rest}`;
}

function significant(value, digits = 3) {
    if (!Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
    return grouped(value.toFixed(Math.min(Math.max(decimals, 0), 20)));
}

function inUnits(value, units) {
    if (!Number.isFinite(value)) return null;
    const [unit, size] = units.find(([, s]) => value >= s) ?? units[units.length - 1];
    return { number: significant(value / size), unit };
}

const timeUnits = [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]];
const byteUnits = [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]];
const asTime = (seconds) => inUnits(seconds, timeUnits);
// Sizes are powers of two as often as not: "64 KiB", "1.5 MiB".
function asBytes(bytes) {
    const measure = inUnits(bytes, byteUnits);
    return measure && { ...measure, number: measure.number.replace(/\.0+$/, "") };
}
const asRate = (rate) => Number.isFinite(rate)
    ? { number: significant(rate / 1e9), unit: "GB/s" } : null;
const asPercent = (share, decimals = 0) => Number.isFinite(share)
    ? { number: (100 * share).toFixed(decimals), unit: "%" } : null;

function inText(measure) {
    return measure ? `${measure.number} ${measure.unit}` : "–";
}

// For a cell: the unit has its own place, so that numbers stand below each other.
function inCell(measure) {
    return measure ? [measure.number, el("span", { class: "unit" }, measure.unit)] : "–";
}

// exp(mean(log)), NaN without values.
function geometricMean(values) {
    return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}

/* ---- tables ---- */

function compareValues(a, b, sign) {
    const isMissing = (v) => v === null || v === undefined || Number.isNaN(v);
    if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b); // at the end always
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
}

function sortRows(table, entries, columns, place) {
    const heads = [...table.tHead.rows[0].cells];
    const isUp = heads[place].getAttribute("aria-sort") !== "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[place].setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const value = columns[place].value;
    const sorted = entries.map((entry) => ({ entry, key: value(entry.row) }))
        .sort((a, b) => compareValues(a.key, b.key, isUp ? 1 : -1));
    table.tBodies[0].append(...sorted.map((s) => s.entry.element));
}

function tableCell(column, row, place) {
    const shown = column.cell ? column.cell(row) : column.value(row);
    const names = [column.number ? "number" : "", column.wraps ? "wraps" : ""].join(" ").trim();
    const attributes = { class: names || null, scope: place === 0 ? "row" : null };
    return el(place === 0 ? "th" : "td", attributes, shown === null || shown === undefined
        ? "–" : typeof shown === "number" ? String(shown) : shown);
}

function filterTools(label, entries) {
    const count = el("span", { class: "quiet", "aria-live": "polite" });
    const show = (text) => {
        const words = text.toLowerCase().split(/\s+/).filter(Boolean);
        for (const entry of entries) {
            const all = entry.element.textContent.toLowerCase();
            entry.element.hidden = !words.every((word) => all.includes(word));
        }
        const shown = entries.filter((entry) => !entry.element.hidden).length;
        count.textContent = shown === entries.length
            ? plural(shown, "row") : `${shown} of ${plural(entries.length, "row")}`;
    };
    show("");
    return el("div", { class: "tools" },
        el("label", {}, "Filter", el("input", {
            type: "search", "aria-label": `Filter: ${label}`, autocomplete: "off",
            input: (event) => show(event.target.value),
        })), count);
}

// A column of measures: get gives the number of a row, format its digits and unit.
function measureColumn(title, get, format) {
    return { title, number: true, value: get, cell: (row) => inCell(format(get(row))) };
}

// columns: {title, value: of a row, to sort by, cell: what is shown if that is not the value,
// number: to the right, wraps: a long text}. A row's first cell names it. label: what the rows are.
// filter: a field to choose among them, if they are many.
function sortableTable({ label, columns, rows, filter = false }) {
    const heads = columns.map((column, place) => el("th",
        { scope: "col", class: column.number ? "number" : null },
        el("button", { type: "button", click: () => sortRows(table, entries, columns, place) },
            column.title)));
    const entries = rows.map((row) => ({
        row, element: el("tr", {}, columns.map((column, place) => tableCell(column, row, place))),
    }));
    const table = el("table", {}, el("caption", { class: "hidden" }, label),
        el("thead", {}, el("tr", {}, heads)),
        el("tbody", {}, entries.map((entry) => entry.element)));
    return [filter && rows.length > 8 ? filterTools(label, entries) : null,
        el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, table)];
}
