/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/self_test_cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------- */

double clnorm_test_cell_value(int id, uint64_t row, uint64_t i)
{
    static const unsigned char strides[] = {3, 5, 7, 11, 13};
    const uint64_t stride = strides[(unsigned)id % sizeof(strides)];
    const double value =
        ((double)((i * stride + row * 7 + i / 16 * 3 + (uint64_t)id) % 17) - 8) / 8;
    const bool weight = id == RECURRENT_weight || id == RECURRENT_weight_h ||
                        id == RECURRENT_weight_x || id == RECURRENT_weight_c;
    /* with a bias no argument of relu is 0 */
    return weight ? 1 + value / 2 : id == RECURRENT_bias ? value + 0x1p-4 : value;
}

double clnorm_test_cell_direction(uint64_t i)
{
    const double size = (double)(i * 7 % 5 + 4) / 8;
    return i * 11 % 3 ? size : -size;
}

static double moved_by(const clnorm_test_cell *cell, clnorm_cell_part part, uint64_t i)
{
    return cell->moved == part ? cell->by * clnorm_test_cell_direction(i) : 0;
}

/* ---- a step -------------------------------------------------------------------------------- */

static double sigmoid(double a) { return 1 / (1 + exp(-a)); }

static void normalize(double *v, uint64_t n, double eps, double stats[2])
{
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += v[i];
    stats[0] = sum / (double)n;
    for (uint64_t i = 0; i < n; i++)
        squares += (v[i] - stats[0]) * (v[i] - stats[0]);
    stats[1] = 1 / sqrt(squares / (double)n + eps);
    for (uint64_t i = 0; i < n; i++)
        v[i] = (v[i] - stats[0]) * stats[1];
}

static void scale(double *v, uint64_t n, clnorm_recurrent_id weight, clnorm_recurrent_id bias)
{
    for (uint64_t i = 0; i < n; i++)
        v[i] = v[i] * clnorm_test_cell_value(weight, 0, i) + clnorm_test_cell_value(bias, 0, i);
}

/* A projection, behind its norms. */
static void project(clnorm_test_cell *cell, double *to, int id, clnorm_recurrent_id weight,
                    clnorm_recurrent_id bias)
{
    const clnorm_recurrent *op = cell->op;
    const uint64_t hidden = op->desc.hidden, all = op->gates * hidden;
    const bool of_x = id == CLNORM_TEST_V;
    for (uint64_t i = 0; i < all; i++)
        to[i] = clnorm_test_cell_value(id, cell->row, i) + (of_x ? 0 : moved_by(cell, PART_U, i));
    for (unsigned k = 0; k < op->bundles.count; k++) {
        const clnorm_bundle *bundle = &op->bundles.of[k];
        normalize(to + bundle->first * hidden, bundle->size * hidden, op->desc.eps,
                  cell->stats[k + (of_x ? op->bundles.count : 0)]);
    }
    if (op->desc.norm)
        scale(to, all, weight, bias);
}

/* What goes into f, sigmoid and tanh is in v then, but for a gru's candidate, whose part of h stays
 * in u. */
static void find_gates(clnorm_test_cell *cell)
{
    const clnorm_recurrent *op = cell->op;
    const uint64_t hidden = op->desc.hidden, all = op->gates * hidden;
    const bool gru = op->desc.cell == CLNORM_GRU, one_norm = op->desc.cell == CLNORM_RNN;
    const bool has_bias = !op->desc.norm || op->desc.cell == CLNORM_LSTM;
    project(cell, cell->u, CLNORM_TEST_U, one_norm ? RECURRENT_weight : RECURRENT_weight_h,
            one_norm ? RECURRENT_bias : RECURRENT_bias_h);
    memset(cell->v, 0, all * sizeof(*cell->v));
    if (!op->summed)
        project(cell, cell->v, CLNORM_TEST_V, RECURRENT_weight_x, RECURRENT_bias_x);
    for (uint64_t i = 0; i < all; i++) {
        const bool candidate = gru && i >= 2 * hidden;
        cell->v[i] += moved_by(cell, PART_P, i) + (candidate ? 0 : cell->u[i]);
        cell->v[i] += has_bias ? clnorm_test_cell_value(RECURRENT_bias, 0, i) : 0;
    }
}

