/* SPDX-License-Identifier: MIT */
#include "cli/result/page.h"

#include <string.h>

/* Whether the tag, which ends at `end`, has this id. */
static bool has_id(const char *tag, const char *end)
{
    static const char id[] = "id=\"" RESULT_PAGE_ID "\"";
    const size_t length = sizeof(id) - 1;
    for (const char *at = tag; at + length <= end; at++)
        if (memcmp(at, id, length) == 0 && strchr(" \t\r\n", at[-1]))
            return true;
    return false;
}

/* Behind `mark`, or NULL. */
static const char *find_behind(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    return at ? at + strlen(mark) : NULL;
}

bool result_page_data(const char *page, const char **text, size_t *bytes)
{
    static const char comment[] = "<!--", script[] = "<script", script_end[] = "</script";
    for (const char *at = strchr(page, '<'); at; at = at ? strchr(at, '<') : NULL) {
        if (strncmp(at, comment, strlen(comment)) == 0) {
            at = find_behind(at, "-->");
            continue;
        }
        if (strncmp(at, script, strlen(script)) != 0) {
            at++;
            continue;
        }
        const char *tag = at + strlen(script);
        const char *inside = find_behind(tag, ">");
        const char *end = inside ? strstr(inside, script_end) : NULL;
        if (end && has_id(tag, inside)) {
            *text = inside;
            *bytes = (size_t)(end - inside);
            return true;
        }
        at = end ? end + 1 : NULL;
    }
    return false;
}
