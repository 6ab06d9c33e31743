/* SPDX-License-Identifier: MIT */
/* Where the data lie in a page of clnorm report. */
#ifndef CLNORM_CLI_RESULT_PAGE_H
#define CLNORM_CLI_RESULT_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#define RESULT_PAGE_ID "clnorm-data"

/* The text of the first <script> whose id is clnorm-data; what other scripts and comments have in
 * them is not looked at. false: there is none. page[bytes] is 0. */
bool result_page_data(const char *page, const char **text, size_t *bytes);

#endif
