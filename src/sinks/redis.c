#include "sinks/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "sinks/all.h"

/* --- connection ------------------------------------------------------------------------------ */
static enum evs_rc greet(struct evs_redis *s, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    if (s->password && s->user)
        rc = evs_redis_ask(s, NULL, err, "AUTH %s %s", s->user, s->password);
    else if (s->password)
        rc = evs_redis_ask(s, NULL, err, "AUTH %s", s->password);
    if (!rc && s->db)
        rc = evs_redis_ask(s, NULL, err, "SELECT %d", s->db);
    return rc;
}

static void disconnect(struct evs_redis *s)
{
    if (s->c)
        redisFree(s->c);
    evs_redis_tls_close(s->tls);
    s->c = NULL;
    s->tls = NULL;
    s->pending = 0;
    evs_buf_reset(&s->out);
}

static enum evs_rc connect_redis(struct evs_redis *s, struct evs_err *err)
{
    struct timeval wait = {.tv_sec = s->timeout_ms / 1000, .tv_usec = s->timeout_ms % 1000 * 1000};
    int fd = -1;
    disconnect(s);
    enum evs_rc rc = EVS_OK;
    if (s->tls_opts.on) {
        rc = evs_redis_tls_open(&s->tls_opts, s->host, s->port, s->timeout_ms, s->stop, &s->tls,
                                &fd, err);
        s->c = redisConnectFd(fd);
        if (rc && s->c)
            s->c->err = REDIS_ERR_OTHER; /* so that the next call connects again */
    } else {
        s->c = redisConnectWithTimeout(s->host, s->port, wait);
    }
    if (rc)
        return rc;
    if (!s->c)
        return evs_fail(err, EVS_FATAL, "%s:%d: no memory", s->host, s->port);
    if (s->c->err)
        return evs_redis_fail(s, NULL, err);
    struct timeval longest = {.tv_sec = EVS_REDIS_ANSWER_S};
    redisSetTimeout(s->c, longest);
    if (!s->tls)
        redisEnableKeepAlive(s->c);
    return greet(s, err);
}

enum evs_rc evs_redis_ready(struct evs_redis *s, struct evs_err *err)
{
    if (s->c && !s->c->err && !s->pending)
        return EVS_OK;
    enum evs_rc rc = connect_redis(s, err);
    redisReply *r = NULL;
    if (!rc && s->epoch && s->write) { /* the lock names a connection */
        rc = evs_redis_ask(s, &r, err, "CLIENT ID");
        if (!rc && r->type == REDIS_REPLY_INTEGER)
            rc = evs_redis_ask(s, NULL, err, "SET %s %lld", s->lock_key, r->integer);
        if (r)
            freeReplyObject(r);
    }
    return rc;
}

static void close_redis(struct evs_sink *sink)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    disconnect(s);
    evs_redis_tls_opts_done(&s->tls_opts);
    char *texts[] = {s->host,     s->user,        s->password, s->target, s->ckpt_key,
                     s->lock_key, s->version_key, s->sum_key,  s->id,     s->plan_hash};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    evs_free(s->args.v);
    evs_buf_done(&s->text);
    evs_buf_done(&s->out);
    evs_redis_versions_done(s);
    evs_free(s);
}

static enum evs_rc refuse_cluster(struct evs_redis *s, struct evs_err *err)
{
    redisReply *r = NULL;
    enum evs_rc rc = evs_redis_ask(s, &r, err, "INFO cluster");
    if (rc == EVS_FATAL && strstr(err->msg, "NOPERM"))
        return EVS_OK; /* not ours to know: a cluster says MOVED */
    if (rc)
        return rc;
    bool cluster = r->str && strstr(r->str, "cluster_enabled:1");
    freeReplyObject(r);
    if (!cluster)
        return EVS_OK;
    evs_fail(err, EVS_INVALID, "%s:%d is a Redis Cluster", s->host, s->port);
    return evs_hint(err, "rows and checkpoint must be on one node: use a single instance");
}

