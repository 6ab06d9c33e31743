/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/files/input_file.h"
#include "cli/cli.h"
#include "cli/files/idx.h"
#include "cli/files/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool set_dtype(struct input_file *input, enum npy_type type, bool u16_is_bf16,
                      clnorm_error *error)
{
    static const clnorm_dtype dtypes[] = {
        [NPY_F32] = CLNORM_F32,  [NPY_F16] = CLNORM_F16, [NPY_F64] = CLNORM_F64,
        [NPY_U16] = CLNORM_BF16, [NPY_U8] = CLNORM_F32,  [NPY_I8] = CLNORM_I8};
    if (type == NPY_U16 && !u16_is_bf16)
        return refuse(error, "%s: dtype '<u2' is allowed only with --dtype bf16 or --bf16",
                      input->path);
    input->dtype = dtypes[type];
    return true;
}

/* Replaces the mapped file by a copy in memory, for data that cannot be used where it is. */
static bool copy_data(struct input_file *input, const struct npy_array *array, clnorm_error *error)
{
    struct mapping copy;
    const char *from = (const char *)input->mapping.base + array->offset;
    const uint64_t count = shape_count(&array->shape, 0, array->shape.rank);
    const size_t element_bytes = clnorm_dtype_bytes(input->dtype);
    if (!shape_fits(&array->shape, element_bytes))
        return refuse(error, "%s: as float32 it is more than %td bytes", input->path, PTRDIFF_MAX);
    if (!mapping_anonymous(&copy, count * element_bytes, error))
        return false;
    if (array->type == NPY_U8)
        u8_to_f32((const unsigned char *)from, copy.base, (size_t)count);
    else
        memcpy(copy.base, from, (size_t)array->bytes);
    mapping_release(&input->mapping);
    input->mapping = copy;
    input->is_mapped_file = false;
    input->bytes = count * element_bytes;
    input->offset = 0;
    return true;
}

static bool use_npy(struct input_file *input, bool u16_is_bf16, clnorm_error *error)
{
    struct npy_array array;
    if (!npy_parse(input->path, input->mapping.base, input->mapping.bytes, &array, error) ||
        !set_dtype(input, array.type, u16_is_bf16, error))
        return false;
    input->shape = array.shape;
    input->offset = array.offset;
    input->bytes = array.bytes;
    input->is_mapped_file = true;
    /* NumPy pads its headers, others may not */
    const bool is_aligned = array.offset % npy_type_bytes(array.type) == 0;
    return (is_aligned && array.type != NPY_U8) || copy_data(input, &array, error);
}

static bool use_idx(struct input_file *input, int fd, clnorm_error *error)
{
    struct idx_array array;
    if (!idx_read(input->path, fd, &array, error))
        return false;
    mapping_release(&input->mapping);
    input->mapping = array.data;
    input->dtype = array.dtype;
    input->shape = array.shape;
    input->bytes = clnorm_dtype_bytes(array.dtype) * shape_count(&array.shape, 0, array.shape.rank);
    return true;
}

static bool read_file(struct input_file *input, int fd, bool u16_is_bf16, clnorm_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return refuse(error, "%s: %s", input->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(error, "%s: is %s; must be a .npy or idx file", input->path,
                      S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    if (info.st_size == 0)
        return refuse(error, "%s: is empty; must be a .npy or idx file", input->path);
    if (!mapping_file(&input->mapping, fd, (uint64_t)info.st_size, false))
        return refuse(error, "%s: cannot be mapped: %s", input->path, strerror(errno));
    if (npy_is(input->mapping.base, input->mapping.bytes))
        return use_npy(input, u16_is_bf16, error);
    if (idx_is(input->mapping.base, input->mapping.bytes))
        return use_idx(input, fd, error);
    return refuse(error, "%s: is neither a .npy nor an idx file: it begins with another magic",
                  input->path);
}

bool input_file_open(struct input_file *input, const char *path, bool u16_is_bf16,
                     clnorm_error *error)
{
    *input = (struct input_file){.path = path};
    /* O_NONBLOCK: opening a pipe must not wait for a writer */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(error, "%s: %s", path, strerror(errno));
    const bool is_open = read_file(input, fd, u16_is_bf16, error);
    close(fd);
    if (is_open)
        input->data = (const char *)input->mapping.base + input->offset;
    else
        input_file_close(input);
    return is_open;
}

void input_file_drop(const struct input_file *input, uint64_t done)
{
    if (input->is_mapped_file)
        mapping_drop(&input->mapping, 0, input->offset + done);
}

void input_file_close(struct input_file *input)
{
    mapping_release(&input->mapping);
    input->data = NULL;
}
