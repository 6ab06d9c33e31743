/* SPDX-License-Identifier: MIT */
/* Measurements beside each other: of two devices, or of a device before and after, with a verdict
 * for each case; or of any number of devices as a matrix. */
#ifndef CLNORM_CLI_COMPARE_COMPARE_H
#define CLNORM_CLI_COMPARE_COMPARE_H

#include "check/significance.h"
#include "cli/result/file.h"
#include "cli/table.h"

/* ---- what is compared (side.c) --------------------------------------------------------------- */

/* A device of a file. */
struct compare_side {
    const struct result_file *file; /* borrowed */
    const json_t *device; /* the object; borrowed */
    size_t file_place, device_place;
    char label[16]; /* "A", or "A:1" where the file has several devices */
    json_t *cases; /* from the name of a case to its result; in the order of the file */
};

struct compare_sides {
    struct compare_side *list;
    size_t n;
};

enum { COMPARE_MOST_SIDES = 26, COMPARE_MOST_FILES = 26 };

/* Every device of every file; refused are more than COMPARE_MOST_SIDES. To be released in any case.
 */
bool compare_sides_make(struct compare_sides *sides, const struct result_files *files,
                        clnorm_error *error);
void compare_sides_release(struct compare_sides *sides);
/* The one that "A:1" names, or "A" where the file has one device; NULL: none. */
const struct compare_side *compare_side_named(const struct compare_sides *sides, const char *label);
/* Its counterpart in the file at this place: the device of the same id on the same machine, or,
 * where that has none, on another one; NULL: none. */
const struct compare_side *compare_side_like(const struct compare_sides *sides,
                                             const struct compare_side *side, size_t file_place);

/* "AMD EPYC (Portable Computing Language, driver 3.1)" */
void compare_side_text(const struct compare_side *side, char *text, size_t room);
/* When it was measured; "... and ..." where it was in several runs. */
void compare_side_created(const struct compare_side *side, char *text, size_t room);

/* What is not the same about two sides, and may be why their results are not. What one of them does
 * not say is no difference. */
struct compare_difference {
    const char *what; /* "driver" */
    char a[128], b[128];
};
enum { COMPARE_MOST_DIFFERENCES = 16 };
size_t compare_differences(const struct compare_side *a, const struct compare_side *b,
                           struct compare_difference *list);

/* Refused are models of traffic that differ: bytes, rates and copies mean other things. */
bool compare_models_agree(const struct compare_side *a, const struct compare_side *b,
                          clnorm_error *error);

/* ---- two sides (rows.c, judge.c) ------------------------------------------------------------- */

enum compare_verdict {
    COMPARE_FAST,
    COMPARE_SLOW,
    COMPARE_SAME,
    COMPARE_UNSURE,
    COMPARE_NEW, /* measured in B only */
    COMPARE_GONE, /* in A only */
    COMPARE_WRONG, /* B, or all that there is of the case, gives wrong results */
    COMPARE_NEITHER, /* measured in neither: unsupported, mostly */
    COMPARE_VERDICTS
};
extern const char *const compare_verdict_names[COMPARE_VERDICTS];

/* Why what is seen of a row is mostly something else than a kernel. */
enum compare_rough {
    COMPARE_LAUNCHES, /* one of its sides is launch bound */
    COMPARE_COPIES, /* the copies went ways that differ, and the share of the copy is judged */
    COMPARE_ROUGH
};
/* As the keys of a result. */
extern const char *const compare_rough_names[COMPARE_ROUGH];

struct compare_rules {
    double threshold; /* an effect below it is nobody's business: 0.05 */
    bool by_time; /* else by the share of the copy */
    bool force; /* cold beside warm, and other models of traffic */
};

struct compare_value {
    const json_t *result; /* NULL: none */
    bool is_ok, is_wrong, is_launch_bound;
    const char *copy; /* how the companion moved; "": it does not say */
    /* of an ok result */
    double seconds, copy_seconds, of_copy, bytes_per_second;
    clnorm_log_spread spread; /* of what is judged: higher is faster */
};

struct compare_row {
    const char *name; /* of the case */
    struct compare_value a, b;
    /* where both are ok */
    double factor, interval[2]; /* B/A, above 1 where B is faster; the 95 % interval */
    /* where both have two rounds at least; else the interval is not a number */
    clnorm_welch welch;
    double gate_interval[2], same_interval[2]; /* of 99 % and 90 % */
    double p; /* after Benjamini and Hochberg; 1 where the row is not tested */
    double margin; /* the least effect: the threshold; 25 % at least where one of `rough` is true */
    bool rough[COMPARE_ROUGH]; /* all false where the threshold is 25 % or more */
    double rounds_needed; /* 0 but where it is UNSURE */
    bool is_tested; /* both sides have COMPARE_LEAST_ROUNDS */
    bool gate_fast, gate_slow; /* the 99 % interval lies wholly outside of the margin */
    enum compare_verdict verdict;
};

