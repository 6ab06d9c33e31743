/* SPDX-License-Identifier: MIT */
/* A recurrent net in floats, as a plain device would do it, and ways of getting it wrong. */
#ifndef CLNORM_TESTS_RECURRENT_FLOAT_H
#define CLNORM_TESTS_RECURRENT_FLOAT_H

#include "recurrent_net.h"

typedef enum {
    NO_MISTAKE,
    ONE_PASS_VARIANCE, /* E[x^2] - E[x]^2 */
    NO_MEAN_OF_GRADIENT, /* dx lacks <h> */
    NO_SPREAD_OF_GRADIENT, /* dx lacks hat <h hat> */
    STATE_NOT_CARRIED_BACK, /* dh of the step after is left out */
    CELL_NOT_CARRIED_BACK, /* lstm: dc of the step after */
    DIRECT_PATH_LEFT_OUT, /* gru: dh (1 - z) */
    LATE_STATE, /* dw_h takes h after the step */
    RESET_FORGOTTEN, /* gru: dr lacks u_n */
    LAST_STEP_NOT_SUMMED, /* in the gradients of parameters */
    MISTAKES
} mistake;

enum { FLOAT_MOST = 256 }; /* G * H, I */

typedef struct {
    float hat[FLOAT_MOST], rstd[4];
} float_norm;

typedef struct {
    const net *n;
    mistake wrong;
    float *got[RECURRENT_COUNT]; /* y, h_n, c_n and gradients */
    size_t features, hidden, gates;
    uint64_t row;
    float *states, *cells; /* [steps + 1, H] */
    /* of a step */
    float_norm x, h, sum, c;
    float u[FLOAT_MOST], v[FLOAT_MOST], gate[FLOAT_MOST], q[FLOAT_MOST];
    float dh[FLOAT_MOST], dc[FLOAT_MOST], du[FLOAT_MOST], dv[FLOAT_MOST];
} float_net;

/* ---- norms --------------------------------------------------------------------------------- */

static inline float float_statistics(const float_net *f, const float *a, size_t n, float *mean)
{
    const float eps = (float)f->n->desc.eps, shift = f->wrong == ONE_PASS_VARIANCE ? 0 : a[0];
    float sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] - shift;
        squares += (a[i] - shift) * (a[i] - shift);
    }
    const float lo = sum / (float)n, variance = (squares - sum * lo) / (float)n;
    *mean = shift + lo;
    return 1 / sqrtf((variance < 0 ? 0 : variance) + eps);
}

static inline void float_norm_one(const float_net *f, const float *a, size_t n, float *hat,
                                  float *rstd)
{
    float mean, sum = 0;
    *rstd = float_statistics(f, a, n, &mean);
    for (size_t i = 0; i < n; i++)
        sum += a[i] - mean;
    const float lo = sum / (float)n;
    for (size_t i = 0; i < n; i++)
        hat[i] = ((a[i] - mean) - lo) * *rstd;
}

static inline void float_norm_back(const float_net *f, const float *h, size_t n, const float *hat,
                                   float rstd, float *dx)
{
    float mean = 0, spread = 0;
    for (size_t i = 0; i < n; i++) {
        mean += h[i] / (float)n;
        spread += h[i] * hat[i] / (float)n;
    }
    mean = f->wrong == NO_MEAN_OF_GRADIENT ? 0 : mean;
    spread = f->wrong == NO_SPREAD_OF_GRADIENT ? 0 : spread;
    for (size_t i = 0; i < n; i++)
        dx[i] = rstd * (h[i] - mean - hat[i] * spread);
}

/* Sizes of the sets of a norm of n columns, which end with 0. */
static inline void float_sets(const float_net *f, size_t n, size_t sizes[5])
{
    const size_t h = f->hidden, gru = f->n->desc.cell == CLNORM_GRU && n > h;
    const size_t first = f->n->desc.norm_gates && n > h ? h : gru ? 2 * h : n;
    size_t done = 0;
    for (size_t k = 0; done < n; done += sizes[k++]) {
        sizes[k] = k == 0 ? first : h;
        sizes[k + 1] = 0;
    }
}

