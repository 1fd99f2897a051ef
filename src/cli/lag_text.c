/* lag_text.c - eventscope lag for people, and for Prometheus. */
#include <stdlib.h>
#include <string.h>

#include "cli/lag_out.h"
#include "cli/out.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "lag/model.h"

enum { EXPO_CAP = 1 << 30 };

static void cell_count(struct evs_table *t, int64_t v)
{
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s", v < 0 ? "-" : evs_num_commas(text, v));
}

static void cell_rate(struct evs_table *t, double v)
{
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s", v < 0 ? "" : evs_num_human(text, v));
}

static void cell_age(struct evs_table *t, const struct evs_lag_time *a)
{
    char text[EVS_NUM_LEN];
    if (a->method == EVS_METHOD_NONE)
        evs_table_cell(t, "-");
    else if (a->method == EVS_METHOD_BRACKET)
        evs_table_cell(t, "> %s", evs_num_ago(text, a->min_ms));
    else
        evs_table_cell(t, "%s%s", a->method == EVS_METHOD_INTERPOLATED ? "~" : "",
                       evs_num_ago(text, a->lag_ms));
}

static void cell_eta(struct evs_table *t, const struct evs_lag_eta *eta)
{
    static const char *const words[] = {"", "-", NULL, "grows", "never"};
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s",
                   words[eta->kind] ? words[eta->kind]
                                    : evs_num_ago(text, (int64_t)(eta->seconds * 1000)));
}

static const char *state_of(const struct evs_lag_group_row *g)
{
    return g->state == EVS_GROUP_UNKNOWN || (g->new_protocol && g->state == EVS_GROUP_DEAD)
               ? "?"
               : evs_group_state_name(g->state);
}

/* The gravest first, as on the screen. */
static int by_gravity(const void *a, const void *b)
{
    const struct evs_lag_group_row *x = *(const struct evs_lag_group_row *const *)a;
    const struct evs_lag_group_row *y = *(const struct evs_lag_group_row *const *)b;
    if (x->v.verdict.status != y->v.verdict.status)
        return x->v.verdict.status > y->v.verdict.status ? -1 : 1;
    if (x->v.total != y->v.total)
        return x->v.total > y->v.total ? -1 : 1;
    return strcmp(x->name, y->name);
}

static const struct evs_lag_group_row **worst_first(const struct evs_lag_sn *sn)
{
    const struct evs_lag_group_row **order =
        evs_xcalloc(sn->n_groups + 1, sizeof(struct evs_lag_group_row *));
    for (size_t i = 0; i < sn->n_groups; i++)
        order[i] = &sn->groups[i];
    qsort(order, sn->n_groups, sizeof(struct evs_lag_group_row *), by_gravity);
    return order;
}

static void print_groups(const struct evs_lag_sn *sn)
{
    const struct evs_lag_group_row **order = worst_first(sn);
    static const char *const heads[] = {"GROUP", "STATE",  ">MEMB", ">TOPICS", ">LAG", ">TIME LAG",
                                        ">IN/s", ">OUT/s", "ETA",   "STATUS",  "WHY",  NULL};
    struct evs_table *t = evs_table_new(heads);
    for (size_t i = 0; i < sn->n_groups; i++) {
        const struct evs_lag_group_row *g = order[i];
        char rule[300];
        evs_lag_rule_words(g, rule, sizeof(rule));
        evs_table_cell_bytes(t, g->name, strlen(g->name));
        evs_table_cell(t, "%s", state_of(g));
        cell_count(t, g->described ? (int64_t)g->n_members : -1);
        evs_table_cell(t, "%zu", g->n_topics);
        cell_count(t, g->v.total);
        cell_age(t, &g->age);
        cell_rate(t, g->produce);
        cell_rate(t, g->consume);
        cell_eta(t, &g->eta);
        evs_table_cell(t, "%s", evs_lag_status_word(g->v.verdict.status));
        evs_table_cell(t, "%s", g->v.verdict.status == EVS_LAG_OK ? "" : rule);
    }
    evs_table_print(t);
    evs_table_free(t);
    evs_free(order);
}

