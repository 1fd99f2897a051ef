/* redis_read.c - rows back out of Redis, for diff and verify. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/redis.h"

enum { CHUNK = 1000, MANY = 50000 /* keys share the reading of their versions */ };

static void read_cells(const struct evs_shape *v, const redisReply *r, struct evs_row_cell *cells)
{
    for (size_t c = 0; c < v->n_columns; c++) {
        cells[c] = (struct evs_row_cell){.type = EVS_CELL_NULL};
        for (size_t i = 0; i + 1 < r->elements; i += 2) {
            const redisReply *name = r->element[i], *value = r->element[i + 1];
            if (strlen(v->columns[c].name) == (size_t)name->len &&
                !memcmp(v->columns[c].name, name->str, (size_t)name->len))
                cells[c] = (struct evs_row_cell){EVS_CELL_TEXT, value->str, (size_t)value->len};
        }
    }
}

static enum evs_rc ask_row(struct evs_redis *s, const struct evs_row *key, struct evs_err *err)
{
    evs_redis_begin(s, s->view.n_columns ? "HGETALL" : "GET");
    evs_redis_add_name(s, key->key, key->key_len);
    return evs_redis_send(s, err);
}

static bool give_latest(struct evs_redis *s, const struct evs_row *key,
                        const struct evs_redis_seen *seen, const redisReply *r,
                        struct evs_row_cell *cells, evs_sink_found *found, void *ctx)
{
    struct evs_row row = {.key = key->key, .key_len = key->key_len};
    row.partition = seen->known ? seen->partition : -1;
    row.offset = seen->known ? seen->offset : -1;
    row.ts_ms = seen->known ? seen->ts_ms : -1;
    row.deleted = s->view.n_columns ? !r->elements : r->type != REDIS_REPLY_STRING;
    if (row.deleted) /* its version stands in the way of older events all the same */
        return seen->known ? found(ctx, &row) : true;
    if (s->view.n_columns) {
        read_cells(&s->view, r, cells);
        row.cells = cells;
    } else {
        row.value = r->str;
        row.value_len = (size_t)r->len;
    }
    return found(ctx, &row);
}

/* Rows of latest by key, a chunk in one round trip after that for the versions. */
static enum evs_rc get_latest(struct evs_redis *s, const struct evs_row *keys, size_t n,
                              evs_sink_found *found, void *ctx, struct evs_err *err)
{
    redisReply *r = NULL;
    struct evs_redis_look look = {.n = 0};
    enum evs_rc rc = evs_redis_versions_ask(s, err);
    if (!rc)
        rc = evs_redis_reply(s, &r, err);
    if (rc)
        return rc;
    evs_redis_versions_read(s, r);
    freeReplyObject(r);
    rc = evs_redis_look(s, keys, n, false, &look, err);
    struct evs_row_cell *cells = evs_xcalloc(s->view.n_columns + 1, sizeof(*cells));
    bool more = true;
    for (size_t at = 0, to; !rc && at < n; at = to) {
        to = n - at < CHUNK ? n : at + CHUNK;
        for (size_t i = at; !rc && i < to; i++)
            rc = ask_row(s, &keys[i], err);
        for (size_t i = at; !rc && i < to; i++) {
            rc = evs_redis_reply(s, &r, err);
            if (!rc && more)
                more = give_latest(s, &keys[i], &look.seen[i], r, cells, found, ctx);
            if (r)
                freeReplyObject(r);
        }
    }
    evs_free(cells);
    evs_redis_look_done(&look);
    return rc;
}

/* One entry of a stream as a row. */
static bool give_entry(struct evs_redis *s, int32_t partition, const redisReply *e,
                       evs_sink_found *found, void *ctx)
{
    struct evs_row_cell cells[256];
    const redisReply *fields = e->element[1];
    struct evs_row row = {.partition = partition, .ts_ms = -1};
    long long offset = -1, ts = -1;
    sscanf(e->element[0]->str, "%lld", &offset);
    row.offset = offset;
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = fields->element[i]->str;
        const redisReply *value = fields->element[i + 1];
        if (!strcmp(name, "ts") && sscanf(value->str, "%lld", &ts) == 1) {
            row.ts_ms = ts;
        } else if (!strcmp(name, "key")) {
            row.key = value->str;
            row.key_len = (size_t)value->len;
        } else if (!strcmp(name, "value") && !s->view.n_columns) {
            row.value = value->str;
            row.value_len = (size_t)value->len;
        }
    }
    if (s->view.n_columns && s->view.n_columns <= EVS_COUNT(cells)) {
        read_cells(&s->view, fields, cells);
        row.cells = cells;
    }
    return found(ctx, &row);
}

