#include "sinks/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/xalloc.h"
#include "sinks/all.h"

enum { WRITE_BYTES = 8 << 20 };

static void close_jsonl(struct evs_sink *sink)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    evs_jsonl_index_done(s);
    evs_ckpt_done(&s->ckpt);
    evs_buf_done(&s->out);
    if (s->fd >= 0)
        close(s->fd); /* and with it the lock */
    evs_free(s->path);
    evs_free(s->ckpt_path);
    evs_free(s->deleted_path);
    evs_free(s->id);
    evs_free(s->plan_hash);
    evs_free(s);
}

static int64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : (int64_t)st.st_size;
}

/* What the checkpoint says and what there is; a compaction that a crash cut off is understood. */
static enum evs_rc read_state(struct evs_jsonl *s, struct evs_err *err)
{
    int64_t length, size = file_size(s->path);
    evs_ckpt_done(&s->ckpt);
    enum evs_rc rc = evs_jsonl_ckpt_read(s, &s->ckpt, &length, err);
    if (rc)
        return rc;
    if (length < 0 && size > 0) {
        evs_fail(err, EVS_INVALID, "%s exists and no replay wrote it", s->path);
        return evs_hint(err, "give another path, or remove it");
    }
    if (s->ckpt.state && !strcmp(s->ckpt.state, "compacting")) {
        length = size < length ? size : length; /* complete when it was renamed */
        evs_ckpt_text(&s->ckpt.state, "stopped", 7);
    }
    if (size < length && length > 0)
        return evs_fail(err, EVS_FATAL, "%s has %lld bytes, its checkpoint says %lld", s->path,
                        (long long)(size < 0 ? 0 : size), (long long)length);
    s->length = length < 0 ? 0 : length;
    return EVS_OK;
}

static enum evs_rc open_jsonl(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                              struct evs_err *err)
{
    const char *path = evs_sink_rest(spec->url);
    enum evs_rc rc = evs_sink_check_name("the path of the sink", path, 4000, err);
    if (rc)
        return rc;
    struct evs_jsonl *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_jsonl;
    s->fd = -1;
    s->path = evs_xstrdup(path);
    s->ckpt_path = evs_xprintf("%s.checkpoint", path);
    s->deleted_path = evs_xprintf("%s.deleted", path);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->view = *spec->view;
    s->write = spec->write;
    s->out = (struct evs_buf)EVS_BUF_INIT((size_t)EVS_JSONL_LINE_CAP * 2);
    rc = read_state(s, err);
    if (!rc && !spec->write)
        rc = evs_jsonl_index(s, s->length, err); /* get and scan want the last line of a key */
    if (rc) {
        close_jsonl(&s->base);
        return rc;
    }
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    (void)err;
    *ret_i = (struct evs_sink_info){.text = "JSON lines", .rows = -1};
    ret_i->exists = file_size(s->path) >= 0;
    if (!ret_i->exists)
        ret_i->rows = 0;
    return EVS_OK;
}

static enum evs_rc lock_file(struct evs_jsonl *s, int fd, struct evs_err *err)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return EVS_OK;
    return errno == EAGAIN || errno == EACCES ? evs_sink_alive(err, s->id)
                                              : evs_fail_errno(err, errno, "lock %s", s->path);
}

static enum evs_rc prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return evs_fail_errno(err, errno, "%s", s->path);
    return lock_file(s, s->fd, err);
}

static enum evs_rc load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    (void)err;
    evs_ckpt_copy(ret_c, &s->ckpt);
    return EVS_OK;
}

static enum evs_rc cut(struct evs_jsonl *s, struct evs_err *err)
{
    if (ftruncate(s->fd, s->length) || lseek(s->fd, s->length, SEEK_SET) < 0)
        return evs_fail_errno(err, errno, "%s", s->path);
    return EVS_OK;
}

