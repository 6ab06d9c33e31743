/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"

#include <string.h>

/* Below this width, the names of the cases need the place of the times. */
enum { LINE = 640, LEAST_WIDTH_FOR_TIMES = 100 };

void compare_print_line(const struct compare_output *output, bool is_item, char *text)
{
    make_printable(text);
    if (output->format != COMPARE_MARKDOWN) {
        fprintf(output->stream, "%s\n", text);
        return;
    }
    fputs(is_item ? "- " : "\n", output->stream);
    markdown_text(output->stream, text);
    fputs(is_item ? "\n" : "\n\n", output->stream);
}

int compare_print(const struct table *table, const struct compare_output *output)
{
    return output->format == COMPARE_MARKDOWN
               ? table_print_markdown(table, output->stream)
               : table_print(table, output->stream, output->width, output->color);
}

static void print_side(const struct compare_side *side, const struct compare_output *output)
{
    char text[LINE], device[LINE / 2];
    char created[128];
    compare_side_text(side, device, sizeof(device));
    compare_side_created(side, created, sizeof(created));
    snprintf(text, sizeof(text), "%s: %s: %s, %s%s", side->label, side->file->name, device, created,
             json_is_false(json_object_get(side->file->document, "complete")) ? ", not complete"
                                                                              : "");
    compare_print_line(output, true, text);
}

static void print_head(const struct comparison *c, const struct compare_rules *rules,
                       const struct compare_output *output)
{
    struct compare_difference list[COMPARE_MOST_DIFFERENCES];
    char text[LINE];
    const size_t n = compare_differences(c->a, c->b, list);
    print_side(c->a, output);
    print_side(c->b, output);
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "%s differs: '%s' and '%s'", list[i].what, list[i].a,
                 list[i].b);
        compare_print_line(output, true, text);
    }
    snprintf(text, sizeof(text), "%s/%s is how many times as fast %s is, %s.", c->b->label,
             c->a->label, c->b->label,
             rules->by_time ? "by time: raw times of two processes are not comparable, so do not "
                              "take this for a difference of kernels"
                            : "by the share of what a copy beside it reached");
    compare_print_line(output, false, text);
}

static enum table_tone tone_of(enum compare_verdict verdict)
{
    switch (verdict) {
    case COMPARE_FAST:
        return TONE_GOOD;
    case COMPARE_SLOW:
    case COMPARE_WRONG:
        return TONE_BAD;
    case COMPARE_SAME:
        return TONE_PLAIN;
    default:
        return TONE_FAINT;
    }
}

static void add_value(struct table *table, const struct compare_value *value)
{
    if (value->is_ok)
        table_add_seconds(table, value->seconds);
    else
        table_add(table, TONE_FAINT, "%s",
                  value->result ? json_text_at(value->result, "status") : "-");
}

static const struct {
    char mark;
    const char *text;
} rough[COMPARE_ROUGH] = {
    [COMPARE_LAUNCHES] = {'l', "it takes less than three empty kernels"},
    [COMPARE_COPIES] = {'c', "the copies beside the two went ways that differ"},
};

static void add_verdict(struct table *table, const struct compare_row *row)
{
    char rounds[32] = "", marks[2 + COMPARE_ROUGH] = " ";
    size_t n = 0;
    if (row->verdict == COMPARE_UNSURE)
        snprintf(rounds, sizeof(rounds), " (%.0f)", row->rounds_needed);
    for (int i = 0; i < COMPARE_ROUGH; i++)
        if (row->rough[i])
            marks[++n] = rough[i].mark;
    marks[n ? n + 1 : 0] = '\0';
    table_add(table, tone_of(row->verdict), "%s%s%s", compare_verdict_names[row->verdict], rounds,
              marks);
}

static void share_text(const struct compare_value *value, char text[16])
{
    snprintf(text, 16, value->is_ok ? "%.0f %%" : "-", 100 * value->of_copy);
}

static void add_row(struct table *table, const struct compare_row *row, bool has_times)
{
    char factor[COMPARE_INTERVAL_TEXT] = "-", of_a[16], of_b[16];
    const bool is_both = row->a.is_ok && row->b.is_ok;
    if (is_both)
        compare_interval_text(row->factor, row->interval, factor);
    share_text(&row->a, of_a);
    share_text(&row->b, of_b);
    table_add(table, TONE_PLAIN, "%s", row->name);
    if (has_times) {
        add_value(table, &row->a);
        add_value(table, &row->b);
    }
    table_add(table, is_both ? TONE_PLAIN : TONE_FAINT, "%s", factor);
    add_verdict(table, row);
    table_add(table, TONE_PLAIN, "%s -> %s", of_a, of_b);
}

/* What the marks mean that are there. */
static void print_marks(const struct comparison *c, const struct compare_output *output)
{
    char text[LINE];
    for (int i = 0; i < COMPARE_ROUGH; i++) {
        size_t k = 0;
        while (k < c->n && !c->rows[k].rough[i])
            k++;
        if (k == c->n)
            continue;
        snprintf(text, sizeof(text), "%c: %s, so that %.0f %% is the least effect.", rough[i].mark,
                 rough[i].text, 100 * c->rows[k].margin);
        compare_print_line(output, false, text);
    }
}

static void print_foot(const struct comparison *c, const struct compare_output *output)
{
    char text[LINE];
    print_marks(c, output);
    if (c->count[COMPARE_UNSURE] > 0) {
        snprintf(text, sizeof(text), "UNSURE (N): N rounds a side would find an effect.");
        compare_print_line(output, false, text);
    }
    if (c->copy_moved) {
        snprintf(text, sizeof(text),
                 "copy moved %+.0f %%: the driver or the machine changed, not only kernels",
                 100 * (c->copy_factor - 1));
        compare_print_line(output, false, text);
    }
    comparison_summary(c, text, sizeof(text));
    compare_print_line(output, false, text);
}

static int print_pair(const struct comparison *c, const struct compare_rules *rules,
                      const struct compare_output *output)
{
    char ratio[48];
    snprintf(ratio, sizeof(ratio), "%s/%s (95 %%)", c->b->label, c->a->label);
    const struct table_column columns[] = {
        {"case", false, 1}, {c->a->label, true, 0}, {c->b->label, true, 0},
        {ratio, true, 0},   {"verdict", false, 0},  {"of copy", true, 0},
    };
    const struct table_column narrow[] = {columns[0], columns[3], columns[4], columns[5]};
    const bool has_times = output->width == 0 || output->width >= LEAST_WIDTH_FOR_TIMES;
    struct table table = {
        .columns = has_times ? columns : narrow,
        .n_columns = (has_times ? sizeof(columns) : sizeof(narrow)) / sizeof(columns[0]),
    };
    print_head(c, rules, output);
    for (size_t i = 0; i < c->n; i++)
        add_row(&table, &c->rows[i], has_times);
    const int code = compare_print(&table, output);
    table_release(&table);
    print_foot(c, output);
    return code;
}

int compare_report_pairs(const struct comparison *list, size_t n, const struct compare_rules *rules,
                         const struct compare_output *output)
{
    int code = CLI_OK;
    if (output->format == COMPARE_CSV)
        return compare_csv_pairs(list, n, output);
    if (output->format == COMPARE_JSON)
        return compare_json_pairs(list, n, rules, output);
    for (size_t i = 0; i < n && code == CLI_OK; i++) {
        if (i > 0)
            putc('\n', output->stream);
        code = print_pair(&list[i], rules, output);
    }
    return code;
}
