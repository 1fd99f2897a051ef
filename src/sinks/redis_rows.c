/* redis_rows.c - a batch in one MULTI, after reading what it must not overwrite. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/decimal.h"
#include "sinks/redis.h"

enum { ROWS_PER_COMMAND = 500 };

struct plan { /* what to do with each row */
    bool *keep;
    char **sums;
    struct evs_redis_look look; /* latest */
};

/* --- latest ---------------------------------------------------------------------------------- */
static enum evs_rc plan_latest(struct evs_redis *s, const struct evs_sink_batch *b, struct plan *p,
                               struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = evs_redis_look(s, b->rows, b->n, true, &p->look, err);
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *row = &b->rows[i];
        const struct evs_redis_seen *have = &p->look.seen[i];
        p->keep[i] = !have->known || evs_row_newer(row->partition, row->offset, row->ts_ms,
                                                   have->partition, have->offset, have->ts_ms);
        d->left += !p->keep[i];
        d->written += p->keep[i] && !row->deleted;
        d->deleted += p->keep[i] && row->deleted && have->known && !have->deleted;
    }
    return rc;
}

static enum evs_rc put_hash(struct evs_redis *s, const struct evs_row *row, struct evs_err *err)
{
    evs_redis_begin(s, "DEL");
    evs_redis_add_name(s, row->key, row->key_len);
    enum evs_rc rc = evs_redis_send(s, err);
    if (rc || row->deleted)
        return rc;
    evs_redis_begin(s, "HSET");
    evs_redis_add_name(s, row->key, row->key_len);
    evs_redis_adds(s, "key"); /* so that a row of nulls is a row */
    evs_redis_add(s, row->key, row->key_len);
    for (size_t i = 0; i < s->view.n_columns; i++) {
        if (row->cells[i].type == EVS_CELL_NULL)
            continue;
        evs_redis_adds(s, s->view.columns[i].name);
        evs_redis_add(s, row->cells[i].p, row->cells[i].len);
    }
    return evs_redis_send(s, err);
}

/* The rows kept that are deleted, or those that are not, in commands of many. */
static enum evs_rc put_many(struct evs_redis *s, const struct evs_sink_batch *b,
                            const struct plan *p, bool deleted, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    size_t n = 0;
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *row = &b->rows[i];
        if (!p->keep[i] || row->deleted != deleted)
            continue;
        if (n++ == 0)
            evs_redis_begin(s, deleted ? "DEL" : "MSET");
        evs_redis_add_name(s, row->key, row->key_len);
        if (!deleted)
            evs_redis_add(s, row->value, row->value_len);
        if (n < ROWS_PER_COMMAND)
            continue;
        rc = evs_redis_send(s, err);
        n = 0;
    }
    return rc || !n ? rc : evs_redis_send(s, err);
}

static enum evs_rc put_latest(struct evs_redis *s, const struct evs_sink_batch *b,
                              const struct plan *p, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    if (!s->view.n_columns) {
        rc = put_many(s, b, p, false, err);
        if (!rc)
            rc = put_many(s, b, p, true, err);
    }
    for (size_t i = 0; !rc && s->view.n_columns && i < b->n; i++)
        if (p->keep[i])
            rc = put_hash(s, &b->rows[i], err);
    return rc || !b->n ? rc : evs_redis_look_put(s, &p->look, p->keep, err);
}

/* --- log ------------------------------------------------------------------------------------- */
/* Offset 0 is the id 0-1: 0-0 is not allowed. */
static enum evs_rc last_offset(struct evs_redis *s, int32_t partition, int64_t *ret_last,
                               struct evs_err *err)
{
    redisReply *r = NULL;
    enum evs_rc rc =
        evs_redis_ask(s, &r, err, "XREVRANGE %s:%d + - COUNT 1", s->target, (int)partition);
    *ret_last = -1;
    if (!rc && r->elements == 1) {
        long long last = -1;
        sscanf(r->element[0]->element[0]->str, "%lld", &last);
        *ret_last = last;
    }
    if (r)
        freeReplyObject(r);
    return rc;
}

