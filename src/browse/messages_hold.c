/* messages_hold.c - a tail's records in the order of their times: each waits a moment for older
 * ones of other partitions. */
#include "browse/messages_int.h"
#include "core/clock.h"
#include "core/xalloc.h"

enum { HOLD_MAX = 20000, HOLD_BYTES = 32 << 20 };

static bool before(const struct held *a, const struct held *b)
{
    if (a->ts_ms != b->ts_ms)
        return a->ts_ms < b->ts_ms;
    if (a->body->ev->partition != b->body->ev->partition)
        return a->body->ev->partition < b->body->ev->partition;
    return a->body->ev->offset < b->body->ev->offset;
}

/* A record older than its predecessor comes right after it: a partition's own order is kept. */
void hold_add(struct evs_messages *m, struct body *body, bool lost_some)
{
    struct mpart *part = messages_part(m, body->ev->partition);
    struct held new = {.body = body,
                       .ts_ms = body->ev->ts_ms,
                       .arrived_us = evs_clock_mono_us(),
                       .lost_some = lost_some};
    if (part && new.ts_ms < part->held_ms)
        new.ts_ms = part->held_ms;
    if (part)
        part->held_ms = new.ts_ms;
    if (m->n_held == m->held_slots) {
        m->held_slots = m->held_slots ? m->held_slots * 2 : 256;
        m->held = evs_xgrow(m->held, m->held_slots, sizeof(*m->held));
    }
    size_t at = m->n_held++;
    for (; at && before(&new, &m->held[at - 1]); at--)
        m->held[at] = m->held[at - 1];
    m->held[at] = new;
    m->held_bytes += body->bytes;
    if (m->n_held > HOLD_MAX || m->held_bytes > HOLD_BYTES)
        hold_release(m, true);
}

void hold_release(struct evs_messages *m, bool all)
{
    int64_t due_us = evs_clock_mono_us() - EVS_MERGE_HOLD_MS * 1000;
    size_t n = all ? m->n_held : 0;
    for (size_t i = m->n_held; i && !n; i--)
        if (m->held[i - 1].arrived_us <= due_us)
            n = i;
    for (size_t i = 0; i < n; i++) {
        m->merged_to_ms = m->held[i].ts_ms;
        m->held_bytes -= m->held[i].body->bytes;
        tap_take(m, m->held[i].body, m->held[i].lost_some);
    }
    for (size_t i = n; i < m->n_held; i++)
        m->held[i - n] = m->held[i];
    m->n_held -= n;
}
