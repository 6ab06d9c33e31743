/* SPDX-License-Identifier: MIT */
/* An application outside of the tree: its own context, queue and buffers, and one chain of events
 * from the upload through clnorm_forward to the download. */
#include <clnorm/clnorm.h>

#include <math.h>
#include <stdio.h>

enum { ROWS = 7, COLS = 100 };
static float x[ROWS * COLS], y[ROWS * COLS];
static double expected[ROWS * COLS];

static int failed(const char *what, int code, const char *text)
{
    fprintf(stderr, "%s: %d %s\n", what, code, text);
    return 1;
}

static int compare(const clnorm_desc *desc)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_error error;
    args.x.data = x;
    args.y.data = expected;
    if (clnorm_reference(desc, CLNORM_FORWARD, ROWS, &args, &error))
        return failed("reference", error.status, error.text);
    for (int i = 0; i < ROWS * COLS; i++)
        if (!(fabs(y[i] - expected[i]) <= 2e-6 * (1 + fabs(expected[i])))) {
            fprintf(stderr, "y[%d] = %.9g, expected %.9g\n", i, y[i], expected[i]);
            return 1;
        }
    return 0;
}

static int normalize(cl_context cl, cl_command_queue queue, const clnorm_op *op)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    clnorm_error error;
    cl_event uploaded, normalized;
    cl_int code;

    args.x.buffer = clCreateBuffer(cl, CL_MEM_READ_ONLY, sizeof x, NULL, &code);
    args.y.buffer = clCreateBuffer(cl, CL_MEM_WRITE_ONLY, sizeof y, NULL, &code);
    code = clEnqueueWriteBuffer(queue, args.x.buffer, CL_FALSE, 0, sizeof x, x, 0, NULL, &uploaded);
    if (code != CL_SUCCESS)
        return failed("clEnqueueWriteBuffer", code, "");
    if (clnorm_forward(op, queue, ROWS, &args, 1, &uploaded, &normalized, &error) != CLNORM_OK)
        return failed("clnorm_forward", error.status, error.text);
    code = clEnqueueReadBuffer(queue, args.y.buffer, CL_TRUE, 0, sizeof y, y, 1, &normalized, NULL);
    clReleaseEvent(uploaded);
    clReleaseEvent(normalized);
    clReleaseMemObject(args.x.buffer);
    clReleaseMemObject(args.y.buffer);
    return code == CL_SUCCESS ? 0 : failed("clEnqueueReadBuffer", code, "");
}

int main(void)
{
    cl_platform_id platform;
    cl_device_id device;
    cl_int code = clGetPlatformIDs(1, &platform, NULL);
    if (code == CL_SUCCESS)
        code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL);
    if (code != CL_SUCCESS)
        return failed("no OpenCL device", code, "");
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)(1000 + i * 37 % 101);

    cl_context cl = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    cl_command_queue queue = clCreateCommandQueue(cl, device, 0, &code);
    clnorm_context *context = NULL;
    clnorm_op *op = NULL;
    clnorm_error error;
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = COLS;
    if (clnorm_context_wrap(cl, device, NULL, NULL, &context, &error) != CLNORM_OK ||
        clnorm_op_create(context, &desc, &op, &error) != CLNORM_OK)
        return failed("clnorm", error.status, error.text);
    int result = normalize(cl, queue, op);
    clnorm_op_destroy(op);
    clnorm_context_destroy(context);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
    if (result == 0)
        result = compare(&desc);
    printf("clnorm %s from C: %s\n", clnorm_version(), result ? "wrong" : "right");
    return result;
}