static enum evs_rc open_redis(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                              struct evs_err *err)
{
    struct evs_redis *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_redis;
    s->view = *spec->view;
    s->write = spec->write;
    s->fresh = spec->fresh;
    s->take_over = spec->take_over;
    s->timeout_ms = spec->timeout_ms;
    s->stop = spec->stop;
    s->waiting = spec->waiting;
    s->ctx = spec->ctx;
    s->target = evs_xstrdup(spec->view->target);
    s->ckpt_key = evs_xprintf("eventscope_checkpoint:%s", spec->id);
    s->lock_key = evs_xprintf("eventscope_lock:%s", spec->id);
    s->version_key = evs_xprintf("eventscope_version:%s", s->target);
    s->sum_key = evs_xprintf("eventscope_sum:%s", s->target);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->text = (struct evs_buf)EVS_BUF_INIT((size_t)1 << 31);
    s->out = (struct evs_buf)EVS_BUF_INIT((size_t)1 << 31);
    enum evs_rc rc = evs_redis_url(s, spec->url, err);
    if (!rc)
        rc = connect_redis(s, err);
    bool connected = !rc;
    if (!rc)
        rc = refuse_cluster(s, err);
    if (rc == EVS_RETRY && connected && !s->tls)
        evs_hint(err, "rediss:// where the server speaks TLS on this port");
    if (rc) {
        close_redis(&s->base);
        return err->code = rc == EVS_RETRY ? EVS_FATAL : rc;
    }
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    redisReply *r = NULL;
    *ret_i = (struct evs_sink_info){.rows = -1};
    enum evs_rc rc = evs_redis_ask(s, &r, err, "INFO server");
    if (rc && !strstr(err->msg, "NOPERM"))
        return rc;
    const char *at = r && r->str ? strstr(r->str, "redis_version:") : NULL;
    at = at ? at + 14 : "?";
    snprintf(ret_i->text, sizeof(ret_i->text), "Redis %.*s", (int)strcspn(at, "\r\n"), at);
    if (r)
        freeReplyObject(r);
    if (s->view.mode == EVS_VIEW_LOG)
        return EVS_OK;
    bool totals = s->view.mode != EVS_VIEW_LATEST;
    rc = totals ? evs_redis_ask(s, &r, err, "ZCARD %s", s->target) : evs_redis_versions_ask(s, err);
    if (!rc && !totals)
        rc = evs_redis_reply(s, &r, err);
    if (rc)
        return rc;
    if (!totals)
        evs_redis_versions_read(s, r);
    ret_i->rows = totals ? r->integer : s->versions.rows;
    ret_i->exists = ret_i->rows > 0;
    freeReplyObject(r);
    return EVS_OK;
}

static enum evs_rc prepare(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    redisReply *r = NULL;
    if (s->view.mode != EVS_VIEW_COUNT && s->view.mode != EVS_VIEW_SUM)
        return EVS_OK;
    enum evs_rc rc = evs_redis_ask(s, &r, err, "TYPE %s", s->target);
    if (!rc && strcmp(r->str, "none") && strcmp(r->str, "zset"))
        rc = evs_fail(err, EVS_FATAL, "%s is a %s, not a sorted set", s->target, r->str);
    if (r)
        freeReplyObject(r);
    return rc;
}

/* --- the job --------------------------------------------------------------------------------- */
static void read_part(struct evs_ckpt *c, const char *name, const char *text)
{
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t partition;
    if (evs_num_i64(name, 0, INT32_MAX, &partition, &ignored))
        return;
    struct evs_ckpt_part *p = evs_ckpt_part(c, (int32_t)partition);
    for (int f = 0; f < EVS_CKPT_FIELDS; f++) {
        long long v = 0;
        int used = 0;
        if (sscanf(text, "%lld%n", &v, &used) != 1)
            return;
        p->n[f] = v;
        text += used;
    }
}

static enum evs_rc load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    redisReply *r = NULL;
    memset(ret_c, 0, sizeof(*ret_c));
    enum evs_rc rc = evs_redis_ready(s, err);
    if (!rc)
        rc = evs_redis_ask(s, &r, err, "HGETALL %s", s->ckpt_key);
    if (rc)
        return rc;
    const struct {
        const char *name;
        char **member;
    } texts[] = {
        {"plan_hash", &ret_c->plan_hash}, {"topic", &ret_c->topic}, {"state", &ret_c->state}};
    for (size_t i = 0; i + 1 < r->elements; i += 2) {
        const char *name = r->element[i]->str, *value = r->element[i + 1]->str;
        struct evs_err ignored = EVS_ERR_INIT;
        int64_t number = 0;
        for (size_t k = 0; k < EVS_COUNT(texts); k++)
            if (!strcmp(name, texts[k].name))
                evs_ckpt_text(texts[k].member, value, strlen(value));
        bool ok = !evs_num_i64(value, 0, INT64_MAX, &number, &ignored);
        if (ok && !strcmp(name, "epoch"))
            ret_c->epoch = number;
        else if (ok && !strcmp(name, "updated_ms"))
            ret_c->updated_ms = number;
        else
            read_part(ret_c, name, value);
    }
    freeReplyObject(r);
    evs_ckpt_text(&ret_c->id, s->id, strlen(s->id));
    return EVS_OK;
}

/* Whether the connection that holds the lock still lives. Without the right to look: no. */
static bool owner_lives(struct evs_redis *s, const char *owner)
{
    struct evs_err ignored = EVS_ERR_INIT;
    redisReply *r = NULL;
    bool lives = false;
    if (evs_redis_ask(s, &r, &ignored, "CLIENT LIST ID %s", owner) == EVS_OK)
        lives = r->str && strstr(r->str, " name=eventscope ");
    if (r)
        freeReplyObject(r);
    return lives;
}

