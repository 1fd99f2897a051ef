#include "kafka/client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/call.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/opt.h"
#include "core/slot.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/handle.h"

enum { CLOSE_MS = 5000 };

struct link_sn {
    struct evs_snap snap;
    struct evs_link_state st;
};

struct evs_client {
    struct evs_client_conf conf;
    _Atomic(rd_kafka_t *) shared[2]; /* by isolation */
    struct evs_slot *link;
    struct evs_stop *stop; /* borrowed, may be NULL */
    atomic_llong reply_us;
    atomic_int brokers;
    struct evs_refused refused; /* of a producer's handle, by its own thread */
    atomic_bool left_behind; /* a handle outlives us: see evs_handle_free */
};

/* --- the link --- */

static void free_link(struct evs_snap *sn)
{
    evs_free(sn);
}

static void link_get(struct evs_client *c, struct evs_link_state *to)
{
    struct link_sn *sn = (void *)evs_slot_take(c->link, 0);
    *to = sn->st;
    evs_snap_unref(&sn->snap);
}

static void link_set(struct evs_client *c, enum evs_link link, int native, const char *reason)
{
    struct link_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_link);
    sn->st.link = link;
    sn->st.since_ms = evs_clock_wall_ms();
    sn->st.native = native;
    if (reason)
        evs_kafka_tidy(reason, sn->st.reason, sizeof(sn->st.reason));
    evs_slot_publish(c->link, &sn->snap);
}

void evs_client_link(struct evs_client *c, struct evs_link_state *ret_state)
{
    for (int i = 0; i < 2; i++) {
        rd_kafka_t *rk = atomic_load(&c->shared[i]);
        if (rk)
            rd_kafka_poll(rk, 0);
    }
    struct evs_link_state st;
    link_get(c, &st);
    long long us = atomic_load(&c->reply_us);
    st.reply_ms = us < 0 ? -1 : (double)us / 1000;
    st.brokers_up = st.link == EVS_LINK_UP ? atomic_load(&c->brokers) : 0;
    *ret_state = st;
}

void evs_link_good(struct evs_client *c, int64_t reply_us, int brokers)
{
    if (reply_us >= 0)
        atomic_store(&c->reply_us, reply_us);
    if (brokers > 0)
        atomic_store(&c->brokers, brokers);
    struct evs_link_state st;
    link_get(c, &st);
    if (st.link != EVS_LINK_UP)
        link_set(c, EVS_LINK_UP, 0, NULL);
}

bool evs_link_hopeless(struct evs_client *c)
{
    struct evs_link_state st;
    link_get(c, &st);
    return st.link == EVS_LINK_DOWN;
}

/* Still down, for a newer reason: since when stays. */
static void link_again(struct evs_client *c, const struct evs_link_state *st, int native,
                       const char *reason)
{
    struct link_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_link);
    sn->st = *st;
    sn->st.native = native;
    evs_kafka_tidy(reason, sn->st.reason, sizeof(sn->st.reason));
    evs_slot_publish(c->link, &sn->snap);
}

