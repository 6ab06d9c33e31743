/* SPDX-License-Identifier: MIT */
/* SHA-256 against the examples of NIST, in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

/* https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values: SHA256.pdf,
 * SHA2_Additional.pdf (one byte, zeros, the last one of 10^6 bytes). */
static const struct {
    const char *text;
    unsigned char byte; /* repeated `bytes` times, where text is NULL */
    size_t bytes;
    const char *digest;
} examples[] = {
    {"abc", 0, 0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 0, 0,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"", 0, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {NULL, 0xbd, 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
    {NULL, 0, 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
    {NULL, 0, 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
    {NULL, 0, 57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"},
    {NULL, 0, 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
    {NULL, 0, 1000, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"},
    {NULL, 'A', 1000, "c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4"},
    {NULL, 'U', 1005, "f4d62ddec0f3dd90ea1380fa16a5ff8dc4c54b21740650f24afc4120903552b0"},
    {NULL, 0, 1000000, "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"},
};

static void expect_digest(clnorm_sha256 *hash, const char *wanted, const char *what, size_t piece)
{
    unsigned char digest[CLNORM_SHA256_BYTES];
    char text[2 * CLNORM_SHA256_BYTES + 1];
    clnorm_sha256_end(hash, digest);
    for (int i = 0; i < CLNORM_SHA256_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s in pieces of %zu: %s, must be %s", what, piece, text, wanted);
}

static void test_examples_in_pieces(void **state)
{
    (void)state;
    static unsigned char data[1000000];
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const char *text = examples[i].text;
        const size_t bytes = text ? strlen(text) : examples[i].bytes;
        char what[64];
        snprintf(what, sizeof(what), "example %zu (%zu bytes)", i, bytes);
        if (text)
            memcpy(data, text, bytes);
        else
            memset(data, examples[i].byte, bytes);
        for (size_t piece = 1; piece <= 200; piece = piece < 70 ? piece + 1 : piece + 43) {
            clnorm_sha256 hash;
            if (bytes == sizeof(data) && piece % 30 != 7)
                continue;
            clnorm_sha256_begin(&hash);
            for (size_t at = 0; at < bytes; at += piece)
                clnorm_sha256_add(&hash, data + at, bytes - at < piece ? bytes - at : piece);
            expect_digest(&hash, examples[i].digest, what, piece);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples_in_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
