/* messages_session.c - the thread of a messages session: obeys commands, reads, publishes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browse/messages_int.h"
#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/configs.h"

enum {
    TICK_MS = 20,
    REST_MS = 500,
    PUBLISH_US = 50000,
    HEADS_LIVE_US = 1000000,
    HEADS_REST_US = 3000000,
    HEADS_LOST_US = 4000000
};

/* --- small things --- */

struct mpart *messages_part(const struct evs_messages *m, int32_t partition)
{
    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].p.partition == partition)
            return &m->parts[i];
    return NULL;
}

bool messages_is_search(const struct evs_messages *m)
{
    return m->filter != NULL;
}

bool messages_is_full(const struct evs_messages *m)
{
    int64_t most = m->query->q.count;
    return messages_is_search(m) && most > 0 && m->kept >= most;
}

int64_t messages_view_top(const struct evs_messages *m)
{
    int64_t end = m->rows.first + (int64_t)m->rows.n, last = end - m->view_n;
    int64_t top = m->view_top > last ? last : m->view_top;
    return top < m->rows.first ? m->rows.first : top;
}

void messages_fail(struct evs_messages *m, const struct evs_err *err)
{
    m->err = *err;
    m->dirty = true;
}

void messages_append(struct evs_messages *m, struct body *body, const char *gap_reason)
{
    struct mpart *part = messages_part(m, body->ev->partition);
    struct row row;
    if (!messages_is_search(m) && body->ev->offset > part->p.next) {
        row_of_gap(&row, part->p.partition, part->p.next, body->ev->offset);
        row.r.gap_reason = gap_reason;
        rows_push_back(&m->rows, &row);
    }
    part->p.next = body->ev->offset + 1;
    row_of_body(&row, body);
    rows_push_back(&m->rows, &row);
    m->kept++;
}

/* --- the list --- */

static void clear_list(struct evs_messages *m)
{
    tap_close(m);
    tap_grow_end(m);
    evs_merge_close(m->forward);
    m->forward = NULL;
    rows_clear(&m->rows);
    for (size_t i = 0; i < m->n_parts; i++) {
        for (size_t k = 0; k < m->parts[i].n_back; k++)
            body_unref(m->parts[i].back[k].body);
        evs_free(m->parts[i].back);
    }
    evs_free(m->parts);
    m->parts = NULL;
    m->n_parts = 0;
    evs_filter_free(m->filter);
    m->filter = NULL;
    m->at_begin = m->at_end = m->following = m->paused = false;
    m->read_records = m->read_bytes = m->kept = m->dropped = m->passed = m->span = 0;
    m->passed_before = 0;
    m->behind = -1;
    m->merged_to_ms = -1;
    m->err.code = EVS_OK;
    evs_rate_init(&m->rate);
    m->list++;
    m->state = EVS_MESSAGES_LOADING;
    m->start_us = evs_clock_mono_us();
    m->worked_us = 0;
    m->dirty = true;
}

static struct evs_range_spec spec_of(const struct evs_messages_query *q)
{
    return (struct evs_range_spec){.partitions = q->partitions,
                                   .from = q->from,
                                   .to = q->to,
                                   .since = q->since,
                                   .until = q->until,
                                   .now_ms = evs_clock_wall_ms(),
                                   .isolation = q->isolation};
}

static void take_ranges(struct evs_messages *m, const struct evs_ranges *r)
{
    m->parts = evs_xcalloc(r->n + 1, sizeof(*m->parts));
    m->n_parts = r->n;
    for (size_t i = 0; i < r->n; i++) {
        const struct evs_range *from = &r->parts[i];
        struct mpart *part = &m->parts[i];
        part->p = (struct evs_messages_part){.partition = from->partition,
                                             .leader = from->leader,
                                             .low = from->low,
                                             .high = from->high,
                                             .lso = from->lso,
                                             .first = from->from,
                                             .next = from->from,
                                             .from = from->from,
                                             .to = from->to};
        part->back_from = from->from;
        part->back_step = m->page / (int64_t)r->n + 16;
        if (from->error)
            snprintf(part->p.error, sizeof(part->p.error), "%.100s", from->error);
    }
    m->span = evs_ranges_span(r);
}

