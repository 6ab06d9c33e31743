/* SPDX-License-Identifier: MIT */
/* Risk: an error that names the wrong cause. Device: none. */
#include "runtime/opencl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void success_leaves_the_error_alone(void **state)
{
    (void)state;
    clnorm_error error = {.status = CLNORM_CANCELLED, .text = "before"};
    assert_int_equal(clnorm_cl_check(CL_SUCCESS, "clFinish(queue)", &error), CLNORM_OK);
    assert_int_equal(error.status, CLNORM_CANCELLED);
    assert_string_equal(error.text, "before");
}

static void the_text_has_call_name_and_code(void **state)
{
    (void)state;
    clnorm_error error;
    clnorm_cl_check(-11, "clBuildProgram(program, 1, &device, \"-DX=(1)\", NULL, NULL)", &error);
    assert_string_equal(error.text, "clBuildProgram failed: CL_BUILD_PROGRAM_FAILURE (-11)");
    assert_int_equal(error.opencl_code, -11);
    clnorm_cl_check(-4242, "clFinish", &error);
    assert_string_equal(error.text, "clFinish failed: unknown OpenCL error (-4242)");
    assert_int_equal(error.opencl_code, -4242);
}

static void codes_give_the_status_that_fits(void **state)
{
    static const struct {
        cl_int code;
        clnorm_status status;
    } cases[] = {
        {-1, CLNORM_NO_DEVICE},     {-1001, CLNORM_NO_DEVICE},   {-4, CLNORM_OUT_OF_MEMORY},
        {-6, CLNORM_OUT_OF_MEMORY}, {-61, CLNORM_OUT_OF_MEMORY}, {-11, CLNORM_BUILD_FAILED},
        {-5, CLNORM_OPENCL},        {-54, CLNORM_OPENCL},        {-9999, CLNORM_OPENCL},
        {-1000000, CLNORM_OPENCL},  {1, CLNORM_OPENCL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        clnorm_error error;
        assert_int_equal(clnorm_cl_check(cases[i].code, "clCall()", &error), cases[i].status);
        assert_int_equal(error.status, cases[i].status);
        assert_int_equal(clnorm_cl_check(cases[i].code, "clCall()", NULL), cases[i].status);
    }
}

/* Compared with the macros of the headers, so that no row of the table has slipped. */
static void names_agree_with_the_headers(void **state)
{
#define ROW(macro)                                                                                 \
    {                                                                                              \
        macro, #macro                                                                              \
    }
    static const struct {
        cl_int code;
        const char *name;
    } rows[] = {
        ROW(CL_SUCCESS),
        ROW(CL_DEVICE_NOT_FOUND),
        ROW(CL_MEM_OBJECT_ALLOCATION_FAILURE),
        ROW(CL_OUT_OF_RESOURCES),
        ROW(CL_OUT_OF_HOST_MEMORY),
        ROW(CL_BUILD_PROGRAM_FAILURE),
        ROW(CL_MAP_FAILURE),
        ROW(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
        ROW(CL_INVALID_VALUE),
        ROW(CL_INVALID_CONTEXT),
        ROW(CL_INVALID_MEM_OBJECT),
        ROW(CL_INVALID_BINARY),
        ROW(CL_INVALID_BUILD_OPTIONS),
        ROW(CL_INVALID_KERNEL_ARGS),
        ROW(CL_INVALID_WORK_GROUP_SIZE),
        ROW(CL_INVALID_WORK_ITEM_SIZE),
        ROW(CL_INVALID_EVENT),
        ROW(CL_INVALID_BUFFER_SIZE),
        ROW(CL_INVALID_DEVICE_PARTITION_COUNT),
    };
#undef ROW
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(clnorm_cl_error_name(rows[i].code), rows[i].name);
    /* no gap in the two ranges of the specification */
    for (cl_int code = -1; code >= -72; code--) {
        const int is_known = strncmp(clnorm_cl_error_name(code), "CL_", 3) == 0;
        assert_int_equal(is_known, code >= -19 || code <= -30);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_leaves_the_error_alone),
        cmocka_unit_test(the_text_has_call_name_and_code),
        cmocka_unit_test(codes_give_the_status_that_fits),
        cmocka_unit_test(names_agree_with_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