static inline void float_forward_norm(const float_net *f, float_norm *norm, size_t n, int weight,
                                      int bias, float *a)
{
    size_t sizes[5] = {0}, at = 0;
    if (!f->n->desc.norm)
        return;
    float_sets(f, n, sizes);
    for (size_t k = 0; sizes[k]; at += sizes[k++])
        float_norm_one(f, a + at, sizes[k], norm->hat + at, &norm->rstd[k]);
    const float *const w = f->n->in[weight], *const b = f->n->in[bias];
    for (size_t i = 0; i < n; i++)
        a[i] = norm->hat[i] * (w ? w[i] : 1) + (b ? b[i] : 0);
}

static inline void float_backward_norm(const float_net *f, const float_norm *norm, size_t n,
                                       int weight, int dweight, int dbias, float *d, bool summed)
{
    size_t sizes[5] = {0}, at = 0;
    if (!f->n->desc.norm)
        return;
    float_sets(f, n, sizes);
    const float *const w = f->n->in[weight];
    for (size_t i = 0; i < n; i++) {
        if (f->got[dweight] && summed)
            f->got[dweight][i] += d[i] * norm->hat[i];
        if (f->got[dbias] && summed)
            f->got[dbias][i] += d[i];
        d[i] *= w ? w[i] : 1;
    }
    for (size_t k = 0; sizes[k]; at += sizes[k++])
        float_norm_back(f, d + at, sizes[k], norm->hat + at, norm->rstd[k], d + at);
}

/* ---- a step -------------------------------------------------------------------------------- */

static inline float float_sigmoid(float a) { return 1 / (1 + expf(-a)); }

static inline void float_product(const float *w, size_t rows, size_t cols, const float *in,
                                 float *out)
{
    for (size_t i = 0; i < rows; i++) {
        out[i] = 0;
        for (size_t j = 0; j < cols; j++)
            out[i] += w[i * cols + j] * in[j];
    }
}

static inline void float_cell(float_net *f, const float *h, const float *c, float *h_next,
                              float *c_next)
{
    const size_t n = f->hidden;
    const clnorm_cell cell = f->n->desc.cell;
    float *const g = f->gate;
    for (size_t i = 0; i < f->gates; i++)
        g[i] = f->u[i] + f->v[i];
    if (cell == CLNORM_RNN)
        float_forward_norm(f, &f->sum, n, RECURRENT_weight, RECURRENT_bias, g);
    for (size_t i = 0; i < n; i++) {
        if (cell == CLNORM_RNN)
            h_next[i] = f->n->desc.nonlinearity == CLNORM_RELU ? fmaxf(g[i], 0) : tanhf(g[i]);
        for (size_t k = 0; cell != CLNORM_RNN && k < (cell == CLNORM_GRU ? 2 : 3); k++)
            g[k * n + i] = float_sigmoid(g[k * n + i]);
        if (cell == CLNORM_GRU) {
            g[2 * n + i] = tanhf(f->v[2 * n + i] + g[n + i] * f->u[2 * n + i]);
            h_next[i] = h[i] + g[i] * (g[2 * n + i] - h[i]);
        } else if (cell == CLNORM_LSTM) {
            g[3 * n + i] = tanhf(g[3 * n + i]);
            f->q[i] = c_next[i] = g[i] * c[i] + g[n + i] * g[3 * n + i];
        }
    }
    if (cell != CLNORM_LSTM)
        return;
    float_forward_norm(f, &f->c, n, RECURRENT_weight_c, RECURRENT_bias_c, f->q);
    for (size_t i = 0; i < n; i++) {
        f->q[i] = tanhf(f->q[i]);
        h_next[i] = g[2 * n + i] * f->q[i];
    }
}

static inline void float_step(float_net *f, uint64_t t, float *h_next, float *c_next)
{
    const net *n = f->n;
    const float *const x = n->in[RECURRENT_x] + (t * n->batch + f->row) * f->features;
    const float *const h = f->states + t * f->hidden, *const c = f->cells + t * f->hidden;
    const bool in_norm = n->desc.cell == CLNORM_RNN && n->desc.norm;
    float_product(n->in[RECURRENT_w_x], f->gates, f->features, x, f->v);
    float_product(n->in[RECURRENT_w_h], f->gates, f->hidden, h, f->u);
    if (n->desc.cell != CLNORM_RNN) {
        float_forward_norm(f, &f->x, f->gates, RECURRENT_weight_x, RECURRENT_bias_x, f->v);
        float_forward_norm(f, &f->h, f->gates, RECURRENT_weight_h, RECURRENT_bias_h, f->u);
    }
    for (size_t i = 0; !in_norm && n->in[RECURRENT_bias] && i < f->gates; i++)
        f->v[i] += n->in[RECURRENT_bias][i];
    float_cell(f, h, c, h_next, c_next);
}

