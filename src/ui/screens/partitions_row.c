/* partitions_row.c - one partition in cells. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/partitions.h"
#include "ui/screens/topics.h"
#include "ui/widgets/chart.h"

#define HOT_LEAST 0.2 /* a key below that part of a partition does not stand out */

static const struct evs_column cols[] = {
    {"P", 3, 6, 0, EVS_COL_RIGHT | EVS_COL_COMPACT, "exact", "partition"},
    {"LEAD", 4, 6, 5, EVS_COL_RIGHT, "exact", "the broker that leads it"},
    {"ISR", 5, 14, 3, 0, "exact", "replicas in sync; ! when some are not"},
    {"LOW", 9, 19, 6, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "first offset that is kept"},
    {"HIGH", 9, 19, 7, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "offset of the next message"},
    {"LSO", 3, 14, 4, EVS_COL_RIGHT, "exact",
     "last stable offset as its distance to HIGH; = when equal, ! behind an open transaction"},
    {"MSGS", 9, 19, 0, EVS_COL_RIGHT | EVS_COL_DESC, "span", NULL},
    {"SHARE", 6, 7, 0, EVS_COL_RIGHT | EVS_COL_DESC | EVS_COL_COMPACT, "span",
     "part of the topic's messages; leaderless, under-replicated and held-up ones come first"},
    {"", 8, 14, 8, EVS_COL_CHART | EVS_COL_WIDE, NULL,
     "SHARE as a bar; the tick is the fair share"},
    {"RATE/s", 6, 10, 9, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "messages a second"},
    {"15 MIN", 8, 8, 1, EVS_COL_CHART, NULL, "messages a second, the last 8 minutes"},
    {"OLDEST", 6, 11, 2, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "age of the first message"},
    {"NEWEST", 6, 11, 10, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "age of the last message"},
};

double partitions_fair(const struct partitions *p)
{
    return p->sn && p->sn->n ? 1.0 / p->sn->n : 0;
}

static const char *heading(const void *ctx, int col)
{
    static char text[2][40];
    const struct partitions *p = ctx;
    if (col == COL_MSGS) {
        snprintf(text[0], sizeof(text[0]), p->bytes ? "BYTES~" : "MSGS%s", evs_glyph(EVS_G_LE));
        return text[0];
    }
    if (col == COL_BAR) {
        snprintf(text[1], sizeof(text[1]), "%s fair %.1f %%", evs_glyph(EVS_G_TICK),
                 partitions_fair(ctx) * 100);
        return text[1];
    }
    return NULL;
}

static size_t count(const void *ctx)
{
    const struct partitions *p = ctx;
    return p->sn ? (size_t)p->sn->n : 0;
}

static const struct evs_partition_row *row_at(const void *ctx, size_t row)
{
    return &((const struct partitions *)ctx)->sn->rows[row];
}

static void isr_field(const struct evs_partition_row *r, struct evs_field *f)
{
    char text[EVS_FIELD_TEXT] = "";
    size_t n = 0;
    for (int i = 0; i < r->n_isr && n + 14 < sizeof(text); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d", i ? " " : "", r->isr[i]);
    bool short_of = r->n_isr < r->n_replicas;
    evs_field_printf(f, short_of ? EVS_ROLE_BAD : EVS_ROLE_TEXT, "%s%s", text,
                     short_of ? " !" : "");
}

static void lso_field(const struct evs_partition_row *r, struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    if (r->lso < 0 || r->high < 0)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
    else if (f->exact)
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_commas(num, r->lso));
    else if (r->lso >= r->high)
        evs_field_set(f, EVS_ROLE_TEXT, "=");
    else
        evs_field_printf(f, EVS_ROLE_WARN, "%s%s !", evs_glyph(EVS_G_MINUS),
                         evs_num_commas(num, r->high - r->lso));
}

static void offset_field(const struct partitions *p, int64_t v, struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    if (v < 0)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(p->sn->offsets ? EVS_G_NONE : EVS_G_MORE));
    else
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_commas(num, v));
}

static void bytes_field(const struct partitions *p, const struct evs_partition_row *r,
                        struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    int64_t bytes = partitions_bytes(p, r);
    if (bytes < 0)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(p->sizing ? EVS_G_MORE : EVS_G_NONE));
    else
        evs_field_set(f, EVS_ROLE_NUM_EST, evs_ui_bytes(p->ui, num, bytes));
}

