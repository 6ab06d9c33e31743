/* SPDX-License-Identifier: MIT */
/* An application outside of the tree, in C++ with the wrapper. */
#include <clnorm/clnorm.hpp>

#include <cmath>
#include <iostream>
#include <vector>

static bool close(const std::vector<float> &y, const std::vector<double> &expected)
{
    for (size_t i = 0; i < y.size(); i++)
        if (!(std::fabs(y[i] - expected[i]) <= 2e-6 * (1 + std::fabs(expected[i])))) {
            std::cerr << "y[" << i << "] = " << y[i] << ", expected " << expected[i] << '\n';
            return false;
        }
    return true;
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
        if (!close(y, expected))
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
