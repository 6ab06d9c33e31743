/* SPDX-License-Identifier: MIT */
/* Kernels of training, with the words of each.cl. None adds up in an order that depends on the
 * number of work-items, so that runs give the same bits. */

/* ---- Adam ---- */

/* Kingma, Ba, arXiv:1412.6980, in the order of the end of its section 2, so that rate and eps hold
 * the correction of the bias: rate_t = rate sqrt(1 - beta2^t) / (1 - beta1^t), and
 * eps_t = eps sqrt(1 - beta2^t). rest: 1 - beta, which float would make of a rounded beta too
 * roughly. blocks: of VEC elements, as buffers are padded to them. */
kernel void adam(global float *restrict parameters, uint parameters_at,
                 global float *restrict m, uint m_at, global float *restrict v, uint v_at,
                 global const float *restrict gradient, uint gradient_at, uint blocks, float beta1,
                 float rest1, float beta2, float rest2, float rate_t, float eps_t)
{
    parameters += parameters_at;
    gradient += gradient_at;
    m += m_at;
    v += v_at;
    EACH(i, blocks)
    {
        const vec g = load(i, gradient);
        const vec m_i = beta1 * load(i, m) + rest1 * g;
        const vec v_i = beta2 * load(i, v) + rest2 * g * g;
        store(m_i, i, m);
        store(v_i, i, v);
        store(load(i, parameters) - rate_t * m_i / (sqrt(v_i) + eps_t), i, parameters);
    }
}

/* ---- softmax and cross-entropy ---- */

/* VEC elements of a row from `at` on; what is beyond the row is -INFINITY. */
vec logits_at(global const float *row, global const float *bias, uint at, uint classes)
{
    if (at + VEC <= classes)
        return bias ? load(0, row + at) + load(0, bias + at) : load(0, row + at);
    float part[VEC];
    for (uint i = 0; i < VEC; i++)
        part[i] = at + i < classes ? row[at + i] + (bias ? bias[at + i] : 0.0f) : -INFINITY;
    return load(0, part);
}

float largest(vec a)
{
    float part[VEC], result = -INFINITY;
    store(a, 0, part);
    for (uint i = 0; i < VEC; i++)
        result = fmax(result, part[i]);
    return result;
}

float total(vec a)
{
    float part[VEC], result = 0;
    store(a, 0, part);
    for (uint i = 0; i < VEC; i++)
        result += part[i];
    return result;
}

/* A row: nll = log(sum of exp(z)) - z[label] with z = logits + bias, and
 * d_logits = (softmax(z) - 1 at the label) * scale, which may be in the place of logits.
 * wrong: 0 where no logit is larger than the label's. A label that is no class: all are 0. */
kernel void softmax_loss(global const float *logits, uint at, global const float *bias,
                         uint bias_at, global const uint *labels, uint labels_at,
                         global float *d_logits, uint d_at, global float *nll, global uint *wrong,
                         uint rows_at, uint rows, uint classes, float scale)
{
    if (bias)
        bias += bias_at;
    EACH(r, rows)
    {
        global const float *row = logits + at + (size_t)r * classes;
        global float *d_row = d_logits + d_at + (size_t)r * classes;
        const uint label = labels[labels_at + r];
        const bool counts = label < classes;
        vec top = -INFINITY, sum = 0;
        for (uint c = 0; c < classes; c += VEC)
            top = fmax(top, logits_at(row, bias, c, classes));
        const float most = largest(top);
        for (uint c = 0; c < classes; c += VEC)
            sum += exp(logits_at(row, bias, c, classes) - most);
        const float all = total(sum);
        const float own = counts ? row[label] + (bias ? bias[label] : 0.0f) : 0;
        nll[rows_at + r] = counts ? log(all) - (own - most) : 0;
        wrong[rows_at + r] = counts && !(own >= most);
        if (!d_logits)
            continue;
        const float factor = counts ? scale / all : 0;
        for (uint c = 0; c < classes; c += VEC) {
            const vec d = exp(logits_at(row, bias, c, classes) - most) * factor;
            if (c + VEC <= classes) {
                store(d, 0, d_row + c);
            } else {
                float part[VEC];
                store(d, 0, part);
                for (uint i = 0; c + i < classes; i++)
                    d_row[c + i] = part[i];
            }
        }
        if (counts)
            d_row[label] -= scale;
    }
}

/* A row: nll = sum of (z - target)^2 with z = predictions + bias, d = 2 (z - target) * scale.
 * wrong: 1 unless all of the row are within `tolerance`. */
kernel void squared_loss(global const float *predictions, uint at, global const float *bias,
                         uint bias_at, global const float *targets, uint targets_at,
                         global float *d_predictions, uint d_at, global float *nll,
                         global uint *wrong, uint rows_at, uint rows, uint cols, float scale,
                         float tolerance)
{
    EACH(r, rows)
    {
        float sum = 0;
        bool is_near = true;
        for (uint c = 0; c < cols; c++) {
            const size_t i = (size_t)r * cols + c;
            const float z = predictions[at + i] + (bias ? bias[bias_at + c] : 0.0f);
            const float e = z - targets[targets_at + i];
            sum += e * e;
            is_near = is_near && fabs(e) <= tolerance; /* false for NaN */
            if (d_predictions)
                d_predictions[d_at + i] = 2 * scale * e;
        }
        nll[rows_at + r] = sum;
        wrong[rows_at + r] = !is_near;
    }
}

