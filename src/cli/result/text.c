/* SPDX-License-Identifier: MIT */
/* A document as text. Each device and result has a line of its own, so that a change of one of them
 * is a change of one line, and rounds do not fill a screen with a number a line. */
#define _POSIX_C_SOURCE 200809L
#include "cli/result/file.h"

#include <stdlib.h>

/* What has 15 digits comes back as it was. */
enum { FLAGS = JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY };

static bool is_list_of_objects(const json_t *value)
{
    return json_array_size(value) > 0 && json_is_object(json_array_get(value, 0));
}

static bool write_lines(const json_t *array, FILE *stream)
{
    bool ok = true;
    fputs("[\n", stream);
    for (size_t i = 0; ok && i < json_array_size(array); i++) {
        fputs(i ? ",\n  " : "  ", stream);
        ok = json_dumpf(json_array_get(array, i), stream, FLAGS) == 0;
    }
    fputs("\n ]", stream);
    return ok;
}

static bool write_document(json_t *document, FILE *stream)
{
    const char *key, *separator = "{\n ";
    json_t *value;
    bool ok = true;
    json_object_foreach(document, key, value)
    {
        json_t *name = json_string(key);
        fputs(separator, stream);
        ok = ok && json_dumpf(name, stream, FLAGS) == 0 && fputs(": ", stream) >= 0 &&
             (is_list_of_objects(value) ? write_lines(value, stream)
                                        : json_dumpf(value, stream, FLAGS) == 0);
        json_decref(name);
        separator = ",\n ";
    }
    return fputs("\n}\n", stream) >= 0 && ok;
}

char *result_file_text(const json_t *document)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream)
        return NULL;
    const bool ok = write_document((json_t *)document, stream);
    if (fclose(stream) == 0 && ok)
        return text;
    free(text);
    return NULL;
}