static enum evs_rc claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    enum evs_rc rc = read_state(s, err); /* again, now that the lock is ours */
    if (rc)
        return rc;
    int64_t epoch = s->ckpt.epoch + 1;
    if (how == EVS_CLAIM_RESUME && s->ckpt.n) {
        evs_ckpt_add(&s->ckpt, c);
        evs_ckpt_done(c);
        evs_ckpt_copy(c, &s->ckpt);
    } else {
        if (how == EVS_CLAIM_RESTART && totals)
            s->length = 0;
        evs_ckpt_done(&s->ckpt);
        evs_ckpt_copy(&s->ckpt, c);
        evs_ckpt_text(&s->ckpt.id, s->id, strlen(s->id));
    }
    c->epoch = s->ckpt.epoch = epoch;
    evs_ckpt_text(&s->ckpt.state, "running", 7);
    rc = evs_jsonl_index(s, s->length, err);
    if (!rc)
        rc = evs_jsonl_ckpt_write(s, &s->ckpt, s->length, err);
    return rc ? rc : cut(s, err);
}

/* --- a batch --------------------------------------------------------------------------------- */
static bool newer(const struct evs_jsonl_entry *e, const struct evs_row *r)
{
    return !e ||
           evs_row_newer(r->partition, r->offset, r->ts_ms, e->partition, e->offset, e->ts_ms);
}

static void update(struct evs_jsonl *s, const struct evs_row *r, int64_t at,
                   struct evs_sink_done *d)
{
    void **place = evs_map_put(&s->index, r->key, r->key_len);
    struct evs_jsonl_entry *e = *place;
    bool had = e && !e->deleted;
    if (!e)
        e = *place = evs_xcalloc(1, sizeof(*e));
    else if (e->at >= 0)
        s->stale++;
    s->stale += r->deleted;
    d->written += !r->deleted;
    d->deleted += r->deleted && had;
    e->at = at;
    e->partition = r->partition;
    e->offset = r->offset;
    e->ts_ms = r->ts_ms;
    e->deleted = r->deleted;
    e->count = r->count;
}

static enum evs_rc latest_line(struct evs_jsonl *s, const struct evs_row *r, int64_t at,
                               struct evs_sink_done *d, struct evs_err *err)
{
    (void)err;
    if (!newer(evs_map_get(&s->index, r->key, r->key_len), r)) {
        d->left++;
        return EVS_OK;
    }
    evs_jsonl_line(&s->view, r, &s->out);
    update(s, r, at, d);
    return EVS_OK;
}

static enum evs_rc total_line(struct evs_jsonl *s, const struct evs_row *r, int64_t at,
                              struct evs_sink_done *d, struct evs_err *err)
{
    const struct evs_jsonl_entry *e = evs_map_get(&s->index, r->key, r->key_len);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    struct evs_row total = *r;
    struct evs_decimal sum;
    total.count += e ? e->count : 0;
    if (s->view.mode == EVS_VIEW_SUM) {
        if (!evs_decimal_read(&sum, r->sum, strlen(r->sum)) ||
            (e && e->sum && !evs_decimal_add(&sum, e->sum)))
            return evs_fail(err, EVS_POISON, "the sum has more digits than fit");
        evs_decimal_print(&sum, &text);
        total.sum = evs_buf_str(&text);
    }
    evs_jsonl_line(&s->view, &total, &s->out);
    update(s, &total, at, d);
    if (s->view.mode == EVS_VIEW_SUM) {
        struct evs_jsonl_entry *now = evs_map_get(&s->index, r->key, r->key_len);
        if (!now->sum)
            now->sum = evs_xmalloc(sizeof(*now->sum));
        *now->sum = sum;
    }
    return EVS_OK;
}

static enum evs_rc log_line(struct evs_jsonl *s, const struct evs_row *r, int64_t at,
                            struct evs_sink_done *d, struct evs_err *err)
{
    (void)at;
    (void)err;
    if (evs_jsonl_log_has(s, r->partition, r->offset, true)) {
        d->left++;
        return EVS_OK;
    }
    evs_jsonl_line(&s->view, r, &s->out);
    d->written++;
    return EVS_OK;
}

