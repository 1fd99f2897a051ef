/* client.h - one cluster: its effective configuration and the handles made from it.
 *
 * evs_client_conf is plain data, assembled by cli/ from options, environment and profile. A client
 * checks it, masks its secrets in every text, and makes librdkafka handles on demand; handles never
 * join a group, never commit, never create topics (research: fact 13).
 *
 * Threads  a client may be used by many threads; each handle inside is thread-safe by librdkafka.
 * Owns     the conf (copied) and its handles; free after all readers and pollers are gone (bounded:
 *          a handle that does not close in 5 s is left behind).
 * Errors   EVS_INVALID for unknown or wrong properties, naming property and origin, with the
 *          nearest known.
 * Cost     no network in evs_client_new; the first request connects.
 */
#ifndef EVS_KAFKA_CLIENT_H
#define EVS_KAFKA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct evs_client_prop {
    char *name, *value; /* a librdkafka property */
    char *origin;       /* "option -X", "eventscope.conf:14", "environment", "built in" */
};

struct evs_client_conf {
    char *cluster; /* profile name or NULL */
    char *origin;  /* where the brokers came from */
    struct evs_client_prop *props;
    size_t n_props;
    bool production; /* the profile says so */
    bool read_only;  /* locked: no write at all */
    bool allow_writes;
    int64_t timeout_ms; /* per cluster request */
};

void evs_client_conf_init(struct evs_client_conf *conf);
/* Sets or replaces a property. */
void evs_client_conf_set(struct evs_client_conf *conf, const char *name, const char *value,
                         const char *origin);
const char *evs_client_conf_get(const struct evs_client_conf *conf, const char *name); /* or NULL */
void evs_client_conf_copy(struct evs_client_conf *to, const struct evs_client_conf *from);
void evs_client_conf_done(struct evs_client_conf *conf);
/* Passwords, keys, tokens: never shown. By property name. */
bool evs_client_is_secret(const char *prop);

struct evs_client;
struct evs_stop;
enum evs_rc evs_client_new(const struct evs_client_conf *conf, struct evs_client **ret_c,
                           struct evs_err *err) EVS_MUST_USE;
void evs_client_free(struct evs_client *c); /* NULL is fine */
const struct evs_client_conf *evs_client_conf(const struct evs_client *c);
int64_t evs_client_timeout_ms(const struct evs_client *c);
/* Requests end early with EVS_AGAIN once stop is raised; it must outlive c. NULL, as before any
 * call: they are waited for. */
void evs_client_stop_by(struct evs_client *c, struct evs_stop *stop);
struct evs_stop *evs_client_stop(const struct evs_client *c); /* or NULL */
bool evs_client_stopped(const struct evs_client *c);

/* How the connection is: for headers and the Connecting screen. Never blocks. */
enum evs_link {
    EVS_LINK_CONNECTING,
    EVS_LINK_UP,
    EVS_LINK_DOWN
};
struct evs_link_state {
    enum evs_link link;
    int64_t since_ms;    /* wall clock */
    int brokers_up;      /* brokers of the last metadata answer, 0 when not up */
    double reply_ms;     /* last metadata round trip, -1 unknown */
    char reason[200];    /* last error when not up, one line */
    int native;          /* the library's code of that error, 0 none */
};
void evs_client_link(struct evs_client *c, struct evs_link_state *ret_state);

/* "2.0.2"; and what this build and library lack, for --version and doctor. */
const char *evs_client_library_version(void);

#endif
