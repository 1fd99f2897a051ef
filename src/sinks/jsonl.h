/* jsonl.h - what the files of the JSON lines sink share.
 *
 * The file grows by a line a row; PATH.checkpoint (written aside, synced, renamed, its folder
 * synced) says how long the file is that belongs to it. A start cuts the file to that length: what
 * a killed run had written further is read again. latest, count and sum append the new state of a
 * key; when a run is done the file is written anew with one line a key, and PATH.deleted keeps the
 * last event of keys that a tombstone took away.
 *
 * Threads  one.   Owns  descriptors; the lock of an open file description on the file.
 * Errors   EVS_FATAL (errno): the file is cut back to what was committed.
 * Cost     an index of the keys in memory (latest, count, sum), a bit an offset (log).
 */
#ifndef EVS_SINKS_JSONL_H
#define EVS_SINKS_JSONL_H

#include "core/buf.h"
#include "core/json.h"
#include "core/jsonw.h"
#include "core/map.h"
#include "sinks/decimal.h"
#include "sinks/sink.h"

enum { EVS_JSONL_LINE_CAP = 1 << 30 };

struct evs_jsonl_entry {
    int64_t at; /* of its line in the file; -1: only in PATH.deleted */
    size_t len;
    int64_t offset, ts_ms, count;
    int32_t partition;
    bool deleted;
    struct evs_decimal *sum;
};

struct evs_jsonl_bits { /* offsets that a partition's log has */
    int64_t base;
    uint64_t *words;
    size_t n;
};

struct evs_jsonl {
    struct evs_sink base;
    char *path, *ckpt_path, *deleted_path;
    char *id, *plan_hash;
    struct evs_shape view;
    bool write, fresh;
    int fd;
    int64_t length; /* committed */
    struct evs_ckpt ckpt;
    struct evs_map index; /* key to entry; log: partition's number to bits */
    size_t stale;         /* lines that are not the last of their key */
    struct evs_buf out;
};

/* jsonl_index.c */
enum evs_rc evs_jsonl_index(struct evs_jsonl *s, int64_t length, struct evs_err *err);
void evs_jsonl_index_done(struct evs_jsonl *s);
bool evs_jsonl_log_has(struct evs_jsonl *s, int32_t partition, int64_t offset, bool set);
enum evs_rc evs_jsonl_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err);
enum evs_rc evs_jsonl_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err);
/* Writes the file anew with one line a key. */
enum evs_rc evs_jsonl_compact(struct evs_jsonl *s, struct evs_err *err);

/* jsonl_line.c: a row as a line, its newline included. count and sum are the totals. */
void evs_jsonl_line(const struct evs_shape *v, const struct evs_row *r, struct evs_buf *out);

/* One line back into a row that borrows the reader until the next line. */
struct evs_jsonl_reader {
    struct evs_row row;
    struct evs_row_cell *cells;
    struct evs_json_tree tree;
    struct evs_buf key, value, text;
};
void evs_jsonl_reader_init(struct evs_jsonl_reader *l, const struct evs_shape *v);
void evs_jsonl_reader_done(struct evs_jsonl_reader *l);
enum evs_rc evs_jsonl_parse(struct evs_jsonl_reader *l, const struct evs_shape *v, const char *p,
                            size_t n, struct evs_err *err);

/* jsonl_ckpt.c */
enum evs_rc evs_jsonl_ckpt_read(struct evs_jsonl *s, struct evs_ckpt *ret_c, int64_t *ret_length,
                                struct evs_err *err);
enum evs_rc evs_jsonl_ckpt_write(struct evs_jsonl *s, const struct evs_ckpt *c, int64_t length,
                                 struct evs_err *err);
/* Writes text to path so that after a crash there is the old or the new file. */
enum evs_rc evs_jsonl_replace(const char *path, const void *p, size_t n, struct evs_err *err);
enum evs_rc evs_jsonl_write(int fd, const char *path, const void *p, size_t n, struct evs_err *err);
/* The partitions as members of an open object, and back. */
void evs_jsonl_parts_write(struct evs_jsonw *w, const struct evs_ckpt_part *parts, size_t n);
void evs_jsonl_parts_read(const struct evs_json *j, struct evs_ckpt *c);
int64_t evs_jsonl_number(const struct evs_json *j, const char *name);
void evs_jsonl_text(const struct evs_json *j, const char *name, char **member);
enum evs_rc evs_jsonl_sync_folder(const char *path, struct evs_err *err);

#endif