static void age_field(const struct partitions *p, int64_t ts_ms, struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    if (ts_ms < 0)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(p->sn->times ? EVS_G_NONE : EVS_G_MORE));
    else if (f->exact)
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_iso(num, ts_ms));
    else
        evs_field_set(f, EVS_ROLE_TEXT,
                      evs_num_ago(num, p->ui->now_ms > ts_ms ? p->ui->now_ms - ts_ms : 0));
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct partitions *p = ctx;
    const struct evs_partition_row *r = row_at(ctx, row);
    char num[EVS_NUM_LEN];
    switch (col) {
    case COL_P: evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->partition); break;
    case COL_LEAD:
        if (r->leader < 0)
            evs_field_set(f, EVS_ROLE_BAD, "none");
        else
            evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->leader);
        break;
    case COL_ISR: isr_field(r, f); break;
    case COL_LOW: offset_field(p, r->low, f); break;
    case COL_HIGH: offset_field(p, r->high, f); break;
    case COL_LSO: lso_field(r, f); break;
    case COL_MSGS:
        if (p->bytes)
            bytes_field(p, r, f);
        else
            offset_field(p, r->messages, f);
        break;
    case COL_SHARE:
        if (partitions_share(p, r) >= 0)
            evs_field_set(
                f, partitions_share(p, r) > 3 * partitions_fair(p) ? EVS_ROLE_BAD : EVS_ROLE_TEXT,
                evs_num_share(num, partitions_share(p, r)));
        else
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        break;
    case COL_RATE:
        evs_field_set(f, r->rate >= 0 ? EVS_ROLE_TEXT : EVS_ROLE_NUM_UNKNOWN,
                      r->rate >= 0 ? evs_ui_rate(p->ui, num, r->rate) : evs_glyph(EVS_G_MORE));
        break;
    case COL_OLDEST: age_field(p, r->first_ts_ms, f); break;
    case COL_NEWEST: age_field(p, r->last_ts_ms, f); break;
    default: break;
    }
}

/* The part of its messages that one key has, as the last Keys scan of the topic told; 0: none
 * stands out, or not known. */
static double hot_part(const struct partitions *p, const struct evs_partition_row *r)
{
    const struct evs_known *k = evs_data_known(p->ui, p->sn->topic);
    double part = k && r->partition < k->n && k->part[r->partition].messages
                      ? (double)k->part[r->partition].hot / (double)k->part[r->partition].messages
                      : 0;
    return part >= HOT_LEAST ? part : 0;
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    const struct partitions *p = ctx;
    const struct evs_partition_row *r = row_at(ctx, row);
    if (col == COL_SPARK) {
        if (p->sn->offsets)
            topic_spark(r->spark, v);
        return;
    }
    double top = 0, share = partitions_share(p, r), part = hot_part(p, r);
    for (int i = 0; i < p->sn->n; i++) {
        double other = partitions_share(p, &p->sn->rows[i]);
        top = other > top ? other : top;
    }
    bool hot = share > 3 * partitions_fair(p);
    if (share >= 0)
        evs_chart_bar(
            v, 0, 0, v->cols,
            &(struct evs_bar){.value = share,
                              .hot = share * part,
                              .top = top > 2 * partitions_fair(p) ? top : 2 * partitions_fair(p),
                              .tick = partitions_fair(p),
                              .role = hot && !part ? EVS_ROLE_BAR_HOT : EVS_ROLE_BAR});
}

static int by_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct evs_partition_row *ra = row_at(ctx, a), *rb = row_at(ctx, b);
    switch (col) {
    case COL_LEAD: return by_i64(ra->leader, rb->leader);
    case COL_ISR: return by_i64(ra->n_isr, rb->n_isr);
    case COL_LOW: return by_i64(ra->low, rb->low);
    case COL_HIGH: return by_i64(ra->high, rb->high);
    case COL_LSO: return by_i64(ra->lso - ra->high, rb->lso - rb->high);
    case COL_MSGS:
        return ((const struct partitions *)ctx)->bytes
                   ? by_i64(partitions_bytes(ctx, ra), partitions_bytes(ctx, rb))
                   : by_i64(ra->messages, rb->messages);
    case COL_SHARE: { /* the worst states first in the usual, descending order */
        int wa = ra->status < EVS_PARTITION_OK ? EVS_PARTITION_OK - (int)ra->status : 0;
        int wb = rb->status < EVS_PARTITION_OK ? EVS_PARTITION_OK - (int)rb->status : 0;
        return wa != wb ? wa - wb : (ra->share > rb->share) - (ra->share < rb->share);
    }
    case COL_RATE: return (ra->rate > rb->rate) - (ra->rate < rb->rate);
    case COL_OLDEST: return by_i64(rb->first_ts_ms, ra->first_ts_ms);
    case COL_NEWEST: return by_i64(rb->last_ts_ms, ra->last_ts_ms);
    default: return by_i64(ra->partition, rb->partition);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    return (uint64_t)row_at(ctx, row)->partition;
}

static bool full_row(const void *ctx, size_t row, struct evs_view *v)
{
    const struct evs_partition_row *r = row_at(ctx, row);
    if (!r->error)
        return false;
    char text[300];
    snprintf(text, sizeof(text), "p%d  %s", r->partition, r->error);
    evs_view_fit(v, 0, 4, v->cols - 5, EVS_ROLE_BAD, text, strlen(text), EVS_CUT_END);
    return true;
}

static bool col_hidden(const void *ctx, int col)
{
    const struct partitions *p = ctx;
    if (!p->sn || (col != COL_OLDEST && col != COL_NEWEST))
        return false;
    for (int i = 0; i < p->sn->n; i++)
        if (!p->sn->times || p->sn->rows[i].first_ts_ms >= 0)
            return false;
    return true;
}

const struct evs_table_ops partitions_table_ops = {
    .cols = cols,
    .n_cols = EVS_COUNT(cols),
    .gap = 1,
    .count = count,
    .field = field,
    .chart = chart,
    .compare = compare,
    .id = id,
    .col_hidden = col_hidden,
    .full_row = full_row,
    .heading = heading,
};
