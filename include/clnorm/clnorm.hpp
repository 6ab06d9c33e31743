/* SPDX-License-Identifier: MIT */
/* clnorm.h for C++11: handles that are released by themselves, failures that are thrown.
 *
 * Nothing is added to what clnorm.h does; its comments hold here too. Objects can be moved, not
 * copied, and a context must outlive its ops. */
#ifndef CLNORM_HPP
#define CLNORM_HPP

#include <memory>
#include <stdexcept>

#include "clnorm.h"

namespace clnorm
{

/* what() is the text of the clnorm_error. */
class error : public std::runtime_error
{
  public:
    explicit error(const clnorm_error &cause)
        : std::runtime_error(cause.text), status_(cause.status), opencl_code_(cause.opencl_code)
    {
    }
    clnorm_status status() const noexcept { return status_; }
    int opencl_code() const noexcept { return opencl_code_; }

  private:
    clnorm_status status_;
    int opencl_code_;
};

inline void check(clnorm_status status, const clnorm_error &cause)
{
    if (status != CLNORM_OK)
        throw error(cause);
}

/* clnorm_recurrent_reference: a recurrent net on the host. */
inline void recurrent_reference(const clnorm_recurrent_desc &desc, clnorm_direction direction,
                                uint64_t steps, uint64_t batch,
                                const clnorm_recurrent_host_args &args)
{
    clnorm_error cause = clnorm_error();
    check(clnorm_recurrent_reference(&desc, direction, steps, batch, &args, &cause), cause);
}

#ifndef CLNORM_NO_OPENCL
class context
{
  public:
    /* clnorm_context_create: the best device that `selector` matches. */
    explicit context(const char *selector = nullptr, clnorm_log_fn log = nullptr,
                     void *user = nullptr)
    {
        clnorm_context *made = nullptr;
        clnorm_error cause = clnorm_error();
        check(clnorm_context_create(selector, log, user, &made, &cause), cause);
        handle_.reset(made);
    }

    /* clnorm_context_wrap: the application's own handles. */
    context(cl_context cl, cl_device_id device, clnorm_log_fn log = nullptr, void *user = nullptr)
    {
        clnorm_context *made = nullptr;
        clnorm_error cause = clnorm_error();
        check(clnorm_context_wrap(cl, device, log, user, &made, &cause), cause);
        handle_.reset(made);
    }

    /* clnorm_context_set_cache: compiled programs are kept in files. */
    void set_cache(const char *directory = nullptr, uint64_t max_bytes = 0)
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_context_set_cache(get(), directory, max_bytes, &cause), cause);
    }

    /* clnorm_context_set_self_test: whether kernels are tried before they are used. */
    void set_self_test(clnorm_self_test_policy policy)
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_context_set_self_test(get(), policy, &cause), cause);
    }

    /* clnorm_self_test: throws if a kernel of any form is wrong. */
    void self_test(clnorm_self_test_fn report = nullptr, void *user = nullptr)
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_self_test(get(), report, user, &cause), cause);
    }

    clnorm_context *get() const noexcept { return handle_.get(); }
    cl_context cl() const noexcept { return clnorm_context_cl(get()); }
    const clnorm_device &device() const noexcept { return *clnorm_context_device(get()); }

  private:
    struct destroy {
        void operator()(clnorm_context *handle) const noexcept { clnorm_context_destroy(handle); }
    };
    std::unique_ptr<clnorm_context, destroy> handle_;
};

class op
{
  public:
    /* clnorm_op_create: builds the kernels. */
    op(const context &owner, const clnorm_desc &desc)
    {
        clnorm_op *made = nullptr;
        clnorm_error cause = clnorm_error();
        check(clnorm_op_create(owner.get(), &desc, &made, &cause), cause);
        handle_.reset(made);
    }

    clnorm_op *get() const noexcept { return handle_.get(); }
    const clnorm_desc &desc() const noexcept { return *clnorm_op_desc(get()); }
    unsigned depth() const noexcept { return clnorm_op_depth(get()); }

    size_t workspace(clnorm_direction direction, uint64_t rows) const
    {
        size_t bytes = 0;
        clnorm_error cause = clnorm_error();
        check(clnorm_op_workspace(get(), direction, rows, &bytes, &cause), cause);
        return bytes;
    }

