/* SPDX-License-Identifier: MIT */
/* A file of the cache, in memory: a payload that was made on this machine for one key, with a
 * digest over everything, so that nobody is given a byte that is not as it was written.
 *
 *   magic, format, bytes of the label, bytes of the payload, key, label, payload, SHA-256 of those
 *
 * Numbers are little-endian. The label says to people whom the payload is for. */
#ifndef CLNORM_BASE_CACHE_FILE_H
#define CLNORM_BASE_CACHE_FILE_H

#include "base/sha256.h"

enum {
    CLNORM_CACHE_FORMAT = 2,
    CLNORM_CACHE_HEADER = 8 + 4 + 4 + 8 + CLNORM_SHA256_BYTES,
    CLNORM_CACHE_LABEL = 512, /* at most */
};

typedef struct clnorm_cache_key {
    unsigned char bytes[CLNORM_SHA256_BYTES];
} clnorm_cache_key;

/* Points into the file's bytes. */
typedef struct clnorm_cache_content {
    const char *label; /* no NUL at its end */
    const unsigned char *payload;
    size_t label_bytes, payload_bytes;
} clnorm_cache_content;

/* The caller frees it; NULL without memory. A label that is too long is cut. */
unsigned char *clnorm_cache_pack(const clnorm_cache_key *key, const clnorm_cache_content *content,
                                 size_t *bytes);

/* NULL and *content, or what is wrong with the file. key: of the file, or NULL: any. */
const char *clnorm_cache_unpack(const unsigned char *file, size_t bytes,
                                const clnorm_cache_key *key, clnorm_cache_content *content);

#endif
