/* SPDX-License-Identifier: MIT */
#include "cli/result/check.h"
#include "cli/result/file.h"
#include "cli/result/rules.h"

#include <stdarg.h>
#include <string.h>

static const char *const allowed[] = {
    [TEXT] = "a text",
    [NAME] = "a text that is not empty",
    [NUMBER] = "a number, 0 or more",
    [POSITIVE] = "a number above 0",
    [COUNT] = "a whole number, 0 or more",
    [SIZE] = "a whole number above 0",
    [FLAG] = "true or false",
    [OBJECT] = "an object",
    [OBJECTS] = "an array of objects",
    [COUNTS] = "an array of whole numbers, 0 or more",
    [SAMPLES] = "an array of at least one number, all above 0",
    [INTERVAL] = "an array of two numbers above 0",
};

/* ---- what is wrong, and where -------------------------------------------------------------- */

enum { PATH_ROOM = 256, TEXT_ROOM = 512, SHOWN = 60 };

struct check {
    result_problem_fn *problem;
    void *user;
    size_t found;
};

struct place {
    const struct place *outer; /* NULL: the document */
    const char *key; /* NULL: an element of an array */
    size_t index;
};

static size_t write_path(const struct place *place, char *path)
{
    if (!place)
        return 0;
    const size_t used = write_path(place->outer, path);
    const size_t room = PATH_ROOM - used;
    const int more = place->key ? snprintf(path + used, room, "%s%s", used ? "." : "", place->key)
                                : snprintf(path + used, room, "[%zu]", place->index);
    return (size_t)more < room ? used + (size_t)more : PATH_ROOM - 1;
}

static void say(struct check *check, const struct place *place, const char *format, ...)
    CLI_PRINTF(3, 4);

static void say(struct check *check, const struct place *place, const char *format, ...)
{
    char path[PATH_ROOM] = "", text[TEXT_ROOM];
    va_list args;
    check->found++;
    if (!check->problem)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    write_path(place, path);
    check->problem(check->user, path, text);
}

static void describe(const json_t *value, char text[TEXT_ROOM / 4])
{
    static const char *const names[] = {[JSON_OBJECT] = "an object",
                                        [JSON_ARRAY] = "an array",
                                        [JSON_TRUE] = "true",
                                        [JSON_FALSE] = "false",
                                        [JSON_NULL] = "null"};
    const size_t room = TEXT_ROOM / 4;
    if (!value)
        snprintf(text, room, "is missing");
    else if (json_is_string(value))
        snprintf(text, room, "is '%.*s'", SHOWN, json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, room, "is %" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, room, "is %.9g", json_real_value(value));
    else
        snprintf(text, room, "is %s", names[json_typeof(value)]);
}

static void say_not_allowed(struct check *check, const struct place *place, const json_t *value,
                            const struct rule *rule)
{
    char is[TEXT_ROOM / 4];
    describe(value, is);
    say(check, place, "%s; must be %s%s", is,
        rule->type == CHOICE ? rule->choices : allowed[rule->type],
        rule->flags & OR_NULL ? ", or null" : "");
}

/* ---- values -------------------------------------------------------------------------------- */

static bool is_choice(const json_t *value, const char *choices)
{
    const char *text = json_string_value(value);
    const size_t length = text ? strlen(text) : 0;
    for (const char *name = choices; length && *name;) {
        const size_t n = strcspn(name, "|");
        if (n == length && memcmp(name, text, n) == 0)
            return true;
        name += n + (name[n] == '|');
    }
    return false;
}

static bool is_positive(const json_t *value)
{
    return json_is_number(value) && json_number_value(value) > 0;
}

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool all_are(const json_t *array, bool (*is)(const json_t *))
{
    bool ok = json_is_array(array);
    for (size_t i = 0; ok && i < json_array_size(array); i++)
        ok = is(json_array_get(array, i));
    return ok;
}

static bool is_ordered(const json_t *interval)
{
    return json_number_value(json_array_get(interval, 0)) <=
           json_number_value(json_array_get(interval, 1));
}

static bool is_right(const json_t *value, const struct rule *rule)
{
    switch (rule->type) {
    case TEXT:
        return json_is_string(value);
    case NAME:
        return json_string_length(value) > 0;
    case CHOICE:
        return is_choice(value, rule->choices);
    case NUMBER:
        return json_is_number(value) && json_number_value(value) >= 0;
    case POSITIVE:
        return is_positive(value);
    case COUNT:
        return is_count(value);
    case SIZE:
        return json_is_integer(value) && json_integer_value(value) > 0;
    case FLAG:
        return json_is_boolean(value);
    case OBJECT:
        return json_is_object(value);
    case OBJECTS:
        return json_is_array(value);
    case COUNTS:
        return all_are(value, is_count);
    case SAMPLES:
        return json_array_size(value) > 0 && all_are(value, is_positive);
    case INTERVAL:
        return json_array_size(value) == 2 && all_are(value, is_positive);
    }
    return false;
}

/* flags: of the rule of the object. */
static void check_object(struct check *check, const struct place *place, const json_t *object,
                         const struct rule *rules, int flags);

static void check_elements(struct check *check, const struct place *place, const json_t *array,
                           const struct rule *rules, int flags)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const struct place here = {place, NULL, i};
        const json_t *element = json_array_get(array, i);
        if (json_is_object(element))
            check_object(check, &here, element, rules, flags);
        else
            say_not_allowed(check, &here, element, &(struct rule){.type = OBJECT});
    }
}

