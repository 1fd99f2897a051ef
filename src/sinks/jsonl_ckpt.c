/* jsonl_ckpt.c - PATH.checkpoint: which length of the file belongs to which offsets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/jsonl.h"

enum { CKPT_CAP = 16 << 20 };

enum evs_rc evs_jsonl_write(int fd, const char *path, const void *p, size_t n, struct evs_err *err)
{
    const char *at = p;
    while (n) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno != EINTR)
            return evs_fail_errno(err, errno, "%s", path);
        if (put > 0) {
            at += put;
            n -= (size_t)put;
        }
    }
    return EVS_OK;
}

/* A rename is durable when its folder is. */
enum evs_rc evs_jsonl_sync_folder(const char *path, struct evs_err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? evs_xstrndup(path, (size_t)(slash - path) + 1) : evs_xstrdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum evs_rc rc = EVS_OK;
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        rc = evs_fail_errno(err, errno, "%s", folder);
    if (fd >= 0)
        close(fd);
    evs_free(folder);
    return rc;
}

enum evs_rc evs_jsonl_replace(const char *path, const void *p, size_t n, struct evs_err *err)
{
    char *temp = evs_xprintf("%s.new", path);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum evs_rc rc = fd < 0 ? evs_fail_errno(err, errno, "%s", temp) : EVS_OK;
    if (!rc)
        rc = evs_jsonl_write(fd, temp, p, n, err);
    if (!rc && fsync(fd))
        rc = evs_fail_errno(err, errno, "%s", temp);
    if (fd >= 0 && close(fd) && !rc)
        rc = evs_fail_errno(err, errno, "%s", temp);
    if (!rc && rename(temp, path))
        rc = evs_fail_errno(err, errno, "%s", path);
    if (!rc)
        rc = evs_jsonl_sync_folder(path, err);
    evs_free(temp);
    return rc;
}

int64_t evs_jsonl_number(const struct evs_json *j, const char *name)
{
    struct evs_err ignored = EVS_ERR_INIT;
    const char *digits = evs_json_text(evs_json_get(j, name));
    int64_t v = 0;
    return digits && !evs_num_i64(digits, INT64_MIN, INT64_MAX, &v, &ignored) ? v : 0;
}

void evs_jsonl_text(const struct evs_json *j, const char *name, char **member)
{
    const char *text = evs_json_text(evs_json_get(j, name));
    evs_ckpt_text(member, text ? text : "", text ? strlen(text) : 0);
}

void evs_jsonl_parts_read(const struct evs_json *j, struct evs_ckpt *c)
{
    const struct evs_json *p = evs_json_first(evs_json_get(j, "partitions"));
    for (; p; p = evs_json_after(p)) {
        struct evs_ckpt_part *part = evs_ckpt_part(c, (int32_t)evs_jsonl_number(p, "partition"));
        for (int i = 0; i < EVS_CKPT_FIELDS; i++)
            part->n[i] = evs_jsonl_number(p, evs_ckpt_names[i]);
    }
}

/* Another id's checkpoint of the same file only lends its length. */
enum evs_rc evs_jsonl_ckpt_read(struct evs_jsonl *s, struct evs_ckpt *ret_c, int64_t *ret_length,
                                struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(CKPT_CAP);
    struct evs_json *j = NULL;
    memset(ret_c, 0, sizeof(*ret_c));
    *ret_length = -1;
    if (access(s->ckpt_path, F_OK))
        return EVS_OK;
    enum evs_rc rc = evs_buf_read_file(&text, s->ckpt_path, err);
    if (!rc && evs_json_parse(evs_buf_str(&text), text.len, &j, err)) {
        evs_wrap(err, "%s", s->ckpt_path);
        return err->code = EVS_FATAL;
    }
    if (rc)
        return rc;
    *ret_length = evs_jsonl_number(j, "length");
    evs_jsonl_text(j, "id", &ret_c->id);
    ret_c->epoch = evs_jsonl_number(j, "epoch");
    if (!strcmp(ret_c->id, s->id)) {
        evs_jsonl_text(j, "plan_hash", &ret_c->plan_hash);
        evs_jsonl_text(j, "topic", &ret_c->topic);
        evs_jsonl_text(j, "state", &ret_c->state);
        ret_c->updated_ms = evs_jsonl_number(j, "updated_ms");
        evs_jsonl_parts_read(j, ret_c);
    }
    evs_json_free(j);
    return EVS_OK;
}

void evs_jsonl_parts_write(struct evs_jsonw *w, const struct evs_ckpt_part *parts, size_t n)
{
    evs_jsonw_arr(w, "partitions");
    for (size_t i = 0; i < n; i++) {
        evs_jsonw_obj(w, NULL);
        evs_jsonw_i64(w, "partition", parts[i].partition);
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            evs_jsonw_i64(w, evs_ckpt_names[f], parts[i].n[f]);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

enum evs_rc evs_jsonl_ckpt_write(struct evs_jsonl *s, const struct evs_ckpt *c, int64_t length,
                                 struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(CKPT_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &text);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "id", s->id);
    evs_jsonw_str(&w, "plan_hash", s->plan_hash);
    evs_jsonw_str(&w, "topic", s->view.topic);
    evs_jsonw_str(&w, "state", c->state ? c->state : "running");
    evs_jsonw_i64(&w, "epoch", c->epoch);
    evs_jsonw_i64(&w, "updated_ms", evs_clock_wall_ms());
    evs_jsonw_i64(&w, "length", length);
    evs_jsonl_parts_write(&w, c->parts, c->n);
    evs_jsonw_end(&w);
    evs_buf_addc(&text, '\n');
    return evs_jsonl_replace(s->ckpt_path, evs_buf_str(&text), text.len, err);
}