static void cell_note(struct evs_table *t, const struct evs_lag_row *r)
{
    char n[EVS_NUM_LEN];
    if (r->f.note == EVS_NOTE_BEFORE_START)
        evs_table_cell(t, "lost %s (offset before log start)", evs_num_commas(n, r->f.lost));
    else if (r->f.note == EVS_NOTE_OPEN_TXN)
        evs_table_cell(t, "%s behind an open transaction", evs_num_commas(n, r->f.open));
    else if (r->f.note == EVS_NOTE_ERROR)
        evs_table_cell(t, "%s", r->error ? r->error : "unknown");
    else
        evs_table_cell(t, "%s", evs_lag_note_text(r->f.note) ? evs_lag_note_text(r->f.note) : "");
}

static void print_partitions(const struct evs_lag_group_row *g)
{
    static const char *const heads[] = {"TOPIC", ">PART",     ">COMMITTED", ">LOW",   ">HIGH",
                                        ">LAG",  ">TIME LAG", ">IN/s",      ">OUT/s", "CLIENT",
                                        "HOST",  "STATUS",    "NOTE",       NULL};
    struct evs_table *t = evs_table_new(heads);
    for (size_t i = 0; i < g->n_rows; i++) {
        const struct evs_lag_row *r = &g->rows[i];
        bool held = r->member >= 0 && (size_t)r->member < g->n_members;
        evs_table_cell_bytes(t, r->topic, strlen(r->topic));
        evs_table_cell(t, "%d", (int)r->partition);
        cell_count(t, r->committed);
        cell_count(t, r->low);
        cell_count(t, r->f.high);
        cell_count(t, r->f.lag);
        cell_age(t, &r->age);
        cell_rate(t, r->produce);
        cell_rate(t, r->consume);
        evs_table_cell(t, "%s", held ? g->members[r->member].client : "");
        evs_table_cell(t, "%s", held ? g->members[r->member].host : "");
        evs_table_cell(t, "%s", evs_lag_status_word(r->verdict.status));
        cell_note(t, r);
    }
    evs_table_print(t);
    evs_table_free(t);
}

void evs_lag_print_text(const struct evs_lag_sn *sn, bool partitions)
{
    if (!sn->n_groups)
        evs_out_text("no group visible; if listing is not allowed: --group NAME");
    else
        print_groups(sn);
    for (size_t i = 0; i < sn->n_groups && partitions; i++) {
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
        evs_text_escape(&name, sn->groups[i].name, strlen(sn->groups[i].name));
        evs_out_text("\n%s", evs_buf_str(&name));
        if (sn->groups[i].n_rows)
            print_partitions(&sn->groups[i]);
        else
            evs_out_text("this group has committed nothing");
    }
}

/* --- Prometheus --- */

/* Label values: escaped for terminals like all text, then as the format wants it. */
static void label(struct evs_buf *out, const char *name, const char *value)
{
    EVS_AUTO(evs_buf) struct evs_buf safe = EVS_BUF_INIT(1 << 16);
    evs_text_escape(&safe, value, strlen(value));
    evs_buf_printf(out, "%s=\"", name);
    for (const char *p = evs_buf_str(&safe); *p; p++) {
        if (*p == '"' || *p == '\\')
            evs_buf_addc(out, '\\');
        evs_buf_addc(out, *p);
    }
    evs_buf_addc(out, '"');
}

enum what { COMMITTED, START, END, LAG, LOST, BEHIND };

static int64_t figure(const struct evs_lag_row *r, enum what w)
{
    switch (w) {
    case COMMITTED: return r->committed;
    case START: return r->low;
    case END: return r->f.high;
    case LAG: return r->f.lag;
    case LOST: return r->f.lag < 0 ? -1 : r->f.lost;
    default: return r->behind;
    }
}

