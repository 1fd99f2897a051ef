/* search.h - what the files of the OpenSearch and Elasticsearch sink share.
 *
 * There are no transactions: a batch goes out by _bulk with external versions (row.h: rank), then
 * the checkpoint document moves on. What a crash repeats meets 409, which says "already applied"
 * and is success. The checkpoint moves by compare-and-set (_seq_no), so that of two processes only
 * one goes on.
 *
 * count and sum put their new totals into the checkpoint document first (redo): a start that finds
 * them there writes them again, all the same. Where several processes add to one view (shared), the
 * redo is what is to be added, and each document names, per id, the last batch that is in it: a
 * batch that is named is not added again, by whomever, and a document moves by compare-and-set.
 *
 * A server forgets the version of a deleted document after index.gc_deletes (set to a day here) and
 * at a restart after a flush: an older window replayed then would bring the document back. So each
 * deletion in a view of latest is also a tombstone, a document of the same _id and version in
 * eventscope_tombstones.INDEX.MS: INDEX is what TARGET stands for, MS its time of creation, so a
 * view made anew starts without, and what readers search never matches. Tombstones are durable
 * before the deletes are sent. `newest`, the highest version of them, is the version of a document
 * beside the checkpoints; a batch asks for it, and for the tombstones of rows that are not above
 * it: none, in a run that goes forward. A row below its tombstone goes out as that deletion again.
 * A crash at any point repeats the same versions. Between the look and the write the fence leaves
 * one process of an id; of several ids, or of one fenced in that moment, the server's own memory
 * decides, and where that may have ended (TRUST_US, or fenced) the rows are looked up once more.
 * Tombstones go with their index: a swap clones both before its one change of aliases.
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
#include "core/jsonw.h"
#include "sinks/sink.h"

enum { EVS_ES_CAP = 1 << 30, EVS_ES_BULK = 8 << 20, EVS_ES_ID = 512, EVS_ES_MGET = 1000 };

struct evs_es {
    struct evs_sink base;
    CURL *curl;
    char *url, *userpwd;      /* scheme://host:port/prefix without user */
    char *index, *index_path; /* path-escaped */
    char *id, *id_path, *plan_hash;
    char writer[17]; /* in the checkpoint: tells a write of ours, its answer lost, from another's */
    struct evs_shape view;
    bool write, fresh, claimed, shared;  /* shared: one of several processes (--workers-group) */
    int64_t seq_no, primary_term, batch; /* of the checkpoint document */
    char *tombs, *tombs_made;            /* index of the tombstones; the one known to be there */
    int64_t newest;                      /* highest version in it; 0: there are none */
    struct evs_ckpt ckpt;
    int64_t timeout_ms;
    struct evs_stop *stop;
    struct evs_buf out, reply, redo;
};

/* search_http.c: one request. *ret_status is the HTTP status where there was an answer. */
enum evs_rc evs_es_ask(struct evs_es *s, const char *method, const char *path,
                       const struct evs_buf *body, long *ret_status, struct evs_err *err);
/* A status that is no success, as an error with the reason the server gave. */
enum evs_rc evs_es_fail(struct evs_es *s, long status, const char *what, struct evs_err *err);
/* What rights it takes, where this reason of a refusal is about rights. Returns err->code. */
enum evs_rc evs_es_hint_rights(const char *why, struct evs_err *err);
enum evs_rc evs_es_connect(struct evs_es *s, const char *url, struct evs_err *err);

/* search_index.c: what a name stands for. */
struct evs_es_index {
    char *name; /* the index itself; NULL: there is none */
    int64_t made_ms;
    bool alias;     /* the name asked for was not its own */
    bool remembers; /* deletes for a day */
};
/* EVS_FATAL when it stands for several indices or for a data stream. */
enum evs_rc evs_es_index(struct evs_es *s, const char *name, struct evs_es_index *ret_i,
                         struct evs_err *err);
void evs_es_index_done(struct evs_es_index *i);
/* Makes the index unless it is there; alias: a name that it gets, or NULL. */
enum evs_rc evs_es_make(struct evs_es *s, const char *path, const char *alias, bool view,
                        struct evs_err *err);
/* A path with a name in it. The caller frees. */
char *evs_es_path(struct evs_es *s, const char *before, const char *name, const char *after);
/* A request whose answers 200 and, when it may be missing, 404 are fine. */
enum evs_rc evs_es_do(struct evs_es *s, const char *method, const char *path, const char *body,
                      bool may_miss, long *ret_status, struct evs_err *err);

/* search_job.c */
enum evs_rc evs_es_prepare(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_es_load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err);
enum evs_rc evs_es_claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err);
enum evs_rc evs_es_beat(struct evs_sink *sink, struct evs_err *err);
enum evs_rc evs_es_finish(struct evs_sink *sink, const char *state, struct evs_err *err);
/* Writes the checkpoint as s->ckpt and s->redo have it. */
enum evs_rc evs_es_put_ckpt(struct evs_es *s, struct evs_err *err);

