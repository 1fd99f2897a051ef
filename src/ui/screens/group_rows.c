/* group_rows.c - the two lists of Group detail: partitions and members. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "ui/screens/group_int.h"
#include "ui/screens/lag_words.h"
#include "ui/widgets/chart.h"

static const struct evs_column cols[] = {
    {"PARTITION", 14, 60, 0, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_COMPACT, NULL,
     "topic and partition"},
    {"COMMITTED", 10, 16, 3, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "offset of the next to read"},
    {"HIGH", 10, 16, 4, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "the end that counts (i)"},
    {"LAG", 9, 22, 0, EVS_COL_RIGHT | EVS_COL_DESC, "exact", NULL},
    {"OF ALL", 12, 40, 6, EVS_COL_CHART | EVS_COL_WIDE, "exact",
     "its part of the group's lag, or what is odd"},
    {"TIME LAG", 9, 12, 7, EVS_COL_RIGHT | EVS_COL_DESC, NULL, NULL},
    {"IN/s", 5, 8, 2, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "messages that arrive a second"},
    {"OUT/s", 5, 8, 1, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "messages committed a second"},
    {"MEMBER", 8, 30, 5, EVS_COL_MIDDLE, "exact", "client id of the member that owns it"},
    {"STATUS", 7, 8, 0, EVS_COL_DESC | EVS_COL_COMPACT, NULL, NULL},
};

static const struct evs_lag_row *row_at(const void *ctx, size_t row)
{
    return &((const struct group *)ctx)->g->rows[row];
}

static size_t count(const void *ctx)
{
    const struct group *p = ctx;
    return p->g ? p->g->n_rows : 0;
}

static const struct evs_lag_member_view *member_of(const struct group *p,
                                                   const struct evs_lag_row *r)
{
    return r->member >= 0 && (size_t)r->member < p->g->n_members ? &p->g->members[r->member] : NULL;
}

static void offset_field(int64_t v, struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    if (v < 0)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
    else
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_commas(n, v));
}

static void lag_field(const struct group *p, const struct evs_lag_row *r, struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    if (r->f.note == EVS_NOTE_MARKERS && !f->exact)
        evs_field_printf(f, EVS_ROLE_TEXT, "0 (%s marker%s)", evs_num_commas(n, r->f.lag),
                         r->f.lag == 1 ? "" : "s");
    else
        lag_count_field(p->ui, r->f.lag, r->f.open, p->sn->stable, f);
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct group *p = ctx;
    const struct evs_lag_row *r = row_at(ctx, row);
    const struct evs_lag_member_view *m = member_of(p, r);
    switch (col) {
    case COL_PART: evs_field_printf(f, EVS_ROLE_TEXT, "%s %d", r->topic, (int)r->partition); break;
    case COL_COMMITTED: offset_field(r->committed, f); break;
    case COL_HIGH: offset_field(r->f.high, f); break;
    case COL_LAG: lag_field(p, r, f); break;
    case COL_SHARE:
        if (p->g->v.total > 0 && r->f.lag >= 0)
            evs_field_printf(f, EVS_ROLE_TEXT, "%.1f %%",
                             100.0 * (double)r->f.lag / (double)p->g->v.total);
        break;
    case COL_AGE: lag_age_field(&r->age, r->f.lag, f); break;
    case COL_IN: lag_rate_field(p->ui, r->produce, f); break;
    case COL_OUT: lag_rate_field(p->ui, r->consume, f); break;
    case COL_MEMBER:
        if (m)
            evs_field_set(f, EVS_ROLE_TEXT, m->client);
        else
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        break;
    case COL_STATUS:
        evs_field_set(f, lag_role(r->verdict.status), evs_lag_status_word(r->verdict.status));
        break;
    default: break;
    }
}

/* What is odd about a row stands where its bar would be. */
static bool note_words(const struct evs_lag_row *r, char *to, size_t size)
{
    char n[EVS_NUM_LEN];
    switch (r->f.note) {
    case EVS_NOTE_NO_COMMIT: evs_bands_say(to, size, "no commit"); return true;
    case EVS_NOTE_BEFORE_START:
        evs_bands_say(to, size, "lost %s (offset before log start)", evs_num_commas(n, r->f.lost));
        return true;
    case EVS_NOTE_PAST_END: evs_bands_say(to, size, "ahead: topic recreated?"); return true;
    case EVS_NOTE_TOPIC_GONE: evs_bands_say(to, size, "topic gone"); return true;
    case EVS_NOTE_ERROR:
        evs_bands_say(to, size, "%s", r->error ? r->error : "unknown");
        return true;
    default: return false;
    }
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    const struct group *p = ctx;
    const struct evs_lag_row *r = row_at(ctx, row);
    char text[200];
    (void)col;
    if (note_words(r, text, sizeof(text)))
        evs_view_fit(v, 0, 0, v->cols, EVS_ROLE_LAG_WARN, text, strlen(text), EVS_CUT_END);
    else if (p->g->v.total > 0 && r->f.lag > 0)
        evs_chart_bar(v, 0, 0, v->cols,
                      &(struct evs_bar){.value = (double)r->f.lag,
                                        .top = (double)p->g->v.total,
                                        .tick = -1,
                                        .role = EVS_ROLE_BAR});
}

