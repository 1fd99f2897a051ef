#include "kafka/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/attr.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/doctor_int.h"
#include "kafka/probe.h"

enum { TEXT_LEN = 700, SOON_DAYS = 30, BROKERS_MAX = 64 };

void evs_doctor_say(struct evs_doctor *d, const char *name, enum evs_step_state state,
                    const char *fix, const char *fmt, ...)
{
    char text[TEXT_LEN];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct evs_step s = {name, state, text, fix && *fix ? fix : NULL};
    d->opts->step(d->opts->ctx, &s);
}

static void failed(struct evs_doctor *d, const char *name, const struct evs_err *err)
{
    evs_doctor_say(d, name, EVS_STEP_FAILED, err->hint, "%s", err->msg);
}

static bool is_stopped(const struct evs_doctor *d)
{
    return d->opts->stop && evs_stop_raised(d->opts->stop);
}

static bool has_word(const struct evs_client_conf *conf, const char *word)
{
    const char *protocol = evs_client_conf_get(conf, "security.protocol");
    return protocol && strcasestr(protocol, word);
}

/* "[::1]:9092", "host:9092", "SSL://host:9092"; the port 9092 when there is none. */
static bool split(const char *text, size_t len, char *host, size_t n, int *ret_port)
{
    const char *scheme = memmem(text, len, "://", 3);
    if (scheme) {
        len -= (size_t)(scheme + 3 - text);
        text = scheme + 3;
    }
    const char *colon = memrchr(text, ':', len);
    bool bracket = len && text[0] == '[';
    const char *close = bracket ? memchr(text, ']', len) : NULL;
    if (bracket && (!close || (colon && colon < close)))
        colon = NULL;
    size_t host_len = colon ? (size_t)(colon - text) : len;
    int64_t port = 9092;
    char digits[16];
    struct evs_err err = EVS_ERR_INIT;
    if (colon) {
        snprintf(digits, sizeof(digits), "%.*s", (int)(len - host_len - 1), colon + 1);
        if (evs_num_i64(digits, 1, 65535, &port, &err))
            return false;
    }
    if (bracket && close) {
        text++;
        host_len = (size_t)(close - text);
    }
    snprintf(host, n, "%.*s", (int)host_len, text);
    *ret_port = (int)port;
    return host_len > 0;
}

/* --- one address ------------------------------------------------------------------------------ */

static bool check_name(struct evs_doctor *d, const char *host)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_probe_address a;
    if (evs_probe_resolve(host, &a, &err)) {
        failed(d, "name", &err);
        return false;
    }
    if (a.count > 1)
        evs_doctor_say(d, "name", EVS_STEP_OK, NULL, "%s → %s and %d more", host, a.text,
                       a.count - 1);
    else
        evs_doctor_say(d, "name", EVS_STEP_OK, NULL, "%s → %s", host, a.text);
    return true;
}

static bool check_tcp(struct evs_doctor *d, const char *host, int port)
{
    struct evs_err err = EVS_ERR_INIT;
    double ms;
    if (evs_probe_tcp(host, port, d->wait_ms, &ms, &err)) {
        failed(d, "reach", &err);
        return false;
    }
    evs_doctor_say(d, "reach", EVS_STEP_OK, NULL, "%s:%d answers in %.1f ms", host, port, ms);
    return true;
}

static bool check_tls(struct evs_doctor *d, const char *host, int port)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_probe_tls tls;
    char day[EVS_NUM_LEN];
    enum evs_rc rc = evs_probe_tls(host, port, d->conf, d->wait_ms, &tls, &err);
    if (rc) {
        evs_doctor_say(d, "TLS", rc == EVS_AGAIN ? EVS_STEP_NOTE : EVS_STEP_FAILED, err.hint, "%s",
                       err.msg);
        return rc == EVS_AGAIN;
    }
    const char *verify = evs_client_conf_get(d->conf, "enable.ssl.certificate.verification");
    if (verify && !strcmp(verify, "false")) {
        evs_doctor_say(d, "TLS", EVS_STEP_NOTE, "remove enable.ssl.certificate.verification=false",
                       "%s, but the certificate is not verified: anybody could be the broker",
                       tls.version);
        return true;
    }
    evs_num_iso(day, tls.not_after_ms);
    day[10] = '\0';
    int64_t days = (tls.not_after_ms - evs_clock_wall_ms()) / 86400000;
    if (days < SOON_DAYS)
        evs_doctor_say(d, "TLS", EVS_STEP_NOTE, "renew the broker's certificate",
                       "%s, chain and name ok, but valid only to %s (%lld days)", tls.version, day,
                       (long long)days);
    else
        evs_doctor_say(d, "TLS", EVS_STEP_OK, NULL, "%s, chain ok, name ok, valid to %s",
                       tls.version, day);
    return true;
}

