/* SPDX-License-Identifier: MIT */
#include "base/cache_file.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char magic[8] = "clnormC\n";

enum { AT_FORMAT = 8, AT_LABEL_BYTES = 12, AT_PAYLOAD_BYTES = 16, AT_KEY = 24 };

static void put(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static void digest_of(const unsigned char *file, size_t bytes, unsigned char *digest)
{
    clnorm_sha256 hash;
    clnorm_sha256_begin(&hash);
    clnorm_sha256_add(&hash, file, bytes);
    clnorm_sha256_end(&hash, digest);
}

unsigned char *clnorm_cache_pack(const clnorm_cache_key *key, const clnorm_cache_content *content,
                                 size_t *bytes)
{
    const size_t label_bytes =
        content->label_bytes < CLNORM_CACHE_LABEL ? content->label_bytes : CLNORM_CACHE_LABEL;
    const size_t digested = CLNORM_CACHE_HEADER + label_bytes + content->payload_bytes;
    unsigned char *file = malloc(digested + CLNORM_SHA256_BYTES);
    if (!file)
        return NULL;
    memcpy(file, magic, sizeof(magic));
    put(file + AT_FORMAT, CLNORM_CACHE_FORMAT, 4);
    put(file + AT_LABEL_BYTES, label_bytes, 4);
    put(file + AT_PAYLOAD_BYTES, content->payload_bytes, 8);
    memcpy(file + AT_KEY, key->bytes, sizeof(key->bytes));
    memcpy(file + CLNORM_CACHE_HEADER, content->label, label_bytes);
    memcpy(file + CLNORM_CACHE_HEADER + label_bytes, content->payload, content->payload_bytes);
    digest_of(file, digested, file + digested);
    *bytes = digested + CLNORM_SHA256_BYTES;
    return file;
}

const char *clnorm_cache_unpack(const unsigned char *file, size_t bytes,
                                const clnorm_cache_key *key, clnorm_cache_content *content)
{
    const size_t least = CLNORM_CACHE_HEADER + CLNORM_SHA256_BYTES;
    unsigned char digest[CLNORM_SHA256_BYTES];
    if (bytes < least)
        return "is cut off";
    if (memcmp(file, magic, sizeof(magic)) != 0)
        return "is none of clnorm's";
    if (get(file + AT_FORMAT, 4) != CLNORM_CACHE_FORMAT)
        return "has another format";
    const uint64_t label = get(file + AT_LABEL_BYTES, 4), payload = get(file + AT_PAYLOAD_BYTES, 8);
    if (label > CLNORM_CACHE_LABEL || label > bytes - least || payload != bytes - least - label)
        return "has another length than it says";
    digest_of(file, bytes - CLNORM_SHA256_BYTES, digest);
    if (memcmp(digest, file + bytes - CLNORM_SHA256_BYTES, CLNORM_SHA256_BYTES) != 0)
        return "is damaged: its SHA-256 is another";
    if (key && memcmp(key->bytes, file + AT_KEY, sizeof(key->bytes)) != 0)
        return "is of another program";
    *content =
        (clnorm_cache_content){(const char *)file + CLNORM_CACHE_HEADER,
                               file + CLNORM_CACHE_HEADER + label, (size_t)label, (size_t)payload};
    return NULL;
}
