/* SPDX-License-Identifier: MIT */
/* An application outside of the tree, in C++ with the wrapper. */
#include <clnorm/clnorm.hpp>

#include <cmath>
#include <iostream>
#include <vector>

/* Enough for a few steps of a net. */
static bool close(const std::vector<float> &y, const std::vector<double> &expected)
{
    for (size_t i = 0; i < y.size(); i++)
        if (!(std::fabs(y[i] - expected[i]) <= 1e-5 * (1 + std::fabs(expected[i])))) {
            std::cerr << "y[" << i << "] = " << y[i] << ", expected " << expected[i] << '\n';
            return false;
        }
    return true;
}

static clnorm_tensor tensor(const clnorm::context &context, size_t elements, const float *data)
{
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0);
    clnorm_tensor made = {};
    made.buffer = clCreateBuffer(context.cl(), flags, elements * sizeof(float),
                                 const_cast<float *>(data), nullptr);
    return made;
}

/* A net of ones and small numbers, on the host and on the device: y, and what forward saved is
 * taken by backward. */
static bool is_net_right(const clnorm::context &context)
{
    const size_t steps = 3, batch = 2, features = 4, hidden = 5, gates = 4 * hidden;
    std::vector<float> x(steps * batch * features), w_x(gates * features), w_h(gates * hidden);
    std::vector<float> y(steps * batch * hidden), dx(x.size());
    std::vector<double> expected(y.size()), expected_dx(x.size());
    const std::vector<float> dy(y.size(), 1);
    for (std::vector<float> *values : {&x, &w_x, &w_h})
        for (size_t i = 0; i < values->size(); i++)
            (*values)[i] = (static_cast<float>(i * 31 % 17) - 8) / 16;

    clnorm_recurrent_desc desc = CLNORM_RECURRENT_DESC_INIT;
    desc.features = features;
    desc.hidden = hidden;
    clnorm_recurrent_host_args host = CLNORM_RECURRENT_HOST_ARGS_INIT;
    host.x = x.data(), host.w_x = w_x.data(), host.w_h = w_h.data(), host.dy = dy.data();
    host.y = expected.data(), host.dx = expected_dx.data();
    clnorm::recurrent_reference(desc, CLNORM_BACKWARD, steps, batch, host);

    const clnorm::recurrent net(context, desc);
    const clnorm::recurrent::memory bytes = net.sizes(steps, batch);
    cl_command_queue queue =
        clCreateCommandQueue(context.cl(), context.device().device_id, 0, nullptr);
    clnorm_recurrent_args args = CLNORM_RECURRENT_ARGS_INIT;
    args.x = tensor(context, x.size(), x.data());
    args.w_x = tensor(context, w_x.size(), w_x.data());
    args.w_h = tensor(context, w_h.size(), w_h.data());
    args.y = tensor(context, y.size(), nullptr);
    args.saved = tensor(context, bytes.saved / sizeof(float), nullptr);
    args.workspace = tensor(context, bytes.backward_workspace / sizeof(float), nullptr);
    net.warm_up(queue, steps, batch);
    net.forward(queue, steps, batch, args);
    args.dy = tensor(context, dy.size(), dy.data());
    args.dx = tensor(context, dx.size(), nullptr);
    net.backward(queue, steps, batch, args);
    clEnqueueReadBuffer(queue, args.y.buffer, CL_TRUE, 0, y.size() * sizeof(float), y.data(), 0,
                        nullptr, nullptr);
    clEnqueueReadBuffer(queue, args.dx.buffer, CL_TRUE, 0, dx.size() * sizeof(float), dx.data(), 0,
                        nullptr, nullptr);
    for (const clnorm_tensor *t :
         {&args.x, &args.w_x, &args.w_h, &args.y, &args.saved, &args.workspace, &args.dy, &args.dx})
        clReleaseMemObject(t->buffer);
    clReleaseCommandQueue(queue);
    clnorm::clear_recurrent_cache();
    return close(y, expected) && close(dx, expected_dx);
}

/* a b^T: b is stored as its transpose. */
static bool is_product_right(const clnorm::context &context)
{
    const std::vector<float> a = {1, 2, 3, 4, 5, 6}, b = {1, 0, -1, 2, 1, 0};
    const std::vector<double> expected = {-2, 4, -2, 13};
    std::vector<float> c(4);
    cl_command_queue queue =
        clCreateCommandQueue(context.cl(), context.device().device_id, 0, nullptr);
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = args.n = 2, args.k = 3;
    args.b_transposed = 1;
    args.a = tensor(context, a.size(), a.data());
    args.b = tensor(context, b.size(), b.data());
    args.c = tensor(context, c.size(), nullptr);
    clnorm::gemm(context, queue, args);
    clEnqueueReadBuffer(queue, args.c.buffer, CL_TRUE, 0, c.size() * sizeof(float), c.data(), 0,
                        nullptr, nullptr);
    for (const clnorm_tensor *t : {&args.a, &args.b, &args.c})
        clReleaseMemObject(t->buffer);
    clReleaseCommandQueue(queue);
    return close(c, expected);
}

/* A library without CLBlast says so. */
static bool is_net_right_or_missing(const clnorm::context &context)
{
    try {
        return is_product_right(context) && is_net_right(context);
    } catch (const clnorm::error &error) {
        std::cout << error.what() << '\n';
        return error.status() == CLNORM_UNSUPPORTED;
    }
}

int main()
{
    const size_t rows = 5, cols = 33;
    std::vector<float> x(rows * cols), y(rows * cols);
    std::vector<double> expected(rows * cols);
    for (size_t i = 0; i < x.size(); i++)
        x[i] = static_cast<float>(i * 31 % 17);

    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = cols;
    try {
        clnorm::context made;
        clnorm::context context(std::move(made));
        clnorm::op op(context, desc);

        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        args.x.data = x.data();
        args.y.data = y.data();
        op.forward_host(rows, args);

        clnorm_error cause;
        args.y.data = expected.data();
        clnorm::check(clnorm_reference(&desc, CLNORM_FORWARD, rows, &args, &cause), cause);
        if (!close(y, expected) || !is_net_right_or_missing(context))
            return 1;
        desc.cols = 0;
        clnorm::op impossible(context, desc);
    } catch (const clnorm::error &error) {
        std::cout << "clnorm " << clnorm_version()
                  << " from C++: right; and an error was thrown: " << error.what() << '\n';
        return error.status() == CLNORM_BAD_DESC ? 0 : 1;
    }
    std::cerr << "a descriptor with cols = 0 was accepted\n";
    return 1;
}
