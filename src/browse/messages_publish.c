/* messages_publish.c - snapshots of a messages session. */
#include <stdlib.h>
#include <string.h>

#include "browse/messages_int.h"
#include "core/clock.h"
#include "core/xalloc.h"

enum { RATE_WINDOW_MS = 3000, DEFAULT_RATE = 1000000, DEFAULT_BYTES = 200, SIZES = 1000 };

struct sn {
    struct evs_messages_sn pub; /* first */
    struct evs_msg_row *rows;
    struct body **bodies;
    size_t n_bodies;
    struct evs_messages_part *parts;
    struct body *detail;
    struct evs_ranges *plan;
    char *plan_error, *error, *hint;
};

static void free_sn(struct evs_snap *snap)
{
    struct sn *sn = (void *)snap;
    for (size_t i = 0; i < sn->n_bodies; i++)
        body_unref(sn->bodies[i]);
    evs_free(sn->bodies);
    evs_free(sn->rows);
    evs_free(sn->parts);
    body_unref(sn->detail);
    evs_ranges_free(sn->plan);
    evs_free(sn->plan_error);
    evs_free(sn->error);
    evs_free(sn->hint);
    evs_free(sn);
}

static void take_rows(struct sn *sn, const struct evs_messages *m)
{
    int64_t top = messages_view_top(m);
    sn->rows = evs_xcalloc((size_t)m->view_n + 1, sizeof(*sn->rows));
    sn->bodies = evs_xcalloc((size_t)m->view_n + 1, sizeof(struct body *));
    for (int i = 0; i < m->view_n; i++) {
        const struct row *row = rows_at(&m->rows, top + i);
        if (!row)
            continue;
        struct evs_msg_row *to = &sn->rows[sn->pub.n_rows++];
        *to = row->r;
        to->seq = top + i;
        if (row->body) {
            to->ev = row->body->ev;
            sn->bodies[sn->n_bodies++] = body_ref(row->body);
        }
    }
    sn->pub.rows = sn->rows;
}

static int64_t last_ts(const struct evs_messages *m)
{
    for (int64_t seq = m->rows.first + (int64_t)m->rows.n - 1; seq >= m->rows.first; seq--) {
        const struct row *row = rows_at(&m->rows, seq);
        if (row->r.kind == EVS_ROW_RECORD)
            return row->r.ts_ms;
    }
    return -1;
}

static void take_figures(struct evs_messages_sn *to, struct evs_messages *m)
{
    int64_t now_ms = evs_clock_wall_ms(), newest = last_ts(m);
    int64_t running_us = m->state == EVS_MESSAGES_SEARCHING || m->state == EVS_MESSAGES_LOADING
                             ? evs_clock_mono_us() - m->start_us
                             : 0;
    evs_rate_add(&m->rate, now_ms, m->read_records);
    if (!evs_rate_get(&m->rate, RATE_WINDOW_MS, &to->rate))
        to->rate = 0;
    to->read_records = m->read_records;
    to->read_bytes = m->read_bytes;
    to->kept = m->kept;
    to->dropped = m->dropped;
    to->passed = m->passed;
    to->span = m->span;
    to->full = m->query && messages_is_full(m);
    to->seconds = (double)(m->worked_us + running_us) / 1e6;
    to->eta_ms = -1;
    if (m->state == EVS_MESSAGES_SEARCHING && m->passed > 0)
        to->eta_ms =
            (int64_t)(to->seconds * 1000 * (double)(m->span - m->passed) / (double)m->passed);
    to->behind_records = m->behind;
    to->behind_ms = m->behind < 0 ? -1 : m->behind == 0 ? 0 : newest < 0 ? -1 : now_ms - newest;
    to->merged_to_ms = m->merged ? m->merged_to_ms : -1;
    to->held = (int64_t)m->n_held;
    to->memory_bytes = m->rows.body_bytes + m->rows.slots * sizeof(struct row);
    to->memory_limit = m->memory_limit;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The mean of the records at hand, where none counts for more than the 19th of 20 by size: one
 * huge record says little about the others. -1: none at hand. */
static double usual_size(const struct evs_messages *m)
{
    int64_t sizes[SIZES];
    size_t n = 0;
    for (size_t i = 0; i < m->rows.n && n < SIZES; i++) {
        const struct row *row = rows_at(&m->rows, m->rows.first + (int64_t)(m->rows.n - 1 - i));
        if (row->r.kind == EVS_ROW_RECORD)
            sizes[n++] = (row->r.key_size > 0 ? row->r.key_size : 0) +
                         (row->r.value_size > 0 ? row->r.value_size : 0);
    }
    if (!n)
        return -1;
    qsort(sizes, n, sizeof(*sizes), by_size);
    int64_t most = sizes[(n - 1) * 19 / 20];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)(sizes[i] < most ? sizes[i] : most);
    return sum / (double)n;
}

static void take_plan(struct sn *sn, const struct evs_messages *m)
{
    struct evs_messages_sn *to = &sn->pub;
    to->plan_span = to->plan_bytes = to->plan_ms = to->plan_each = -1;
    if (m->plan) {
        double size = usual_size(m);
        to->plan_each = size < 0 ? -1 : (int64_t)(size + 0.5);
        size = size < 0 ? DEFAULT_BYTES : size;
        sn->plan = evs_ranges_copy(m->plan);
        to->plan_span = evs_ranges_span(m->plan);
        to->plan_bytes = (int64_t)((double)to->plan_span * size);
        to->plan_ms = to->plan_span * 1000 / DEFAULT_RATE;
    }
    sn->plan_error = evs_xstrdup(m->plan_error);
    to->plan = sn->plan;
    to->plan_error = sn->plan_error;
}

void messages_publish(struct evs_messages *m)
{
    struct sn *sn = evs_xcalloc(1, sizeof(*sn));
    struct evs_messages_sn *to = &sn->pub;
    evs_snap_init(&to->snap, free_sn);
    to->list = m->list;
    to->query = m->number;
    to->state = m->state;
    take_rows(sn, m);
    to->first_seq = m->rows.first;
    to->last_seq = m->rows.first + (int64_t)m->rows.n - 1;
    to->n_loaded = (int64_t)m->rows.n;
    to->at_begin = m->at_begin;
    to->at_end = m->at_end;
    sn->parts = evs_xcalloc(m->n_parts + 1, sizeof(*sn->parts));
    for (size_t i = 0; i < m->n_parts; i++)
        sn->parts[i] = m->parts[i].p;
    to->parts = sn->parts;
    to->n_parts = (int)m->n_parts;
    take_figures(to, m);
    take_plan(sn, m);
    sn->detail = body_ref(m->detail);
    to->detail = m->detail ? m->detail->ev : NULL;
    to->detail_partition = m->detail_partition;
    to->detail_offset = m->detail_offset;
    to->detail_error = m->detail_error;
    if (m->err.code) {
        sn->error = evs_xstrdup(m->err.msg);
        sn->hint = m->err.hint[0] ? evs_xstrdup(m->err.hint) : NULL;
    }
    to->error = sn->error;
    to->hint = sn->hint;
    m->dirty = false;
    m->published_us = evs_clock_mono_us();
    evs_slot_publish(m->slot, &to->snap);
}