/* search_rows.c */
enum evs_rc evs_es_check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err);
enum evs_rc evs_es_apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err);
/* A bulk body and what its lines stand for. */
struct evs_es_lines {
    const char *path; /* the index, escaped */
    const struct evs_buf *body;
    size_t first_row;
    const int64_t *older; /* by row: not 0 where it goes out as a deletion again; or NULL */
    bool *conflicts;      /* by row: set where another was faster; NULL: that is as good */
};
enum evs_rc evs_es_bulk(struct evs_es *s, const struct evs_es_lines *l, struct evs_sink_done *d,
                        struct evs_err *err);
/* Type and reason of an error, its cause's reason after it. */
void evs_es_reason(const struct evs_json_tree *t, const struct evs_json_node *e,
                   struct evs_buf *type, struct evs_buf *why);
int64_t evs_es_number(const struct evs_json_tree *t, const struct evs_json_node *obj,
                      const char *name); /* 0: none */
void evs_es_add_id(struct evs_jsonw *w, const struct evs_shape *v, const struct evs_row *r);
/* The lines of a bulk body for the row's _id; after index comes the document's own. */
void evs_es_add_delete(const struct evs_es *s, const struct evs_row *r, int64_t version,
                       struct evs_buf *out);
void evs_es_add_action(const struct evs_es *s, const struct evs_row *r, int64_t version,
                       struct evs_buf *out);
void evs_es_add_index(const struct evs_es *s, const struct evs_row *r, int64_t version,
                      struct evs_buf *out);
/* search_totals.c: new totals by way of s->redo, in the checkpoint. While that is not empty after
 * an error the checkpoint may hold the batch: the next start writes what is missing. */
enum evs_rc evs_es_put_totals(struct evs_es *s, const struct evs_sink_batch *b,
                              struct evs_sink_done *d, struct evs_err *err);
enum evs_rc evs_es_redo(struct evs_es *s, struct evs_err *err);

/* search_read.c */
enum evs_rc evs_es_is_there(const struct evs_es *s, const struct evs_json_tree *t,
                            const struct evs_json_node *doc, const struct evs_json_node **ret_src,
                            struct evs_err *err); /* *ret_src: its _source, or NULL */
/* One request for at most EVS_ES_MGET keys, answered in s->reply; *ret_status is 200 or 404. */
enum evs_rc evs_es_mget(struct evs_es *s, const char *path, const char *query,
                        const struct evs_row *const *keys, size_t n, long *ret_status,
                        struct evs_err *err);
/* Of a document of the answer to mget: an error in its place, but that there is no index. */
enum evs_rc evs_es_doc_failed(const struct evs_json_tree *t, const struct evs_json_node *doc,
                              struct evs_err *err);
enum evs_rc evs_es_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_es_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                        struct evs_err *err);

/* search_tombs.c */
enum evs_rc evs_es_tombs_find(struct evs_es *s, struct evs_err *err);
/* The tombstones of a batch's deletions. */
enum evs_rc evs_es_tombs_put(struct evs_es *s, const struct evs_sink_batch *b, struct evs_err *err);
/* versions[i]: of a tombstone that rows[i] does not get over; else it is left as it is. */
enum evs_rc evs_es_tombs_look(struct evs_es *s, const struct evs_row *rows, size_t n,
                              int64_t *versions, struct evs_err *err);
/* The rows' tombstones once more, and what they say done. */
enum evs_rc evs_es_tombs_mend(struct evs_es *s, const struct evs_row *rows, size_t n,
                              struct evs_sink_done *d, struct evs_err *err);
/* Tombstones of these keys as deleted rows. */
enum evs_rc evs_es_tombs_give(struct evs_es *s, const struct evs_row *const *keys, size_t n,
                              evs_sink_found *found, void *ctx, struct evs_err *err);
/* Removes the tombstones of this index's name but those of `keep`, an index; NULL: all. */
enum evs_rc evs_es_tombs_drop(struct evs_es *s, const char *name, const struct evs_es_index *keep,
                              struct evs_err *err);
char *evs_es_tombs_name(const struct evs_es_index *i);
/* The highest version, and the word of it. */
enum evs_rc evs_es_newest(struct evs_es *s, const char *tombs, int64_t *ret_version,
                          struct evs_err *err);
enum evs_rc evs_es_set_newest(struct evs_es *s, const char *tombs, int64_t version,
                              struct evs_err *err);

/* search_swap.c */
enum evs_rc evs_es_swap(struct evs_sink *sink, const char *target, struct evs_err *err);

#endif
