/* trace_lanes.c - several topics side by side: a column a topic, a row an event, and the time
 * since the event before. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "ui/screens/trace_int.h"

enum { MIN_LEFT = 50 };
enum { N, TIME, AFTER, LANE }; /* then the lanes, then what the event changed */

static void after_field(const struct trace *t, size_t row, struct evs_field *f)
{
    char text[EVS_NUM_LEN];
    int64_t now = t->sn->events[row].ev->ts_ms;
    int64_t last = row ? t->sn->events[row - 1].ev->ts_ms : -1;
    if (now < 0 || last < 0)
        return;
    if (now - last < 0)
        evs_field_printf(f, EVS_ROLE_WARN, "%s%s", evs_glyph(EVS_G_MINUS),
                         evs_num_took(text, last - now));
    else
        evs_field_printf(f, EVS_ROLE_TEXT, "+%s", evs_num_took(text, now - last));
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct trace *t = ctx;
    const struct evs_trace_event *e = &t->sn->events[row];
    bool folded = t->folded && t->folded->of == t->sn->snap.generation && row < t->folded->n;
    int lanes = t->ask.o.n_lanes;
    if (col == N || col == TIME)
        evs_trace_ops.field(ctx, row, col == N ? TRACE_COL_N : TRACE_COL_TIME, f);
    else if (col == AFTER)
        after_field(t, row, f);
    else if (col == LANE + lanes)
        evs_trace_ops.field(ctx, row, TRACE_COL_CHANGE, f);
    else if (col - LANE == e->lane)
        evs_field_set(f, e->ev->value ? EVS_ROLE_TEXT : EVS_ROLE_NULL,
                      folded && t->folded->kind[row][0] ? t->folded->kind[row]
                      : e->ev->value                    ? "event"
                                                        : "(delete)");
}

static size_t count(const void *ctx)
{
    return evs_trace_ops.count(ctx);
}

static uint64_t id(const void *ctx, size_t row)
{
    return evs_trace_ops.id(ctx, row);
}

static bool col_hidden(const void *ctx, int col)
{
    const struct trace *t = ctx;
    return col == LANE + t->ask.o.n_lanes && t->rule == EVS_FOLD_NONE;
}

int evs_trace_left(const struct trace *t, int cols)
{
    int left = t->ask.o.n_lanes > 1 ? cols * 2 / 3 : cols * 56 / 118;
    return left < MIN_LEFT ? MIN_LEFT : left;
}

void evs_trace_lanes_setup(struct trace *t, int cols)
{
    int lanes = t->ask.o.n_lanes, width = (cols - 51) / (lanes ? lanes : 1) - 1;
    struct evs_column *c = t->lane_cols;
    width = width < 8 ? 8 : width > 40 ? 40 : width;
    c[N] = (struct evs_column){"#", 3, 9, 0, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact",
                               "the event's number in this history"};
    c[TIME] = (struct evs_column){"TIME", 12, 23, 2, EVS_COL_NOSORT, "exact",
                                  "when it was written, as its producer says"};
    c[AFTER] = (struct evs_column){"AFTER", 8, 12, 0, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact",
                                   "time since the event before, on whichever topic"};
    for (int i = 0; i < lanes; i++) {
        EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(1024);
        const char *topic = t->ask.o.lanes[i].topic, *dot = strrchr(topic, '.');
        if (dot && dot[1] && (int)strlen(topic) > width)
            topic = dot + 1; /* the status line has the whole name */
        evs_text_fit(&name, topic, strlen(topic), width, EVS_CUT_MIDDLE);
        snprintf(t->lane_names[i], sizeof(t->lane_names[i]), "%s", evs_buf_str(&name));
        c[LANE + i] = (struct evs_column){t->lane_names[i], width, width, 0,
                                          EVS_COL_NOSORT | EVS_COL_COMPACT, "exact",
                                          t->ask.o.lanes[i].topic};
    }
    c[LANE + lanes] = (struct evs_column){evs_text_ascii() ? "CHANGE" : "Δ", 11, 17, 1,
                                          EVS_COL_NOSORT, "exact", "what it changed in the state"};
    t->lane_ops = (struct evs_table_ops){.cols = t->lane_cols,
                                         .n_cols = LANE + lanes + 1,
                                         .gap = 1,
                                         .count = count,
                                         .field = field,
                                         .id = id,
                                         .col_hidden = col_hidden};
    t->table.ops = lanes > 1 ? &t->lane_ops : &evs_trace_ops;
    if (t->table.col >= t->table.ops->n_cols)
        t->table.col = t->table.ops->n_cols - 1;
}