static enum evs_rc get_log(struct evs_redis *s, const struct evs_row *keys, size_t n,
                           evs_sink_found *found, void *ctx, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        redisReply *r = NULL;
        long long at = (long long)keys[i].offset;
        rc = evs_redis_ask(s, &r, err, "XRANGE %s:%d %lld-1 %lld-1", s->target,
                           (int)keys[i].partition, at, at);
        if (!rc && r->elements == 1)
            give_entry(s, keys[i].partition, r->element[0], found, ctx);
        if (r)
            freeReplyObject(r);
    }
    return rc;
}

static bool give_total(struct evs_redis *s, const void *key, size_t len, const redisReply *value,
                       evs_sink_found *found, void *ctx)
{
    struct evs_row row = {.key = key, .key_len = len, .sum = value->str};
    double score = 0;
    if (s->view.mode == EVS_VIEW_COUNT && sscanf(value->str, "%lf", &score) == 1)
        row.count = (int64_t)score; /* exact below 2^53 */
    return found(ctx, &row);
}

static enum evs_rc get_totals(struct evs_redis *s, const struct evs_row *keys, size_t n,
                              evs_sink_found *found, void *ctx, struct evs_err *err)
{
    bool sum = s->view.mode == EVS_VIEW_SUM;
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        evs_redis_begin(s, sum ? "HGET" : "ZSCORE");
        evs_redis_adds(s, sum ? s->sum_key : s->target);
        evs_redis_add(s, keys[i].key, keys[i].key_len);
        rc = evs_redis_send(s, err);
    }
    for (size_t i = 0; !rc && i < n; i++) {
        redisReply *r = NULL;
        rc = evs_redis_reply(s, &r, err);
        if (!rc && r->type == REDIS_REPLY_STRING)
            give_total(s, keys[i].key, keys[i].key_len, r, found, ctx);
        if (r)
            freeReplyObject(r);
    }
    return rc;
}

enum evs_rc evs_redis_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    enum evs_rc rc = evs_redis_ready(s, err);
    if (!rc && s->view.mode == EVS_VIEW_LATEST)
        return get_latest(s, keys, n, found, ctx, err);
    for (size_t at = 0; !rc && at < n; at += CHUNK) {
        size_t some = n - at < CHUNK ? n - at : CHUNK;
        if (s->view.mode == EVS_VIEW_LOG)
            rc = get_log(s, keys + at, some, found, ctx, err);
        else
            rc = get_totals(s, keys + at, some, found, ctx, err);
    }
    return rc;
}

/* --- everything ------------------------------------------------------------------------------ */
/* The prefix as a glob that means itself. */
static void glob_of(struct evs_buf *out, const char *prefix)
{
    for (; *prefix; prefix++) {
        if (strchr("*?[]\\", *prefix))
            evs_buf_addc(out, '\\');
        evs_buf_addc(out, *prefix);
    }
    evs_buf_adds(out, ":*");
}

static enum evs_rc scan_names(struct evs_redis *s, struct evs_map *seen, const char *type,
                              struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf glob = EVS_BUF_INIT(8192);
    char cursor[32] = "0";
    size_t prefix = strlen(s->target) + 1;
    enum evs_rc rc = EVS_OK;
    glob_of(&glob, s->target);
    do {
        redisReply *r = NULL;
        rc = evs_redis_ask(s, &r, err, "SCAN %s MATCH %b COUNT 2000 TYPE %s", cursor, glob.data,
                           glob.len, type);
        if (rc)
            return rc;
        snprintf(cursor, sizeof(cursor), "%s", r->element[0]->str);
        for (size_t i = 0; i < r->element[1]->elements; i++) {
            const redisReply *name = r->element[1]->element[i];
            *evs_map_put(seen, name->str + prefix, (size_t)name->len - prefix) = seen;
        }
        freeReplyObject(r);
    } while (strcmp(cursor, "0"));
    return rc;
}

