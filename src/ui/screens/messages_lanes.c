/* messages_lanes.c - one column a partition on one time axis, a row the next event. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/messages.h"

static size_t count(const void *ctx)
{
    return messages_list_ops.count(ctx);
}

static uint64_t id(const void *ctx, size_t row)
{
    return messages_list_ops.id(ctx, row);
}

/* The first row in view has its time, the others their distance to it. */
static void time_field(const struct messages *m, size_t row, const struct evs_msg_row *r,
                       struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    const struct evs_msg_row *first = messages_row(m, m->lanes.top);
    if (r->kind == EVS_ROW_GAP)
        return;
    int64_t ahead = first && first->ts_ms >= 0 ? r->ts_ms - first->ts_ms : -1;
    if (row == m->lanes.top || f->exact || ahead < 0)
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_time(m->ui, num, r->ts_ms));
    else if (ahead < 10000)
        evs_field_printf(f, EVS_ROLE_TEXT_DIM, "+%lld ms", (long long)ahead);
    else
        evs_field_printf(f, EVS_ROLE_TEXT_DIM, "+%s", evs_num_ago(num, ahead));
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct messages *m = ctx;
    const struct evs_msg_row *r = messages_row(m, row);
    if (!r)
        return;
    if (col == 0) {
        time_field(m, row, r, f);
        return;
    }
    if (m->lane_parts[col - 1] != r->partition)
        return;
    if (r->kind == EVS_ROW_GAP) {
        char words[EVS_FIELD_TEXT];
        messages_gap_words(r, words, sizeof(words));
        evs_field_printf(f, EVS_ROLE_GAP, "  %s", words);
        return;
    }
    struct evs_field key = {.p = "", .n = 0}, value = {.p = "", .n = 0};
    if (r->ev)
        messages_key_field(r->ev, &key);
    messages_value_field(m, r, &value);
    evs_field_printf(f, r->aborted ? EVS_ROLE_GAP : EVS_ROLE_TEXT, "%.*s  %.*s",
                     (int)(key.n < 40 ? key.n : 40), key.p, (int)(value.n < 60 ? value.n : 60),
                     value.p);
}

void messages_lanes_setup(struct messages *m, int cols)
{
    int most = (cols - 18) / 22;
    most = most < 1 ? 1 : most > MSG_LANES ? MSG_LANES : most;
    m->n_lanes = 0;
    for (int i = 0; m->sn && i < m->sn->n_parts && m->n_lanes < most; i++) {
        m->lane_parts[m->n_lanes] = m->sn->parts[i].partition;
        snprintf(m->lane_names[m->n_lanes], sizeof(m->lane_names[0]), "p%d",
                 m->sn->parts[i].partition);
        m->n_lanes++;
    }
    int width = m->n_lanes ? (cols - 18) / m->n_lanes - 2 : 20;
    m->lane_cols[0] = (struct evs_column){
        "TIME", 14, 30, 0, EVS_COL_NOSORT, "exact", "of the first in view; the others after it"};
    for (int i = 0; i < m->n_lanes; i++)
        m->lane_cols[i + 1] =
            (struct evs_column){m->lane_names[i], width > 8 ? width : 8, width > 8 ? width : 8,
                                MSG_LANES - i,    EVS_COL_NOSORT,        "exact",
                                "key and value"};
    m->lanes_ops = (struct evs_table_ops){
        .cols = m->lane_cols, .n_cols = m->n_lanes + 1, .count = count, .field = field, .id = id};
    if (m->lanes.col > m->n_lanes)
        m->lanes.col = 0;
}
