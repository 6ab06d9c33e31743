/* SPDX-License-Identifier: MIT */
/* The self-test of a device: every form, every kernel. */
#include "ops/self_test.h"

/* Columns for which the form is the choice. */
static const struct {
    clnorm_form form;
    uint64_t cols;
} forms[] = {
    {CLNORM_FORM_SEQUENTIAL, 1000},
    {CLNORM_FORM_SLICED, 1000},
    {CLNORM_FORM_HELD, 4000},
    {CLNORM_FORM_COOPERATIVE, 4000},
};

static const clnorm_kernel_id tested[] = {CLNORM_KERNEL_FORWARD_USUAL, CLNORM_KERNEL_BACKWARD_USUAL,
                                          CLNORM_KERNEL_BACKWARD_SAVED_USUAL, CLNORM_KERNEL_SUMS};

typedef struct {
    clnorm_context *context;
    clnorm_self_test_fn report;
    void *user;
    clnorm_error first; /* of those that are not right */
} survey;

/* One that is wrong is as bad as one that does not build. */
static void test_kernel(survey *s, const clnorm_op *op, const clnorm_geometry *geometry,
                        clnorm_kernel_id id)
{
    clnorm_built built = {.kernels = NULL};
    clnorm_error error = {.status = CLNORM_OK, .text = ""};
    if (clnorm_op_build(op, id, geometry, &built, &error) == CLNORM_OK) {
        const clnorm_finding finding = clnorm_self_test_kernel(op, id, &built);
        if (finding.trial == CLNORM_DISABLED)
            clnorm_fail(&error, CLNORM_UNSUPPORTED, "%s", finding.text);
        else if (finding.trial == CLNORM_UNTRIED)
            clnorm_fail(&error, CLNORM_OPENCL, "%s", finding.text);
        if (finding.trial != CLNORM_UNTRIED)
            clnorm_program_judge(s->context, built.program, finding.trial);
    }
    clnorm_built_release(&built);
    if (error.status != CLNORM_OK && s->first.status == CLNORM_OK)
        clnorm_fail(&s->first, error.status, "%s of the form %s on %s: %s", clnorm_kernel_name(id),
                    clnorm_form_name(geometry->form), s->context->device.name, error.text);
    const clnorm_self_test_result result = {.struct_size = sizeof(result),
                                            .form = geometry->form,
                                            .kernel = clnorm_kernel_name(id),
                                            .vec = built.geometry.vec,
                                            .group = built.geometry.group_size,
                                            .team = built.geometry.team_size,
                                            .status = error.status,
                                            .text = error.text};
    if (s->report)
        s->report(s->user, &result);
}

static clnorm_status test_form(survey *s, clnorm_form form, uint64_t cols, clnorm_error *error)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    clnorm_op *op = NULL;
    desc.cols = cols;
    desc.form = form;
    const clnorm_status status = clnorm_op_make(s->context, &desc, false, &op, error);
    if (status != CLNORM_OK)
        return status;
    for (size_t i = 0; i < op->n_candidates; i++) /* the form, and what is plainer of it */
        for (size_t k = 0; op->candidates[i].form == form && k < sizeof(tested) / sizeof(tested[0]);
             k++)
            test_kernel(s, op, &op->candidates[i], tested[k]);
    clnorm_op_destroy(op);
    return CLNORM_OK;
}

clnorm_status clnorm_self_test(clnorm_context *context, clnorm_self_test_fn report, void *user,
                               clnorm_error *error)
{
    survey s = {.context = context, .report = report, .user = user};
    clnorm_status status = CLNORM_OK;
    if (!context)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "context is NULL");
    for (size_t i = 0; status == CLNORM_OK && i < sizeof(forms) / sizeof(forms[0]); i++)
        status = test_form(&s, forms[i].form, forms[i].cols, error);
    if (status == CLNORM_OK && s.first.status != CLNORM_OK)
        return clnorm_fail(error, s.first.status, "%s", s.first.text);
    return status;
}
