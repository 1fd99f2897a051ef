/* messages_lanes.c - one column a partition on one time axis, a row the next event. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/messages.h"

enum { KEY_BYTES = 48, TIME_COLS = 17 };

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
    char away[16] = ""; /* in a lane that does not fit */
    bool shown = false;
    for (int i = 0; i < m->n_lanes; i++)
        shown = shown || m->lane_parts[i] == r->partition;
    if (!shown)
        snprintf(away, sizeof(away), "  p%d", r->partition);
    int64_t ahead = first && first->ts_ms >= 0 ? r->ts_ms - first->ts_ms : -1;
    if (row == m->lanes.top || f->exact || ahead < 0)
        evs_field_printf(f, EVS_ROLE_TEXT, "%s%s", evs_ui_time(m->ui, num, r->ts_ms), away);
    else
        evs_field_printf(f, EVS_ROLE_TEXT_DIM, "+%s%s", evs_num_took(num, ahead), away);
}

/* As much of from as is left before `most`, not through the middle of a character. */
static size_t whole_chars(char *to, size_t at, size_t most, const struct evs_field *from)
{
    size_t n = 0;
    while (n < from->n) {
        struct evs_text_cell cell;
        size_t step = evs_text_next((const uint8_t *)from->p + n, from->n - n, &cell);
        if (at + n + step > most)
            break;
        n += step;
    }
    memcpy(to + at, from->p, n);
    return at + n;
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
    f->role = r->aborted ? EVS_ROLE_GAP : EVS_ROLE_TEXT;
    f->p = f->text;
    f->n = whole_chars(f->text, 0, KEY_BYTES, &key);
    memset(f->text + f->n, ' ', 2);
    f->n = whole_chars(f->text, f->n + 2, sizeof(f->text), &value);
}

static bool is_marked(const struct messages *m, int32_t partition)
{
    for (int i = 0; i < m->n_marked; i++)
        if (m->marked[i] == partition)
            return true;
    return false;
}

static void add_lane(struct messages *m, int32_t partition, bool marked)
{
    char *name = m->lane_names[m->n_lanes];
    m->lane_parts[m->n_lanes++] = partition;
    snprintf(name, sizeof(m->lane_names[0]), marked ? "*p%d" : "p%d", partition);
}

void messages_lanes_setup(struct messages *m, int cols)
{
    m->lane_time = m->lanes.seen[0] > TIME_COLS ? m->lanes.seen[0] : TIME_COLS;
    int room = cols - m->lane_time - 4;
    int most = room / 22;
    most = most < 1 ? 1 : most > MSG_LANES ? MSG_LANES : most;
    m->n_lanes = 0;
    for (int i = 0; m->sn && i < m->n_marked && m->n_lanes < most; i++)
        add_lane(m, m->marked[i], true);
    int skip = m->lane_skip;
    for (int i = 0; m->sn && i < m->sn->n_parts && m->n_lanes < most; i++)
        if (!is_marked(m, m->sn->parts[i].partition) && skip-- <= 0)
            add_lane(m, m->sn->parts[i].partition, false);
    int width = m->n_lanes ? room / m->n_lanes - 2 : 20;
    m->lane_cols[0] =
        (struct evs_column){"TIME",
                            TIME_COLS,
                            34,
                            0,
                            EVS_COL_NOSORT,
                            "exact",
                            "of the first in view; the others after it; pN: its lane is not shown"};
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

static void toggle_mark(struct messages *m)
{
    if (m->lanes.col < 1 || m->lanes.col > m->n_lanes) {
        evs_ui_say(m->ui, EVS_ROLE_STATUS, "Right goes to a lane; then Space marks it");
        return;
    }
    int32_t partition = m->lane_parts[m->lanes.col - 1];
    int at = 0;
    while (at < m->n_marked && m->marked[at] != partition)
        at++;
    if (at == m->n_marked && m->n_marked < MSG_LANES) {
        m->marked[m->n_marked++] = partition;
    } else if (at < m->n_marked) {
        m->n_marked--;
        for (; at < m->n_marked; at++)
            m->marked[at] = m->marked[at + 1];
    }
}

/* Left and Right go on through the lanes that do not fit. */
static bool scroll(struct messages *m, int step)
{
    int hidden = m->sn ? m->sn->n_parts - m->n_lanes : 0;
    if (step > 0 && (m->lanes.col < m->n_lanes || m->lane_skip >= hidden))
        return false;
    if (step < 0 && (m->lanes.col != m->n_marked + 1 || !m->lane_skip))
        return false;
    m->lane_skip += step;
    return true;
}

enum evs_handled messages_lanes_command(struct messages *m, enum evs_command c)
{
    switch (c) {
    case EVS_CMD_MARK: toggle_mark(m); break;
    case EVS_CMD_UNMARK_ALL: m->n_marked = m->lane_skip = 0; break;
    case EVS_CMD_MOVE_RIGHT:
        if (!scroll(m, 1))
            return EVS_IGNORED;
        break;
    case EVS_CMD_MOVE_LEFT:
        if (!scroll(m, -1))
            return EVS_IGNORED;
        break;
    default: return EVS_IGNORED;
    }
    messages_fit(m->screen);
    return EVS_HANDLED;
}

void messages_lanes_bands(const struct messages *m, struct evs_bands *b)
{
    evs_bands_say(b->left, sizeof(b->left), "%d of %d partitions, Space marks lanes", m->n_lanes,
                  m->sn->n_parts);
}
