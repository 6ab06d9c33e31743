/* SPDX-License-Identifier: MIT */
/* The formulas of recurrent.h and their derivatives. */
#include "reference/recurrent_parts.h"

#define FOR_HIDDEN(i) for (size_t i = 0; i < s->hidden; i++)

/* ---- rnn ----------------------------------------------------------------------------------- */

static void rnn_forward(clnorm_recurrent_step *s)
{
    FOR_HIDDEN(i)
    s->gate[i] = number_add(s->u[i], s->v[i]);
    clnorm_recurrent_norm_forward(&s->norms[NORM_SUM], s->hidden, s->gate, s->gate);
    FOR_HIDDEN(i)
    s->h_next[i] =
        s->nonlinearity == CLNORM_RELU ? number_relu(s->gate[i]) : number_tanh(s->gate[i]);
}

static void rnn_backward(clnorm_recurrent_step *s)
{
    FOR_HIDDEN(i)
    {
        const clnorm_number slope = s->nonlinearity == CLNORM_RELU
                                        ? number_relu_slope(s->gate[i])
                                        : number_tanh_slope(s->h_next[i]);
        s->du[i] = number_mul(s->dh[i], slope);
        s->dh[i] = number_exact(0);
    }
    clnorm_recurrent_norm_backward(&s->norms[NORM_SUM], s->hidden, s->du, s->du);
    FOR_HIDDEN(i)
    s->dv[i] = s->du[i];
}

/* ---- lstm ---------------------------------------------------------------------------------- */

enum { LSTM_F, LSTM_I, LSTM_O, LSTM_G };

static void lstm_forward(clnorm_recurrent_step *s)
{
    const size_t n = s->hidden;
    for (size_t i = 0; i < s->gates; i++) {
        const clnorm_number p = number_add(s->u[i], s->v[i]);
        s->gate[i] = i < LSTM_G * n ? number_sigmoid(p) : number_tanh(p);
    }
    const clnorm_number *const f = s->gate, *const in = f + LSTM_I * n, *const g = f + LSTM_G * n;
    FOR_HIDDEN(i)
    s->c_next[i] = number_add(number_mul(f[i], s->c[i]), number_mul(in[i], g[i]));
    clnorm_recurrent_norm_forward(&s->norms[NORM_C], n, s->c_next, s->q);
    FOR_HIDDEN(i)
    {
        s->q[i] = number_tanh(s->q[i]);
        s->h_next[i] = number_mul(s->gate[LSTM_O * n + i], s->q[i]);
    }
}

/* dp = d * slope for the gates, and what is left for c. */
static void lstm_gates_backward(clnorm_recurrent_step *s)
{
    const size_t n = s->hidden;
    FOR_HIDDEN(i)
    {
        const clnorm_number f = s->gate[i], in = s->gate[LSTM_I * n + i],
                            o = s->gate[LSTM_O * n + i], g = s->gate[LSTM_G * n + i];
        s->du[i] = number_mul(number_mul(s->dc[i], s->c[i]), number_sigmoid_slope(f));
        s->du[LSTM_I * n + i] = number_mul(number_mul(s->dc[i], g), number_sigmoid_slope(in));
        s->du[LSTM_O * n + i] = number_mul(number_mul(s->dh[i], s->q[i]), number_sigmoid_slope(o));
        s->du[LSTM_G * n + i] = number_mul(number_mul(s->dc[i], in), number_tanh_slope(g));
        s->dc[i] = number_mul(s->dc[i], f);
        s->dh[i] = number_exact(0);
    }
}

static void lstm_backward(clnorm_recurrent_step *s)
{
    clnorm_number *const dq = s->dv; /* not in use yet */
    FOR_HIDDEN(i)
    dq[i] = number_mul(number_mul(s->dh[i], s->gate[LSTM_O * s->hidden + i]),
                       number_tanh_slope(s->q[i]));
    clnorm_recurrent_norm_backward(&s->norms[NORM_C], s->hidden, dq, dq);
    FOR_HIDDEN(i)
    s->dc[i] = number_add(s->dc[i], dq[i]);
    lstm_gates_backward(s);
    for (size_t i = 0; i < s->gates; i++)
        s->dv[i] = s->du[i];
}

/* ---- gru ----------------------------------------------------------------------------------- */

enum { GRU_Z, GRU_R, GRU_N };

static void gru_forward(clnorm_recurrent_step *s)
{
    const size_t n = s->hidden;
    for (size_t i = 0; i < GRU_N * n; i++)
        s->gate[i] = number_sigmoid(number_add(s->u[i], s->v[i]));
    FOR_HIDDEN(i)
    {
        const size_t at = GRU_N * n + i;
        const clnorm_number z = s->gate[i], r = s->gate[GRU_R * n + i];
        s->gate[at] = number_tanh(number_add(s->v[at], number_mul(r, s->u[at])));
        const clnorm_number old = number_mul(number_sub(number_exact(1), z), s->h[i]);
        s->h_next[i] = number_add(old, number_mul(z, s->gate[at]));
    }
}

static void gru_backward(clnorm_recurrent_step *s)
{
    const size_t n = s->hidden;
    FOR_HIDDEN(i)
    {
        const size_t r_at = GRU_R * n + i, n_at = GRU_N * n + i;
        const clnorm_number z = s->gate[i], r = s->gate[r_at], state = s->gate[n_at];
        const clnorm_number dk = number_mul(number_mul(s->dh[i], z), number_tanh_slope(state));
        s->du[i] = s->dv[i] =
            number_mul(number_mul(s->dh[i], number_sub(state, s->h[i])), number_sigmoid_slope(z));
        s->du[r_at] = s->dv[r_at] = number_mul(number_mul(dk, s->u[n_at]), number_sigmoid_slope(r));
        s->dv[n_at] = dk;
        s->du[n_at] = number_mul(dk, r);
        s->dh[i] = number_mul(s->dh[i], number_sub(number_exact(1), z));
    }
}

const clnorm_recurrent_cell clnorm_recurrent_cells[] = {
    [CLNORM_RNN] = {rnn_forward, rnn_backward},
    [CLNORM_LSTM] = {lstm_forward, lstm_backward},
    [CLNORM_GRU] = {gru_forward, gru_backward},
};
