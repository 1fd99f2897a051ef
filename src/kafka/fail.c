/* fail.c - librdkafka's errors in one clear line, and their class. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kafka/handle.h"

enum evs_rc evs_kafka_class(rd_kafka_resp_err_t native)
{
    switch (native) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return EVS_OK;
    case RD_KAFKA_RESP_ERR__INTR: return EVS_AGAIN;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return EVS_FATAL;
    default: return EVS_RETRY;
    }
}

bool evs_meta_denied(int32_t native)
{
    return native == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           native == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           native == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

const char *evs_meta_error_text(int32_t native)
{
    switch ((rd_kafka_resp_err_t)native) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return "";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: return "not authorized";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: return "not authorized for the group";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: return "not authorized for the cluster";
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE: return "leader not available";
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE: return "a replica is not available";
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION: return "the leader moved";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return "does not exist";
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: return "not a legal topic name";
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return "the offset is no longer there";
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: return "no answer in time";
    case RD_KAFKA_RESP_ERR__TRANSPORT: return "connection lost";
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return "no broker reachable";
    case RD_KAFKA_RESP_ERR__AUTHENTICATION: return "login refused";
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return "this broker does not support the request";
    default: return rd_kafka_err2str((rd_kafka_resp_err_t)native);
    }
}

/* Length of the broker's name up to the ": " that ends it, 0 if there is none. */
static size_t broker_name(const char *s)
{
    const char *colon = strstr(s, ": ");
    if (!colon || memchr(s, ' ', (size_t)(colon - s)))
        return 0;
    return (size_t)(colon - s);
}

static const char *after(const char *s, const char *lead, const char *mark)
{
    if (strncmp(s, lead, strlen(lead)))
        return s;
    const char *at = strstr(s, mark);
    return at ? at + strlen(mark) : s;
}

void evs_kafka_tidy(const char *reason, char *to, size_t size)
{
    size_t name = broker_name(reason), shown = 0;
    const char *host = reason, *text = reason;
    if (name) {
        const char *proto = strstr(reason, "://");
        if (proto && proto < reason + name)
            host = proto + 3;
        shown = strcspn(host, "/ ");
        if (host + shown > reason + name)
            shown = (size_t)(reason + name - host);
        text = reason + name + 2;
    }
    text = after(text, "Connect to ", " failed: ");
    const char *colons = strstr(text, ": ");
    if (!strncmp(text, "Failed to resolve ", 18) && colons)
        text = colons + 2;
    size_t len = strlen(text);
    const char *tail = strstr(text, " (after ");
    if (tail)
        len = (size_t)(tail - text);
    const char *why = strncmp(reason + (name ? name + 2 : 0), "Failed to resolve ", 18)
                          ? ""
                          : "name does not resolve: ";
    snprintf(to, size, "%.*s%s%s%.*s", (int)shown, host, shown ? ": " : "", why, (int)len, text);
}

static bool by_connection(rd_kafka_resp_err_t native)
{
    return native == RD_KAFKA_RESP_ERR__TRANSPORT || native == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           native == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || native == RD_KAFKA_RESP_ERR__RESOLVE ||
           native == RD_KAFKA_RESP_ERR__SSL || native == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           native == RD_KAFKA_RESP_ERR__WAIT_COORD;
}

struct remedy {
    const char *in_reason, *hint;
};

static const struct remedy remedies[] = {
    {"unexpected eof", "perhaps the port speaks no TLS: -X security.protocol=plaintext"},
    {"ApiVersionRequest failed", "the port is open, but no Kafka broker answers there"},
    {"PLAINTEXT broker listener",
     "the port speaks no TLS: -X security.protocol=plaintext or sasl_plaintext"},
    {"SSL listener", "perhaps the port expects TLS: -X security.protocol=ssl or sasl_ssl"},
    {"certificate verify failed", "name the CA that signed the broker: -X ssl.ca.location=FILE"},
    {"uthentication", "check sasl.username, sasl.password and sasl.mechanism"},
    {"SASL", "check security.protocol and sasl.mechanism"},
    {"closed the connection", "perhaps the port expects TLS or SASL: -X security.protocol=ssl, "
                              "sasl_ssl or sasl_plaintext"},
    {"Invalid response size", "the port is open, but no Kafka broker answers there"},
    {"does not resolve", "check the host name in --brokers"},
    {"refused", "is a broker running there? --brokers HOST:PORT"},
    {"timed out", "is there a firewall, or is the advertised address unreachable from here?"},
};

/* Before 2.6.1 librdkafka repeats the nonce, which brokers from 4.0 on refuse as a wrong password
 * (its CHANGELOG; seen with 2.0.2 on 4.1.0). */
static bool scram_is_broken(const struct evs_err *err)
{
    return strstr(err->msg, "SASL mechanism SCRAM") && rd_kafka_version() < 0x02060100;
}

static void add_remedy(struct evs_err *err)
{
    if (scram_is_broken(err)) {
        evs_hint(err,
                 "check sasl.username and sasl.password; but librdkafka %s fails so with any "
                 "password on Kafka 4: it takes 2.6.1 for SCRAM there, or PLAIN over TLS",
                 rd_kafka_version_str());
        return;
    }
    for (size_t i = 0; i < EVS_COUNT(remedies); i++)
        if (strstr(err->msg, remedies[i].in_reason)) {
            evs_hint(err, "%s", remedies[i].hint);
            return;
        }
}

enum evs_rc evs_kafka_fail(struct evs_client *c, rd_kafka_resp_err_t native, struct evs_err *err,
                           const char *fmt, ...)
{
    char what[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    enum evs_rc rc = evs_kafka_class(native);
    if (native == RD_KAFKA_RESP_ERR__INTR)
        return evs_fail_native(err, rc, "kafka", native, "%s: stopped before %.60s had answered",
                               what, evs_client_conf_get(evs_client_conf(c), "bootstrap.servers"));
    if (!by_connection(native)) {
        evs_fail_native(err, rc, "kafka", native, "%s: %s", what, evs_meta_error_text(native));
        return rc;
    }
    struct evs_link_state link;
    evs_client_link(c, &link);
    if (link.link != EVS_LINK_UP && link.reason[0]) {
        if (link.native == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
            link.native == RD_KAFKA_RESP_ERR__SSL)
            rc = EVS_FATAL;
        evs_fail_native(err, rc, "kafka", link.native, "%s: %s", what, link.reason);
    } else {
        char waited[120];
        snprintf(waited, sizeof(waited), "no answer from %.60s within %.3g s",
                 evs_client_conf_get(evs_client_conf(c), "bootstrap.servers"),
                 (double)evs_client_timeout_ms(c) / 1000);
        evs_fail_native(err, rc, "kafka", native, "%s: %s", what,
                        native == RD_KAFKA_RESP_ERR__TIMED_OUT ? waited
                                                               : evs_meta_error_text(native));
    }
    add_remedy(err);
    return rc;
}
