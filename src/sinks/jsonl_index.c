/* jsonl_index.c - what the file holds: reading its lines, the newest of each key, compaction. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"

/* Calls take(ctx, row, place of the line) for each line up to length (-1: all). */
typedef bool take_line(void *ctx, const struct evs_row *row, int64_t at, size_t len);
static enum evs_rc each_line(const char *path, const struct evs_shape *v, int64_t length,
                             take_line *take, void *ctx, struct evs_err *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? EVS_OK : evs_fail_errno(err, errno, "%s", path);
    struct evs_jsonl_reader l;
    evs_jsonl_reader_init(&l, v);
    char *text = NULL;
    size_t room = 0;
    int64_t at = 0, row = 0;
    enum evs_rc rc = EVS_OK;
    bool more = true;
    while (!rc && more && (length < 0 || at < length)) {
        ssize_t n = getline(&text, &room, f);
        if (n <= 0)
            break;
        row++;
        rc = evs_jsonl_parse(&l, v, text, (size_t)n - (text[n - 1] == '\n'), err);
        if (rc)
            evs_wrap(err, "%s line %lld", path, (long long)row);
        else
            more = take(ctx, &l.row, at, (size_t)n);
        at += n;
    }
    free(text); /* getline's */
    evs_jsonl_reader_done(&l);
    fclose(f);
    return rc;
}

/* --- the index ------------------------------------------------------------------------------- */
bool evs_jsonl_log_has(struct evs_jsonl *s, int32_t partition, int64_t offset, bool set)
{
    void **place = evs_map_put(&s->index, &partition, sizeof(partition));
    struct evs_jsonl_bits *b = *place;
    if (!b) {
        b = *place = evs_xcalloc(1, sizeof(*b));
        b->base = offset / 64;
    }
    int64_t word = offset / 64 - b->base;
    if (word < 0) { /* an earlier window than before */
        size_t more = (size_t)-word;
        b->words = evs_xgrow(b->words, b->n + more, sizeof(*b->words));
        memmove(b->words + more, b->words, b->n * sizeof(*b->words));
        memset(b->words, 0, more * sizeof(*b->words));
        b->n += more;
        b->base += word;
        word = 0;
    }
    if ((size_t)word >= b->n) {
        if (!set)
            return false;
        size_t n = (size_t)word + 1 + b->n / 2;
        b->words = evs_xgrow(b->words, n, sizeof(*b->words));
        memset(b->words + b->n, 0, (n - b->n) * sizeof(*b->words));
        b->n = n;
    }
    uint64_t bit = (uint64_t)1 << (offset & 63);
    bool had = b->words[word] & bit;
    if (set)
        b->words[word] |= bit;
    return had;
}

static bool index_line(void *ctx, const struct evs_row *r, int64_t at, size_t len)
{
    struct evs_jsonl *s = ctx;
    if (s->view.mode == EVS_VIEW_LOG) {
        if (r->offset >= 0)
            evs_jsonl_log_has(s, r->partition, r->offset, true);
        return true;
    }
    if (!r->key)
        return true;
    void **place = evs_map_put(&s->index, r->key, r->key_len);
    struct evs_jsonl_entry *e = *place;
    if (e && e->at >= 0)
        s->stale++;
    if (!e)
        e = *place = evs_xcalloc(1, sizeof(*e));
    e->at = at;
    e->len = len;
    e->partition = r->partition;
    e->offset = r->offset;
    e->ts_ms = r->ts_ms;
    e->deleted = r->deleted;
    e->count = r->count;
    s->stale += r->deleted;
    if (r->sum) {
        if (!e->sum)
            e->sum = evs_xmalloc(sizeof(*e->sum));
        if (!evs_decimal_read(e->sum, r->sum, strlen(r->sum)))
            evs_decimal_zero(e->sum);
    }
    return true;
}

static bool index_deleted(void *ctx, const struct evs_row *r, int64_t at, size_t len)
{
    struct evs_jsonl *s = ctx;
    (void)at;
    size_t stale = s->stale;
    index_line(s, r, -1, len);
    s->stale = stale;
    return true;
}

enum evs_rc evs_jsonl_index(struct evs_jsonl *s, int64_t length, struct evs_err *err)
{
    evs_jsonl_index_done(s);
    enum evs_rc rc = EVS_OK;
    if (s->view.mode == EVS_VIEW_LATEST)
        rc = each_line(s->deleted_path, &s->view, -1, index_deleted, s, err);
    return rc ? rc : each_line(s->path, &s->view, length, index_line, s, err);
}

void evs_jsonl_index_done(struct evs_jsonl *s)
{
    for (size_t i = 0; i < s->index.n; i++) {
        if (s->view.mode == EVS_VIEW_LOG)
            evs_free(((struct evs_jsonl_bits *)s->index.items[i].value)->words);
        else
            evs_free(((struct evs_jsonl_entry *)s->index.items[i].value)->sum);
        evs_free(s->index.items[i].value);
    }
    evs_map_done(&s->index, NULL);
    s->index = (struct evs_map)EVS_MAP_INIT;
    s->stale = 0;
}

/* --- reading back ---------------------------------------------------------------------------- */
struct reading {
    struct evs_jsonl *s;
    evs_sink_found *found;
    void *ctx;
};

static bool give_line(void *ctx, const struct evs_row *r, int64_t at, size_t len)
{
    struct reading *rd = ctx;
    (void)len;
    if (rd->s->view.mode != EVS_VIEW_LOG) {
        const struct evs_jsonl_entry *e =
            evs_map_get(&rd->s->index, r->key ? r->key : "", r->key_len);
        if (!e || e->at != at || e->deleted)
            return true; /* not the last word on this key */
    }
    return rd->found(rd->ctx, r);
}