static bool check_speech(struct evs_doctor *d, const char *host, int port)
{
    struct evs_err err = EVS_ERR_INIT;
    if (has_word(d->conf, "ssl"))
        return check_tls(d, host, port);
    if (evs_probe_plain(host, port, d->wait_ms, &err)) {
        failed(d, "speaks", &err);
        return false;
    }
    evs_doctor_say(
        d, "speaks", EVS_STEP_OK, NULL, "Kafka, in plain%s",
        has_word(d->conf, "sasl") ? "; the password crosses the network readable with PLAIN" : "");
    return true;
}

/* The first bootstrap broker that stands; of the others only failures are told. */
static bool check_bootstrap(struct evs_doctor *d)
{
    const char *list = evs_client_conf_get(d->conf, "bootstrap.servers");
    bool good = false;
    for (const char *at = list; at && *at && !is_stopped(d);) {
        char host[256];
        int port;
        size_t len = strcspn(at, ", ");
        if (!len) {
            at++;
            continue;
        }
        if (!split(at, len, host, sizeof(host), &port))
            evs_doctor_say(d, "name", EVS_STEP_FAILED, "write HOST:PORT,HOST:PORT",
                           "'%.*s' is no HOST:PORT", (int)len, at);
        else if (check_name(d, host) && check_tcp(d, host, port) && check_speech(d, host, port)) {
            good = true;
            snprintf(d->host, sizeof(d->host), "%s", host);
            d->port = port;
        }
        if (good)
            break;
        at += len;
    }
    return good;
}

/* --- login and metadata ------------------------------------------------------------------------
 * */

static const char *login_fix(const struct evs_client_conf *conf, const char *why)
{
    if (strstr(why, "No provider") || strstr(why, "not supported") || strstr(why, "not built"))
        return "this mechanism is not in the linked librdkafka: eventscope --version shows its "
               "features";
    const char *mechanism = evs_client_conf_get(conf, "sasl.mechanism");
    if (has_word(conf, "sasl") && mechanism && !strncasecmp(mechanism, "SCRAM", 5) &&
        evs_doctor_library_before(2, 6, 1))
        return "check sasl.username and sasl.password; if they are right: librdkafka before 2.6.1 "
               "sends the SCRAM nonce twice, which Kafka from 4.0 on refuses; a newer librdkafka "
               "or PLAIN over TLS gets in";
    if (has_word(conf, "sasl"))
        return "check sasl.mechanism, sasl.username and sasl.password, and that the user has "
               "credentials of this mechanism on the broker";
    return "if the port wants a login, set security.protocol to sasl_plaintext or sasl_ssl";
}

/* A SCRAM login that this librdkafka may fail with any password: tried without it. */
static bool told_by_hand(struct evs_doctor *d, const char *said)
{
    struct evs_err err = EVS_ERR_INIT;
    const char *mechanism = evs_client_conf_get(d->conf, "sasl.mechanism");
    if (!mechanism)
        mechanism = evs_client_conf_get(d->conf, "sasl.mechanisms");
    if (!mechanism || strncasecmp(mechanism, "SCRAM", 5) || !evs_doctor_library_before(2, 6, 1))
        return false;
    enum evs_rc rc = evs_probe_scram(d->host, d->port, d->conf, d->wait_ms, &err);
    if (!rc)
        evs_doctor_say(d, "login", EVS_STEP_FAILED,
                       "user and password are right: librdkafka before 2.6.1 sends the SCRAM nonce "
                       "twice, which Kafka from 4.0 on refuses; build with a newer librdkafka, or "
                       "use PLAIN over TLS",
                       "%s; yet the broker takes the same login when it is made without librdkafka",
                       said);
    else if (rc == EVS_FATAL)
        evs_doctor_say(d, "login", EVS_STEP_FAILED,
                       "check sasl.username and sasl.password, and that the user has credentials "
                       "of this mechanism; with the right ones this librdkafka (before 2.6.1) is "
                       "still refused by Kafka from 4.0 on: it sends the SCRAM nonce twice",
                       "%s; made without librdkafka the login is refused, too: user or password "
                       "is wrong",
                       said);
    return !rc || rc == EVS_FATAL;
}

