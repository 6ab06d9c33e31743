/* SPDX-License-Identifier: MIT */
/* The form clnorm.bench/1 as tables: which keys there are, and what their values may be. */
#ifndef CLNORM_CLI_RESULT_RULES_H
#define CLNORM_CLI_RESULT_RULES_H

enum value_type {
    TEXT,
    NAME,
    CHOICE,
    NUMBER,
    POSITIVE,
    COUNT,
    SIZE,
    FLAG,
    OBJECT,
    OBJECTS,
    COUNTS,
    SAMPLES,
    INTERVAL
};

/* IN_PART: nothing inside is required. */
enum { REQUIRED = 1, OR_NULL = 2, IN_PART = 4 };

struct rule {
    const char *key; /* NULL: the end of the table */
    enum value_type type;
    int flags;
    const char *choices; /* of a CHOICE: "a|b" */
    const struct rule
        *inside; /* of an object, and of each object of an array; NULL: the table itself */
};

/* Of the document, with all that is in it but for what only some results have. */
extern const struct rule result_document_rules[];
/* Of a result with status "ok", and of no other. */
extern const struct rule result_measured_rules[];
/* What a result with status "ok" must have, and others may. */
extern const struct rule result_moved_rules[];

#endif
