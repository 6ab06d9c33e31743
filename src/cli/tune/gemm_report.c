/* SPDX-License-Identifier: MIT */
#include "cli/table.h"
#include "cli/tune/gemm.h"

static double rate(const clnorm_gemm_case *c, double seconds)
{
    return 2e-9 * (double)c->m * (double)c->n * (double)c->k / seconds;
}

static void add_product(struct table *table, const struct gemm_result *r, const clnorm_gemm_case *c,
                        size_t i)
{
    table_add(table, TONE_PLAIN, "%s", r->device->name);
    table_add(table, TONE_PLAIN, "%llu x %llu x %llu %c%c", (unsigned long long)c->m,
              (unsigned long long)c->n, (unsigned long long)c->k, c->a_transposed ? 't' : 'n',
              c->b_transposed ? 't' : 'n');
    table_add(table, TONE_PLAIN, "%.2f", rate(c, r->before[i]));
    table_add(table, TONE_PLAIN, "%.2f", rate(c, r->after[i]));
    table_add(table, TONE_PLAIN, "%.2f", r->before[i] / r->after[i]);
}

int gemm_report_table(const char *path, const struct layers *layers,
                      const struct gemm_result *results, size_t n, bool no_color)
{
    static const struct table_column columns[] = {
        {.title = "device", .shrinks = 1},          {.title = "m x n x k"},
        {.title = "GFLOP/s before", .right = true}, {.title = "after", .right = true},
        {.title = "gain", .right = true},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++) {
            const clnorm_gemm_case c = layers_product(layers, i);
            add_product(&table, &results[r], &c, i);
        }
    const int code =
        table_print(&table, stdout, terminal_width(stdout), use_color(stdout, no_color));
    table_release(&table);
    for (size_t r = 0; r < n; r++) {
        char text[CLNORM_GEMM_TUNING_TEXT];
        clnorm_gemm_tuning_text(&results[r].tuning, text);
        printf("%s: %u candidates, %u failed: %s\n", results[r].device->name, results[r].tried,
               results[r].failed, text);
    }
    printf("%s\n", path);
    return code;
}

static json_t *products_json(const struct layers *layers, const struct gemm_result *r)
{
    json_t *products = json_array();
    for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++) {
        const clnorm_gemm_case c = layers_product(layers, i);
        json_array_append_new(
            products, json_pack("{s:I, s:I, s:I, s:b, s:b, s:o, s:o, s:o}", "m", (json_int_t)c.m,
                                "n", (json_int_t)c.n, "k", (json_int_t)c.k, "a_transposed",
                                c.a_transposed, "b_transposed", c.b_transposed, "seconds_before",
                                json_finite(r->before[i]), "seconds", json_finite(r->after[i]),
                                "gain", json_finite(r->before[i] / r->after[i])));
    }
    return products;
}

int gemm_report_json(const char *path, const struct layers *layers,
                     const struct gemm_result *results, size_t n)
{
    json_t *devices = json_array();
    for (size_t r = 0; r < n; r++) {
        char text[CLNORM_GEMM_TUNING_TEXT];
        clnorm_gemm_tuning_text(&results[r].tuning, text);
        json_array_append_new(
            devices,
            json_pack(
                "{s:o, s:o, s:s, s:I, s:I, s:o, s:o}", "device", json_text(results[r].device->name),
                "platform", json_text(results[r].device->platform_name), "tuning", text, "tried",
                (json_int_t)results[r].tried, "failed", (json_int_t)results[r].failed, "problem",
                json_text(results[r].problem), "products", products_json(layers, &results[r])));
    }
    return print_json(json_pack("{s:s, s:o, s:o}", "version", clnorm_version(), "file",
                                json_text(path), "devices", devices));
}
