/* member.h - a member of a consumer group, for its partitions alone: it reads and commits nothing.
 *
 * The group's own protocol (cooperative: only what moves is taken) deals the partitions of a topic
 * among processes. Nothing is fetched: what is assigned is paused. A member that is gone for
 * session.timeout.ms (the user's setting) loses its partitions to the others.
 *
 * Units    partitions; wait_ms milliseconds.
 * Threads  one; callbacks run inside poll. `taken` ends when the partitions are let go.
 * Owns     its handle.   Errors  EVS_FATAL denied, no such topic; what passes is waited for.
 * Cost     one handle; a heartbeat every few seconds.   Source  KIP-429, KIP-62.
 */
#ifndef EVS_KAFKA_MEMBER_H
#define EVS_KAFKA_MEMBER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct evs_client;
struct evs_member;

struct evs_member_ops {
    void (*given)(void *ctx, const int32_t *partitions, size_t n);
    void (*taken)(void *ctx, const int32_t *partitions, size_t n);
};

enum evs_rc evs_member_join(struct evs_client *c, const char *group, const char *topic,
                            const struct evs_member_ops *ops, void *ctx, struct evs_member **ret_m,
                            struct evs_err *err) EVS_MUST_USE;
/* Serves the group for at most wait_ms. */
enum evs_rc evs_member_poll(struct evs_member *m, int64_t wait_ms,
                            struct evs_err *err) EVS_MUST_USE;
/* Leaves, so that the others need not wait; no callbacks. NULL is fine. */
void evs_member_leave(struct evs_member *m);

#endif