enum evs_rc evs_jsonl_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    struct reading rd = {s, found, ctx};
    if (access(s->path, F_OK))
        return evs_fail_errno(err, errno, "%s", s->path);
    return each_line(s->path, &s->view, s->length, give_line, &rd, err);
}

struct wanted {
    struct evs_map keys;
    struct reading rd;
};

static bool give_wanted(void *ctx, const struct evs_row *r, int64_t at, size_t len)
{
    struct wanted *w = ctx;
    char place[40];
    const void *key = r->key;
    size_t n = r->key_len;
    if (w->rd.s->view.mode == EVS_VIEW_LOG) {
        n = (size_t)snprintf(place, sizeof(place), "%d/%lld", r->partition, (long long)r->offset);
        key = place;
    }
    return key && evs_map_get(&w->keys, key, n) ? give_line(&w->rd, r, at, len) : true;
}

enum evs_rc evs_jsonl_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    struct wanted w = {.rd = {s, found, ctx}};
    for (size_t i = 0; i < n; i++) {
        char place[40];
        const void *key = keys[i].key;
        size_t len = keys[i].key_len;
        if (s->view.mode == EVS_VIEW_LOG) {
            len = (size_t)snprintf(place, sizeof(place), "%d/%lld", keys[i].partition,
                                   (long long)keys[i].offset);
            key = place;
        }
        *evs_map_put(&w.keys, key, len) = s;
    }
    enum evs_rc rc = each_line(s->path, &s->view, s->length, give_wanted, &w, err);
    evs_map_done(&w.keys, NULL);
    for (size_t i = 0; !rc && s->view.mode == EVS_VIEW_LATEST && i < n; i++) {
        const struct evs_jsonl_entry *e = evs_map_get(&s->index, keys[i].key, keys[i].key_len);
        struct evs_row gone = {.key = keys[i].key, .key_len = keys[i].key_len, .deleted = true};
        if (!e || !e->deleted)
            continue;
        gone.partition = e->partition;
        gone.offset = e->offset;
        gone.ts_ms = e->ts_ms;
        if (!found(ctx, &gone))
            break;
    }
    return rc;
}

/* --- compaction ------------------------------------------------------------------------------ */
static bool keep_deleted(const struct evs_jsonl *s, struct evs_buf *out)
{
    for (size_t i = 0; i < s->index.n; i++) {
        const struct evs_jsonl_entry *e = s->index.items[i].value;
        if (!e->deleted)
            continue;
        struct evs_row r = {.key = s->index.items[i].key,
                            .key_len = s->index.items[i].key_len,
                            .partition = e->partition,
                            .offset = e->offset,
                            .ts_ms = e->ts_ms,
                            .deleted = true};
        evs_jsonl_line(&s->view, &r, out);
    }
    return out->len > 0;
}

/* The live lines, in their order, into fd; *ret_length is how long that is. */
static enum evs_rc copy_live(struct evs_jsonl *s, int fd, const char *temp, int64_t *ret_length,
                             struct evs_err *err)
{
    struct evs_map *m = &s->index;
    enum evs_rc rc = EVS_OK;
    FILE *f = fopen(s->path, "re");
    if (!f)
        return evs_fail_errno(err, errno, "%s", s->path);
    struct evs_map live = EVS_MAP_INIT; /* places of lines to keep */
    for (size_t i = 0; i < m->n; i++) {
        const struct evs_jsonl_entry *e = m->items[i].value;
        if (!e->deleted && e->at >= 0)
            *evs_map_put(&live, &e->at, sizeof(e->at)) = m;
    }
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT((size_t)EVS_JSONL_LINE_CAP * 2);
    char *text = NULL;
    size_t room = 0;
    int64_t at = 0, length = 0;
    ssize_t n;
    while (!rc && at < s->length && (n = getline(&text, &room, f)) > 0) {
        if (evs_map_get(&live, &at, sizeof(at)))
            evs_buf_add(&out, text, (size_t)n);
        at += n;
        if (out.len > (4u << 20) || at >= s->length) {
            rc = evs_jsonl_write(fd, temp, evs_buf_str(&out), out.len, err);
            length += (int64_t)out.len;
            evs_buf_reset(&out);
        }
    }
    free(text); /* getline's */
    fclose(f);
    evs_map_done(&live, NULL);
    *ret_length = length;
    return rc;
}

enum evs_rc evs_jsonl_compact(struct evs_jsonl *s, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf deleted = EVS_BUF_INIT(EVS_JSONL_LINE_CAP);
    if (s->view.mode == EVS_VIEW_LOG || !s->stale)
        return EVS_OK;
    enum evs_rc rc = EVS_OK;
    if (s->view.mode == EVS_VIEW_LATEST && keep_deleted(s, &deleted))
        rc = evs_jsonl_replace(s->deleted_path, evs_buf_str(&deleted), deleted.len, err);
    char *temp = evs_xprintf("%s.compact", s->path);
    int fd = rc ? -1 : open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int64_t length = 0;
    if (!rc && fd < 0)
        rc = evs_fail_errno(err, errno, "%s", temp);
    if (!rc)
        rc = copy_live(s, fd, temp, &length, err);
    if (!rc && fsync(fd))
        rc = evs_fail_errno(err, errno, "%s", temp);
    if (!rc && rename(temp, s->path))
        rc = evs_fail_errno(err, errno, "%s", s->path);
    if (!rc)
        rc = evs_jsonl_sync_folder(s->path, err);
    if (!rc) {
        close(s->fd);
        s->fd = fd;
        s->length = length;
    } else if (fd >= 0) {
        close(fd);
    }
    evs_free(temp);
    return rc;
}