static void ask_policy(struct evs_messages *m)
{
    struct evs_topic_config config = {.topic = m->topic};
    struct evs_err unused = EVS_ERR_INIT;
    if (m->policy)
        return;
    if (!evs_topic_configs(m->c, &config, 1, &unused)) {
        m->policy = config.cleanup_policy;
        config.cleanup_policy = NULL;
    }
    evs_topic_configs_done(&config, 1);
}

static bool is_search(const struct evs_messages_query *q)
{
    return q->n_terms || q->count;
}

static enum evs_rc start_query(struct evs_messages *m, struct evs_err *err)
{
    struct evs_messages_query *q = &m->query->q;
    struct evs_range_spec spec = spec_of(q);
    struct evs_ranges *r = NULL;
    enum evs_rc rc = EVS_OK;
    bool search = is_search(q);
    if (search)
        rc = evs_filter_new(q->terms, q->n_terms, &m->filter, err);
    if (!q->from && !q->since && !search)
        spec.from = "end";
    if (!rc)
        rc = evs_range_resolve(m->c, m->topic, &spec, &r, err);
    if (rc)
        return rc;
    take_ranges(m, r);
    evs_ranges_free(r);
    ask_policy(m);
    m->following = q->follow && (search || !q->from);
    m->state = EVS_MESSAGES_READY;
    if (search) {
        m->state = EVS_MESSAGES_SEARCHING;
        return tap_open(m, err);
    }
    bool at_end = spec.from && !strcmp(spec.from, "end");
    if (at_end)
        m->at_end = true;
    rc = at_end ? page_back(m, m->page, err) : page_forward(m, m->page, err);
    if (!rc && m->following) {
        m->state = EVS_MESSAGES_LIVE;
        rc = tap_open(m, err);
    }
    return rc;
}

static void new_list(struct evs_messages *m, struct query *q)
{
    struct evs_err err = EVS_ERR_INIT;
    clear_list(m);
    if (q) {
        query_free(m->query);
        m->query = q;
        m->view_top = q->q.from || q->q.since || is_search(&q->q) ? 0 : INT64_MAX;
    }
    messages_publish(m);
    if (start_query(m, &err)) {
        messages_fail(m, &err);
        m->retry_us = err.code == EVS_RETRY ? evs_clock_mono_us() + 2000000 : 0;
    }
}

/* --- following, stopping --- */

static void follow(struct evs_messages *m, bool on)
{
    struct evs_err err = EVS_ERR_INIT;
    if (messages_is_search(m))
        return;
    if (on && !m->following) {
        m->view_top = INT64_MAX;
        if (!m->at_end) { /* far from the end: a new list there */
            struct query *q = query_new(&m->query->q);
            query_drop(q->q.from);
            query_drop(q->q.since);
            query_drop(q->q.to);
            query_drop(q->q.until);
            q->q.from = q->q.since = q->q.to = q->q.until = NULL;
            q->q.follow = true;
            new_list(m, q);
            return;
        }
        m->following = true;
        m->state = EVS_MESSAGES_LIVE;
        if (tap_open(m, &err))
            messages_fail(m, &err);
    } else if (!on && m->following) {
        tap_close(m);
        tap_grow_end(m);
        m->following = m->paused = false;
        m->state = EVS_MESSAGES_READY;
    }
    m->dirty = true;
}

static void pause_tail(struct evs_messages *m, bool on)
{
    if (!m->following || !m->tap || m->paused == on)
        return;
    m->paused = on;
    evs_reader_pause(m->tap->reader, on);
    m->state = on ? EVS_MESSAGES_PAUSED : EVS_MESSAGES_LIVE;
    m->dirty = true;
}

