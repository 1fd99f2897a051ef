/* all.h - every sink's one exported symbol; sink.c lists those that this build has.
 *
 * Threads, ownership, errors: see sink.h.
 */
#ifndef EVS_SINKS_ALL_H
#define EVS_SINKS_ALL_H

#include "sinks/sink.h"

extern const struct evs_sink_ops evs_sink_sqlite;
extern const struct evs_sink_ops evs_sink_postgresql;
extern const struct evs_sink_ops evs_sink_redis;
extern const struct evs_sink_ops evs_sink_opensearch;
extern const struct evs_sink_ops evs_sink_elasticsearch;
extern const struct evs_sink_ops evs_sink_kafka;
extern const struct evs_sink_ops evs_sink_jsonl;
extern const struct evs_sink_ops evs_sink_pipe; /* jsonl:- */

#endif
