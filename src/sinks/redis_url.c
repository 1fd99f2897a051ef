/* redis_url.c - redis://user:password@host:port/db, or rediss:// with ?cacert=FILE and its like. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/redis.h"

/* %41 in user, password and options */
static char *unescape(const char *p, size_t n)
{
    char *out = evs_xmalloc(n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        char digits[3] = {0};
        if (p[i] == '%' && i + 2 < n && (memcpy(digits, p + i + 1, 2), true) &&
            sscanf(digits, "%2x", &v) == 1) {
            out[k++] = (char)v;
            i += 2;
        } else {
            out[k++] = p[i];
        }
    }
    out[k] = '\0';
    return out;
}

/* Without a word of the URL: it may be a part of the password. */
static enum evs_rc no_url(struct evs_err *err)
{
    evs_fail(err, EVS_INVALID, "the URL is not redis://user:password@host:port/db");
    return evs_hint(err, "in a password / is written as %%2F, @ as %%40 and ? as %%3F");
}

static enum evs_rc read_options(struct evs_redis *s, const char *query, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    while (!rc && *query) {
        size_t n = strcspn(query, "&"), eq = strcspn(query, "=&");
        char *name = unescape(query, eq);
        char *value = unescape(query + eq + (eq < n), n - eq - (eq < n));
        rc = evs_redis_tls_opt(&s->tls_opts, name, value, err);
        evs_free(name);
        evs_free(value);
        query += n + (query[n] == '&');
    }
    if (!rc && !s->tls_opts.on &&
        (s->tls_opts.insecure || s->tls_opts.cacert || s->tls_opts.cert || s->tls_opts.key ||
         s->tls_opts.sni)) {
        evs_fail(err, EVS_INVALID, "these options are for TLS, and redis:// is plain");
        return evs_hint(err, "rediss:// speaks TLS");
    }
    return rc;
}

/* host, host:port, [::1]:port */
static enum evs_rc read_host(struct evs_redis *s, const char *p, const char *end,
                             struct evs_err *err)
{
    struct evs_err why = EVS_ERR_INIT;
    const char *close = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : NULL;
    const char *rest = close ? close + 1 : p;
    const char *colon = memchr(rest, ':', (size_t)(end - rest));
    int64_t port = 6379;
    if (close)
        s->host = evs_xstrndup(p + 1, (size_t)(close - p - 1));
    else
        s->host = evs_xstrndup(p, (size_t)((colon ? colon : end) - p));
    if (colon) {
        char *digits = evs_xstrndup(colon + 1, (size_t)(end - colon - 1));
        enum evs_rc rc = evs_num_i64(digits, 1, 65535, &port, &why);
        evs_free(digits);
        if (rc)
            return no_url(err);
    }
    if (!*s->host) {
        evs_free(s->host);
        s->host = evs_xstrdup("127.0.0.1");
    }
    s->port = (int)port;
    return EVS_OK;
}

enum evs_rc evs_redis_url(struct evs_redis *s, const char *url, struct evs_err *err)
{
    struct evs_err why = EVS_ERR_INIT;
    const char *p = strstr(url, "://");
    if (!p)
        return no_url(err);
    p += 3;
    s->tls_opts.on = !strncmp(url, "rediss:", 7);
    const char *query = strchr(p, '?'), *end = p + strcspn(p, "/?"), *at = NULL;
    for (const char *c = p; c < end; c++)
        at = *c == '@' ? c : at;
    if (at) {
        const char *colon = memchr(p, ':', (size_t)(at - p));
        s->password = colon ? unescape(colon + 1, (size_t)(at - colon - 1)) : NULL;
        if (colon ? colon > p : at > p)
            s->user = unescape(p, (size_t)((colon ? colon : at) - p));
        p = at + 1;
    }
    enum evs_rc rc = read_host(s, p, end, err);
    if (!rc && *end == '/' && end[1] && end + 1 != query) {
        int64_t db = 0;
        char *digits =
            query ? evs_xstrndup(end + 1, (size_t)(query - end - 1)) : evs_xstrdup(end + 1);
        if (evs_num_i64(digits, 0, 1000000, &db, &why))
            rc = no_url(err);
        evs_free(digits);
        s->db = (int)db;
    }
    return rc || !query ? rc : read_options(s, query + 1, err);
}
