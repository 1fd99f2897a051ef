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
    {"WORST LAG", 12, 40, 3, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_DESC, "exact",
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

static const struct topic_lag *lag_of(const struct topics *t, const struct evs_topic_row *row)
{
    size_t at = (size_t)(row - t->sn->rows);
    return t->lags && t->lag_sn && t->lags[at].group ? &t->lags[at] : NULL;
}

int topic_rank(const struct topics *t, const struct evs_topic_row *row)
{
    static const int ranks[] = {[EVS_TOPIC_ERROR] = 0,
                                [EVS_TOPIC_NO_LEADER] = 10,
                                [EVS_TOPIC_UNDER_REPLICATED] = 20,
                                [EVS_TOPIC_HOT] = 40,
                                [EVS_TOPIC_SKEWED] = 50,
                                [EVS_TOPIC_SILENT] = 60,
                                [EVS_TOPIC_OK] = TOPIC_RANK_OK,
                                [EVS_TOPIC_EMPTY] = 80,
                                [EVS_TOPIC_UNKNOWN] = 90};
    const struct topic_lag *lag = lag_of(t, row);
    int rank = ranks[row->status];
    int group =
        lag && lag->status >= EVS_LAG_REWIND ? TOPIC_RANK_GROUP + EVS_LAG_STALL - lag->status : 100;
    return rank < group ? rank : group;
}

enum evs_role topic_state(const struct topics *t, const struct evs_topic_row *row, char *to,
                          size_t size)
{
    int rank = topic_rank(t, row);
    if (rank >= TOPIC_RANK_GROUP && rank < TOPIC_RANK_GROUP + 10) {
        snprintf(to, size, "group %s", evs_lag_status_word(lag_of(t, row)->status));
        return EVS_ROLE_LAG_BAD;
    }
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
    case EVS_TOPIC_SILENT: snprintf(to, size, "%s", row->reason); return EVS_ROLE_WARN;
    case EVS_TOPIC_OK: snprintf(to, size, "ok"); return EVS_ROLE_OK;
    case EVS_TOPIC_EMPTY: snprintf(to, size, "empty"); return EVS_ROLE_TEXT_DIM;
    default: snprintf(to, size, "%s", evs_glyph(EVS_G_MORE)); return EVS_ROLE_NUM_UNKNOWN;
    }
}

static struct topic_lag *slot_of(struct topics *t, const char *topic)
{
    const struct evs_topic_row *row = evs_topics_find(t->sn, topic);
    return row ? &t->lags[row - t->sn->rows] : NULL;
}

/* What one group lags in one topic: its rows stand together. */
static void add_group(struct topics *t, const struct evs_lag_group_row *g)
{
    for (size_t i = 0; i < g->n_rows;) {
        const char *topic = g->rows[i].topic;
        struct topic_lag sum = {g->name, -1, EVS_LAG_OK};
        for (; i < g->n_rows && !strcmp(g->rows[i].topic, topic); i++) {
            if (g->rows[i].f.lag >= 0)
                sum.lag = (sum.lag > 0 ? sum.lag : 0) + g->rows[i].f.lag;
            if (g->rows[i].verdict.status > sum.status)
                sum.status = g->rows[i].verdict.status;
        }
        struct topic_lag *slot = slot_of(t, topic);
        bool worse = slot && (!slot->group || sum.status > slot->status ||
                              (sum.status == slot->status && sum.lag > slot->lag));
        if (worse)
            *slot = sum;
    }
}

void topic_lags_build(struct topics *t)
{
    size_t n = t->sn ? (size_t)t->sn->n : 0;
    if (n + 1 > t->lags_alloc) {
        t->lags_alloc = n + 1;
        t->lags = evs_xgrow(t->lags, t->lags_alloc, sizeof(*t->lags));
    }
    memset(t->lags, 0, (n + 1) * sizeof(*t->lags));
    for (size_t i = 0; t->sn && t->lag_sn && i < t->lag_sn->n_groups; i++)
        add_group(t, &t->lag_sn->groups[i]);
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

static void lag_field(const struct topics *t, const struct evs_topic_row *r, struct evs_field *f)
{
    const struct topic_lag *lag = lag_of(t, r);
    char num[EVS_NUM_LEN];
    if (!lag) {
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(t->lag_sn ? EVS_G_NONE : EVS_G_MORE));
        return;
    }
    enum evs_role role = lag->status >= EVS_LAG_REWIND ? EVS_ROLE_LAG_BAD
                         : lag->status == EVS_LAG_WARN ? EVS_ROLE_LAG_WARN
                                                       : EVS_ROLE_TEXT;
    const char *words = f->exact && lag->lag >= 0 ? evs_num_commas(num, lag->lag)
                                                  : evs_ui_num(t->ui, num, lag->lag);
    evs_field_printf(f, role, "%.100s %s", lag->group, words);
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
    case TOPIC_COL_PART: evs_field_count(f, EVS_ROLE_TEXT, r->partitions); break;
    case TOPIC_COL_REPL: evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->replicas); break;
    case TOPIC_COL_LAG: lag_field(t, r, f); break;
    case TOPIC_COL_STATE: {
        enum evs_role role = topic_state(t, r, word, sizeof(word));
        bool group = topic_rank(t, r) / 10 == TOPIC_RANK_GROUP / 10;
        bool say = f->exact && r->reason[0] && !group;
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
        int by = topic_rank(ctx, rb) - topic_rank(ctx, ra); /* the worst is the most */
        return by ? by : rate_class(ra->rate) - rate_class(rb->rate);
    }
    case TOPIC_COL_LAG: {
        const struct topic_lag *la = lag_of(ctx, ra), *lb = lag_of(ctx, rb);
        int64_t a_lag = la ? la->lag : -2, b_lag = lb ? lb->lag : -2;
        return (a_lag > b_lag) - (a_lag < b_lag);
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
    const struct topics *t = ctx;
    if (col != TOPIC_COL_SPARK)
        return col == TOPIC_COL_LAG && (!t->lag_sn || !t->lag_sn->n_groups);
    for (int i = 0; t->sn && i < t->sn->n; i++)
        for (int bar = 0; bar < EVS_SPARK; bar++)
            if (t->sn->rows[i].spark[bar] >= 0)
                return false;
    return true;
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
