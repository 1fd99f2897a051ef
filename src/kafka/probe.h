/* probe.h - one connection looked at layer by layer, without librdkafka: name, TCP, what speaks,
 * TLS.
 *
 * For doctor: librdkafka tells one line when a connection fails, this tells which layer and why. It
 * sends at most an ApiVersions request, a TLS greeting, and of a password the proof that SCRAM asks
 * for, which does not tell it.
 *
 * Units    ms.   Threads  any; each call blocks up to wait_ms (name resolution as the system
 *          likes).
 * Owns     nothing.   Errors  EVS_RETRY with the reason and, where known, the fix as hint.
 * Cost     one connection a call.
 * Source   RFC 8446 (alerts), RFC 5802 (SCRAM), Kafka ApiVersions v0.
 */
#ifndef EVS_KAFKA_PROBE_H
#define EVS_KAFKA_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct evs_client_conf;

struct evs_probe_address {
    char text[64]; /* "10.2.0.11" or "::1" */
    int count;     /* addresses the name has */
};
enum evs_rc evs_probe_resolve(const char *host, struct evs_probe_address *ret_a,
                              struct evs_err *err) EVS_MUST_USE;
/* Tries all addresses; *ret_ms of the one that answered. */
enum evs_rc evs_probe_tcp(const char *host, int port, int64_t wait_ms, double *ret_ms,
                          struct evs_err *err) EVS_MUST_USE;
/* Asks in plain for the broker's versions: OK, a Kafka that speaks plain here. */
enum evs_rc evs_probe_plain(const char *host, int port, int64_t wait_ms,
                            struct evs_err *err) EVS_MUST_USE;

struct evs_probe_tls {
    char version[16]; /* "TLSv1.3" */
    char subject[200], issuer[200];
    int64_t not_after_ms; /* of the broker's certificate, -1 unknown */
};
/* A handshake with the ssl.* properties of conf; chain and name are verified as they say. */
enum evs_rc evs_probe_tls(const char *host, int port, const struct evs_client_conf *conf,
                          int64_t wait_ms, struct evs_probe_tls *ret_tls,
                          struct evs_err *err) EVS_MUST_USE;
/* Logs in by SCRAM as conf says: OK, the broker takes user and password; EVS_FATAL, it refuses
 * them; EVS_RETRY: it could not be tried. */
enum evs_rc evs_probe_scram(const char *host, int port, const struct evs_client_conf *conf,
                            int64_t wait_ms, struct evs_err *err) EVS_MUST_USE;

#endif
