/* messages_page.c - pages of a messages session: forward, back, and what the view lacks. */
#include <stdlib.h>
#include <string.h>

#include "browse/gaps.h"
#include "browse/messages_int.h"
#include "core/clock.h"
#include "core/xalloc.h"

enum {
    WAIT_MS = 50,
    BACK_STEP_MIN = 16,
    BACK_STEP_MAX = 100000,
    CLUSTER = 500,
    MISSING_MAX = 4096
};

/* Ranges of all the session's parts without trouble, from and to to be filled in. */
static struct evs_ranges *blank_ranges(const struct evs_messages *m)
{
    struct evs_ranges *r = evs_xcalloc(1, sizeof(*r));
    r->topic = evs_xstrdup(m->topic);
    r->isolation = m->query->q.isolation;
    r->parts = evs_xcalloc(m->n_parts + 1, sizeof(*r->parts));
    return r;
}

static void add_range(struct evs_ranges *r, const struct evs_messages_part *p, int64_t from,
                      int64_t to)
{
    r->parts[r->n++] = (struct evs_range){.partition = p->partition,
                                          .leader = p->leader,
                                          .from = from,
                                          .to = to,
                                          .low = p->low,
                                          .high = p->high,
                                          .lso = p->lso};
}

static int64_t end_of(const struct evs_messages *m, const struct evs_messages_part *p)
{
    return m->query->q.isolation == EVS_READ_COMMITTED ? p->lso : p->high;
}

/* --- forward --- */

static enum evs_rc open_forward(struct evs_messages *m, struct evs_err *err)
{
    struct evs_ranges *r = blank_ranges(m);
    enum evs_rc rc = EVS_EOF;
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct evs_messages_part *p = &m->parts[i].p;
        if (end_of(m, p) > p->next)
            add_range(r, p, p->next, end_of(m, p));
    }
    if (r->n)
        rc = evs_merge_open(m->c, r, &m->forward, err);
    evs_ranges_free(r);
    return rc;
}

/* Holes at the end of what there is: markers and the like. */
static void trailing_gaps(struct evs_messages *m)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        struct evs_messages_part *p = &m->parts[i].p;
        struct row gap;
        if (end_of(m, p) <= p->next)
            continue;
        row_of_gap(&gap, p->partition, p->next, end_of(m, p));
        rows_push_back(&m->rows, &gap);
        p->next = end_of(m, p);
    }
}

enum evs_rc page_forward(struct evs_messages *m, int n, struct evs_err *err)
{
    enum evs_rc rc = m->forward ? EVS_OK : open_forward(m, err);
    int64_t until_us = evs_clock_mono_us() + 2 * WAIT_MS * 1000;
    for (int i = 0; !rc && i < n && evs_clock_mono_us() < until_us; i++) {
        struct evs_event *ev;
        rc = evs_merge_next(m->forward, WAIT_MS, &ev, err);
        if (!rc) {
            m->read_records++;
            m->read_bytes += (int64_t)(ev->key_len + ev->value_len);
            messages_append(m, body_new(ev, EVS_MESSAGES_PREVIEW), NULL);
        }
    }
    if (rc == EVS_AGAIN)
        return EVS_OK;
    if (rc == EVS_EOF) {
        trailing_gaps(m);
        m->at_end = true;
    }
    if (rc) {
        evs_merge_close(m->forward);
        m->forward = NULL;
    }
    m->dirty = true;
    return rc == EVS_EOF ? EVS_OK : rc;
}

/* --- back: the same merge, mirrored; what is older is read in steps and placed from its end --- */

static void keep_back(struct evs_messages *m, struct mpart *part, struct evs_event *ev)
{
    struct row row;
    row_of_body(&row, body_new(ev, EVS_MESSAGES_PREVIEW));
    part->back = evs_xgrow(part->back, part->n_back + 1, sizeof(*part->back));
    part->back[part->n_back++] = row;
    m->read_records++;
    m->read_bytes += (int64_t)(ev->key_len + ev->value_len);
}

static bool needs_back(const struct mpart *part)
{
    return part->n_back == 0 && part->back_from > part->p.low && !part->p.error[0];
}

/* One step down for every part that has nothing left to place. */
static enum evs_rc refill_back(struct evs_messages *m, struct evs_err *err)
{
    struct evs_ranges *r = blank_ranges(m);
    struct evs_merge *merge = NULL;
    for (size_t i = 0; i < m->n_parts; i++) {
        struct mpart *part = &m->parts[i];
        if (!needs_back(part))
            continue;
        int64_t from = part->back_from - part->back_step;
        from = from < part->p.low ? part->p.low : from;
        add_range(r, &part->p, from, part->back_from);
        if (part->back_step < BACK_STEP_MAX)
            part->back_step *= 4; /* holes: look farther the next time */
    }
    enum evs_rc rc = r->n ? evs_merge_open(m->c, r, &merge, err) : EVS_EOF;
    while (!rc && !atomic_load(&m->quit)) {
        struct evs_event *ev;
        rc = evs_merge_next(merge, WAIT_MS, &ev, err);
        if (!rc)
            keep_back(m, messages_part(m, ev->partition), ev);
        else if (rc == EVS_AGAIN)
            rc = EVS_OK;
    }
    for (size_t i = 0; rc == EVS_EOF && i < r->n; i++) {
        struct mpart *part = messages_part(m, r->parts[i].partition);
        part->back_from = r->parts[i].from;
        if (part->n_back)
            part->back_step = m->page / (int64_t)m->n_parts + BACK_STEP_MIN;
    }
    evs_merge_close(merge);
    evs_ranges_free(r);
    return rc == EVS_EOF ? EVS_OK : rc;
}