static enum evs_rc log_has(struct evs_redis *s, const struct evs_row *row, bool *ret_has,
                           struct evs_err *err)
{
    redisReply *r = NULL;
    long long at = (long long)row->offset;
    enum evs_rc rc = evs_redis_ask(s, &r, err, "XRANGE %s:%d %lld-1 %lld-1", s->target,
                                   (int)row->partition, at, at);
    *ret_has = !rc && r->elements == 1;
    if (r)
        freeReplyObject(r);
    return rc;
}

/* The partition's end is asked once. Rows before it are there already, or can never be. */
static enum evs_rc plan_log(struct evs_redis *s, const struct evs_sink_batch *b, struct plan *p,
                            struct evs_sink_done *d, struct evs_err *err)
{
    struct {
        int32_t partition;
        int64_t last;
    } *known = evs_xcalloc(b->n_parts + 1, sizeof(*known));
    size_t n = 0;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *row = &b->rows[i];
        size_t k = 0;
        while (k < n && known[k].partition != row->partition)
            k++;
        if (k == n && n <= b->n_parts) {
            known[n].partition = row->partition;
            rc = last_offset(s, row->partition, &known[n++].last, err);
        }
        bool has = false;
        if (!rc && row->offset <= known[k].last)
            rc = log_has(s, row, &has, err);
        p->keep[i] = !has;
        if (!rc && !has && row->offset <= known[k].last) {
            rc = evs_fail(err, EVS_FATAL,
                          "%s:%d already goes to offset %lld and lacks %lld: a stream only grows",
                          s->target, (int)row->partition, (long long)known[k].last,
                          (long long)row->offset);
            evs_hint(err, "a log of an earlier window needs a --target of its own");
        }
        d->left += has;
        d->written += !has;
    }
    evs_free(known);
    return rc;
}

static void add_field(struct evs_redis *s, const char *name, const void *p, size_t n)
{
    if (!p)
        return;
    evs_redis_adds(s, name);
    evs_redis_add(s, p, n);
}

static enum evs_rc put_log_row(struct evs_redis *s, const struct evs_row *row, struct evs_err *err)
{
    char stream_ts[3][48];
    EVS_AUTO(evs_buf) struct evs_buf headers = EVS_BUF_INIT(64u << 20);
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(8192);
    evs_buf_printf(&name, "%s:%d", s->target, row->partition);
    snprintf(stream_ts[0], sizeof(stream_ts[0]), "%lld-1", (long long)row->offset);
    snprintf(stream_ts[1], sizeof(stream_ts[1]), "%lld", (long long)row->ts_ms);
    evs_redis_begin(s, "XADD");
    evs_redis_add(s, name.data, name.len);
    evs_redis_adds(s, stream_ts[0]);
    add_field(s, "ts", stream_ts[1], strlen(stream_ts[1]));
    add_field(s, "key", row->key, row->key_len);
    if (s->view.n_columns) {
        for (size_t i = 0; i < s->view.n_columns; i++)
            add_field(s, s->view.columns[i].name, row->cells[i].p, row->cells[i].len);
    } else {
        add_field(s, "value", row->value, row->value_len);
        if (row->n_headers > 0)
            evs_row_headers_json(row, &headers);
        add_field(s, "headers", headers.data, headers.len);
    }
    return evs_redis_send(s, err);
}

/* --- count and sum --------------------------------------------------------------------------- */
static enum evs_rc plan_sums(struct evs_redis *s, const struct evs_sink_batch *b, struct plan *p,
                             struct evs_err *err)
{
    redisReply *r = NULL;
    evs_redis_begin(s, "HMGET");
    evs_redis_adds(s, s->sum_key);
    for (size_t i = 0; i < b->n; i++)
        evs_redis_add(s, b->rows[i].key, b->rows[i].key_len);
    enum evs_rc rc = b->n ? evs_redis_send(s, err) : EVS_OK;
    if (!rc && b->n)
        rc = evs_redis_reply(s, &r, err);
    for (size_t i = 0; !rc && i < b->n; i++) {
        struct evs_decimal sum, have;
        EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
        const redisReply *old = r->element[i];
        bool ok = evs_decimal_read(&sum, b->rows[i].sum, strlen(b->rows[i].sum));
        if (ok && old->type == REDIS_REPLY_STRING)
            ok =
                evs_decimal_read(&have, old->str, (size_t)old->len) && evs_decimal_add(&sum, &have);
        if (!ok) {
            err->row = i;
            rc = evs_fail(err, EVS_POISON, "the sum has more digits than fit");
            break;
        }
        evs_decimal_print(&sum, &text);
        p->sums[i] = evs_buf_steal(&text);
    }
    if (r)
        freeReplyObject(r);
    return rc;
}

