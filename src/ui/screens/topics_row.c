/* topics_row.c - one topic in words and cells: the list of the Topics screen. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/screens/topics.h"
#include "ui/widgets/chart.h"

static const struct evs_column cols[] = {
    {"NAME", 12, 60, 0, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_COMPACT, NULL, "the topic"},
    {"PART", 4, 6, 6, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "partitions"},
    {"REPL", 4, 4, 2, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "replicas of each partition"},
    {"MSGS", 7, 16, 0, EVS_COL_RIGHT | EVS_COL_DESC, "span", NULL},
    {"RATE/s", 6, 10, 5, EVS_COL_RIGHT | EVS_COL_DESC, "exact",
     "messages a second between the last two looks at the end offsets"},
    {"LAST 15 MIN", 15, 15, 1, EVS_COL_CHART, NULL, "messages a second, a column a minute"},
    {"SKEW", 5, 7, 4, EVS_COL_RIGHT | EVS_COL_DESC, "span",
     "the fullest partition against the mean of all: 1.0 is even"},
    {"WORST LAG", 12, 40, 3, EVS_COL_GROW | EVS_COL_MIDDLE, "exact",
     "the group that is furthest behind here"},
    {"STATE", 5, 24, 0, EVS_COL_COMPACT | EVS_COL_DESC, NULL, "what needs attention, worst first"},
};

static const char *heading(const void *ctx, int col)
{
    static char msgs[16], skew[16];
    (void)ctx;
    if (col == TOPIC_COL_MSGS) {
        snprintf(msgs, sizeof(msgs), "MSGS%s", evs_glyph(EVS_G_LE));
        return msgs;
    }
    if (col == TOPIC_COL_SKEW) {
        snprintf(skew, sizeof(skew), "SKEW%s", evs_glyph(EVS_G_TIMES));
        return skew;
    }
    return NULL;
}

static const struct evs_topic_row *row_at(const void *ctx, size_t row)
{
    return &((const struct topics *)ctx)->sn->rows[row];
}

bool topic_internal(const struct evs_topic_row *row)
{
    return row->internal || !strncmp(row->name, "__", 2);
}

int topic_rank(const struct evs_topic_row *row)
{
    return (int)row->status;
}

enum evs_role topic_state(const struct evs_topic_row *row, char *to, size_t size)
{
    switch (row->status) {
    case EVS_TOPIC_ERROR:
        snprintf(to, size, "%s", row->error ? row->error : row->reason);
        return EVS_ROLE_BAD;
    case EVS_TOPIC_NO_LEADER:
        snprintf(to, size, "%d no leader", row->leaderless);
        return EVS_ROLE_BAD;
    case EVS_TOPIC_UNDER_REPLICATED:
        snprintf(to, size, "%d under-repl.", row->under_replicated);
        return EVS_ROLE_BAD;
    case EVS_TOPIC_HOT: snprintf(to, size, "hot"); return EVS_ROLE_BAD;
    case EVS_TOPIC_SKEWED: snprintf(to, size, "skewed"); return EVS_ROLE_WARN;
    case EVS_TOPIC_OK: snprintf(to, size, "ok"); return EVS_ROLE_OK;
    case EVS_TOPIC_EMPTY: snprintf(to, size, "empty"); return EVS_ROLE_TEXT_DIM;
    default: snprintf(to, size, "%s", evs_glyph(EVS_G_MORE)); return EVS_ROLE_NUM_UNKNOWN;
    }
}

void topic_spark(const float *spark, struct evs_view *v)
{
    double values[EVS_SPARK];
    for (int i = 0; i < EVS_SPARK; i++)
        values[i] = spark[i] >= 0 ? (double)spark[i] : -1;
    evs_chart_spark(v, 0, 0, v->cols, values, EVS_SPARK, 0, EVS_ROLE_SPARK);
}

static size_t count(const void *ctx)
{
    const struct topics *t = ctx;
    return t->sn ? (size_t)t->sn->n : 0;
}

static bool shown(const void *ctx, size_t row)
{
    return ((const struct topics *)ctx)->all || !topic_internal(row_at(ctx, row));
}

static void number(const struct topics *t, const struct evs_topic_row *r, int col,
                   struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    bool waits = !t->sn->offsets && !r->error;
    bool known = col == TOPIC_COL_MSGS   ? r->messages >= 0
                 : col == TOPIC_COL_RATE ? r->rate >= 0
                                         : r->max_over_mean >= 0;
    if (!known) {
        bool second = col == TOPIC_COL_RATE && !r->error && r->status != EVS_TOPIC_UNKNOWN;
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN,
                      evs_glyph(waits || second ? EVS_G_MORE : EVS_G_NONE));
    } else if (col == TOPIC_COL_MSGS) {
        evs_field_set(f, EVS_ROLE_NUM_SPAN,
                      f->exact ? evs_num_commas(num, r->messages)
                               : evs_ui_num(t->ui, num, r->messages));
    } else if (col == TOPIC_COL_RATE) {
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_rate(t->ui, num, r->rate));
    } else {
        enum evs_role role = r->max_over_mean >= 3     ? EVS_ROLE_BAD
                             : r->max_over_mean >= 1.5 ? EVS_ROLE_WARN
                                                       : EVS_ROLE_TEXT;
        evs_field_printf(f, role, "%.1f", r->max_over_mean);
    }
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct topics *t = ctx;
    const struct evs_topic_row *r = row_at(ctx, row);
    char word[EVS_FIELD_TEXT];
    switch (col) {
    case TOPIC_COL_NAME:
        f->p = r->name;
        f->n = strlen(r->name);
        break;
    case TOPIC_COL_PART: evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->partitions); break;
    case TOPIC_COL_REPL: evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->replicas); break;
    case TOPIC_COL_LAG: break;
    case TOPIC_COL_STATE: {
        enum evs_role role = topic_state(r, word, sizeof(word));
        bool say = f->exact && r->reason[0];
        evs_field_set(f, role, say ? r->reason : word);
        break;
    }
    default: number(t, r, col, f); break;
    }
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    (void)col;
    topic_spark(row_at(ctx, row)->spark, v);
}

static int by_double(double a, double b)
{
    a = a >= 0 ? a : -1;
    b = b >= 0 ? b : -1;
    return (a > b) - (a < b);
}

/* Rates wobble: rows of one state change places only when a rate doubles. */
static int rate_class(double rate)
{
    return rate >= 1 ? ilogb(rate) + 1 : rate > 0 ? 0 : -1;
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct evs_topic_row *ra = row_at(ctx, a), *rb = row_at(ctx, b);
    switch (col) {
    case TOPIC_COL_PART:
        return (ra->partitions > rb->partitions) - (ra->partitions < rb->partitions);
    case TOPIC_COL_REPL: return (ra->replicas > rb->replicas) - (ra->replicas < rb->replicas);
    case TOPIC_COL_MSGS: return (ra->messages > rb->messages) - (ra->messages < rb->messages);
    case TOPIC_COL_RATE: return by_double(ra->rate, rb->rate);
    case TOPIC_COL_SKEW: return by_double(ra->max_over_mean, rb->max_over_mean);
    case TOPIC_COL_STATE: {
        int by = topic_rank(rb) - topic_rank(ra); /* the worst is the most */
        return by ? by : rate_class(ra->rate) - rate_class(rb->rate);
    }
    default: return strcmp(ra->name, rb->name);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    uint64_t h = 14695981039346656037u;
    for (const char *p = row_at(ctx, row)->name; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h;
}

static bool col_hidden(const void *ctx, int col)
{
    (void)ctx;
    return col == TOPIC_COL_LAG;
}

const struct evs_table_ops topic_list_ops = {
    .cols = cols,
    .n_cols = EVS_COUNT(cols),
    .count = count,
    .field = field,
    .chart = chart,
    .compare = compare,
    .id = id,
    .shown = shown,
    .col_hidden = col_hidden,
    .heading = heading,
};