static enum evs_rc scan_latest(struct evs_redis *s, evs_sink_found *found, void *ctx,
                               struct evs_err *err)
{
    struct evs_map seen = EVS_MAP_INIT;
    enum evs_rc rc = scan_names(s, &seen, s->view.n_columns ? "hash" : "string", err);
    struct evs_row *keys = evs_xcalloc(MANY, sizeof(*keys));
    for (size_t at = 0; !rc && at < seen.n; at += MANY) {
        size_t n = 0;
        for (; n < MANY && at + n < seen.n; n++)
            keys[n] = (struct evs_row){.key = seen.items[at + n].key,
                                       .key_len = seen.items[at + n].key_len};
        rc = get_latest(s, keys, n, found, ctx, err);
    }
    evs_free(keys);
    evs_map_done(&seen, NULL);
    return rc;
}

static enum evs_rc scan_stream(struct evs_redis *s, const char *partition, evs_sink_found *found,
                               void *ctx, struct evs_err *err)
{
    struct evs_err ignored = EVS_ERR_INIT;
    char from[48] = "-";
    int64_t number;
    enum evs_rc rc = EVS_OK;
    if (evs_num_i64(partition, 0, INT32_MAX, &number, &ignored))
        return EVS_OK; /* not a partition's stream */
    for (bool more = true; !rc && more;) {
        redisReply *r = NULL;
        rc = evs_redis_ask(s, &r, err, "XRANGE %s:%s %s + COUNT 1000", s->target, partition, from);
        if (rc)
            break;
        for (size_t i = 0; i < r->elements && more; i++)
            more = give_entry(s, (int32_t)number, r->element[i], found, ctx);
        more = more && r->elements > 0;
        if (more)
            snprintf(from, sizeof(from), "(%s", r->element[r->elements - 1]->element[0]->str);
        freeReplyObject(r);
    }
    return rc;
}

static enum evs_rc scan_log(struct evs_redis *s, evs_sink_found *found, void *ctx,
                            struct evs_err *err)
{
    struct evs_map seen = EVS_MAP_INIT;
    enum evs_rc rc = scan_names(s, &seen, "stream", err);
    for (size_t i = 0; !rc && i < seen.n; i++)
        rc = scan_stream(s, seen.items[i].key, found, ctx, err);
    evs_map_done(&seen, NULL);
    return rc;
}

static enum evs_rc scan_totals(struct evs_redis *s, evs_sink_found *found, void *ctx,
                               struct evs_err *err)
{
    bool sum = s->view.mode == EVS_VIEW_SUM;
    struct evs_map seen = EVS_MAP_INIT;
    char cursor[32] = "0";
    enum evs_rc rc;
    do {
        redisReply *r = NULL;
        rc = evs_redis_ask(s, &r, err, sum ? "HSCAN %s %s COUNT 1000" : "ZSCAN %s %s COUNT 1000",
                           sum ? s->sum_key : s->target, cursor);
        if (rc)
            break;
        snprintf(cursor, sizeof(cursor), "%s", r->element[0]->str);
        const redisReply *pairs = r->element[1];
        for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
            const redisReply *key = pairs->element[i];
            void **place = evs_map_put(&seen, key->str, (size_t)key->len);
            if (!*place)
                give_total(s, key->str, (size_t)key->len, pairs->element[i + 1], found, ctx);
            *place = s;
        }
        freeReplyObject(r);
    } while (strcmp(cursor, "0"));
    evs_map_done(&seen, NULL);
    return rc;
}

enum evs_rc evs_redis_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    enum evs_rc rc = evs_redis_ready(s, err);
    if (rc)
        return rc;
    if (s->view.mode == EVS_VIEW_LATEST)
        return scan_latest(s, found, ctx, err);
    return s->view.mode == EVS_VIEW_LOG ? scan_log(s, found, ctx, err)
                                        : scan_totals(s, found, ctx, err);
}