enum { COMPARE_LEAST_ROUNDS = 5 };

struct comparison {
    const struct compare_side *a, *b; /* borrowed */
    struct compare_row *rows;
    size_t n, n_tested, count[COMPARE_VERDICTS];
    size_t n_both; /* rows in which both sides are ok */
    double factor, interval[2]; /* geometric mean of these rows, and its 95 % interval */
    double copy_factor; /* the companion copies, B/A: the median of these rows */
    bool copy_moved; /* by more than 5 % */
};

/* From a and b of each row, what follows. false: out of memory. */
bool compare_judge(struct compare_row *rows, size_t n, const struct compare_rules *rules);

/* Matches the cases of two sides by name. Refused without `force`: a case that is cold on one side
 * and warm on the other, or models of traffic that differ. To be released in any case. */
bool comparison_make(struct comparison *comparison, const struct compare_side *a,
                     const struct compare_side *b, const struct compare_rules *rules,
                     clnorm_error *error);
void comparison_release(struct comparison *comparison);

/* ---- all pairs (pairs.c, gate.c) ------------------------------------------------------------- */

struct compare_pairs {
    struct comparison *list;
    size_t n;
    size_t gone; /* devices that measured something in the first of two files, and are not in the
                    second */
};

/* The two that `named` ("A:0=B:1") names; without it the two that there are, or those of two files
 * that are in both, with a message for each other one. None where a matrix shows the devices best.
 * *pairs starts as {0}; to be released in any case. */
bool compare_pairs_make(struct compare_pairs *pairs, const struct compare_sides *sides,
                        const char *named, size_t n_files, const struct compare_rules *rules,
                        clnorm_error *error);
void compare_pairs_release(struct compare_pairs *pairs);

enum compare_fail_on {
    COMPARE_FAIL_NEVER,
    COMPARE_FAIL_SLOW,
    COMPARE_FAIL_WRONG,
    COMPARE_FAIL_ANY
};

/* An exit code, and the reason on stderr: CLI_WRONG where a case is what makes it fail, or is wrong
 * or gone whatever that is; CLI_USAGE where of one of the pairs no case can be judged. */
int compare_gate(const struct compare_pairs *pairs, enum compare_fail_on fail_on);

/* ---- texts (rows.c) -------------------------------------------------------------------------- */

/* "1.18", with more digits where it is small. */
enum { COMPARE_FACTOR_TEXT = 24 };
void compare_factor_text(double factor, char text[COMPARE_FACTOR_TEXT]);
/* "1.18 (1.14-1.22)" */
enum { COMPARE_INTERVAL_TEXT = 80 };
void compare_interval_text(double factor, const double interval[2],
                           char text[COMPARE_INTERVAL_TEXT]);
/* "B is 1.18x (1.14-1.22) as fast as A over 12 cases; 10 FAST, 0 SLOW, 2 UNSURE" */
void comparison_summary(const struct comparison *comparison, char *text, size_t room);

/* ---- documents ------------------------------------------------------------------------------- */

enum compare_format { COMPARE_TABLE, COMPARE_MARKDOWN, COMPARE_CSV, COMPARE_JSON };

struct compare_output {
    FILE *stream;
    enum compare_format format;
    unsigned width; /* of the terminal; 0: none */
    bool color;
};

/* report.c. Each returns an exit code. */
int compare_report_pairs(const struct comparison *list, size_t n, const struct compare_rules *rules,
                         const struct compare_output *output);
/* The same as CSV and as JSON: programs.c. */
int compare_csv_pairs(const struct comparison *list, size_t n, const struct compare_output *output);
int compare_json_pairs(const struct comparison *list, size_t n, const struct compare_rules *rules,
                       const struct compare_output *output);
/* explain.c: the cases with `text` in their names, and how their verdicts came about; of a
 * name that is all of `text`, only that. */
int compare_explain(const struct comparison *list, size_t n, const char *text,
                    const struct compare_rules *rules, const struct compare_output *output);
/* matrix.c */
int compare_report_matrix(const struct compare_sides *sides, bool by_share,
                          const struct compare_output *output);

/* A line of text, which becomes printable; in Markdown a paragraph, or an item of a list. */
void compare_print_line(const struct compare_output *output, bool is_item, char *text);
/* Prints the table as text, or as Markdown. */
int compare_print(const struct table *table, const struct compare_output *output);
/* Prints the document and releases it. */
int compare_print_json(json_t *root, const struct compare_output *output);

/* ---- keeping of contributed results (files.c) ------------------------------------------------ */

int compare_validate(const struct cli_texts *paths);
/* output: NULL for standard output. */
int compare_merge(const struct result_files *files, const char *output, bool force);

#endif