static enum evs_rc take_lock(struct evs_redis *s, struct evs_err *err)
{
    redisReply *r = NULL, *id = NULL;
    enum evs_rc rc = evs_redis_ask(s, NULL, err, "CLIENT SETNAME eventscope");
    if (!rc)
        rc = evs_redis_ask(s, &id, err, "CLIENT ID");
    if (rc)
        return rc;
    for (int tries = 0; !rc; tries++) {
        rc = evs_redis_ask(s, &r, err, "GET %s", s->lock_key);
        bool mine =
            !rc && (s->take_over || r->type != REDIS_REPLY_STRING || !owner_lives(s, r->str));
        if (r)
            freeReplyObject(r);
        r = NULL;
        if (rc || mine)
            break;
        if (tries == 6 || (s->stop && evs_stop_wait(s->stop, 100)))
            rc = evs_sink_alive(err, s->id);
    }
    if (!rc)
        rc = evs_redis_ask(s, NULL, err, "SET %s %lld", s->lock_key, id->integer);
    freeReplyObject(id);
    return rc;
}

static enum evs_rc empty_target(struct evs_redis *s, struct evs_err *err)
{
    return evs_redis_ask(s, NULL, err, "DEL %s %s", s->target, s->sum_key);
}

static enum evs_rc write_claim(struct evs_redis *s, const struct evs_ckpt *c, struct evs_err *err)
{
    redisReply *r = NULL;
    enum evs_rc rc = evs_redis_ask(s, NULL, err, "MULTI");
    if (!rc)
        rc = evs_redis_ask(s, NULL, err, "DEL %s", s->ckpt_key);
    if (!rc)
        rc = evs_redis_ask(s, NULL, err, "HSET %s plan_hash %s topic %s state running epoch %lld",
                           s->ckpt_key, s->plan_hash, s->view.topic, (long long)s->epoch);
    if (!rc)
        rc = evs_redis_put_ckpt(s, c->parts, c->n, err);
    if (!rc)
        rc = evs_redis_reply(s, &r, err);
    if (r)
        freeReplyObject(r);
    r = NULL;
    if (!rc)
        rc = evs_redis_ask(s, &r, err, "EXEC");
    if (!rc && r->type != REDIS_REPLY_ARRAY)
        rc = evs_sink_alive(err, s->id);
    if (r)
        freeReplyObject(r);
    return rc;
}

static enum evs_rc claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    struct evs_ckpt now;
    enum evs_rc rc = take_lock(s, err);
    if (!rc)
        rc = evs_redis_ask(s, NULL, err, "WATCH %s %s", s->ckpt_key, s->lock_key);
    if (!rc)
        rc = load(sink, &now, err);
    if (rc)
        return rc;
    s->epoch = now.epoch + 1;
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    if (how == EVS_CLAIM_RESUME && now.n) {
        evs_ckpt_add(&now, c);
        evs_ckpt_done(c);
        evs_ckpt_copy(c, &now);
    } else if (s->fresh) {
        rc = evs_redis_drop(s, c, err);
    } else if (how == EVS_CLAIM_RESTART && totals) {
        rc = empty_target(s, err);
    }
    c->epoch = s->epoch;
    for (size_t i = 0; i < c->n; i++)
        if (c->parts[i].n[EVS_CKPT_END] < INT64_MAX)
            s->versions.expected += c->parts[i].n[EVS_CKPT_END] - c->parts[i].n[EVS_CKPT_FROM];
    evs_ckpt_done(&now);
    return rc ? rc : write_claim(s, c, err);
}

static enum evs_rc beat(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    return evs_sink_beat(sink, s->epoch, s->id, err);
}

static enum evs_rc finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    struct evs_redis *s = (struct evs_redis *)sink;
    enum evs_rc rc = beat(sink, err);
    if (!rc)
        rc = evs_redis_ask(s, NULL, err, "HSET %s state %s updated_ms %lld", s->ckpt_key, state,
                           (long long)evs_clock_wall_ms());
    return rc ? rc : evs_redis_ask(s, NULL, err, "DEL %s", s->lock_key);
}

const struct evs_sink_ops evs_sink_redis = {
    .name = "redis",
    .help = "keys of a Redis instance",
    .url = "redis://host:port/db or rediss://host:port/db?cacert=FILE",
    .schemes = "redis:|rediss:",
    .caps = EVS_SINK_TXN | EVS_SINK_CKPT | EVS_SINK_READ | EVS_SINK_SWAP | EVS_SINK_TARGET,
    .rows_max = 50000,
    .rows_min = 20000, /* of whole partitions: a key is written once */
    .shared = EVS_SINK_ALL_VIEWS,
    .open = open_redis,
    .info = info,
    .prepare = prepare,
    .load = load,
    .claim = claim,
    .apply = evs_redis_apply,
    .beat = beat,
    .finish = finish,
    .get = evs_redis_get,
    .scan = evs_redis_scan,
    .swap = evs_redis_swap,
    .close = close_redis,
};
