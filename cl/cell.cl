/* SPDX-License-Identifier: MIT */
/* A row of one step of a recurrent cell: include/clnorm/recurrent.h has the formulas.
 *
 *   CELL         0: rnn, 1: lstm, 2: gru
 *   NORM         1: with norms
 *   NORM_GATES   1: each gate has statistics of its own
 *   RELU         1: f of an rnn is max(0, x) and not tanh
 *
 * Matrix products are there already: u is h Wh^T and v is x Wx^T, of GATES * hidden columns each, or
 * u is both in sum where nothing is done to them before (SUMMED). Gates that share statistics are a
 * bundle. */
#ifndef CELL
#define CELL 1
#endif
#ifndef NORM
#define NORM 1
#endif
#ifndef NORM_GATES
#define NORM_GATES 0
#endif
#ifndef RELU
#define RELU 0
#endif

#define GATES (CELL == 1 ? 4 : CELL == 2 ? 3 : 1)
#define SUMMED (CELL == 0 || (CELL == 1 && !NORM))
#define PROJECTIONS (SUMMED ? 1 : 2)
#define BUNDLES (NORM_GATES ? GATES : CELL == 2 ? 2 : 1)
#define BUNDLE_OF(gate) (NORM_GATES ? (gate) : CELL == 2 ? (gate) / 2 : 0)
/* In gates. */
#define BUNDLE_FIRST(k) (NORM_GATES ? (k) : CELL == 2 ? 2 * (k) : 0)
#define BUNDLE_SIZE(k) (NORM_GATES || CELL == 0 ? 1 : CELL == 2 ? 2 - (k) : GATES)

/* Statistics that are saved are a mean and then an rstd for each row of all steps: those of u's
 * bundles, of v's, of c. */
#define STATS_OF_C (PROJECTIONS * BUNDLES)
#define SAVED_MEAN(k) saved[saved_offset + 2 * (k)*rows + row]
#define SAVED_RSTD(k) saved[saved_offset + (2 * (k) + 1) * rows + row]

/* Pointers may be NULL: a weight of 1, a bias of 0. */
typedef struct {
    const global f32 *u, *v, *weight_h, *bias_h, *weight_x, *bias_x, *bias;
    uint hidden;
} cell_row;

#define PARAMETER_ARGS                                                                             \
    const VECTOR(f32, weight_h), const VECTOR(f32, bias_h), const VECTOR(f32, weight_x),           \
        const VECTOR(f32, bias_x), const VECTOR(f32, bias), const VECTOR(f32, weight_c),           \
        const VECTOR(f32, bias_c)
/* Where row `q` of a matrix of the kernel's arguments begins, or NULL. */
#define ROW_OF(name, q, cols) (name ? name + name##_offset + (q) * (ulong)(cols) : 0)
#define FIND_ROW(r)                                                                                \
    const cell_row r = {ROW_OF(u, group, GATES * hidden),                                          \
                        ROW_OF(v, group, GATES * hidden),                                          \
                        ROW_OF(weight_h, 0, 0),                                                    \
                        ROW_OF(bias_h, 0, 0),                                                      \
                        ROW_OF(weight_x, 0, 0),                                                    \
                        ROW_OF(bias_x, 0, 0),                                                      \
                        ROW_OF(bias, 0, 0),                                                        \
                        hidden};

static inline realv take_or_zero(const global f32 *p, uint c, uint n)
{
    return p ? TAKE(f32)(p + c, n) : 0;
}

static inline realv weighted(realv v, const global f32 *weight, uint c, uint n)
{
    return weight ? v * TAKE(f32)(weight + c, n) : v;
}

static inline realv scaled(realv xhat, const global f32 *weight, const global f32 *bias, uint c,
                           uint n)
{
    const realv y = weighted(xhat, weight, c, n);
    return bias ? y + TAKE(f32)(bias + c, n) : y;
}

/* LN of a gate's columns of the projection of h, of x. */
static inline realv gate_of_h(const cell_row *r, const set_stats *stats, uint gate, uint c, uint n)
{
    const uint at = gate * r->hidden + c;
    const realv u = TAKE(f32)(r->u + at, n);
    if (!NORM)
        return u;
    return scaled(normalized(&stats[BUNDLE_OF(gate)], u), r->weight_h, r->bias_h, at, n);
}

static inline realv gate_of_x(const cell_row *r, const set_stats *stats, uint gate, uint c, uint n)
{
    const uint at = gate * r->hidden + c;
    const realv v = TAKE(f32)(r->v + at, n);
    if (!NORM)
        return v;
    return scaled(normalized(&stats[BUNDLES + BUNDLE_OF(gate)], v), r->weight_x, r->bias_x, at, n);
}

static inline realv bias_of(const cell_row *r, uint gate, uint c, uint n)
{
    return take_or_zero(r->bias, gate * r->hidden + c, n);
}

/* Their sum: what goes into f, sigmoid or tanh. */
static inline realv gate_of(const cell_row *r, const set_stats *stats, uint gate, uint c, uint n)
{
    const realv p = gate_of_h(r, stats, gate, c, n);
    return (SUMMED ? p : p + gate_of_x(r, stats, gate, c, n)) + bias_of(r, gate, c, n);
}

/* That of a gru's candidate. */
static inline realv candidate_of(const cell_row *r, const set_stats *stats, realv reset, realv l,
                                 uint c, uint n)
{
    return gate_of_x(r, stats, 2, c, n) + reset * l + bias_of(r, 2, c, n);
}
