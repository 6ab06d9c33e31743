/* SPDX-License-Identifier: MIT */
#include "reference/recurrent_parts.h"

/* ---- products ------------------------------------------------------------------------------ */

/* Errors of many terms are of both signs: they add up as their squares do. */
void clnorm_recurrent_product(const float *w, size_t rows, size_t cols, const clnorm_number *in,
                              clnorm_number *out)
{
    const double rounding = NUMBER_UNIT * number_chain((double)cols);
    for (size_t i = 0; i < rows; i++, w += cols) {
        long double value = 0;
        double size = 0, squares = 0;
        for (size_t j = 0; j < cols; j++) {
            const double error = w[j] * in[j].error;
            value += w[j] * in[j].value;
            size += fabs(w[j] * (double)in[j].value);
            squares += error * error;
        }
        out[i] = (clnorm_number){value, sqrt(squares) + rounding * size + NUMBER_FLOOR};
    }
}

void clnorm_recurrent_product_back(const float *w, size_t rows, size_t cols,
                                   const clnorm_number *in, clnorm_number *out)
{
    const double rounding = NUMBER_UNIT * number_chain((double)rows);
    for (size_t j = 0; j < cols; j++) {
        long double value = 0;
        double size = 0, squares = 0;
        for (size_t i = 0; i < rows; i++) {
            const float weight = w[i * cols + j];
            const double error = weight * in[i].error;
            value += weight * in[i].value;
            size += fabs(weight * (double)in[i].value);
            squares += error * error;
        }
        const clnorm_number sum = {value, sqrt(squares) + rounding * size + NUMBER_FLOOR};
        out[j] = number_add(out[j], sum);
    }
}

/* ---- one set of a norm --------------------------------------------------------------------- */

typedef struct {
    size_t n;
    const clnorm_number *in;
    clnorm_number *hat;
} set;

/* Longest chain of additions in a device's sum over a set: blocks of 64, folds, lanes and a tree.
 */
static double depth_of(size_t n) { return fmin((double)n, 64) + 16; }

/* Values of hat; gives rstd. The first number is a shift: what is left of a large mean is small. */
static long double normalize(const set *s, double eps, double *spread)
{
    const long double n = (long double)s->n, shift = s->in[0].value;
    long double sum = 0, squares = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += s->in[i].value - shift;
    for (size_t i = 0; i < s->n; i++) {
        s->hat[i].value = s->in[i].value - shift - sum / n;
        squares += s->hat[i].value * s->hat[i].value;
    }
    const long double deviation = sqrtl(squares / n), rstd = 1 / sqrtl(squares / n + eps);
    for (size_t i = 0; i < s->n; i++)
        s->hat[i].value *= rstd;
    *spread = (double)(deviation * rstd);
    return rstd;
}

/* Errors of hat and of rstd: those of `in`, and the device's own. */
static clnorm_number find_errors(const set *s, long double rstd, double spread)
{
    const double n = (double)s->n, r = (double)rstd;
    const double units = (10 + depth_of(s->n) / 2) * NUMBER_UNIT;
    double errors = 0, turned = 0;
    for (size_t i = 0; i < s->n; i++) {
        errors += s->in[i].error;
        turned += s->in[i].error * number_size(s->hat[i]) / n;
    }
    for (size_t i = 0; i < s->n; i++) {
        const double own = s->in[i].error, size = number_size(s->hat[i]);
        const double moved = own * (1 - 1 / n) + (errors - own) / n + size * turned;
        s->hat[i].error = r * moved + units * (spread + size) + NUMBER_FLOOR * (1 + r);
    }
    return (clnorm_number){rstd, r * (r * turned + units)};
}

void clnorm_recurrent_norm_forward(clnorm_recurrent_norm *norm, size_t n, const clnorm_number *in,
                                   clnorm_number *out)
{
    size_t first = 0;
    for (unsigned k = 0; norm->n > 0 && k < norm->sets; first += norm->size[k++]) {
        const set s = {norm->size[k], in + first, norm->hat + first};
        const long double rstd = normalize(&s, norm->eps, &norm->spread[k]);
        norm->rstd[k] = find_errors(&s, rstd, norm->spread[k]);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = norm->n > 0 ? norm->hat[i] : in[i];
        if (norm->weight)
            out[i] = number_mul(out[i], number_exact(norm->weight[i]));
        if (norm->bias)
            out[i] = number_add(out[i], number_exact(norm->bias[i]));
    }
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* Averages over a set: of h, h hat; of sizes; of errors, and of their squares. */
typedef struct {
    long double h, hx;
    double size, hx_size, moved, squares, hx_squares;
} averages;

static averages average(const set *s)
{
    const double n = (double)s->n;
    averages a = {0};
    for (size_t i = 0; i < s->n; i++) {
        const clnorm_number h = s->in[i], hat = s->hat[i];
        const double size = number_size(h), hat_size = number_size(hat);
        a.h += h.value / n;
        a.hx += h.value * hat.value / n;
        a.size += size / n;
        a.hx_size += size * hat_size / n;
        a.moved += size * hat.error / n;
        a.squares += h.error * h.error / (n * n);
        a.hx_squares += h.error * hat_size * h.error * hat_size / (n * n);
    }
    return a;
}

/* dx = r (h - <h> - hat <h hat>): errors of h, of hat, of rstd, and the device's own. */
static void differentiate(const set *s, clnorm_number rstd, double spread, clnorm_number *dx)
{
    const averages a = average(s);
    const double r = (double)rstd.value, units = (12 + depth_of(s->n)) * NUMBER_UNIT;
    for (size_t i = 0; i < s->n; i++) {
        const clnorm_number h = s->in[i], hat = s->hat[i];
        const double size = number_size(hat);
        const long double inner = h.value - a.h - hat.value * a.hx;
        const double of_h = sqrt(h.error * h.error + a.squares + size * size * a.hx_squares);
        const double of_hat = hat.error * fabs((double)a.hx) + size * a.moved;
        const double grown =
            number_size(h) + a.size * (1 + spread * size) + (spread + size) * a.hx_size;
        dx[i].value = rstd.value * inner;
        dx[i].error = rstd.error * fabs((double)inner) + r * (of_h + of_hat + units * grown) +
                      NUMBER_FLOOR * (1 + r);
    }
}

static void add_gradients(const clnorm_recurrent_norm *norm, const clnorm_number *d)
{
    for (size_t i = 0; norm->dweight && i < norm->n; i++)
        clnorm_recurrent_sum(&norm->dweight[i], d[i], norm->hat[i], norm->rounding);
    for (size_t i = 0; norm->dbias && i < norm->n; i++)
        clnorm_recurrent_sum(&norm->dbias[i], d[i], number_exact(1), norm->rounding);
}

void clnorm_recurrent_norm_backward(clnorm_recurrent_norm *norm, size_t n, const clnorm_number *d,
                                    clnorm_number *dx)
{
    size_t first = 0;
    add_gradients(norm, d);
    for (size_t i = 0; i < n; i++)
        dx[i] = norm->weight ? number_mul(d[i], number_exact(norm->weight[i])) : d[i];
    for (unsigned k = 0; norm->n > 0 && k < norm->sets; first += norm->size[k++]) {
        const set s = {norm->size[k], dx + first, norm->hat + first};
        differentiate(&s, norm->rstd[k], norm->spread[k], dx + first);
    }
}
