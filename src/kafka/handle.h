/* handle.h - librdkafka handles of a client, and the words for its errors; for src/kafka only.
 *
 * No consumer handle has the user's group.id (a use may name a group of its own), commits, or
 * creates topics; each reports the end of a partition. No configuration can change that. Handles of
 * one client share its link state: each owner must call evs_handle_poll now and then, so that
 * connection errors are seen.
 *
 * Threads  any.   Owns  handles are the caller's, given back with evs_handle_free; shared ones the
 *          client's.
 * Errors   evs_kafka_fail classifies: EVS_RETRY unreachable or passing, EVS_FATAL denied or
 *          refused.
 * Cost     a handle is three threads or so and its connections.
 */
#ifndef EVS_KAFKA_HANDLE_H
#define EVS_KAFKA_HANDLE_H

#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "core/err.h"
#include "kafka/client.h"
#include "kafka/meta.h"

struct evs_handle_prop {
    const char *name, *value;
};

/* props: defaults of this use (NULL name ends, NULL for none); the user's own settings win over
 * them. */
enum evs_rc evs_handle_new(struct evs_client *c, rd_kafka_type_t type, enum evs_isolation isolation,
                           const struct evs_handle_prop *props, rd_kafka_t **ret_rk,
                           struct evs_err *err) EVS_MUST_USE;
/* The first record since it was cleared that a broker did not take: its mark is its opaque - 1. */
struct evs_refused {
    rd_kafka_resp_err_t native; /* 0: none */
    size_t mark;
};
struct evs_refused *evs_client_refused(struct evs_client *c);
/* A consumer whose rebalances come as events of its queue; props name the group. */
enum evs_rc evs_handle_new_member(struct evs_client *c, const struct evs_handle_prop *props,
                                  rd_kafka_t **ret_rk, struct evs_err *err) EVS_MUST_USE;
/* Destroys; waits at most 5 s for it, then leaves it behind. NULL is fine. */
void evs_handle_free(rd_kafka_t *rk);
/* The client's own handle for requests with this isolation; made at first use. */
enum evs_rc evs_handle_shared(struct evs_client *c, enum evs_isolation isolation,
                              rd_kafka_t **ret_rk, struct evs_err *err) EVS_MUST_USE;
/* Serves the handle's events without waiting. */
void evs_handle_poll(rd_kafka_t *rk);

/* A request was answered after reply_us (-1: not timed). */
void evs_link_good(struct evs_client *c, int64_t reply_us, int brokers);
/* Nothing is up: every broker was tried and failed since the last answer. */
bool evs_link_hopeless(struct evs_client *c);

/* Words and class of a librdkafka error code in err, with the connection's reason where that is the
 * cause: "WHAT: WHY". Returns the class. */
enum evs_rc evs_kafka_fail(struct evs_client *c, rd_kafka_resp_err_t native, struct evs_err *err,
                           const char *fmt, ...) EVS_PRINTF(4, 5);
/* The class alone. */
enum evs_rc evs_kafka_class(rd_kafka_resp_err_t native);
/* "sasl_ssl://h:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after
 * 0ms in state CONNECT)" becomes "h:9092: Connection refused". */
void evs_kafka_tidy(const char *reason, char *to, size_t size);

#endif