static enum evs_rc put_total(struct evs_redis *s, const struct evs_row *row, const char *sum,
                             struct evs_err *err)
{
    char number[32];
    snprintf(number, sizeof(number), "%lld", (long long)row->count);
    if (!sum) {
        evs_redis_begin(s, "ZINCRBY");
        evs_redis_adds(s, s->target);
        evs_redis_adds(s, number);
        evs_redis_add(s, row->key, row->key_len);
        return evs_redis_send(s, err);
    }
    evs_redis_begin(s, "HSET");
    evs_redis_adds(s, s->sum_key);
    evs_redis_add(s, row->key, row->key_len);
    evs_redis_adds(s, sum);
    enum evs_rc rc = evs_redis_send(s, err);
    if (rc)
        return rc;
    evs_redis_begin(s, "ZADD");
    evs_redis_adds(s, s->target);
    evs_redis_adds(s, sum);
    evs_redis_add(s, row->key, row->key_len);
    return evs_redis_send(s, err);
}

/* --- the transaction ------------------------------------------------------------------------- */
enum evs_rc evs_redis_put_ckpt(struct evs_redis *s, const struct evs_ckpt_part *parts, size_t n,
                               struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(64u << 20);
    struct piece {
        size_t at, n;
    } *pieces = evs_xcalloc(2 * n + 1, sizeof(*pieces));
    for (size_t i = 0; i < n; i++) {
        pieces[2 * i].at = text.len;
        evs_buf_i64(&text, parts[i].partition);
        pieces[2 * i].n = text.len - pieces[2 * i].at;
        pieces[2 * i + 1].at = text.len;
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            evs_buf_printf(&text, "%s%lld", f ? " " : "", (long long)parts[i].n[f]);
        pieces[2 * i + 1].n = text.len - pieces[2 * i + 1].at;
    }
    char now[32];
    snprintf(now, sizeof(now), "%lld", (long long)evs_clock_wall_ms());
    evs_redis_begin(s, "HSET");
    evs_redis_adds(s, s->ckpt_key);
    evs_redis_adds(s, "updated_ms");
    evs_redis_adds(s, now);
    for (size_t i = 0; i < 2 * n; i++)
        evs_redis_add(s, text.data + pieces[i].at, pieces[i].n);
    enum evs_rc rc = evs_redis_send(s, err);
    evs_free(pieces);
    return rc;
}

/* What must not change until EXEC, whether the job is still ours, what the versions are like: one
 * round trip. */
static enum evs_rc watch_epoch(struct evs_redis *s, struct evs_err *err)
{
    static const char *const commands[] = {"WATCH", "HGET"};
    redisReply *r[EVS_COUNT(commands) + 1] = {NULL}; /* the last: of the versions */
    const char *args[][3] = {{s->ckpt_key, s->version_key, s->sum_key}, {s->ckpt_key, "epoch"}};
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < EVS_COUNT(commands); i++) {
        evs_redis_begin(s, commands[i]);
        for (size_t k = 0; k < EVS_COUNT(args[i]) && args[i][k]; k++)
            evs_redis_adds(s, args[i][k]);
        rc = evs_redis_send(s, err);
    }
    if (!rc)
        rc = evs_redis_versions_ask(s, err);
    for (size_t i = 0; !rc && i < EVS_COUNT(r); i++)
        rc = evs_redis_reply(s, &r[i], err);
    long long epoch = -1;
    if (!rc && r[1]->type == REDIS_REPLY_STRING)
        sscanf(r[1]->str, "%lld", &epoch);
    if (!rc && epoch != s->epoch)
        rc = evs_sink_fenced(err, s->id);
    if (!rc && s->view.mode == EVS_VIEW_LATEST)
        evs_redis_versions_read(s, r[2]);
    for (size_t i = 0; i < EVS_COUNT(r); i++)
        if (r[i])
            freeReplyObject(r[i]);
    return rc;
}

