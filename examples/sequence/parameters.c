/* SPDX-License-Identifier: MIT */
#include "sequence/parameters.h"
#include "common/error.h"
#include "common/random.h"
#include "common/train.h"

#include <math.h>
#include <stdlib.h>

enum { STREAM_NORMAL = SEQ_PARAMETERS };

static uint64_t gates(const struct seq_shape *shape)
{
    static const uint64_t counts[] = {[CLNORM_RNN] = 1, [CLNORM_LSTM] = 4, [CLNORM_GRU] = 3};
    return counts[shape->cell.cell];
}

uint64_t seq_places(const struct seq_shape *shape, struct seq_place places[SEQ_PARAMETERS])
{
    const clnorm_recurrent_desc *cell = &shape->cell;
    const bool norm = cell->norm, is_rnn = cell->cell == CLNORM_RNN;
    const bool is_lstm = cell->cell == CLNORM_LSTM;
    const uint64_t hidden = cell->hidden, all = gates(shape) * hidden;
    const struct seq_place sizes[SEQ_PARAMETERS] = {
        [SEQ_W_X] = {0, all, cell->features},
        [SEQ_W_H] = {0, all, hidden},
        [SEQ_WEIGHT_X] = {0, norm && !is_rnn, all},
        [SEQ_BIAS_X] = {0, norm && !is_rnn, all},
        [SEQ_WEIGHT_H] = {0, norm && !is_rnn, all},
        [SEQ_BIAS_H] = {0, norm && !is_rnn, all},
        [SEQ_WEIGHT] = {0, norm && is_rnn, hidden},
        [SEQ_BIAS] = {0, !norm || is_rnn || is_lstm, all},
        [SEQ_WEIGHT_C] = {0, norm && is_lstm, hidden},
        [SEQ_BIAS_C] = {0, norm && is_lstm, hidden},
        [SEQ_OUT_WEIGHT] = {0, shape->outputs, hidden},
        [SEQ_OUT_BIAS] = {0, 1, shape->outputs},
    };
    uint64_t at = 0;
    for (int i = 0; i < SEQ_PARAMETERS; i++) {
        places[i] = sizes[i];
        places[i].offset = at;
        at += ex_padded(sizes[i].rows * sizes[i].cols);
    }
    return at;
}

/* ---- the values they begin with ---- */

/* n normal numbers: Box, Muller, 1958. */
static void fill_normal(double *to, size_t n, uint64_t seed, uint64_t stream)
{
    const double two_pi = 6.283185307179586;
    for (size_t i = 0; i < n; i++)
        to[i] = sqrt(-2 * log(1 - ex_uniform(seed, stream, 2 * i))) *
                cos(two_pi * ex_uniform(seed, stream, 2 * i + 1));
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Rows of random directions, each made orthogonal to those before it: Gram, Schmidt. Twice is
 * enough: Giraud, Langou, Rozloznik, 2005. */
static void fill_orthogonal(float *to, size_t n, uint64_t seed, uint64_t stream)
{
    double *rows = ex_alloc(n * n, sizeof(double));
    fill_normal(rows, n * n, seed, stream);
    for (size_t r = 0; r < n; r++) {
        double *row = rows + r * n;
        for (size_t before = 0; before < 2 * r; before++) {
            const double *other = rows + before % r * n;
            const double share = dot(row, other, n);
            for (size_t i = 0; i < n; i++)
                row[i] -= share * other[i];
        }
        const double size = sqrt(dot(row, row, n));
        for (size_t i = 0; i < n; i++) {
            row[i] /= size;
            to[r * n + i] = (float)row[i];
        }
    }
    free(rows);
}

static void fill_with(float *to, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        to[i] = value;
}

void seq_initialize(const struct seq_shape *shape, enum seq_init init, double scale, uint64_t seed,
                    float *parameters)
{
    static const enum seq_parameter uniform[] = {SEQ_W_X, SEQ_OUT_WEIGHT};
    static const enum seq_parameter ones[] = {SEQ_WEIGHT_X, SEQ_WEIGHT_H, SEQ_WEIGHT, SEQ_WEIGHT_C};
    const uint64_t hidden = shape->cell.hidden;
    struct seq_place places[SEQ_PARAMETERS];
    seq_places(shape, places);
    for (size_t i = 0; i < sizeof(uniform) / sizeof(*uniform); i++) {
        const struct seq_place *place = &places[uniform[i]];
        const double limit = 1 / sqrt((double)place->cols);
        ex_fill_uniform(parameters + place->offset, place->rows * place->cols,
                        uniform[i] == SEQ_W_X ? scale * limit : limit, seed, uniform[i]);
    }
    for (size_t i = 0; i < sizeof(ones) / sizeof(*ones); i++) {
        const struct seq_place *place = &places[ones[i]];
        fill_with(parameters + place->offset, place->rows * place->cols, 1);
    }
    for (uint64_t gate = 0; gate < gates(shape); gate++) {
        float *w_h = parameters + places[SEQ_W_H].offset + gate * hidden * hidden;
        if (init == SEQ_ORTHOGONAL)
            fill_orthogonal(w_h, hidden, seed, STREAM_NORMAL + gate);
        for (uint64_t i = 0; init == SEQ_IDENTITY && i < hidden; i++)
            w_h[i * hidden + i] = 1;
    }
    if (shape->cell.cell == CLNORM_LSTM) /* gates are f, i, o, g */
        fill_with(parameters + places[SEQ_BIAS].offset, hidden, 1);
}

/* ---- their fields ---- */

/* In the order of seq_parameter. */
/* clang-format off */
#define EACH_FIELD(FIELD)                                                                          \
    FIELD(w_x) FIELD(w_h) FIELD(weight_x) FIELD(bias_x) FIELD(weight_h) FIELD(bias_h)              \
    FIELD(weight) FIELD(bias) FIELD(weight_c) FIELD(bias_c)
/* clang-format on */
#define FIELD_AND_GRADIENT(name) {&args->name, &args->d##name},

void seq_set_tensors(const struct seq_place places[SEQ_PARAMETERS], cl_mem parameters,
                     cl_mem gradient, clnorm_recurrent_args *args)
{
    clnorm_tensor *const fields[SEQ_CELL_PARAMETERS][2] = {EACH_FIELD(FIELD_AND_GRADIENT)};
    for (int i = 0; i < SEQ_CELL_PARAMETERS; i++)
        if (places[i].rows > 0) {
            *fields[i][0] = ex_tensor(parameters, places[i].offset);
            *fields[i][1] = ex_tensor(gradient, places[i].offset);
        }
}

void seq_set_arrays(const struct seq_place places[SEQ_PARAMETERS], const float *parameters,
                    double *gradient, clnorm_recurrent_host_args *args)
{
    const struct {
        const float **in;
        double **out;
    } fields[SEQ_CELL_PARAMETERS] = {EACH_FIELD(FIELD_AND_GRADIENT)};
    for (int i = 0; i < SEQ_CELL_PARAMETERS; i++)
        if (places[i].rows > 0) {
            *fields[i].in = parameters + places[i].offset;
            *fields[i].out = gradient ? gradient + places[i].offset : NULL;
        }
}