static enum evs_rc write_rows(struct evs_jsonl *s, const struct evs_sink_batch *b,
                              int64_t *ret_length, struct evs_sink_done *d, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    int64_t length = s->length; /* before s->out */
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct evs_row *r = &b->rows[i];
        int64_t at = length + (int64_t)s->out.len;
        rc = s->view.mode == EVS_VIEW_LATEST ? latest_line(s, r, at, d, err)
             : s->view.mode == EVS_VIEW_LOG  ? log_line(s, r, at, d, err)
                                             : total_line(s, r, at, d, err);
        if (rc)
            err->row = i;
        if (s->out.len > WRITE_BYTES || i + 1 == b->n) {
            if (!rc)
                rc = evs_jsonl_write(s->fd, s->path, evs_buf_str(&s->out), s->out.len, err);
            length += (int64_t)s->out.len;
            evs_buf_reset(&s->out);
        }
    }
    if (!rc && b->n && fdatasync(s->fd))
        rc = evs_fail_errno(err, errno, "%s", s->path);
    *ret_length = length;
    return rc;
}

static enum evs_rc apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    struct evs_sink_done d = {0};
    struct evs_err second = EVS_ERR_INIT;
    int64_t length;
    enum evs_rc rc = write_rows(s, b, &length, &d, err);
    struct evs_ckpt next;
    evs_sink_next(&s->ckpt, b, &d, &next);
    if (!rc)
        rc = evs_jsonl_ckpt_write(s, &next, length, err);
    if (rc) { /* as if it had never begun; the index too */
        evs_ckpt_done(&next);
        evs_buf_reset(&s->out);
        if (cut(s, &second) || evs_jsonl_index(s, s->length, &second))
            return err->code = EVS_FATAL;
        return rc;
    }
    b->parts[0] = *evs_ckpt_part(&next, b->parts[0].partition);
    evs_ckpt_done(&s->ckpt);
    s->ckpt = next;
    s->length = length;
    *ret_d = d;
    return EVS_OK;
}

static enum evs_rc beat(struct evs_sink *sink, struct evs_err *err)
{
    (void)sink; /* the lock is ours as long as we live */
    (void)err;
    return EVS_OK;
}

static enum evs_rc compact(struct evs_jsonl *s, struct evs_err *err)
{
    if (s->view.mode == EVS_VIEW_LOG || !s->stale)
        return EVS_OK;
    evs_ckpt_text(&s->ckpt.state, "compacting", 10); /* see read_state */
    enum evs_rc rc = evs_jsonl_ckpt_write(s, &s->ckpt, s->length, err);
    if (!rc)
        rc = evs_jsonl_compact(s, err);
    return rc ? rc : lock_file(s, s->fd, err);
}

static enum evs_rc finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    struct evs_jsonl *s = (struct evs_jsonl *)sink;
    enum evs_rc rc = strcmp(state, "done") ? EVS_OK : compact(s, err);
    if (rc)
        return rc;
    evs_ckpt_text(&s->ckpt.state, state, strlen(state));
    return evs_jsonl_ckpt_write(s, &s->ckpt, s->length, err);
}

const struct evs_sink_ops evs_sink_jsonl = {
    .name = "jsonl",
    .help = "a file of JSON lines",
    .url = "jsonl:PATH",
    .schemes = "jsonl:",
    .caps = EVS_SINK_TXN | EVS_SINK_CKPT | EVS_SINK_READ,
    .alone = "the checkpoint is the file's length: one process writes it",
    .open = open_jsonl,
    .info = info,
    .prepare = prepare,
    .load = load,
    .claim = claim,
    .apply = apply,
    .beat = beat,
    .finish = finish,
    .get = evs_jsonl_get,
    .scan = evs_jsonl_scan,
    .close = close_jsonl,
};