static bool later(const struct row *a, const struct row *b)
{
    if (a->r.ts_ms != b->r.ts_ms)
        return a->r.ts_ms > b->r.ts_ms;
    if (a->r.partition != b->r.partition)
        return a->r.partition > b->r.partition;
    return a->r.offset > b->r.offset;
}

static struct mpart *latest_back(const struct evs_messages *m, bool *ret_wanting)
{
    struct mpart *best = NULL;
    *ret_wanting = false;
    for (size_t i = 0; i < m->n_parts; i++) {
        struct mpart *part = &m->parts[i];
        *ret_wanting = *ret_wanting || needs_back(part);
        if (part->n_back &&
            (!best || later(&part->back[part->n_back - 1], &best->back[best->n_back - 1])))
            best = part;
    }
    return best;
}

static void gap_before(struct evs_messages *m, struct mpart *part, int64_t from)
{
    struct row gap;
    if (part->p.first <= from)
        return;
    row_of_gap(&gap, part->p.partition, from, part->p.first);
    rows_push_front(&m->rows, &gap);
    part->p.first = from;
}

static void place_back(struct evs_messages *m, struct mpart *part)
{
    struct row *row = &part->back[--part->n_back];
    gap_before(m, part, row->r.offset + 1);
    rows_push_front(&m->rows, row);
    part->p.first = row->r.offset;
    m->kept++;
}

enum evs_rc page_back(struct evs_messages *m, int n, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (int i = 0; i < n;) {
        bool wanting;
        struct mpart *part = latest_back(m, &wanting);
        if (wanting) {
            rc = refill_back(m, err);
            if (rc || atomic_load(&m->quit))
                break;
            continue;
        }
        if (!part) {
            for (size_t k = 0; k < m->n_parts; k++)
                if (!m->parts[k].p.error[0])
                    gap_before(m, &m->parts[k], m->parts[k].p.low);
            m->at_begin = true;
            break;
        }
        place_back(m, part);
        i++;
    }
    m->dirty = true;
    return rc;
}

/* --- reading single offsets --- */

struct wanted {
    int64_t seq, offset;
};

