/* SPDX-License-Identifier: MIT */
/* SHA-256: FIPS 180-4, section 6.2. */
#ifndef CLNORM_BASE_SHA256_H
#define CLNORM_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { CLNORM_SHA256_BYTES = 32 };

typedef struct clnorm_sha256 {
    uint32_t state[8];
    uint64_t bytes; /* added so far */
    unsigned char block[64];
} clnorm_sha256;

void clnorm_sha256_begin(clnorm_sha256 *hash);
void clnorm_sha256_add(clnorm_sha256 *hash, const void *data, size_t bytes);
void clnorm_sha256_end(clnorm_sha256 *hash, unsigned char digest[CLNORM_SHA256_BYTES]);

#endif