/* Work-item i of n takes elements i, i + n, ...: parts[at + 2 i] is the largest |x| among them,
 * parts[at + 2 i + 1] the sum of the squares of x over that, which neither overflows nor vanishes.
 */
kernel void norm_parts(global const float *x, uint x_at, uint count, global float *parts, uint at)
{
    const uint item = get_global_id(0), n = get_global_size(0);
    float most = 0, sum = 0;
    x += x_at;
    for (uint i = item; i < count; i += n)
        most = fmax(most, fabs(x[i]));
    for (uint i = item; i < count; i += n) {
        const float share = most > 0 ? x[i] / most : x[i]; /* NaN, which fmax leaves out, stays */
        sum += share * share;
    }
    parts[at + 2 * item] = most;
    parts[at + 2 * item + 1] = sum;
}

/* Work-item i of n adds rows i, i + n, ...: parts[i] and what rounding took from it, parts[n + i].
 * Neumaier's sum, so that the host gets the mean of any number of rows right. */
kernel void loss_parts(global const float *nll, global const uint *wrong, uint at, uint rows,
                       global float *parts, global uint *wrong_parts)
{
    const uint item = get_global_id(0), n = get_global_size(0);
    float sum = 0, rest = 0;
    uint count = 0;
    for (uint r = item; r < rows; r += n) {
        const float x = nll[at + r], next = sum + x;
        rest += fabs(sum) >= fabs(x) ? (sum - next) + x : (x - next) + sum;
        sum = next;
        count += wrong[at + r];
    }
    parts[item] = sum;
    parts[n + item] = rest;
    wrong_parts[item] = count;
}

/* ---- what layers have besides products and norms ---- */

/* What these two read and write is one array, but two arguments: of a select that they knew to be
 * in place, compilers make a store under a mask, which some CPUs are slow at. */

/* y = max(x, 0); NaN stays. */
kernel void relu(global const float *x, uint x_at, global float *y, uint y_at, uint n)
{
    x += x_at;
    y += y_at;
    EACH(i, n / VEC)
    {
        const vec x_i = load(i, x);
        store(select(x_i, (vec)(0), x_i < 0), i, y);
    }
    if (get_global_id(0) == 0)
        for (uint i = n / VEC * VEC; i < n; i++)
            y[i] = x[i] < 0 ? 0 : x[i];
}

/* dx = y > 0 ? dy : 0, where y is what relu left. */
kernel void relu_gradient(global const float *y, uint y_at, global const float *dy, uint dy_at,
                          global float *dx, uint dx_at, uint n)
{
    y += y_at;
    dy += dy_at;
    dx += dx_at;
    EACH(i, n / VEC)
    {
        store(select((vec)(0), load(i, dy), load(i, y) > 0), i, dx);
    }
    if (get_global_id(0) == 0)
        for (uint i = n / VEC * VEC; i < n; i++)
            dx[i] = y[i] > 0 ? dy[i] : 0;
}

/* x += bias, a row of [rows, cols] at a time */
kernel void add_bias(global float *x, uint at, global const float *bias, uint bias_at, uint rows,
                     uint cols)
{
    const uint blocks = (cols + VEC - 1) / VEC;
    x += at;
    bias += bias_at;
    EACH(j, rows * blocks)
    {
        const uint c = j % blocks * VEC;
        global float *part = x + (size_t)(j / blocks) * cols + c;
        if (c + VEC <= cols)
            store(load(0, part) + load(0, bias + c), 0, part);
        else
            for (uint i = 0; c + i < cols; i++)
                part[i] += bias[c + i];
    }
}

/* sums[c] = the sum of a column of x, [rows, cols], in the order of the rows; dbias of a layer. */
kernel void column_sums(global const float *x, uint at, global float *sums, uint sums_at, uint rows,
                        uint cols)
{
    x += at;
    sums += sums_at;
    EACH(j, (cols + VEC - 1) / VEC)
    {
        const uint c = j * VEC;
        if (c + VEC <= cols) {
            vec sum = 0;
            for (uint r = 0; r < rows; r++)
                sum += load(0, x + (size_t)r * cols + c);
            store(sum, 0, sums + c);
        } else {
            for (uint i = c; i < cols; i++) {
                float sum = 0;
                for (uint r = 0; r < rows; r++)
                    sum += x[(size_t)r * cols + i];
                sums[i] = sum;
            }
        }
    }
}

/* to = from: the floor of what moves as many bytes. blocks: of VEC elements. */
kernel void copy(global const float *restrict from, global float *restrict to, uint blocks)
{
    EACH(i, blocks) { store(load(i, from), i, to); }
}

/* x = -x: the same for what is read and written in place. */
kernel void negate(global float *x, uint blocks)
{
    EACH(i, blocks) { store(-load(i, x), i, x); }
}
