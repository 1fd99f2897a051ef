/* messages_rows.c - the rows of a messages session and their bodies. */
#include <assert.h>
#include <string.h>

#include "browse/messages_int.h"
#include "core/xalloc.h"

struct body *body_new(struct evs_event *ev, size_t preview)
{
    struct body *b = evs_xcalloc(1, sizeof(*b));
    evs_event_headers(ev); /* while it still knows where they are */
    struct evs_event cut = *ev;
    if (cut.value_len > preview)
        cut.value_len = preview;
    b->ev = evs_event_copy(&cut);
    b->value_size = ev->value_len;
    b->bytes = sizeof(*b) + sizeof(*b->ev) + evs_event_bytes(b->ev) + 64;
    atomic_init(&b->refs, 1);
    return b;
}

struct body *body_ref(struct body *b)
{
    if (b)
        atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void body_unref(struct body *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    evs_event_free(b->ev);
    evs_free(b);
}

static struct row *nth(const struct rows *l, size_t i)
{
    return &l->ring[(l->head + i) & (l->slots - 1)];
}

struct row *rows_at(const struct rows *l, int64_t seq)
{
    if (seq < l->first || seq >= l->first + (int64_t)l->n)
        return NULL;
    return nth(l, (size_t)(seq - l->first));
}

static void make_room(struct rows *l)
{
    if (l->n < l->slots)
        return;
    size_t slots = l->slots ? l->slots * 2 : 1024;
    struct row *ring = evs_xcalloc(slots, sizeof(*ring));
    for (size_t i = 0; i < l->n; i++)
        ring[i] = *nth(l, i);
    evs_free(l->ring);
    l->ring = ring;
    l->slots = slots;
    l->head = 0;
}

static void count_body(struct rows *l, int64_t seq, const struct body *b)
{
    if (!b)
        return;
    l->body_bytes += b->bytes;
    if (l->body_lo >= l->body_hi)
        l->body_lo = l->body_hi = seq;
    if (seq < l->body_lo)
        l->body_lo = seq;
    if (seq >= l->body_hi)
        l->body_hi = seq + 1;
}

void rows_push_back(struct rows *l, const struct row *row)
{
    make_room(l);
    *nth(l, l->n++) = *row;
    count_body(l, l->first + (int64_t)l->n - 1, row->body);
}

void rows_push_front(struct rows *l, const struct row *row)
{
    make_room(l);
    l->head = (l->head + l->slots - 1) & (l->slots - 1);
    l->n++;
    l->first--;
    *nth(l, 0) = *row;
    count_body(l, l->first, row->body);
}

static void let_go(struct rows *l, struct row *row)
{
    if (!row->body)
        return;
    l->body_bytes -= row->body->bytes;
    body_unref(row->body);
    row->body = NULL;
}

void rows_drop_front(struct rows *l)
{
    assert(l->n > 0);
    let_go(l, nth(l, 0));
    l->head = (l->head + 1) & (l->slots - 1);
    l->n--;
    l->first++;
    if (l->body_lo < l->first)
        l->body_lo = l->first;
}

void rows_clear(struct rows *l)
{
    for (size_t i = 0; i < l->n; i++)
        body_unref(nth(l, i)->body);
    evs_free(l->ring);
    memset(l, 0, sizeof(*l));
}

void rows_set_body(struct rows *l, int64_t seq, struct body *b)
{
    struct row *row = rows_at(l, seq);
    assert(row);
    let_go(l, row);
    row->body = b;
    count_body(l, seq, b);
}

void rows_evict(struct rows *l, int64_t top, int n, size_t limit)
{
    while (l->body_bytes > limit && l->body_lo < l->body_hi) {
        int64_t below = top - l->body_lo, above = l->body_hi - (top + n);
        if (below <= 0 && above <= 0)
            return; /* only the view is left */
        int64_t seq = below >= above ? l->body_lo++ : --l->body_hi;
        struct row *row = rows_at(l, seq);
        if (row)
            let_go(l, row);
    }
}

void row_of_body(struct row *to, struct body *b)
{
    const struct evs_event *ev = b->ev;
    memset(to, 0, sizeof(*to));
    to->body = b;
    to->r = (struct evs_msg_row){
        .kind = EVS_ROW_RECORD,
        .tstype = ev->tstype,
        .partition = ev->partition,
        .n_headers = ev->n_headers,
        .offset = ev->offset,
        .ts_ms = ev->ts_ms,
        .key_size = ev->key ? (int64_t)ev->key_len : -1,
        .value_size = ev->value ? (int64_t)b->value_size : -1,
    };
}

void row_of_gap(struct row *to, int32_t partition, int64_t from, int64_t until)
{
    memset(to, 0, sizeof(*to));
    to->r = (struct evs_msg_row){.kind = EVS_ROW_GAP,
                                 .partition = partition,
                                 .offset = from,
                                 .gap_to = until,
                                 .ts_ms = -1,
                                 .key_size = -1,
                                 .value_size = -1,
                                 .gap_aborted = -1,
                                 .gap_hidden = -1};
}
