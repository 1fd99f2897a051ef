/* redis_tls.h - TLS between hiredis and a Redis server.
 *
 * hiredis 0.14 speaks plain only: it gets one end of a socket pair, and a thread carries the bytes
 * between the other end and the server, encrypted. The server's certificate is verified against the
 * system's authorities (or those of cacert) and must be for the host's name.
 *
 * Threads  one of its own per connection, ended and joined by close; a close never waits for the
 *          server.
 * Owns     the connection; the descriptor given back is the caller's, who closes it first.
 * Errors   EVS_FATAL a certificate that is not trusted or of another name, a server without TLS,
 *          files that cannot be used; EVS_RETRY not reachable; EVS_EOF the stop came first.
 * Cost     a copy and a switch of threads more than plain.
 */
#ifndef EVS_SINKS_REDIS_TLS_H
#define EVS_SINKS_REDIS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct evs_stop;
struct evs_redis_tls;

struct evs_redis_tls_opts { /* of a rediss: URL's query, named as redis-cli's */
    bool on, insecure;      /* insecure: the certificate is not looked at */
    char *cacert, *cert, *key, *sni;
};
void evs_redis_tls_opts_done(struct evs_redis_tls_opts *o);
/* One NAME=VALUE of the query, already unescaped. */
enum evs_rc evs_redis_tls_opt(struct evs_redis_tls_opts *o, const char *name, const char *value,
                              struct evs_err *err) EVS_MUST_USE;

enum evs_rc evs_redis_tls_open(const struct evs_redis_tls_opts *o, const char *host, int port,
                               int64_t timeout_ms, struct evs_stop *stop,
                               struct evs_redis_tls **ret_t, int *ret_fd,
                               struct evs_err *err) EVS_MUST_USE;
void evs_redis_tls_close(struct evs_redis_tls *t); /* NULL is fine */

#endif
