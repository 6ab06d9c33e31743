/* SPDX-License-Identifier: MIT */
/* Layer-normalized recurrent nets (Ba, Kiros and Hinton, 2016, arXiv:1607.06450, section 3.1 and
 * the supplement): whole sequences, forward and backward through time, of f32. Part of clnorm.h,
 * which is to be included instead.
 *
 * Shapes. I = features, H = hidden, G = gates of the cell: 1 (rnn), 4 (lstm), 3 (gru). Everything
 * is row-major without gaps: sequences are [steps, batch, I or H]. Matrices are [outputs, inputs],
 * as PyTorch has them; gates lie one after the other: lstm f, i, o, g (PyTorch: i, f, g, o), gru
 * z, r, n, where z = 1 takes the new state (PyTorch's z is 1 - z).
 *
 * With LN(v; s, b) = (v - mean) * rstd * s + b over the columns of v:
 *
 *   rnn   h' = f(LN(h Wh^T + x Wx^T; weight, bias))
 *   lstm  p = LN(h Wh^T; weight_h, bias_h) + LN(x Wx^T; weight_x, bias_x) + bias
 *         c' = sigmoid(p_f) c + sigmoid(p_i) tanh(p_g)
 *         h' = sigmoid(p_o) tanh(LN(c'; weight_c, bias_c))
 *   gru   u = LN(h Wh^T; weight_h, bias_h), v = LN(x Wx^T; weight_x, bias_x): over z and r
 *         together, and over n
 *         z = sigmoid(u_z + v_z), r = sigmoid(u_r + v_r), h' = (1 - z) h + z tanh(v_n + r u_n)
 *
 * Without norms (norm 0) each LN is left out and `bias` [G * H] added to the sum instead; for gru
 * u_n is multiplied by r before that. */
#ifndef CLNORM_RECURRENT_H
#define CLNORM_RECURRENT_H

typedef enum clnorm_cell { CLNORM_RNN = 0, CLNORM_LSTM, CLNORM_GRU } clnorm_cell;

/* f of an rnn. */
typedef enum clnorm_nonlinearity { CLNORM_TANH = 0, CLNORM_RELU } clnorm_nonlinearity;

typedef struct clnorm_recurrent_desc {
    size_t struct_size;
    clnorm_cell cell;
    clnorm_nonlinearity nonlinearity; /* of an rnn; else 0 */
    uint64_t features, hidden; /* I and H: 1 to 2^20 */
    int norm; /* 1, or 0: the plain cell */
    int norm_gates; /* 1: each gate has statistics of its own; 0: those above */
    double eps; /* 0, or a normal float; inside the root */
} clnorm_recurrent_desc;

/* LN-LSTM with eps 1e-5; features and hidden must be set. */
#define CLNORM_RECURRENT_DESC_INIT                                                                 \
    {                                                                                              \
        sizeof(clnorm_recurrent_desc), CLNORM_LSTM, CLNORM_TANH, 0, 0, 1, 0, 1e-5                  \
    }

/* CLNORM_BAD_DESC with a text that names the field, its value and what is allowed. */
CLNORM_API clnorm_status clnorm_recurrent_desc_check(const clnorm_recurrent_desc *desc,
                                                     clnorm_error *error);

/* Tensors, in the order of all structs below. A cell that has no such tensor needs NULL there.
 *
 *   y                 [steps, batch, H]   h after each step; 0 from a row's length on
 *   h_n, c_n          [batch, H]          state after a row's last step. c: lstm only, as below
 *   x                 [steps, batch, I]   what lies beyond a row's length is not used
 *   h0, c0            [batch, H]          NULL: 0
 *   w_x, w_h          [G * H, I], [G * H, H]
 *   weight_x, bias_x  [G * H]             lstm, gru. A weight that is NULL is 1, a bias 0
 *   weight_h, bias_h  [G * H]             lstm, gru
 *   weight            [H]                 rnn
 *   bias              [G * H]             rnn, lstm; all cells where norm is 0
 *   weight_c, bias_c  [H]                 lstm
 *   dy                [steps, batch, H]   NULL: 0. Not used beyond a row's length
 *   dh_n, dc_n        [batch, H]          NULL: 0
 *   dx ... dbias_c    gradients, of the shape of what they belong to; NULL: not wanted.
 *                     dx is 0 beyond a row's length */
