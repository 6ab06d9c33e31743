/* SPDX-License-Identifier: MIT */
/* What a transformer block has besides norms and matrix products. A tensor is a buffer and the
 * element of it that it begins at. */

#define ROOT_OF_HALF 0.70710678118654752f
#define BELL_AT_0 0.39894228040143268f /* 1 / sqrt(2 pi) */

/* ---- attention: a work-item has a row ---- */

/* p = exp(p - largest) / sum of that */
kernel void softmax(global float *p, uint p_at, uint rows, uint cols)
{
    if (get_global_id(0) >= rows)
        return;
    p += p_at + get_global_id(0) * cols;
    float largest = -INFINITY, sum = 0;
    for (uint c = 0; c < cols; c++)
        largest = fmax(largest, p[c]);
    for (uint c = 0; c < cols; c++) {
        p[c] = exp(p[c] - largest);
        sum += p[c];
    }
    for (uint c = 0; c < cols; c++)
        p[c] /= sum;
}

/* The gradient of what softmax got, in the place of dp, that of what it gave. */
kernel void softmax_gradient(global const float *p, uint p_at, global float *dp, uint dp_at,
                             uint rows, uint cols)
{
    if (get_global_id(0) >= rows)
        return;
    p += p_at + get_global_id(0) * cols;
    dp += dp_at + get_global_id(0) * cols;
    float dot = 0;
    for (uint c = 0; c < cols; c++)
        dot += p[c] * dp[c];
    for (uint c = 0; c < cols; c++)
        dp[c] = p[c] * (dp[c] - dot);
}

/* ---- MLP: a work-item has an element ---- */

/* The normal distribution's share below h. */
float normal_below(float h) { return 0.5f * (1 + erf(h * ROOT_OF_HALF)); }

/* y = GELU(h), without the approximation by tanh: arXiv:1606.08415 */
kernel void gelu(global const float *h, uint h_at, global float *y, uint y_at, uint n)
{
    const size_t i = get_global_id(0);
    if (i < n)
        y[y_at + i] = h[h_at + i] * normal_below(h[h_at + i]);
}

/* The gradient of h, in the place of dy, that of GELU(h). */
kernel void gelu_gradient(global const float *h, uint h_at, global float *dy, uint dy_at, uint n)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const float h_i = h[h_at + i];
    dy[dy_at + i] *= normal_below(h_i) + h_i * BELL_AT_0 * exp(-0.5f * h_i * h_i);
}