static void head(struct evs_buf *out, const char *name, const char *help)
{
    evs_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void row_labels(struct evs_buf *out, const char *name, const struct evs_lag_group_row *g,
                       const struct evs_lag_row *r)
{
    evs_buf_printf(out, "%s{", name);
    label(out, "group", g->name);
    evs_buf_addc(out, ',');
    label(out, "topic", r->topic);
    evs_buf_printf(out, ",partition=\"%d\"} ", (int)r->partition);
}

static void expose_rows(struct evs_buf *out, const struct evs_lag_sn *sn)
{
    static const struct {
        const char *name, *help;
        enum what what;
    } rows[] = {
        {"eventscope_partition_committed_offset", "Committed offset.", COMMITTED},
        {"eventscope_partition_low_offset", "Log start offset.", START},
        {"eventscope_partition_high_offset", "End offset that lag counts to.", END},
        {"eventscope_partition_lag_records", "High minus the larger of committed and low.", LAG},
        {"eventscope_partition_lost_records", "Offsets deleted before they were read.", LOST},
        {"eventscope_partition_behind_records", "Records a consumer would still get.", BEHIND},
    };
    for (size_t k = 0; k < EVS_COUNT(rows); k++) {
        head(out, rows[k].name, rows[k].help);
        for (size_t i = 0; i < sn->n_groups; i++)
            for (size_t r = 0; r < sn->groups[i].n_rows; r++) {
                int64_t v = figure(&sn->groups[i].rows[r], rows[k].what);
                if (v < 0)
                    continue;
                row_labels(out, rows[k].name, &sn->groups[i], &sn->groups[i].rows[r]);
                evs_buf_i64(out, v);
                evs_buf_addc(out, '\n');
            }
    }
}

static void expose_ages(struct evs_buf *out, const struct evs_lag_sn *sn)
{
    head(out, "eventscope_partition_lag_seconds", "Age of the record at the committed offset.");
    for (size_t i = 0; i < sn->n_groups; i++)
        for (size_t r = 0; r < sn->groups[i].n_rows; r++) {
            const struct evs_lag_row *row = &sn->groups[i].rows[r];
            if (row->age.lag_ms < 0)
                continue;
            row_labels(out, "eventscope_partition_lag_seconds", &sn->groups[i], row);
            evs_buf_printf(out, "%.3f\n", (double)row->age.lag_ms / 1000);
        }
}

static void expose_group(struct evs_buf *out, const char *name, const char *group, int64_t v)
{
    if (v < 0)
        return;
    evs_buf_printf(out, "%s{", name);
    label(out, "group", group);
    evs_buf_printf(out, "} %lld\n", (long long)v);
}

void evs_lag_print_prometheus(const struct evs_lag_sn *sn)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(EXPO_CAP);
    head(&out, "eventscope_group_lag_records", "Lag of all partitions with a known lag.");
    for (size_t i = 0; i < sn->n_groups; i++)
        expose_group(&out, "eventscope_group_lag_records", sn->groups[i].name,
                     sn->groups[i].v.total);
    head(&out, "eventscope_group_members", "Members of the group.");
    for (size_t i = 0; i < sn->n_groups; i++)
        expose_group(&out, "eventscope_group_members", sn->groups[i].name,
                     sn->groups[i].described ? (int64_t)sn->groups[i].n_members : -1);
    head(&out, "eventscope_group_status", "1 for the present status of the group.");
    for (size_t i = 0; i < sn->n_groups; i++) {
        evs_buf_adds(&out, "eventscope_group_status{");
        label(&out, "group", sn->groups[i].name);
        evs_buf_printf(&out, ",status=\"%s\"} 1\n",
                       evs_lag_status_name(sn->groups[i].v.verdict.status));
    }
    expose_rows(&out, sn);
    expose_ages(&out, sn);
    head(&out, "eventscope_scrape_complete", "1 when every group and partition could be read.");
    evs_buf_printf(&out, "eventscope_scrape_complete %d", sn->complete ? 1 : 0);
    evs_out_text("%s", evs_buf_str(&out));
}
