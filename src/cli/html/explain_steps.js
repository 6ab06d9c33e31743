// SPDX-License-Identifier: MIT
// The page of clnorm explain: a matrix whose cells can be edited, and all that follows from it. It
// is calculated here, in double, from cells that are float32 as those of the command. What the
// command had is in `data`.

/* ---- what is normalized ---- */

const operators = [
    { name: "layer_norm", short: "LN", byColumn: false, centres: true, set: "row",
        walks: "along each row: the features of one sample",
        about: "Each sample is normalized with its own mean and variance. Who else is in the " +
            "batch does not matter." },
    { name: "batch_norm", short: "BN", byColumn: true, centres: true, set: "column",
        walks: "down each column: one feature of all samples in the batch",
        about: "Each feature is normalized with its mean and variance over the batch. What " +
            "becomes of a sample depends on who else is there. (In training; for inference, " +
            "running averages take the place of both.)" },
    { name: "rms_norm", short: "RMS", byColumn: false, centres: false, set: "row",
        walks: "along each row, without a mean",
        about: "As layer_norm, but nothing is subtracted: each sample is only scaled, so that " +
            "its mean of squares is 1." },
].map((operator) => ({ ...operator, data: data.operators.find((d) => d.op === operator.name) }))
    .filter((operator) => operator.data);

const original = data.x_before ?? data.x;
const cols = data.cols;
const state = {
    operator: operators[0],
    x: data.x.map((row) => [...row]),
    rows: data.rows, // of the batch
    eps: data.eps,
    weight: [...data.weight],
    bias: [...data.bias],
    offset: data.large_mean?.offset ?? 1e4,
    selected: [0, 0],
};

/* ---- the steps: matrices are lists of rows ---- */

const setOf = (operator, row, col) => (operator.byColumn ? col : row);
const mapCells = (x, f) => x.map((row, r) => row.map((value, c) => f(value, r, c)));

// The cells of each set, in a list.
function setsOf(operator, x) {
    return operator.byColumn ? x[0].map((_, c) => x.map((row) => row[c])) : x;
}

const sum = (list) => list.reduce((a, b) => a + b, 0);
const average = (list) => sum(list) / list.length;

function steps(operator, x, { eps, weight, bias }) {
    const sets = setsOf(operator, x);
    const mean = sets.map((set) => (operator.centres ? average(set) : 0));
    const centred = mapCells(x, (value, r, c) => value - mean[setOf(operator, r, c)]);
    const squared = mapCells(centred, (value) => value * value);
    const variance = setsOf(operator, squared).map(average);
    const rstd = variance.map((v) => 1 / Math.sqrt(v + Math.fround(eps)));
    const normalized = mapCells(centred, (value, r, c) => value * rstd[setOf(operator, r, c)]);
    const proof = setsOf(operator, normalized);
    const proofMean = proof.map((set) => (operator.centres ? average(set) : 0));
    const proofVariance = proof.map((set, k) => average(set.map((v) => (v - proofMean[k]) ** 2)));
    const y = mapCells(normalized, (value, r, c) => value * weight[c] + bias[c]);
    return { mean, centred, squared, variance, rstd, normalized, proofMean, proofVariance, y };
}

const batch = (x) => x.slice(0, state.rows);

/* ---- the same in float32: each operation is rounded ---- */

const f = Math.fround;
const sum32 = (list) => list.reduce((a, b) => f(a + b), 0);

function squares32(set, around) {
    return sum32(set.map((value) => {
        const off = f(value - around);
        return f(off * off);
    }));
}

function variances32(set) {
    const mean = f(sum32(set) / set.length);
    const twoPass = f(squares32(set, mean) / set.length);
    const naive = f(f(squares32(set, 0) / set.length) - f(mean * mean));
    return { mean, twoPass, naive };
}

// Largest distance from the right y; NaN where there is none.
function error32(set, right, mean, variance, eps) {
    const rstd = f(1 / f(Math.sqrt(f(variance + f(eps)))));
    return Math.max(...set.map((value, i) => Math.abs(f(f(value - mean) * rstd) - right[i])));
}

function largeMean(operator, x, offset, eps) {
    const moved = mapCells(x, (value) => f(value + offset));
    const plain = { eps, weight: Array(cols).fill(1), bias: Array(cols).fill(0) };
    const right = steps(operator, moved, plain);
    const rightSets = setsOf(operator, right.normalized);
    return setsOf(operator, moved).map((set, k) => {
        const { mean, twoPass, naive } = variances32(set);
        return {
            mean: right.mean[k], exact: right.variance[k], twoPass, naive,
            twoPassError: error32(set, rightSets[k], mean, twoPass, eps),
            naiveError: error32(set, rightSets[k], mean, naive, eps),
        };
    });
}

/* ---- numbers ---- */

const minus = (text) => text.replace("-", "\u2212");

// Four decimals, or an exponent where these tell little.
function decimals(value) {
    const size = Math.abs(value);
    if (Number.isNaN(value)) return "NaN";
    if (size < 1e-13) return "0.0000"; // what rounding leaves of 0
    return minus(size >= 1e-4 && size < 1e6 ? value.toFixed(4) : value.toExponential(2));
}

// As short as it can be, for what was typed.
const short = (value) => minus(String(Number(value.toPrecision(7))));
const inBrackets = (value) => (value < 0 ? `(${short(value)})` : short(value));
const inFormula = (value) => (Number.isInteger(value) ? short(value) : decimals(value));