static void on_error(rd_kafka_t *rk, int native, const char *reason, void *opaque)
{
    struct evs_client *c = opaque;
    (void)rk;
    struct evs_link_state st;
    link_get(c, &st);
    evs_log(EVS_LOG_DEBUG, "kafka: %s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)native), reason);
    if (native == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        /* Without a reason before it (log.connection.close), they took the connection and shut it.
         * */
        char closed[300];
        snprintf(closed, sizeof(closed), "%.200s: closed the connection at once",
                 evs_client_conf_get(evs_client_conf(c), "bootstrap.servers"));
        if (st.link != EVS_LINK_DOWN)
            link_set(c, EVS_LINK_DOWN, st.native ? st.native : native,
                     st.reason[0] ? st.reason : closed);
        return;
    }
    /* Keep the first word on why nothing is up; while up, an idle connection's end is no news. */
    bool refused = native == RD_KAFKA_RESP_ERR__AUTHENTICATION || native == RD_KAFKA_RESP_ERR__SSL;
    bool was_refused =
        st.native == RD_KAFKA_RESP_ERR__AUTHENTICATION || st.native == RD_KAFKA_RESP_ERR__SSL;
    if (st.link == EVS_LINK_DOWN && !refused && !was_refused)
        link_again(c, &st, native, reason);
    else if (st.link == EVS_LINK_CONNECTING || (st.link == EVS_LINK_UP && st.native != native) ||
             refused)
        link_set(c, st.link, native, reason);
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    (void)rk;
    /* Connection trouble is told once, by whoever asked; the log keeps every word. */
    enum evs_log_level to = level <= 2 ? EVS_LOG_ERROR : level <= 5 ? EVS_LOG_INFO : EVS_LOG_DEBUG;
    evs_log(to, "librdkafka: %s: %s", fac, text);
}

/* --- properties --- */

static const struct evs_handle_prop base_props[] = {
    {"client.id", "eventscope"},          {"socket.nagle.disable", "true"},
    {"reconnect.backoff.max.ms", "2000"}, {"topic.metadata.refresh.interval.ms", "30000"},
    {"log.connection.close", "false"},    {NULL, NULL},
};

/* What makes reading harmless; the user's value of these is not used. */
static const struct evs_handle_prop fixed_props[] = {
    {"group.id", NULL},
    {"group.instance.id", NULL},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"allow.auto.create.topics", "false"},
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"isolation.level", NULL},
    {NULL, NULL},
};

static bool is_fixed(const char *name)
{
    for (const struct evs_handle_prop *p = fixed_props; p->name; p++)
        if (!strcmp(p->name, name))
            return true;
    return false;
}

struct names {
    const char **a, **b;
    size_t n_a, n_b;
};

static const char *nth_name(const void *ctx, size_t i)
{
    static const char *const unset[] = {"bootstrap.servers",     "sasl.username",
                                        "sasl.password",         "sasl.mechanism",
                                        "ssl.ca.location",       "ssl.key.location",
                                        "ssl.key.password",      "ssl.certificate.location",
                                        "ssl.keystore.location", "ssl.keystore.password",
                                        "client.rack",           "debug",
                                        "security.protocol"};
    const struct names *t = ctx;
    if (i < EVS_COUNT(unset))
        return unset[i];
    i -= EVS_COUNT(unset);
    if (i * 2 < t->n_a)
        return t->a[i * 2];
    i -= t->n_a / 2;
    return i * 2 < t->n_b ? t->b[i * 2] : NULL;
}

static void hint_property(const char *name, struct evs_err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
    struct names t = {0};
    t.a = rd_kafka_conf_dump(conf, &t.n_a);
    t.b = rd_kafka_topic_conf_dump(topic, &t.n_b);
    const char *near = evs_suggest(name, nth_name, &t);
    if (near)
        evs_hint(err, "did you mean '%s'?", near);
    else
        evs_hint(err, "librdkafka %s documents its properties in CONFIGURATION.md",
                 rd_kafka_version_str());
    rd_kafka_conf_dump_free(t.a, t.n_a);
    rd_kafka_conf_dump_free(t.b, t.n_b);
    rd_kafka_topic_conf_destroy(topic);
    rd_kafka_conf_destroy(conf);
}

static enum evs_rc set_user(rd_kafka_conf_t *conf, const struct evs_client_prop *p,
                            struct evs_err *err)
{
    char why[300];
    switch (rd_kafka_conf_set(conf, p->name, p->value, why, sizeof(why))) {
    case RD_KAFKA_CONF_OK: return EVS_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        evs_fail(err, EVS_INVALID, "%s: unknown property '%s'", p->origin, p->name);
        hint_property(p->name, err);
        return EVS_INVALID;
    default:
        return evs_client_is_secret(p->name)
                   ? evs_fail(err, EVS_INVALID, "%s: '%s' has no legal value", p->origin, p->name)
                   : evs_fail(err, EVS_INVALID, "%s: %s", p->origin, why);
    }
}