/* clang-format off */
#define CLNORM_RECURRENT_TENSORS(OUT, IN)                        \
    OUT(y) OUT(h_n) OUT(c_n)                                     \
    IN(x) IN(h0) IN(c0) IN(w_x) IN(w_h)                          \
    IN(weight_x) IN(bias_x) IN(weight_h) IN(bias_h)              \
    IN(weight) IN(bias) IN(weight_c) IN(bias_c)                  \
    IN(dy) IN(dh_n) IN(dc_n)                                     \
    OUT(dx) OUT(dh0) OUT(dc0) OUT(dw_x) OUT(dw_h)                \
    OUT(dweight_x) OUT(dbias_x) OUT(dweight_h) OUT(dbias_h)      \
    OUT(dweight) OUT(dbias) OUT(dweight_c) OUT(dbias_c)
/* clang-format on */

/* ---- host reference ------------------------------------------------------------------------ */

#define CLNORM_RECURRENT_OUT_(name) double *name;
#define CLNORM_RECURRENT_IN_(name) const float *name;
typedef struct clnorm_recurrent_host_args {
    size_t struct_size;
    const uint32_t *lengths; /* [batch], each 0 to steps; NULL: all are steps */
    CLNORM_RECURRENT_TENSORS(CLNORM_RECURRENT_OUT_, CLNORM_RECURRENT_IN_)
} clnorm_recurrent_host_args;
#undef CLNORM_RECURRENT_OUT_
#undef CLNORM_RECURRENT_IN_

#define CLNORM_RECURRENT_NO_ARRAY_(name) , NULL
#define CLNORM_RECURRENT_HOST_ARGS_INIT                                                            \
    {                                                                                              \
        sizeof(clnorm_recurrent_host_args),                                                        \
            NULL CLNORM_RECURRENT_TENSORS(CLNORM_RECURRENT_NO_ARRAY_, CLNORM_RECURRENT_NO_ARRAY_)  \
    }

/* The sequence on the host, in the widest floating type that the compiler has; outputs are not
 * rounded to float. Backward goes forward first; y, h_n and c_n may be NULL in either direction.
 * CLNORM_BAD_DESC, CLNORM_BAD_ARGS, CLNORM_OUT_OF_MEMORY: nothing was written. */
CLNORM_API clnorm_status clnorm_recurrent_reference(const clnorm_recurrent_desc *desc,
                                                    clnorm_direction direction, uint64_t steps,
                                                    uint64_t batch,
                                                    const clnorm_recurrent_host_args *args,
                                                    clnorm_error *error);

/* ---- on a device --------------------------------------------------------------------------- */

#ifndef CLNORM_NO_OPENCL

/* An immutable operator; several threads may run it at once. */
typedef struct clnorm_recurrent clnorm_recurrent;

/* Builds the kernels of a step, up to seconds where they are new to the device, and tries them on
 * three rows by the policy of clnorm_context_set_self_test: CLNORM_UNSUPPORTED where those of every
 * form are wrong. Other kernels are built by the first call that needs them. The context must
 * outlive the op. Matrix products are CLBlast's: in a library that was built without it,
 * CLNORM_UNSUPPORTED. CLBlast keeps programs of its own, and with them the cl_context, until
 * clnorm_recurrent_clear_cache. */
CLNORM_API clnorm_status clnorm_recurrent_create(clnorm_context *context,
                                                 const clnorm_recurrent_desc *desc,
                                                 clnorm_recurrent **op, clnorm_error *error);
/* NULL is allowed. */
CLNORM_API void clnorm_recurrent_destroy(clnorm_recurrent *op);
CLNORM_API const clnorm_recurrent_desc *clnorm_recurrent_op_desc(const clnorm_recurrent *op);

/* Bytes that a call needs: `saved` is what forward leaves for backward, the workspaces what either
 * takes while it runs. That of forward is for a call without `saved`; one with it takes 4 bytes for
 * each row of the batch, to a multiple of 64, and none without lengths. NULL: not asked for. */