static int by_offset(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Reads the wanted offsets (sorted) of one partition; jumps over wide stretches between them. */
static enum evs_rc read_offsets(struct evs_messages *m, enum evs_isolation isolation,
                                int32_t partition, struct wanted *w, size_t n, size_t preview,
                                void (*got)(void *ctx, const struct wanted *w, struct body *b),
                                void *ctx, struct evs_err *err)
{
    struct evs_ranges *r = blank_ranges(m);
    struct evs_merge *merge = NULL;
    r->isolation = isolation;
    add_range(r, &messages_part(m, partition)->p, w[0].offset, w[n - 1].offset + 1);
    enum evs_rc rc = evs_merge_open(m->c, r, &merge, err);
    size_t i = 0;
    while (!rc && i < n && !atomic_load(&m->quit)) {
        struct evs_event *ev;
        if (w[i].offset - evs_merge_position(merge, partition) > CLUSTER)
            evs_merge_seek(merge, partition, w[i].offset);
        rc = evs_merge_next(merge, WAIT_MS, &ev, err);
        if (rc == EVS_AGAIN)
            rc = EVS_OK;
        else if (!rc) {
            while (i < n && w[i].offset < ev->offset)
                i++;
            if (i < n && w[i].offset == ev->offset)
                got(ctx, &w[i++], body_new(ev, preview));
        }
    }
    evs_merge_close(merge);
    evs_ranges_free(r);
    return rc == EVS_EOF ? EVS_OK : rc;
}

static void got_one(void *ctx, const struct wanted *w, struct body *b)
{
    struct body **to = ctx;
    (void)w;
    body_unref(*to);
    *to = b;
}

enum evs_rc page_fetch(struct evs_messages *m, int32_t partition, int64_t offset,
                       struct body **ret_b, struct evs_err *err)
{
    struct wanted w = {0, offset};
    struct body *b = NULL;
    if (!messages_part(m, partition))
        return evs_fail(err, EVS_INVALID, "partition %d is not in view", partition);
    enum evs_rc rc =
        read_offsets(m, m->query->q.isolation, partition, &w, 1, SIZE_MAX, got_one, &b, err);
    if (!rc)
        *ret_b = b;
    return rc;
}

/* --- what the view lacks --- */

static void got_body(void *ctx, const struct wanted *w, struct body *b)
{
    struct evs_messages *m = ctx;
    if (rows_at(&m->rows, w->seq))
        rows_set_body(&m->rows, w->seq, b);
    else
        body_unref(b);
}

/* Evicted bodies of one partition in view. */
static bool mend_bodies(struct evs_messages *m, int64_t top)
{
    struct wanted *w = evs_xcalloc((size_t)m->view_n + 1, sizeof(*w));
    struct evs_err err = EVS_ERR_INIT;
    int32_t partition = -1;
    size_t n = 0;
    for (int64_t seq = top; seq < top + m->view_n && n < MISSING_MAX; seq++) {
        const struct row *row = rows_at(&m->rows, seq);
        if (!row || row->r.kind != EVS_ROW_RECORD || row->body || row->lost)
            continue;
        if (n && row->r.partition != partition)
            continue;
        partition = row->r.partition;
        w[n++] = (struct wanted){seq, row->r.offset};
    }
    if (n) {
        qsort(w, n, sizeof(*w), by_offset);
        if (read_offsets(m, m->query->q.isolation, partition, w, n, EVS_MESSAGES_PREVIEW, got_body,
                         m, &err))
            messages_fail(m, &err);
        for (size_t i = 0; !err.code && i < n; i++) {
            struct row *row = rows_at(&m->rows, w[i].seq);
            row->lost = !row->body;
        }
        m->dirty = true;
    }
    evs_free(w);
    return n > 0 && !err.code;
}

static void got_committed(void *ctx, const struct wanted *w, struct body *b)
{
    const struct evs_messages *m = ctx;
    struct row *row = rows_at(&m->rows, w->seq);
    if (row)
        row->r.aborted = false;
    body_unref(b);
}

/* Under read_uncommitted: which records of one partition in view were aborted. What stands at or
 * behind the last stable offset is open, not aborted. */
static bool judge_aborted(struct evs_messages *m, int64_t top)
{
    struct wanted *w = evs_xcalloc((size_t)m->view_n + 1, sizeof(*w));
    struct evs_err err = EVS_ERR_INIT;
    const struct mpart *part = NULL;
    size_t n = 0;
    for (int64_t seq = top; seq < top + m->view_n && n < MISSING_MAX; seq++) {
        struct row *row = rows_at(&m->rows, seq);
        if (!row || row->r.kind != EVS_ROW_RECORD || row->judged)
            continue;
        if (!part)
            part = messages_part(m, row->r.partition);
        if (row->r.partition != part->p.partition || row->r.offset >= part->p.lso)
            continue;
        row->judged = row->r.aborted = true;
        w[n++] = (struct wanted){seq, row->r.offset};
    }
    if (n) {
        qsort(w, n, sizeof(*w), by_offset);
        if (read_offsets(m, EVS_READ_COMMITTED, part->p.partition, w, n, 0, got_committed, m, &err))
            messages_fail(m, &err);
        for (size_t i = 0; err.code && i < n; i++) {
            struct row *row = rows_at(&m->rows, w[i].seq);
            row->judged = row->r.aborted = false; /* not known */
        }
        m->dirty = true;
    }
    evs_free(w);
    return n > 0;
}

static void explain(struct evs_messages *m, struct row *row)
{
    struct evs_msg_row *r = &row->r;
    const struct mpart *part = messages_part(m, r->partition);
    struct evs_ranges *range = blank_ranges(m);
    struct evs_gaps *gaps = NULL;
    struct evs_gap gap = {.aborted = -1, .reason = "unknown"};
    struct evs_err err = EVS_ERR_INIT;
    r->gap_reason = "not there: reason unknown";
    add_range(range, &part->p, r->offset, r->gap_to);
    if (r->gap_to - r->offset <= GAP_READ_MAX &&
        !evs_gaps_open(m->c, range, m->policy, &gaps, &err) &&
        !evs_gaps_explain(gaps, r->partition, r->offset, r->gap_to, &gap, &err)) {
        r->gap_aborted = gap.aborted;
        r->gap_hidden = r->gap_to - r->offset - gap.aborted;
    } else if (m->policy) {
        gap.reason = strstr(m->policy, "compact") ? "compacted" : gap.reason;
    }
    if (strcmp(gap.reason, "unknown"))
        r->gap_reason = gap.reason;
    evs_gaps_close(gaps);
    evs_ranges_free(range);
    m->dirty = true;
}

bool page_mend_view(struct evs_messages *m)
{
    int64_t top = messages_view_top(m);
    if (mend_bodies(m, top))
        return true;
    if (m->query->q.isolation == EVS_READ_UNCOMMITTED && judge_aborted(m, top))
        return true;
    for (int64_t seq = top; seq < top + m->view_n; seq++) {
        struct row *row = rows_at(&m->rows, seq);
        if (row && row->r.kind == EVS_ROW_GAP && !row->r.gap_reason) {
            explain(m, row);
            return true;
        }
    }
    return false;
}