static void set_ours(rd_kafka_conf_t *conf, const struct evs_handle_prop *p)
{
    char why[200];
    for (; p && p->name; p++)
        if (p->value && rd_kafka_conf_set(conf, p->name, p->value, why, sizeof(why)))
            evs_log(EVS_LOG_DEBUG, "property %s is not known here: %s", p->name, why);
}

/* Connection phases must end, and be told, before the caller's patience does. */
static void set_timeouts(rd_kafka_conf_t *conf, int64_t timeout_ms)
{
    char text[24];
    int64_t ms = timeout_ms / 2; /* looked at once a second */
    snprintf(text, sizeof(text), "%lld", (long long)(ms < 1000 ? 1000 : ms > 10000 ? 10000 : ms));
    const struct evs_handle_prop props[] = {{"socket.connection.setup.timeout.ms", text},
                                            {"api.version.request.timeout.ms", text},
                                            {NULL, NULL}};
    set_ours(conf, props);
}

/* Only of what failed (delivery.report.only.error). */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct evs_client *c = opaque;
    (void)rk;
    bool purged = m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                  m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (m->err && !purged && !c->refused.native && m->_private)
        c->refused = (struct evs_refused){m->err, (size_t)(uintptr_t)m->_private - 1};
}

struct evs_refused *evs_client_refused(struct evs_client *c)
{
    return &c->refused;
}

static enum evs_rc make_conf(struct evs_client *c, rd_kafka_type_t type,
                             enum evs_isolation isolation, const struct evs_handle_prop *props,
                             rd_kafka_conf_t *conf, struct evs_err *err)
{
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    set_ours(conf, base_props);
    set_timeouts(conf, c->conf.timeout_ms);
    set_ours(conf, props);
    for (size_t i = 0; i < c->conf.n_props; i++) {
        const struct evs_client_prop *p = &c->conf.props[i];
        if (type == RD_KAFKA_CONSUMER && is_fixed(p->name))
            continue;
        enum evs_rc rc = set_user(conf, p, err);
        if (rc)
            return rc;
    }
    const struct evs_handle_prop level[] = {{"isolation.level", isolation == EVS_READ_COMMITTED
                                                                    ? "read_committed"
                                                                    : "read_uncommitted"},
                                            {NULL, NULL}};
    if (type == RD_KAFKA_CONSUMER) {
        set_ours(conf, fixed_props);
        set_ours(conf, level);
    }
    return EVS_OK;
}

/* --- handles --- */

static enum evs_rc new_handle(struct evs_client *c, rd_kafka_type_t type,
                              enum evs_isolation isolation, const struct evs_handle_prop *props,
                              int events, rd_kafka_t **ret_rk, struct evs_err *err)
{
    char why[400];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum evs_rc rc = make_conf(c, type, isolation, props, conf, err);
    if (rc) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    if (events)
        rd_kafka_conf_set_events(conf, events);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return evs_fail_native(err, EVS_INVALID, "kafka", (int)rd_kafka_last_error(),
                               "configuration: %s", why);
    }
    *ret_rk = rk;
    return EVS_OK;
}

enum evs_rc evs_handle_new(struct evs_client *c, rd_kafka_type_t type, enum evs_isolation isolation,
                           const struct evs_handle_prop *props, rd_kafka_t **ret_rk,
                           struct evs_err *err)
{
    return new_handle(c, type, isolation, props, 0, ret_rk, err);
}

enum evs_rc evs_handle_new_member(struct evs_client *c, const struct evs_handle_prop *props,
                                  rd_kafka_t **ret_rk, struct evs_err *err)
{
    return new_handle(c, RD_KAFKA_CONSUMER, EVS_READ_UNCOMMITTED, props, RD_KAFKA_EVENT_REBALANCE,
                      ret_rk, err);
}

struct closing {
    rd_kafka_t *rk;
    struct evs_stop done;
};