static void run_rnn(clnorm_test_cell *cell)
{
    for (uint64_t i = 0; i < cell->op->desc.hidden; i++)
        cell->h[i] =
            cell->op->desc.nonlinearity == CLNORM_RELU ? fmax(cell->v[i], 0) : tanh(cell->v[i]);
}

static void run_lstm(clnorm_test_cell *cell)
{
    const clnorm_recurrent_desc *d = &cell->op->desc;
    const double *f = cell->v, *in = f + d->hidden, *out = in + d->hidden, *g = out + d->hidden;
    double *const of_c = cell->stats[2 * cell->op->bundles.count];
    for (uint64_t i = 0; i < d->hidden; i++) {
        const double c =
            clnorm_test_cell_value(RECURRENT_c0, cell->row, i) + moved_by(cell, PART_C, i);
        cell->c[i] = sigmoid(f[i]) * c + sigmoid(in[i]) * tanh(g[i]);
    }
    memcpy(cell->h, cell->c, d->hidden * sizeof(*cell->h));
    if (d->norm) {
        normalize(cell->h, d->hidden, d->eps, of_c);
        scale(cell->h, d->hidden, RECURRENT_weight_c, RECURRENT_bias_c);
    }
    for (uint64_t i = 0; i < d->hidden; i++)
        cell->h[i] = sigmoid(out[i]) * tanh(cell->h[i] + moved_by(cell, PART_Q, i));
}

static void run_gru(clnorm_test_cell *cell)
{
    const uint64_t hidden = cell->op->desc.hidden;
    for (uint64_t i = 0; i < hidden; i++) {
        const double h =
            clnorm_test_cell_value(RECURRENT_h0, cell->row, i) + moved_by(cell, PART_H, i);
        const double z = sigmoid(cell->v[i]), reset = sigmoid(cell->v[hidden + i]);
        const double l = cell->u[2 * hidden + i] + moved_by(cell, PART_N, i);
        cell->h[i] = (1 - z) * h + z * tanh(cell->v[2 * hidden + i] + reset * l);
    }
}

void clnorm_test_cell_run(clnorm_test_cell *cell, uint64_t row)
{
    static void (*const cells[])(clnorm_test_cell *) = {
        [CLNORM_RNN] = run_rnn, [CLNORM_LSTM] = run_lstm, [CLNORM_GRU] = run_gru};
    cell->row = row;
    find_gates(cell);
    cells[cell->op->desc.cell](cell);
}

/* ---- gradients ----------------------------------------------------------------------------- */

static double loss(clnorm_test_cell *cell, uint64_t row, bool ends)
{
    const int dh = ends ? RECURRENT_dh_n : CLNORM_TEST_DH,
              dc = ends ? RECURRENT_dc_n : CLNORM_TEST_DC;
    double sum = 0;
    clnorm_test_cell_run(cell, row);
    for (uint64_t i = 0; i < cell->op->desc.hidden; i++) {
        sum += cell->h[i] *
               (clnorm_test_cell_value(RECURRENT_dy, row, i) + clnorm_test_cell_value(dh, row, i));
        if (cell->op->desc.cell == CLNORM_LSTM)
            sum += cell->c[i] * clnorm_test_cell_value(dc, row, i);
    }
    return sum;
}

/* Far below the distance of relu's arguments to 0, and far above roundoff. */
static const double small = 0x1p-17;

double clnorm_test_cell_slope(clnorm_test_cell *cell, uint64_t row, bool ends,
                              clnorm_cell_part part)
{
    cell->moved = part;
    cell->by = small;
    const double above = loss(cell, row, ends);
    cell->by = -small;
    const double below = loss(cell, row, ends);
    cell->moved = PART_NONE;
    return (above - below) / (2 * small);
}

/* ---- memory -------------------------------------------------------------------------------- */

bool clnorm_test_cell_make(const clnorm_recurrent *op, clnorm_test_cell *cell)
{
    const size_t hidden = (size_t)op->desc.hidden, all = op->gates * hidden;
    *cell = (clnorm_test_cell){.op = op, .u = calloc(2 * all + 2 * hidden, sizeof(double))};
    if (!cell->u)
        return false;
    cell->v = cell->u + all;
    cell->h = cell->v + all;
    cell->c = cell->h + hidden;
    return true;
}

void clnorm_test_cell_free(clnorm_test_cell *cell) { free(cell->u); }