static void stop_search(struct evs_messages *m)
{
    if (m->state != EVS_MESSAGES_SEARCHING && !(messages_is_search(m) && m->tap))
        return;
    m->worked_us += evs_clock_mono_us() - m->start_us;
    tap_close(m);
    m->state = EVS_MESSAGES_STOPPED;
    m->dirty = true;
}

static void resume_search(struct evs_messages *m)
{
    struct evs_err err = EVS_ERR_INIT;
    if (m->state != EVS_MESSAGES_STOPPED)
        return;
    m->start_us = evs_clock_mono_us();
    m->state = EVS_MESSAGES_SEARCHING;
    if (tap_open(m, &err))
        messages_fail(m, &err);
    m->dirty = true;
}

static void search_ended(struct evs_messages *m)
{
    struct evs_err err = EVS_ERR_INIT;
    bool full = messages_is_full(m);
    enum evs_rc rc = full ? EVS_EOF : evs_reader_wait(m->tap->reader, 0, &err);
    if (rc == EVS_AGAIN && m->following && m->state == EVS_MESSAGES_SEARCHING &&
        atomic_load(&m->tap->heads) >= (int)m->n_parts) {
        m->state = EVS_MESSAGES_LIVE;
        m->dirty = true;
    }
    if (rc == EVS_AGAIN)
        return;
    if (rc != EVS_EOF)
        messages_fail(m, &err);
    m->worked_us += evs_clock_mono_us() - m->start_us;
    tap_close(m);
    m->state = rc == EVS_EOF ? EVS_MESSAGES_DONE : EVS_MESSAGES_STOPPED;
    if (rc == EVS_EOF && !full)
        m->passed = m->span;
    m->dirty = true;
}

/* --- answers --- */

static void fetch(struct evs_messages *m, int32_t partition, int64_t offset)
{
    struct evs_err err = EVS_ERR_INIT;
    body_unref(m->detail);
    m->detail = NULL;
    m->detail_error = NULL;
    m->detail_partition = partition;
    m->detail_offset = offset;
    if (page_fetch(m, partition, offset, &m->detail, &err))
        m->detail_error = "could not be read";
    else if (!m->detail)
        m->detail_error = "not there any more";
    m->dirty = true;
}

static void plan(struct evs_messages *m, const struct query *q)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_range_spec spec = spec_of(&q->q);
    struct evs_filter *f = NULL;
    evs_ranges_free(m->plan);
    evs_free(m->plan_error);
    m->plan = NULL;
    m->plan_error = NULL;
    if (evs_filter_new(q->q.terms, q->q.n_terms, &f, &err) ||
        evs_range_resolve(m->c, m->topic, &spec, &m->plan, &err))
        m->plan_error = evs_xstrdup(err.msg);
    evs_filter_free(f);
    m->dirty = true;
}

static void obey(struct evs_messages *m, struct command *cmd)
{
    switch (cmd->kind) {
    case CMD_VIEW:
        m->view_top = cmd->at;
        m->view_n = cmd->n < 1 ? 1 : cmd->n;
        m->dirty = true;
        break;
    case CMD_QUERY:
        m->number = (uint64_t)cmd->at;
        new_list(m, cmd->query);
        cmd->query = NULL;
        break;
    case CMD_FOLLOW: follow(m, cmd->on); break;
    case CMD_PAUSE: pause_tail(m, cmd->on); break;
    case CMD_MERGE: m->merged = cmd->on; break;
    case CMD_STOP: stop_search(m); break;
    case CMD_RESUME: resume_search(m); break;
    case CMD_FETCH: fetch(m, cmd->partition, cmd->at); break;
    case CMD_PLAN: plan(m, cmd->query); break;
    }
    command_free(cmd);
}

/* --- work --- */

