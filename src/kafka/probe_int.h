/* probe_int.h - what the files of probe share.
 *
 * Threads, errors: probe.h.   Owns  *ret_fd is the caller's, not blocking.
 */
#ifndef EVS_KAFKA_PROBE_INT_H
#define EVS_KAFKA_PROBE_INT_H

#include "kafka/probe.h"

enum evs_rc evs_probe_connect(const char *host, int port, int64_t wait_ms, int *ret_fd,
                              struct evs_err *err) EVS_MUST_USE;

#endif
