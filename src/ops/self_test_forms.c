/* SPDX-License-Identifier: MIT */
/* The self-test of a device: every form, every kernel. */
#include "ops/self_test.h"

/* Those of rows in blocks, and in parts, are the first of them. */
static const clnorm_kernel_id tested[] = {CLNORM_KERNEL_FORWARD_USUAL,
                                          CLNORM_KERNEL_BACKWARD_SAVED_USUAL,
                                          CLNORM_KERNEL_BACKWARD_USUAL, CLNORM_KERNEL_SUMS};
enum { TESTED = sizeof(tested) / sizeof(tested[0]), ONLY_FORWARD = 1, IN_BLOCKS = 2 };

/* Columns for which the form is the choice; or which are cut into parts, in the forward pass; or so
 * few that rows are taken in blocks. */
typedef struct {
    clnorm_form form;
    uint64_t cols;
    size_t kernels;
    bool parts, blocks;
} tested_form;

static const tested_form forms[] = {
    {CLNORM_FORM_SEQUENTIAL, 1000, TESTED, false, false},
    {CLNORM_FORM_SEQUENTIAL, 64, IN_BLOCKS, false, true},
    {CLNORM_FORM_SLICED, 1000, TESTED, false, false},
    {CLNORM_FORM_HELD, 4000, TESTED, false, false},
    {CLNORM_FORM_COOPERATIVE, 4000, TESTED, false, false},
    {CLNORM_FORM_SEQUENTIAL, 100000, ONLY_FORWARD, true, false},
    {CLNORM_FORM_COOPERATIVE, 100000, ONLY_FORWARD, true, false},
};

typedef struct {
    clnorm_context *context;
    clnorm_self_test_fn report;
    void *user;
    bool is_ended; /* by `report` */
    clnorm_error first; /* of those that are not right */
} survey;

static const char *name_of(const clnorm_built *built, clnorm_kernel_id id)
{
    const bool forward = clnorm_kernel_purpose(id).direction == CLNORM_FORWARD;
    if (built->geometry.part)
        return "forward, rows in parts";
    if (built->geometry.block)
        return forward ? "forward, rows in blocks" : "backward, rows in blocks";
    return clnorm_kernel_name(id);
}

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
        clnorm_fail(&s->first, error.status, "%s of the form %s on %s: %s", name_of(&built, id),
                    clnorm_form_name(geometry->form), s->context->device.name, error.text);
    const clnorm_self_test_result result = {.struct_size = sizeof(result),
                                            .form = geometry->form,
                                            .kernel = name_of(&built, id),
                                            .vec = built.geometry.vec,
                                            .group = built.geometry.group_size,
                                            .team = built.geometry.team_size,
                                            .subgroups = built.geometry.subgroup,
                                            .status = error.status,
                                            .text = error.text};
    s->is_ended = s->report && s->report(s->user, &result) != 0;
}

/* So many columns may be too many for the device, and no others are in parts. */
static clnorm_status test_form(survey *s, const tested_form *form, clnorm_error *error)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    clnorm_op *op = NULL;
    desc.cols = form->cols;
    desc.form = form->form;
    const clnorm_status status = clnorm_op_make(s->context, &desc, false, &op, error);
    if (status != CLNORM_OK)
        return form->parts && status == CLNORM_UNSUPPORTED ? CLNORM_OK : status;
    for (size_t i = 0; i < op->n_candidates && !s->is_ended;
         i++) { /* the form, and what is plainer of it */
        const clnorm_geometry *geometry = &op->candidates[i];
        const bool is_meant = geometry->form == form->form && (geometry->part > 0) == form->parts &&
                              (geometry->block > 0) == form->blocks;
        for (size_t k = 0; is_meant && !s->is_ended && k < form->kernels; k++)
            test_kernel(s, op, geometry, tested[k]);
    }
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
    for (size_t i = 0; status == CLNORM_OK && i < sizeof(forms) / sizeof(forms[0]); i++) {
        status = test_form(&s, &forms[i], error);
        if (s.is_ended)
            return clnorm_fail(error, CLNORM_CANCELLED, "the self-test was ended");
    }
    if (status == CLNORM_OK && s.first.status != CLNORM_OK)
        return clnorm_fail(error, s.first.status, "%s", s.first.text);
    return status;
}