static enum evs_rc put_rows(struct evs_redis *s, const struct evs_sink_batch *b,
                            const struct plan *p, struct evs_err *err)
{
    if (s->view.mode == EVS_VIEW_LATEST)
        return put_latest(s, b, p, err);
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (s->view.mode != EVS_VIEW_LOG)
            rc = put_total(s, &b->rows[i], p->sums[i], err);
        else if (p->keep[i])
            rc = put_log_row(s, &b->rows[i], err);
    }
    return rc;
}

/* Reads the replies of the queued commands, then EXEC's. A reply that is an error fails. */
static enum evs_rc execute(struct evs_redis *s, const struct plan *p, struct evs_err *err)
{
    redisReply *r = NULL;
    evs_redis_begin(s, "EXEC");
    enum evs_rc rc = evs_redis_send(s, err), first = EVS_OK;
    struct evs_err why = EVS_ERR_INIT;
    if (!rc)
        rc = evs_redis_push(s, err);
    evs_redis_look_meet(s, &p->look); /* while Redis works */
    while (!rc && s->pending) {
        if (r)
            freeReplyObject(r);
        rc = evs_redis_reply(s, &r, err);
        if (rc && !s->c->err) { /* queueing one was refused: EXEC will say so too */
            if (!first)
                why = *err;
            first = first ? first : rc;
            rc = EVS_OK;
        }
    }
    if (!rc && first) {
        *err = why;
        rc = first;
    }
    if (!rc && (!r || r->type != REDIS_REPLY_ARRAY))
        rc = evs_fail(err, EVS_RETRY, "another client changed the view or the checkpoint");
    for (size_t i = 0; !rc && i < r->elements; i++)
        if (r->element[i]->type == REDIS_REPLY_ERROR)
            rc = evs_redis_fail(s, r->element[i], err);
    if (r)
        freeReplyObject(r);
    return rc;
}

static enum evs_rc apply(struct evs_redis *s, struct evs_sink_batch *b, struct plan *p,
                         struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = watch_epoch(s, err);
    if (!rc && b->n && s->view.mode == EVS_VIEW_LATEST)
        rc = plan_latest(s, b, p, d, err);
    else if (!rc && s->view.mode == EVS_VIEW_LOG)
        rc = plan_log(s, b, p, d, err);
    else if (!rc && s->view.mode == EVS_VIEW_SUM)
        rc = plan_sums(s, b, p, err);
    if (s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM)
        d->written = (int64_t)b->n;
    if (rc)
        return rc;
    b->parts[0].n[EVS_CKPT_WRITTEN] += d->written;
    b->parts[0].n[EVS_CKPT_DELETED] += d->deleted;
    evs_redis_begin(s, "MULTI");
    rc = evs_redis_send(s, err);
    if (!rc)
        rc = put_rows(s, b, p, err);
    if (!rc)
        rc = evs_redis_put_ckpt(s, b->parts, b->n_parts, err);
    return rc ? rc : execute(s, p, err);
}

enum evs_rc evs_redis_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                            struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    struct plan p = {.keep = evs_xcalloc(b->n + 1, sizeof(*p.keep)),
                     .sums = evs_xcalloc(b->n + 1, sizeof(*p.sums))};
    struct evs_sink_done d = {0};
    struct evs_err ignored = EVS_ERR_INIT;
    struct evs_ckpt_part before = b->parts[0];
    enum evs_rc rc = evs_redis_ready(s, err);
    if (!rc)
        rc = apply(s, b, &p, &d, err);
    if (rc) {
        b->parts[0] = before;
        if (!s->c->err && !s->pending)
            (void)!evs_redis_ask(s, NULL, &ignored, "UNWATCH");
    } else {
        *ret_d = d;
        if (p.look.n)
            s->versions.turn++;
    }
    evs_redis_look_done(&p.look);
    for (size_t i = 0; i < b->n; i++)
        evs_free(p.sums[i]);
    evs_free(p.sums);
    evs_free(p.keep);
    return rc;
}