    /* clnorm_forward: enqueue and return; an event that is asked for is the caller's to release. */
    void forward(cl_command_queue queue, uint64_t rows, const clnorm_args &args, cl_uint n_wait = 0,
                 const cl_event *wait_list = nullptr, cl_event *event = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_forward(get(), queue, rows, &args, n_wait, wait_list, event, &cause), cause);
    }

    /* clnorm_backward: the gradients that args ask for. */
    void backward(cl_command_queue queue, uint64_t rows, const clnorm_args &args,
                  cl_uint n_wait = 0, const cl_event *wait_list = nullptr,
                  cl_event *event = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_backward(get(), queue, rows, &args, n_wait, wait_list, event, &cause), cause);
    }

    /* clnorm_forward_host: arrays in host memory, of any size. */
    void forward_host(uint64_t rows, const clnorm_host_args &args,
                      const clnorm_host_options *options = nullptr,
                      clnorm_host_report *report = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_forward_host(get(), rows, &args, options, report, &cause), cause);
    }

    /* clnorm_backward_host: gradients of arrays in host memory. */
    void backward_host(uint64_t rows, const clnorm_host_args &args,
                       const clnorm_host_options *options = nullptr,
                       clnorm_host_report *report = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_backward_host(get(), rows, &args, options, report, &cause), cause);
    }

  private:
    struct destroy {
        void operator()(clnorm_op *handle) const noexcept { clnorm_op_destroy(handle); }
    };
    std::unique_ptr<clnorm_op, destroy> handle_;
};

/* clnorm_gemm: enqueue a matrix product and return, as op::forward. */
inline void gemm(const context &owner, cl_command_queue queue, const clnorm_gemm_args &args,
                 cl_uint n_wait = 0, const cl_event *wait_list = nullptr, cl_event *event = nullptr)
{
    clnorm_error cause = clnorm_error();
    check(clnorm_gemm(owner.get(), queue, &args, n_wait, wait_list, event, &cause), cause);
}

/* A recurrent net: recurrent.h. */
class recurrent
{
  public:
    /* clnorm_recurrent_create: builds the kernels of a step. */
    recurrent(const context &owner, const clnorm_recurrent_desc &desc)
    {
        clnorm_recurrent *made = nullptr;
        clnorm_error cause = clnorm_error();
        check(clnorm_recurrent_create(owner.get(), &desc, &made, &cause), cause);
        handle_.reset(made);
    }

    clnorm_recurrent *get() const noexcept { return handle_.get(); }
    const clnorm_recurrent_desc &desc() const noexcept { return *clnorm_recurrent_op_desc(get()); }

    /* In bytes. */
    struct memory {
        uint64_t saved, forward_workspace, backward_workspace;
    };

    /* clnorm_recurrent_sizes: what a call needs. */
    memory sizes(uint64_t steps, uint64_t batch) const
    {
        memory bytes = memory();
        clnorm_error cause = clnorm_error();
        check(clnorm_recurrent_sizes(get(), steps, batch, &bytes.saved, &bytes.forward_workspace,
                                     &bytes.backward_workspace, &cause),
              cause);
        return bytes;
    }

    /* clnorm_recurrent_forward: enqueue and return, as op::forward. */
    void forward(cl_command_queue queue, uint64_t steps, uint64_t batch,
                 const clnorm_recurrent_args &args, cl_uint n_wait = 0,
                 const cl_event *wait_list = nullptr, cl_event *event = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_recurrent_forward(get(), queue, steps, batch, &args, n_wait, wait_list, event,
                                       &cause),
              cause);
    }

    /* clnorm_recurrent_backward: the gradients that args ask for. */
    void backward(cl_command_queue queue, uint64_t steps, uint64_t batch,
                  const clnorm_recurrent_args &args, cl_uint n_wait = 0,
                  const cl_event *wait_list = nullptr, cl_event *event = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_recurrent_backward(get(), queue, steps, batch, &args, n_wait, wait_list, event,
                                        &cause),
              cause);
    }

    /* clnorm_recurrent_warm_up: CLBlast compiles its kernels now. */
    void warm_up(cl_command_queue queue, uint64_t steps, uint64_t batch,
                 clnorm_recurrent_progress_fn progress = nullptr, void *user = nullptr) const
    {
        clnorm_error cause = clnorm_error();
        check(clnorm_recurrent_warm_up(get(), queue, steps, batch, progress, user, &cause), cause);
    }

  private:
    struct destroy {
        void operator()(clnorm_recurrent *handle) const noexcept
        {
            clnorm_recurrent_destroy(handle);
        }
    };
    std::unique_ptr<clnorm_recurrent, destroy> handle_;
};

/* clnorm_recurrent_clear_cache: drops what CLBlast compiled, of the whole process. */
inline void clear_recurrent_cache()
{
    clnorm_error cause = clnorm_error();
    check(clnorm_recurrent_clear_cache(&cause), cause);
}
#endif /* CLNORM_NO_OPENCL */

} // namespace clnorm
#endif