/* ---- a step back --------------------------------------------------------------------------- */

static inline void float_rnn_back(float_net *f, const float *h_next, bool summed)
{
    for (size_t i = 0; i < f->hidden; i++) {
        const bool relu = f->n->desc.nonlinearity == CLNORM_RELU;
        f->du[i] = f->dh[i] * (relu ? f->gate[i] > 0 : 1 - h_next[i] * h_next[i]);
        f->dh[i] = 0;
    }
    float_backward_norm(f, &f->sum, f->hidden, RECURRENT_weight, RECURRENT_dweight, RECURRENT_dbias,
                        f->du, summed);
    memcpy(f->dv, f->du, sizeof(f->dv));
}

static inline void float_lstm_back(float_net *f, const float *c, bool summed)
{
    const size_t n = f->hidden;
    float *const g = f->gate, dq[FLOAT_MOST];
    for (size_t i = 0; i < n; i++)
        dq[i] = f->dh[i] * g[2 * n + i] * (1 - f->q[i] * f->q[i]);
    float_backward_norm(f, &f->c, n, RECURRENT_weight_c, RECURRENT_dweight_c, RECURRENT_dbias_c, dq,
                        summed);
    for (size_t i = 0; i < n; i++) {
        const float dc = (f->wrong == CELL_NOT_CARRIED_BACK ? 0 : f->dc[i]) + dq[i];
        const float forget = g[i], in = g[n + i], out = g[2 * n + i], new = g[3 * n + i];
        f->du[i] = dc * c[i] * forget * (1 - forget);
        f->du[n + i] = dc * new *in *(1 - in);
        f->du[2 * n + i] = f->dh[i] * f->q[i] * out * (1 - out);
        f->du[3 * n + i] = dc * in * (1 - new *new);
        f->dc[i] = dc * forget;
        f->dh[i] = 0;
    }
    memcpy(f->dv, f->du, sizeof(f->dv));
}

static inline void float_gru_back(float_net *f, const float *h)
{
    const size_t n = f->hidden;
    for (size_t i = 0; i < n; i++) {
        const float z = f->gate[i], r = f->gate[n + i], new = f->gate[2 * n + i];
        const float dk = f->dh[i] * z * (1 - new *new);
        const float u = f->wrong == RESET_FORGOTTEN ? 1 : f->u[2 * n + i];
        f->du[i] = f->dv[i] = f->dh[i] * (new - h[i]) * z * (1 - z);
        f->du[n + i] = f->dv[n + i] = dk * u * r * (1 - r);
        f->dv[2 * n + i] = dk;
        f->du[2 * n + i] = dk * r;
        f->dh[i] = f->wrong == DIRECT_PATH_LEFT_OUT ? 0 : f->dh[i] * (1 - z);
    }
}

static inline void float_cell_back(float_net *f, const float *h, const float *c,
                                   const float *h_next, bool summed)
{
    if (f->n->desc.cell == CLNORM_RNN)
        float_rnn_back(f, h_next, summed);
    else if (f->n->desc.cell == CLNORM_LSTM)
        float_lstm_back(f, c, summed);
    else
        float_gru_back(f, h);
}

static inline void float_product_back(const float *w, size_t rows, size_t cols, const float *d,
                                      float *out)
{
    for (size_t j = 0; j < cols; j++) {
        float sum = 0;
        for (size_t i = 0; i < rows; i++)
            sum += d[i] * w[i * cols + j];
        out[j] += sum;
    }
}

static inline void float_outer(float *sums, size_t rows, size_t cols, const float *d,
                               const float *in)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            sums[i * cols + j] += d[i] * in[j];
}

