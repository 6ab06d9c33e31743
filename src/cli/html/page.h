/* SPDX-License-Identifier: MIT */
/* Pages for a browser: one file that holds its style, its scripts and its data, and loads nothing.
 * Their sources are in src/cli/html: page.html and style.css are what all have in common, shared.js
 * and charts.js what their scripts share, and a script for each kind builds the page from the data.
 */
#ifndef CLNORM_CLI_HTML_PAGE_H
#define CLNORM_CLI_HTML_PAGE_H

#include "cli/cli.h"

enum page_kind { PAGE_REPORT, PAGE_CHECK, PAGE_EXPLAIN };

/* Writes the page to `path`; it appears whole or not at all. Releases `data`, which is in the page
 * as JSON in the script element "clnorm-data"; NULL (out of memory while it was built) is an error.
 */
bool page_write(const char *path, enum page_kind kind, const char *title, json_t *data,
                clnorm_error *error);

#endif
