/* SPDX-License-Identifier: MIT */
/* Files of results: documents of the form clnorm.bench/1, which results/schema.json describes. */
#ifndef CLNORM_CLI_RESULT_FILE_H
#define CLNORM_CLI_RESULT_FILE_H

#include "cli/cli.h"

#define RESULT_SCHEMA "clnorm.bench/1"

struct result_file {
    char *name; /* as it was given; of a page with several files "PAGE:NAME"; "standard input" */
    json_t *document;
};

struct result_files {
    struct result_file *list;
    size_t n;
};

/* Adds the documents of the file at `path`; "-": of standard input. What it is, its first bytes
 * say: a document; JSONL, a result a line, of which one document is made; or a page of clnorm
 * report, whose documents are added one by one. All of them passed result_check_form, so that what
 * it asks for need not be looked for again. The error names the file, the place in it and what is
 * allowed. A last line of JSONL that was cut short is left out with a message, and the document is
 * not "complete". *files starts as {0}; to be released in any case. */
bool result_files_read(struct result_files *files, const char *path, clnorm_error *error);
/* The same for any JSON in there: its form is not checked. */
bool result_files_load(struct result_files *files, const char *path, clnorm_error *error);
/* Whether a file may be written there, which is none of the files that are read: see
 * output_file_allowed. inputs: what result_files_read is given; NULL: any file may be replaced. */
bool result_output_allowed(const char *path, const struct cli_texts *inputs, clnorm_error *error);
void result_files_release(struct result_files *files);

/* The document as text that ends in a newline, for files that people keep and compare: a line for
 * each key, device and result. NULL: out of memory, or a text that is not UTF-8. To be freed. */
char *result_file_text(const json_t *document);

#endif
