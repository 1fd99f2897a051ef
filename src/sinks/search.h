/* search.h - what the files of the OpenSearch and Elasticsearch sink share.
 *
 * There are no transactions: a batch goes out by _bulk with external versions (row.h: rank), then
 * the checkpoint document moves on. What a crash repeats meets 409, which says "already applied"
 * and is success. count and sum write their new totals into the checkpoint document first: a start
 * that finds them there writes them again, all the same. The checkpoint moves by compare-and-set
 * (_seq_no), so that of two processes only one goes on. An index made here remembers deletes for a
 * day (index.gc_deletes): a minute, the default, would let a late old write resurrect a document. A
 * server forgets at its restart, all the same, the deletes that it had flushed.
 *
 * Threads  one; check from any.   Owns  the curl handle.
 * Errors   no answer, 429, 502, 503, 504 are EVS_RETRY; 400 of one document is EVS_POISON with its
 *          row; others EVS_FATAL. After EVS_POISON other documents of the batch may be in.
 * Cost     one _bulk of at most 8 MB at a time.   Source  research/performance-reliability 5.2.
 */
#ifndef EVS_SINKS_SEARCH_H
#define EVS_SINKS_SEARCH_H

#include <curl/curl.h>

#include "core/buf.h"
#include "core/json.h"
#include "sinks/sink.h"

enum { EVS_ES_CAP = 1 << 30, EVS_ES_BULK = 8 << 20, EVS_ES_ID = 512 };

struct evs_es {
    struct evs_sink base;
    CURL *curl;
    char *url, *userpwd;      /* scheme://host:port/prefix without user */
    char *index, *index_path; /* path-escaped */
    char *id, *id_path, *plan_hash;
    char writer[17]; /* in the checkpoint: tells a write of ours, its answer lost, from another's */
    struct evs_shape view;
    bool write, fresh, claimed;
    int64_t seq_no, primary_term, batch; /* of the checkpoint document */
    struct evs_ckpt ckpt;
    int64_t timeout_ms;
    struct evs_stop *stop;
    struct evs_buf out, reply;
};

/* search_http.c: one request. *ret_status is the HTTP status where there was an answer. */
enum evs_rc evs_es_ask(struct evs_es *s, const char *method, const char *path,
                       const struct evs_buf *body, long *ret_status, struct evs_err *err);
/* A status that is no success, as an error with the reason the server gave. */
enum evs_rc evs_es_fail(struct evs_es *s, long status, const char *what, struct evs_err *err);
enum evs_rc evs_es_connect(struct evs_es *s, const char *url, struct evs_err *err);

/* search_job.c */
enum evs_rc evs_es_prepare(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_es_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err);
enum evs_rc evs_es_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err);
enum evs_rc evs_es_beat(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_es_finish(struct evs_sink *sink, const char *state, struct evs_err *err);
/* Writes the checkpoint as s->ckpt has it; redo: totals to be written, or NULL. */
enum evs_rc evs_es_put_ckpt(struct evs_es *s, const struct evs_buf *redo, struct evs_err *err);

/* search_rows.c */
enum evs_rc evs_es_check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err);
enum evs_rc evs_es_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err);
/* A bulk body that was prepared before; rows may be 0 when they are not known any more. */
enum evs_rc evs_es_bulk(struct evs_es *s, const struct evs_buf *body, size_t first_row,
                        struct evs_sink_done *d, struct evs_err *err);
enum evs_rc evs_es_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_es_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err);

/* search_swap.c */
enum evs_rc evs_es_swap(struct evs_sink *sink, const char *target, struct evs_err *err);

#endif