static inline void float_step_back(float_net *f, uint64_t t)
{
    const net *n = f->n;
    const uint64_t at = t * n->batch + f->row;
    const bool in_norm = n->desc.cell == CLNORM_RNN && n->desc.norm;
    const bool summed = f->wrong != LAST_STEP_NOT_SUMMED || t + 1 < n->steps;
    float h_next[FLOAT_MOST], c_next[FLOAT_MOST];
    const float *const h = f->states + t * f->hidden, *const c = f->cells + t * f->hidden;
    float_step(f, t, h_next, c_next);
    for (size_t i = 0; i < f->hidden; i++) {
        f->dh[i] = f->wrong == STATE_NOT_CARRIED_BACK ? 0 : f->dh[i];
        f->dh[i] += n->in[RECURRENT_dy] ? n->in[RECURRENT_dy][at * f->hidden + i] : 0;
    }
    float_cell_back(f, h, c, h_next, summed);
    for (size_t i = 0; !in_norm && summed && f->got[RECURRENT_dbias] && i < f->gates; i++)
        f->got[RECURRENT_dbias][i] += f->dv[i];
    if (n->desc.cell != CLNORM_RNN) {
        float_backward_norm(f, &f->x, f->gates, RECURRENT_weight_x, RECURRENT_dweight_x,
                            RECURRENT_dbias_x, f->dv, summed);
        float_backward_norm(f, &f->h, f->gates, RECURRENT_weight_h, RECURRENT_dweight_h,
                            RECURRENT_dbias_h, f->du, summed);
    }
    if (summed) {
        float_outer(f->got[RECURRENT_dw_x], f->gates, f->features, f->dv,
                    n->in[RECURRENT_x] + at * f->features);
        float_outer(f->got[RECURRENT_dw_h], f->gates, f->hidden, f->du,
                    f->wrong == LATE_STATE ? h_next : h);
    }
    float_product_back(n->in[RECURRENT_w_x], f->gates, f->features, f->dv,
                       f->got[RECURRENT_dx] + at * f->features);
    float_product_back(n->in[RECURRENT_w_h], f->gates, f->hidden, f->du, f->dh);
}

/* ---- sequences ----------------------------------------------------------------------------- */

static inline void float_copy(float *to, uint64_t row, const float *from, size_t n)
{
    if (to)
        memcpy(to + row * n, from, n * sizeof(float));
}

static inline void float_state(float *to, const float *from, uint64_t row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from ? from[row * n + i] : 0;
}

static inline void float_row(float_net *f)
{
    const net *n = f->n;
    const size_t hidden = f->hidden;
    const uint64_t length = n->lengths ? n->lengths[f->row] : n->steps;
    float_state(f->states, n->in[RECURRENT_h0], f->row, hidden);
    float_state(f->cells, n->in[RECURRENT_c0], f->row, hidden);
    for (uint64_t t = 0; t < length; t++) {
        float *const h = f->states + (t + 1) * hidden;
        float_step(f, t, h, f->cells + (t + 1) * hidden);
        float_copy(f->got[RECURRENT_y], t * n->batch + f->row, h, hidden);
    }
    float_copy(f->got[RECURRENT_h_n], f->row, f->states + length * hidden, hidden);
    float_copy(f->got[RECURRENT_c_n], f->row, f->cells + length * hidden, hidden);
    float_state(f->dh, n->in[RECURRENT_dh_n], f->row, hidden);
    float_state(f->dc, n->in[RECURRENT_dc_n], f->row, hidden);
    for (uint64_t t = length; t-- > 0;)
        float_step_back(f, t);
    float_copy(f->got[RECURRENT_dh0], f->row, f->dh, hidden);
    float_copy(f->got[RECURRENT_dc0], f->row, f->dc, hidden);
}

/* All of its outputs, freed with float_net_free. */
static inline float_net float_net_run(const net *n, mistake wrong)
{
    float_net f = {.n = n,
                   .wrong = wrong,
                   .features = (size_t)n->desc.features,
                   .hidden = (size_t)n->desc.hidden};
    f.gates = clnorm_recurrent_gates(n->desc.cell) * f.hidden;
    assert_true(f.gates <= FLOAT_MOST && f.features <= FLOAT_MOST);
    f.states = calloc((n->steps + 1) * f.hidden, sizeof(float));
    f.cells = calloc((n->steps + 1) * f.hidden, sizeof(float));
    assert_true(f.states && f.cells);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (n->out[id]) {
            f.got[id] = calloc(net_count(n, id), sizeof(float));
            assert_non_null(f.got[id]);
        }
    for (; f.row < n->batch; f.row++)
        float_row(&f);
    return f;
}

static inline void float_net_free(float_net *f)
{
    for (int id = 0; id < RECURRENT_COUNT; id++)
        free(f->got[id]);
    free(f->states);
    free(f->cells);
}

#endif
