/* SPDX-License-Identifier: MIT */
/* What PyTorch and ONNX computed: the files of tests/peers/data.
 *
 * A file is words between white space, but for lines that begin with #:
 *
 *   case NAME  desc FIELD=VALUE...  rows N  unit U
 *   [forward | backward]  in|out TENSOR DTYPE SHAPE NUMBER...       end
 *
 * Fields and tensors have the names of clnorm.h, numbers are those of %a. Tensors before `forward`
 * and `backward` are inputs of both. unit: roundoff of the peer's arithmetic. */
#ifndef CLNORM_TESTS_PEERS_FILE_H
#define CLNORM_TESTS_PEERS_FILE_H

#include "base/tensor.h"

typedef enum { PEER_BOTH, PEER_FORWARD, PEER_BACKWARD } peer_part;

typedef struct peer_tensor {
    clnorm_tensor_id id;
    peer_part part;
    bool output;
    clnorm_dtype dtype;
    uint64_t count;
    double *values;
} peer_tensor;

enum { PEER_TENSORS = 32 };

typedef struct peer_case {
    char name[64];
    clnorm_desc desc;
    uint64_t rows;
    double unit;
    size_t count;
    peer_tensor tensors[PEER_TENSORS];
} peer_case;

typedef struct peer_cases {
    size_t count;
    peer_case *cases;
} peer_cases;

/* Appends the cases of a file. A file that is not as above ends the program with its line. */
void peers_read(peer_cases *all, const char *path);
void peers_free(peer_cases *all);

#endif