static bool check_metadata(struct evs_doctor *d)
{
    struct evs_err err = EVS_ERR_INIT;
    const char *user = evs_client_conf_get(d->conf, "sasl.username");
    const char *mechanism = evs_client_conf_get(d->conf, "sasl.mechanism");
    if (!mechanism)
        mechanism = evs_client_conf_get(d->conf, "sasl.mechanisms");
    if (evs_client_new(d->conf, &d->client, &err)) {
        failed(d, "settings", &err);
        return false;
    }
    int64_t from = evs_clock_mono_us();
    if (evs_meta_fetch(d->client, NULL, &d->meta, &err)) {
        if (has_word(d->conf, "sasl") && told_by_hand(d, err.msg))
            return false;
        evs_doctor_say(d, has_word(d->conf, "sasl") ? "login" : "topics", EVS_STEP_FAILED,
                       err.hint[0] ? err.hint : login_fix(d->conf, err.msg), "%s", err.msg);
        return false;
    }
    double ms = (double)(evs_clock_mono_us() - from) / 1000;
    if (has_word(d->conf, "sasl"))
        evs_doctor_say(d, "login", EVS_STEP_OK, NULL, "%s as %s", mechanism ? mechanism : "SASL",
                       user ? user : "this principal");
    evs_doctor_say(d, "topics", EVS_STEP_OK, NULL, "%d topics of cluster %s in %.0f ms",
                   d->meta->n_topics, d->meta->cluster_id ? d->meta->cluster_id : "?", ms);
    return true;
}

static void check_advertised(struct evs_doctor *d)
{
    int good = 0;
    for (int i = 0; i < d->meta->n_brokers && i < BROKERS_MAX && !is_stopped(d); i++) {
        const struct evs_meta_broker *b = &d->meta->brokers[i];
        struct evs_err err = EVS_ERR_INIT;
        double ms;
        if (!evs_probe_tcp(b->host, (int)b->port, d->wait_ms, &ms, &err)) {
            good++;
            continue;
        }
        char fix[300];
        snprintf(fix, sizeof(fix),
                 "broker %d tells clients to use %.120s:%d (advertised.listeners): that name and "
                 "port must "
                 "be reachable from here",
                 (int)b->id, b->host, (int)b->port);
        evs_doctor_say(d, "advertised", EVS_STEP_FAILED, fix, "broker %d: %s", (int)b->id, err.msg);
    }
    if (good == 1 && good == d->meta->n_brokers)
        evs_doctor_say(d, "advertised", EVS_STEP_OK, NULL,
                       "the one broker answers at the address that it advertises");
    else if (good == d->meta->n_brokers)
        evs_doctor_say(d, "advertised", EVS_STEP_OK, NULL,
                       "all %d brokers answer at the addresses that they advertise", good);
}

static void not_tried(struct evs_doctor *d)
{
    static const char *const names[] = {"advertised", "clock", "read", "groups", "configs"};
    for (size_t i = 0; i < EVS_COUNT(names); i++)
        evs_doctor_say(d, names[i], EVS_STEP_NOT_TRIED, NULL, "not tried");
}

enum evs_rc evs_doctor(const struct evs_client_conf *conf, const struct evs_doctor_opts *opts,
                       struct evs_err *err)
{
    struct evs_doctor d = {.conf = conf, .opts = opts, .wait_ms = conf->timeout_ms};
    bool up = check_bootstrap(&d);
    if (!up)
        evs_doctor_say(&d, "topics", EVS_STEP_NOT_TRIED, NULL, "not tried");
    if (up && !is_stopped(&d))
        up = check_metadata(&d);
    if (up && !is_stopped(&d)) {
        check_advertised(&d);
        evs_doctor_clock(&d);
        evs_doctor_permissions(&d);
    } else {
        not_tried(&d);
    }
    evs_doctor_library(&d);
    evs_meta_free(d.meta);
    evs_client_free(d.client);
    return is_stopped(&d) ? evs_fail(err, EVS_AGAIN, "stopped") : EVS_OK;
}