static void check_object(struct check *check, const struct place *place, const json_t *object,
                         const struct rule *rules, int flags)
{
    for (const struct rule *rule = rules; rule->key; rule++) {
        const struct place here = {place, rule->key, 0};
        const json_t *value = json_object_get(object, rule->key);
        const struct rule *inside = rule->inside ? rule->inside : rules;
        const bool is_required = rule->flags & REQUIRED && !(flags & IN_PART);
        if ((!value && !is_required) || (json_is_null(value) && rule->flags & OR_NULL))
            continue;
        if (!is_right(value, rule))
            say_not_allowed(check, &here, value, rule);
        else if (rule->type == INTERVAL && !is_ordered(value))
            say(check, &here, "has its upper end first; must have the lower one first");
        else if (rule->type == OBJECT)
            check_object(check, &here, value, inside, rule->flags);
        else if (rule->type == OBJECTS)
            check_elements(check, &here, value, inside, rule->flags);
    }
}

/* ---- results ------------------------------------------------------------------------------- */

static void check_ok(struct check *check, const struct place *place, const json_t *result)
{
    const json_t *verdict = json_object_get(json_object_get(result, "check"), "verdict");
    const json_t *rounds = json_object_get(result, "rounds");
    check_object(check, place, result, result_measured_rules, 0);
    check_object(check, place, result, result_moved_rules, 0);
    if (!is_choice(verdict, "ok"))
        say(check, &(struct place){place, "check", 0},
            "its verdict is not ok; nothing else may be measured");
    if (json_is_array(rounds) && json_array_size(rounds) == 0)
        say(check, &(struct place){place, "rounds", 0}, "is empty; must be at least one round");
}

static void check_not_ok(struct check *check, const struct place *place, const json_t *result)
{
    for (const struct rule *rule = result_measured_rules; rule->key; rule++) {
        const json_t *value = json_object_get(result, rule->key);
        if (value && !json_is_null(value))
            say(check, &(struct place){place, rule->key, 0},
                "is there, and the status is not ok; must be absent or null");
    }
}

/* seen: from the key of a result to its place. */
static void check_key(struct check *check, const struct place *place, const json_t *result,
                      json_t *seen)
{
    char device[24];
    snprintf(device, sizeof(device), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(result, "device")));
    const char *name = json_string_value(json_object_get(result, "case"));
    if (!name)
        return;
    json_t *of_device = json_object_get(seen, device);
    if (!of_device) {
        of_device = json_object();
        json_object_set_new(seen, device, of_device);
    }
    const json_t *before = json_object_get(of_device, name);
    if (before)
        say(check, &(struct place){place, "case", 0},
            "'%.*s' of device %s is there already, as results[%" JSON_INTEGER_FORMAT
            "]; must be there once",
            SHOWN, name, device, json_integer_value(before));
    json_object_set_new(of_device, name, json_integer((json_int_t)place->index));
}

/* Says so if what the result has there is no place in the array. */
static void check_place(struct check *check, const struct place *place, const json_t *result,
                        const char *key, const json_t *array, const char *name)
{
    const json_t *value = json_object_get(result, key);
    if (is_count(value) && (size_t)json_integer_value(value) >= json_array_size(array))
        say(check, &(struct place){place, key, 0},
            "is %" JSON_INTEGER_FORMAT "; must be a place in %s, which has %zu",
            json_integer_value(value), name, json_array_size(array));
}

static void check_result(struct check *check, const struct place *place, const json_t *result,
                         const json_t *devices, json_t *seen)
{
    const json_int_t device = json_integer_value(json_object_get(result, "device"));
    const json_t *runs = json_object_get(json_array_get(devices, (size_t)device), "runs");
    check_place(check, place, result, "device", devices, "devices");
    check_place(check, place, result, "run", runs, "runs of its device");
    if (is_choice(json_object_get(result, "status"), "ok"))
        check_ok(check, place, result);
    else
        check_not_ok(check, place, result);
    check_key(check, place, result, seen);
}

static void check_results(struct check *check, const json_t *document)
{
    const json_t *results = json_object_get(document, "results");
    const json_t *devices = json_object_get(document, "devices");
    const struct place place = {NULL, "results", 0};
    json_t *seen = json_object();
    for (size_t i = 0; i < json_array_size(results); i++)
        if (json_is_object(json_array_get(results, i)))
            check_result(check, &(struct place){&place, NULL, i}, json_array_get(results, i),
                         devices, seen);
    json_decref(seen);
}

size_t result_check_form(const json_t *document, result_problem_fn *problem, void *user)
{
    struct check check = {problem, user, 0};
    const json_t *schema = json_object_get(document, "schema");
    if (!json_is_object(document))
        say_not_allowed(&check, NULL, document, &(struct rule){.type = OBJECT});
    else if (!is_choice(schema, RESULT_SCHEMA)) /* what the rest means, nobody knows then */
        say_not_allowed(&check, &(struct place){NULL, "schema", 0}, schema,
                        &result_document_rules[0]);
    if (check.found)
        return check.found;
    check_object(&check, NULL, document, result_document_rules, 0);
    check_results(&check, document);
    return check.found;
}
