/* SPDX-License-Identifier: MIT */
/* The code of docs/recurrent.md, as run.sh cuts it out, with buffers around it: y and a gradient
 * must be those of the reference. */
#include <clnorm/clnorm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 3, BATCH = 2, X = 28, H = 128 };

static clnorm_context *context;
static cl_command_queue queue;
static clnorm_error error;
static float values[4 * H * H], got[4 * H * H];
static double wanted_y[STEPS * BATCH * H], wanted_dw_x[4 * H * X];
static const uint64_t steps = STEPS, batch = BATCH;
static cl_mem x, w_x, w_h, y, dy, dw_x;

static cl_mem create_buffer(uint64_t bytes)
{
    return clCreateBuffer(clnorm_context_cl(context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                          (size_t)bytes, values, NULL);
}

/* A library without CLBlast says so. */
static int give_up(clnorm_recurrent *op, const clnorm_error *cause)
{
    clnorm_recurrent_destroy(op);
    puts(cause->text);
    return cause->status == CLNORM_UNSUPPORTED ? 0 : 1;
}

static int differs(const char *name, cl_mem mem, const double *wanted, size_t count)
{
    size_t i;
    clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, count * sizeof(float), got, 0, NULL, NULL);
    for (i = 0; i < count; i++)
        if (!(fabs(got[i] - wanted[i]) <= 1e-4 * (1 + fabs(wanted[i])))) {
            printf("%s[%u] is %g, expected %g\n", name, (unsigned)i, got[i], wanted[i]);
            return 1;
        }
    return 0;
}

static int use(void)
{
#include "recurrent.inc"
    clnorm_recurrent_host_args host = CLNORM_RECURRENT_HOST_ARGS_INIT;
    host.x = host.w_x = host.w_h = host.dy = values;
    host.y = wanted_y;
    host.dw_x = wanted_dw_x;
    if (status != CLNORM_OK ||
        clnorm_recurrent_reference(&desc, CLNORM_BACKWARD, steps, batch, &host, &error))
        return printf("%s\n", error.text), 1;
    status = differs("y", y, wanted_y, STEPS * BATCH * H) ||
             differs("dw_x", dw_x, wanted_dw_x, 4 * H * X);
    clReleaseMemObject(args.saved.buffer);
    clReleaseMemObject(args.workspace.buffer);
    clnorm_recurrent_destroy(op);
    return (int)status;
}

int main(void)
{
    size_t i;
    int code;
    if (clnorm_context_create(NULL, NULL, NULL, &context, &error))
        return printf("%s\n", error.text), 1;
    queue = clCreateCommandQueue(clnorm_context_cl(context),
                                 clnorm_context_device(context)->device_id, 0, NULL);
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        values[i] = ((float)(i * 31 % 17) - 8) / 64;
    x = create_buffer(STEPS * BATCH * X * sizeof(float));
    w_x = create_buffer(4 * H * X * sizeof(float));
    w_h = create_buffer(4 * H * H * sizeof(float));
    y = create_buffer(STEPS * BATCH * H * sizeof(float));
    dy = create_buffer(STEPS * BATCH * H * sizeof(float));
    dw_x = create_buffer(4 * H * X * sizeof(float));
    code = use();
    clReleaseMemObject(x);
    clReleaseMemObject(w_x);
    clReleaseMemObject(w_h);
    clReleaseMemObject(y);
    clReleaseMemObject(dy);
    clReleaseMemObject(dw_x);
    clReleaseCommandQueue(queue);
    clnorm_context_destroy(context);
    return code;
}