static void close_handle(void *arg)
{
    struct closing *cl = arg;
    rd_kafka_destroy_flags(cl->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    evs_stop_raise(&cl->done);
}

void evs_handle_free(rd_kafka_t *rk)
{
    if (!rk)
        return;
    struct evs_err err = EVS_ERR_INIT;
    struct closing *cl = evs_xcalloc(1, sizeof(*cl));
    struct evs_thread *t = NULL;
    struct evs_client *c = rd_kafka_opaque(rk);
    cl->rk = rk;
    if (evs_stop_init(&cl->done, &err)) {
        evs_log(EVS_LOG_WARN, "a handle is left behind: %s", err.msg);
        atomic_store(&c->left_behind, true);
        evs_free(cl);
        return;
    }
    if (evs_thread_start("evs-close", close_handle, cl, &t, &err))
        close_handle(cl);
    else if (!evs_stop_wait(&cl->done, CLOSE_MS)) {
        evs_log(EVS_LOG_WARN, "a handle did not close within 5 s and is left behind");
        atomic_store(&c->left_behind, true);
        evs_thread_leave(t);
        return; /* its thread still uses cl, and its callbacks the client */
    }
    evs_thread_join(t);
    evs_stop_done(&cl->done);
    evs_free(cl);
}

enum evs_rc evs_handle_shared(struct evs_client *c, enum evs_isolation isolation,
                              rd_kafka_t **ret_rk, struct evs_err *err)
{
    rd_kafka_t *rk = atomic_load(&c->shared[isolation]), *none = NULL;
    if (!rk) {
        enum evs_rc rc = evs_handle_new(c, RD_KAFKA_CONSUMER, isolation, NULL, &rk, err);
        if (rc)
            return rc;
        if (!atomic_compare_exchange_strong(&c->shared[isolation], &none, rk)) {
            evs_handle_free(rk);
            rk = none;
        }
    }
    *ret_rk = rk;
    return EVS_OK;
}

void evs_handle_poll(rd_kafka_t *rk)
{
    rd_kafka_poll(rk, 0);
}

/* --- the client --- */

enum evs_rc evs_client_new(const struct evs_client_conf *conf, struct evs_client **ret_c,
                           struct evs_err *err)
{
    const char *brokers = evs_client_conf_get(conf, "bootstrap.servers");
    if (!brokers || !brokers[0]) {
        evs_fail(err, EVS_INVALID, "no brokers are given");
        return evs_hint(err, "--brokers HOST:PORT, or --cluster NAME of a configuration file");
    }
    struct evs_client *c = evs_xcalloc(1, sizeof(*c));
    evs_client_conf_copy(&c->conf, conf);
    c->link = evs_slot_new(NULL);
    atomic_store(&c->reply_us, -1);
    link_set(c, EVS_LINK_CONNECTING, 0, NULL);
    rd_kafka_t *rk;
    enum evs_rc rc = evs_handle_shared(c, EVS_READ_UNCOMMITTED, &rk, err);
    if (rc) {
        evs_client_free(c);
        return rc;
    }
    *ret_c = c;
    return EVS_OK;
}

void evs_client_free(struct evs_client *c)
{
    if (!c || evs_call_left()) /* what was left behind uses it until the end */
        return;
    for (int i = 0; i < 2; i++)
        evs_handle_free(atomic_load(&c->shared[i]));
    if (atomic_load(&c->left_behind))
        return; /* its callbacks still come here */
    evs_client_conf_done(&c->conf);
    evs_slot_free(c->link);
    evs_free(c);
}

const struct evs_client_conf *evs_client_conf(const struct evs_client *c)
{
    return &c->conf;
}

int64_t evs_client_timeout_ms(const struct evs_client *c)
{
    return c->conf.timeout_ms;
}

void evs_client_stop_by(struct evs_client *c, struct evs_stop *stop)
{
    c->stop = stop;
}

struct evs_stop *evs_client_stop(const struct evs_client *c)
{
    return c->stop;
}

bool evs_client_stopped(const struct evs_client *c)
{
    return c->stop && evs_stop_raised(c->stop);
}

const char *evs_client_library_version(void)
{
    return rd_kafka_version_str();
}