CLNORM_API clnorm_status clnorm_recurrent_sizes(const clnorm_recurrent *op, uint64_t steps,
                                                uint64_t batch, uint64_t *saved,
                                                uint64_t *forward_workspace,
                                                uint64_t *backward_workspace, clnorm_error *error);

#define CLNORM_RECURRENT_TENSOR_(name) clnorm_tensor name;
typedef struct clnorm_recurrent_args {
    size_t struct_size;
    const uint32_t *lengths; /* as above, in host memory; free again when the call returns */
    CLNORM_RECURRENT_TENSORS(CLNORM_RECURRENT_TENSOR_, CLNORM_RECURRENT_TENSOR_)
    /* Offsets in bytes, multiples of 64. `saved` is written by forward (a buffer of NULL: not
     * wanted), read by backward with the same op, steps, batch, lengths, x, y and parameters. */
    clnorm_tensor saved, workspace;
} clnorm_recurrent_args;
#undef CLNORM_RECURRENT_TENSOR_

#define CLNORM_RECURRENT_NO_TENSOR_(name)                                                          \
    , { 0, 0, 0 }
#define CLNORM_RECURRENT_ARGS_INIT                                                                 \
    {                                                                                              \
        sizeof(clnorm_recurrent_args),                                                             \
            NULL CLNORM_RECURRENT_TENSORS(CLNORM_RECURRENT_NO_TENSOR_,                             \
                                          CLNORM_RECURRENT_NO_TENSOR_)                             \
                CLNORM_RECURRENT_NO_TENSOR_(saved) CLNORM_RECURRENT_NO_TENSOR_(workspace)          \
    }

/* Enqueue a sequence and return: queue, wait list, event and errors as of clnorm_forward, but that
 * no tensor may share memory with an output, outputs must not be CL_MEM_WRITE_ONLY, and some
 * commands may be enqueued already when one fails: outputs are undefined then. CLBlast takes no
 * wait list, so an out-of-order queue gets barriers. y is required, and an input of backward. The
 * first products of a shape compile CLBlast's kernels, which takes seconds:
 * clnorm_recurrent_warm_up shows that as progress. The same call on the same device gives the same
 * bits; those of a row may change with steps and batch, as CLBlast chooses kernels by the size of a
 * product. */
CLNORM_API clnorm_status clnorm_recurrent_forward(const clnorm_recurrent *op,
                                                  cl_command_queue queue, uint64_t steps,
                                                  uint64_t batch, const clnorm_recurrent_args *args,
                                                  cl_uint n_wait, const cl_event *wait_list,
                                                  cl_event *event, clnorm_error *error);
CLNORM_API clnorm_status clnorm_recurrent_backward(const clnorm_recurrent *op,
                                                   cl_command_queue queue, uint64_t steps,
                                                   uint64_t batch,
                                                   const clnorm_recurrent_args *args,
                                                   cl_uint n_wait, const cl_event *wait_list,
                                                   cl_event *event, clnorm_error *error);

/* `done` of `all` products have been run, and `what` is next: "dw_x: [64, 96] x [96, 32]"; "" at
 * the end. Called from the thread that called clnorm_recurrent_warm_up. Return 0 to go on, else the
 * call ends with CLNORM_CANCELLED. */
typedef int (*clnorm_recurrent_progress_fn)(void *user, unsigned done, unsigned all,
                                            const char *what);

/* Run each product of both directions once, so that CLBlast's kernels are there when they are
 * needed, and wait for it. Kernels depend on the shape of a product: steps and batch are those of
 * the calls to come. For as long as it takes there are three buffers, each as large as the largest
 * matrix of its place in the products: those of x, dx, w_x, w_h and gates of all steps. progress
 * may be NULL. */
CLNORM_API clnorm_status clnorm_recurrent_warm_up(const clnorm_recurrent *op,
                                                  cl_command_queue queue, uint64_t steps,
                                                  uint64_t batch,
                                                  clnorm_recurrent_progress_fn progress, void *user,
                                                  clnorm_error *error);

/* Drop all programs that CLBlast has compiled, of the whole process: also those of the
 * application's own calls to CLBlast. Never done otherwise. Not while another thread is in a call
 * of CLBlast's. */
CLNORM_API clnorm_status clnorm_recurrent_clear_cache(clnorm_error *error);

#endif

#endif
