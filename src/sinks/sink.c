#include "sinks/sink.h"

#include <string.h>

#include "core/opt.h"
#include "core/xalloc.h"
#include "sinks/all.h"

/* clang-format off */
const struct evs_sink_ops *const evs_sinks[] = {
#ifdef HAVE_SQLITE
    &evs_sink_sqlite,
#endif
#ifdef HAVE_PQ
    &evs_sink_postgresql,
#endif
#ifdef HAVE_HIREDIS
    &evs_sink_redis,
#endif
#ifdef HAVE_CURL
    &evs_sink_opensearch,
    &evs_sink_elasticsearch,
#endif
    &evs_sink_kafka,
    &evs_sink_pipe,
    &evs_sink_jsonl,
    NULL,
};

const char *const evs_sinks_missing[] = {
#ifndef HAVE_SQLITE
    "sqlite", "built without libsqlite3",
#endif
#ifndef HAVE_PQ
    "postgresql", "built without libpq",
#endif
#ifndef HAVE_HIREDIS
    "redis", "built without hiredis",
#endif
#ifndef HAVE_CURL
    "opensearch", "built without libcurl",
    "elasticsearch", "built without libcurl",
#endif
    NULL,
};
/* clang-format on */

const char *evs_sink_rest(const char *url)
{
    const char *colon = strchr(url, ':');
    return colon ? colon + 1 : url + strlen(url);
}

static bool has_scheme(const char *schemes, const char *url)
{
    while (*schemes) {
        size_t n = strcspn(schemes, "|");
        bool whole = *schemes == '='; /* the URL is just that */
        if (whole ? !strncmp(url, schemes + 1, n - 1) && !url[n - 1] : !strncmp(url, schemes, n))
            return true;
        schemes += n + (schemes[n] == '|');
    }
    return false;
}

static const char *nth_name(const void *ctx, size_t i)
{
    (void)ctx;
    return evs_sinks[i] ? evs_sinks[i]->name : NULL;
}

enum evs_rc evs_sink_find(const char *url, const struct evs_sink_ops **ret_ops, struct evs_err *err)
{
    for (const struct evs_sink_ops *const *s = evs_sinks; *s; s++)
        if (has_scheme((*s)->schemes, url)) {
            *ret_ops = *s;
            return EVS_OK;
        }
    EVS_AUTO(evs_buf) struct evs_buf word = EVS_BUF_INIT(80);
    evs_buf_add(&word, url, strcspn(url, ":+"));
    const char *scheme = evs_buf_str(&word);
    for (size_t i = 0; evs_sinks_missing[i]; i += 2)
        if (!strcmp(evs_sinks_missing[i], scheme))
            return evs_fail(err, EVS_INVALID, "sink %s: not in this program: %s", scheme,
                            evs_sinks_missing[i + 1]);
    evs_fail(err, EVS_INVALID, "unknown sink '%s'", scheme);
    const char *near = evs_suggest(scheme, nth_name, NULL);
    if (near)
        return evs_hint(err, "did you mean %s:?", near);
    return evs_hint(err, "sqlite:PATH, postgresql://..., redis://..., opensearch+http://..., "
                         "kafka:TOPIC or jsonl:PATH");
}

/* The password of scheme://user:PASSWORD@host, or NULL. */
static const char *userinfo_secret(const char *url, size_t *ret_n)
{
    const char *host = strstr(url, "://");
    size_t n = host ? strcspn(host + 3, "/?#") : 0;
    const char *colon = n ? memchr(host + 3, ':', n) : NULL, *at = NULL;
    for (const char *c = host + 3; n && c < host + 3 + n; c++)
        at = *c == '@' ? c : at;
    if (!colon || !at || colon > at)
        return NULL;
    *ret_n = (size_t)(at - colon - 1);
    return colon + 1;
}

char *evs_sink_mask(const char *url)
{
    size_t n;
    const char *secret = userinfo_secret(url, &n);
    char *out =
        secret ? evs_xprintf("%.*s***%s", (int)(secret - url), url, secret + n) : evs_xstrdup(url);
    for (char *at = out; (at = strstr(at, "password=")) != NULL;) {
        at += strlen("password=");
        n = strcspn(at, "& '");
        memset(at, '*', n);
        at += n;
    }
    return out;
}