static void ask_heads(struct evs_messages *m)
{
    struct evs_offset_ask *asks = evs_xcalloc(m->n_parts + 1, sizeof(*asks));
    struct evs_err err = EVS_ERR_INIT;
    for (size_t i = 0; i < m->n_parts; i++)
        asks[i] = (struct evs_offset_ask){
            .topic = m->topic, .ts_ms = EVS_TS_END, .partition = m->parts[i].p.partition};
    enum evs_isolation level = m->query->q.isolation;
    enum evs_rc rc = evs_meta_offsets(m->c, asks, m->n_parts, level, NULL, &err);
    int64_t behind = 0;
    for (size_t i = 0; !rc && i < m->n_parts; i++) {
        struct evs_messages_part *p = &m->parts[i].p;
        if (asks[i].native || asks[i].offset < 0)
            continue;
        int64_t *end = level == EVS_READ_COMMITTED ? &p->lso : &p->high;
        if (asks[i].offset > *end)
            *end = asks[i].offset;
        if (p->high < p->lso)
            p->high = p->lso;
        /* The tap's own position: what it passed without a record (markers) is not behind. */
        int64_t at = m->tap ? evs_reader_position(m->tap->reader, p->partition) : p->next;
        at = at > p->next ? at : p->next;
        behind += *end > at ? *end - at : 0;
    }
    if (!rc) {
        m->dirty = m->dirty || behind != m->behind;
        m->behind = behind;
        m->at_end = m->at_end && (behind == 0 || m->following);
        if (m->err.code == EVS_RETRY)
            m->err.code = EVS_OK;
    } else {
        messages_fail(m, &err);
    }
    evs_free(asks);
}

/* Reads on before the view reaches an end of what is loaded. */
static bool load_near_view(struct evs_messages *m)
{
    struct evs_err err = EVS_ERR_INIT;
    int64_t top = messages_view_top(m), end = m->rows.first + (int64_t)m->rows.n;
    enum evs_rc rc = EVS_OK;
    if (messages_is_search(m) || !m->n_parts)
        return false;
    if (!m->at_end && !m->tap && top + m->view_n + m->page / 2 >= end)
        rc = page_forward(m, m->page, &err);
    else if (!m->at_begin && top - m->page / 2 <= m->rows.first)
        rc = page_back(m, m->page, &err);
    else
        return false;
    if (rc)
        messages_fail(m, &err);
    else if (m->state == EVS_MESSAGES_LOADING)
        m->state = EVS_MESSAGES_READY;
    return !rc;
}

static bool work(struct evs_messages *m, int64_t now_us)
{
    bool busy = false;
    if (m->retry_us && now_us >= m->retry_us) {
        m->retry_us = 0;
        new_list(m, NULL);
    }
    if (m->tap) {
        tap_drain(m);
        if (messages_is_search(m))
            search_ended(m);
    }
    tap_grow(m);
    int64_t every_us = m->following ? HEADS_LIVE_US : HEADS_REST_US;
    if (m->err.code == EVS_RETRY)
        every_us = HEADS_LOST_US; /* each try may take a second, in which nothing else is done */
    if (m->n_parts && !(messages_is_search(m) && !m->following) &&
        now_us - m->heads_at_us > every_us) {
        m->heads_at_us = now_us;
        ask_heads(m);
    }
    if (m->state != EVS_MESSAGES_LOADING)
        busy = load_near_view(m) || page_mend_view(m);
    rows_evict(&m->rows, messages_view_top(m), m->view_n, m->memory_limit);
    return busy;
}

void messages_run(void *arg)
{
    struct evs_messages *m = arg;
    bool busy = false;
    while (!atomic_load(&m->quit)) {
        void *item;
        int64_t wait_ms = busy || m->dirty ? 0 : m->tap || m->retry_us ? TICK_MS : REST_MS;
        if (m->dirty && !busy)
            wait_ms = TICK_MS;
        while (!evs_queue_pop(m->commands, wait_ms, &item)) {
            obey(m, item);
            wait_ms = 0;
            if (atomic_load(&m->quit)) /* each may ask a cluster that does not answer */
                break;
        }
        if (atomic_load(&m->quit))
            break;
        int64_t now_us = evs_clock_mono_us();
        busy = work(m, now_us);
        if (m->dirty && now_us - m->published_us >= PUBLISH_US)
            messages_publish(m);
    }
    clear_list(m);
}