static int by_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct evs_lag_row *x = row_at(ctx, a), *y = row_at(ctx, b);
    int c;
    switch (col) {
    case COL_COMMITTED: return by_i64(x->committed, y->committed);
    case COL_HIGH: return by_i64(x->f.high, y->f.high);
    case COL_LAG:
    case COL_SHARE: return by_i64(x->f.lag, y->f.lag);
    case COL_AGE: return by_i64(x->age.lag_ms, y->age.lag_ms);
    case COL_IN: return (x->produce > y->produce) - (x->produce < y->produce);
    case COL_OUT: return (x->consume > y->consume) - (x->consume < y->consume);
    case COL_MEMBER: return by_i64(x->member, y->member);
    case COL_STATUS:
        c = (int)x->verdict.status - (int)y->verdict.status;
        return c ? c : by_i64(x->f.lag, y->f.lag);
    default: return by_i64((int64_t)a, (int64_t)b);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct evs_lag_row *r = row_at(ctx, row);
    return lag_id(r->topic) * 31 + (uint64_t)r->partition;
}

const struct evs_table_ops group_row_ops = {.cols = cols,
                                            .n_cols = EVS_COUNT(cols),
                                            .gap = 1,
                                            .count = count,
                                            .field = field,
                                            .chart = chart,
                                            .compare = compare,
                                            .id = id};

/* --- members -------------------------------------------------------------------------------- */

static const struct evs_column member_cols[] = {
    {"MEMBER", 8, 40, 0, EVS_COL_MIDDLE | EVS_COL_COMPACT, NULL, "client id"},
    {"HOST", 7, 30, 2, 0, NULL, "address of the member"},
    {"INSTANCE", 6, 24, 3, 0, NULL, "group.instance.id of a static member"},
    {"OWNS", 4, 60, 1, EVS_COL_COMPACT, NULL, "partitions it owns; Enter keeps them"},
    {"", 4, 80, 4, EVS_COL_GROW, NULL, "whether the member is alive"},
};

static size_t member_count(const void *ctx)
{
    const struct group *p = ctx;
    return p->g ? p->g->n_members : 0;
}

static void owns_field(const struct group *p, size_t member, struct evs_field *f)
{
    char text[EVS_FIELD_TEXT] = "";
    size_t n = 0;
    for (size_t i = 0; i < p->g->n_rows && n + 24 < sizeof(text); i++)
        if (p->g->rows[i].member == (int32_t)member)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%sp%d", n ? " " : "",
                                  (int)p->g->rows[i].partition);
    evs_field_set(f, EVS_ROLE_TEXT, n ? text : "nothing");
}

/* A member that stands on one partition and moves on another is alive. */
static void alive_field(const struct group *p, size_t member, struct evs_field *f)
{
    size_t stands = 0, moves = 0;
    for (size_t i = 0; i < p->g->n_rows; i++) {
        const struct evs_lag_row *r = &p->g->rows[i];
        if (r->member != (int32_t)member)
            continue;
        stands += r->verdict.status == EVS_LAG_STALL;
        moves += r->moved_ms > 0 && p->sn->at_ms - r->moved_ms < 60000 &&
                 r->verdict.status != EVS_LAG_STALL;
    }
    if (stands && moves)
        evs_field_printf(f, EVS_ROLE_TEXT_DIM, "%s of this member move%s: the member is alive",
                         moves == 1 ? "the other partition" : "other partitions",
                         moves == 1 ? "s" : "");
    else if (stands)
        evs_field_set(f, EVS_ROLE_LAG_BAD, "no partition of this member moves");
}

static void member_field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct group *p = ctx;
    const struct evs_lag_member_view *m = &p->g->members[row];
    const char *texts[] = {m->client, m->host, m->instance};
    if (col <= M_INSTANCE) {
        f->p = texts[col] ? texts[col] : "";
        f->n = strlen(f->p);
    } else if (col == M_PARTS) {
        owns_field(p, row, f);
    } else {
        alive_field(p, row, f);
    }
}

static uint64_t member_id(const void *ctx, size_t row)
{
    return lag_id(((const struct group *)ctx)->g->members[row].id);
}

static bool member_hidden(const void *ctx, int col)
{
    const struct group *p = ctx;
    for (size_t i = 0; p->g && i < p->g->n_members; i++)
        if (col != M_INSTANCE || p->g->members[i].instance)
            return false;
    return col == M_INSTANCE;
}

const struct evs_table_ops group_member_ops = {.cols = member_cols,
                                               .n_cols = EVS_COUNT(member_cols),
                                               .count = member_count,
                                               .field = member_field,
                                               .id = member_id,
                                               .col_hidden = member_hidden};
