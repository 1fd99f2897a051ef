/* probe_int.h - what the files of probe share.
 *
 * Threads, errors: probe.h.   Owns  *ret_fd is the caller's, not blocking.
 */
#ifndef EVS_KAFKA_PROBE_INT_H
#define EVS_KAFKA_PROBE_INT_H

#include <stddef.h>

#include "kafka/probe.h"

enum evs_rc evs_probe_connect(const char *host, int port, int64_t wait_ms, int *ret_fd,
                              struct evs_err *err) EVS_MUST_USE;

/* A connection, in plain or by TLS as conf says (the certificate is verified); only in builds with
 * OpenSSL. recv fills all n bytes. */
struct evs_probe_link;
enum evs_rc evs_probe_link_open(const char *host, int port, const struct evs_client_conf *conf,
                                int64_t wait_ms, struct evs_probe_link **ret_l,
                                struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_probe_link_send(struct evs_probe_link *l, const void *p, size_t n, int64_t wait_ms,
                                struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_probe_link_recv(struct evs_probe_link *l, void *p, size_t n, int64_t wait_ms,
                                struct evs_err *err) EVS_MUST_USE;
void evs_probe_link_close(struct evs_probe_link *l); /* NULL is fine */

#endif