char *evs_sink_plain(const char *url)
{
    size_t n;
    const char *secret = userinfo_secret(url, &n);
    char *out =
        secret ? evs_xprintf("%.*s%s", (int)(secret - url - 1), url, secret + n) : evs_xstrdup(url);
    for (char *at = out; (at = strstr(at, "password=")) != NULL;) {
        at += strlen("password=");
        n = strcspn(at, "& '");
        memmove(at, at + n, strlen(at + n) + 1);
    }
    return out;
}

const char *evs_sink_guarantee(const struct evs_sink_ops *ops)
{
    if (ops->caps & EVS_SINK_TXN)
        return "exactly-once";
    return ops->caps & EVS_SINK_ONCE ? "effectively-once" : "at-least-once";
}

enum evs_rc evs_sink_open(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                          struct evs_err *err)
{
    const struct evs_sink_ops *ops = NULL;
    enum evs_rc rc = evs_sink_find(spec->url, &ops, err);
    if (rc)
        return rc;
    if ((ops->caps & EVS_SINK_TARGET) && !spec->view->target[0])
        return evs_fail(err, EVS_INVALID, "sink %s needs --target", ops->name);
    for (size_t i = 0; i < spec->view->n_columns; i++) {
        const struct evs_shape_column *c = &spec->view->columns[i];
        if (c->type)
            rc = evs_sink_check_type(c->name, c->type, err);
        if (rc)
            return rc;
    }
    rc = ops->open(spec, ret_s, err);
    return rc ? evs_wrap(err, "%s", ops->name) : EVS_OK;
}

void evs_sink_close(struct evs_sink *s)
{
    if (s)
        s->ops->close(s);
}

enum evs_rc evs_sink_fenced(struct evs_err *err, const char *id)
{
    evs_fail_native(err, EVS_FATAL, "fenced", 0, "replay %s was taken over by another process", id);
    return evs_hint(err, "nothing was written after that; one process at a time may run an id");
}

enum evs_rc evs_sink_alive(struct evs_err *err, const char *id)
{
    evs_fail(err, EVS_FATAL, "replay %s is running in another process", id);
    return evs_hint(err, "wait for it or stop it, or give this one another --id");
}

enum evs_rc evs_sink_beat(struct evs_sink *s, int64_t epoch, const char *id, struct evs_err *err)
{
    struct evs_ckpt now;
    enum evs_rc rc = s->ops->load(s, &now, err);
    if (!rc && now.epoch != epoch)
        rc = evs_sink_fenced(err, id);
    evs_ckpt_done(&now);
    return rc;
}

void evs_sink_next(const struct evs_ckpt *now, const struct evs_sink_batch *b,
                   const struct evs_sink_done *d, struct evs_ckpt *ret_next)
{
    evs_ckpt_copy(ret_next, now);
    for (size_t i = 0; i < b->n_parts; i++)
        *evs_ckpt_part(ret_next, b->parts[i].partition) = b->parts[i];
    struct evs_ckpt_part *first = evs_ckpt_part(ret_next, b->parts[0].partition);
    first->n[EVS_CKPT_WRITTEN] += d->written;
    first->n[EVS_CKPT_DELETED] += d->deleted;
}

enum evs_rc evs_sink_check_name(const char *what, const char *name, size_t max, struct evs_err *err)
{
    if (!*name)
        return evs_fail(err, EVS_INVALID, "%s is empty", what);
    if (strlen(name) > max)
        return evs_fail(err, EVS_INVALID, "%s '%s' is longer than %zu bytes", what, name, max);
    return EVS_OK;
}

enum evs_rc evs_sink_check_type(const char *name, const char *type, struct evs_err *err)
{
    static const char *const allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ (),[]";
    if (!*type || type[strspn(type, allowed)] || strlen(type) > 60)
        return evs_fail(err, EVS_INVALID, "column %s: '%s' is no type", name, type);
    return EVS_OK;
}
