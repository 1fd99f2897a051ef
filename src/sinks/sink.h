/* sink.h - where replayed rows go: the registry, and what every target can do.
 *
 * The sink owns the truth. One atomic write holds the rows of a batch, the new checkpoint and the
 * check of the epoch: position = f(sink's state), never a commit elsewhere. Opening bumps the
 * epoch, which fences an older process with the same id; where the store can tell that the older
 * one lives, the newer is refused instead. Values are always bound or encoded, never pasted into
 * SQL, RESP or JSON.
 *
 * Calls of one sink in order: open; info, load, get, scan (these write nothing); prepare, claim;
 * apply and beat as often as wanted; finish; close. check may be called at any time from any
 * thread.
 *
 * Errors   EVS_RETRY: nothing or everything was written, the connection is made anew by the next
 *          call (load tells which); EVS_POISON: nothing was written, err->row is the row that
 *          cannot pass; EVS_FATAL: nothing was written and nothing more will be; EVS_INVALID: URL
 *          or target is wrong.
 * Threads  one calls (but check); may block timeout_ms per request.
 * Owns     rows are borrowed for the call.   Cost  apply is one transaction.
 * Source   research/performance-reliability 5; KIP-98, KIP-447 (transactions).
 */
#ifndef EVS_SINKS_SINK_H
#define EVS_SINKS_SINK_H

#include "core/err.h"
#include "core/thread.h"
#include "sinks/row.h"

struct evs_client_conf;

enum {
    EVS_SINK_TXN = 1,     /* rows and checkpoint in one atomic write */
    EVS_SINK_CKPT = 2,    /* keeps a checkpoint at all: --resume works */
    EVS_SINK_READ = 4,    /* get and scan: --diff and --verify work */
    EVS_SINK_SWAP = 8,    /* --swap works */
    EVS_SINK_TARGET = 16, /* needs --target */
    EVS_SINK_SORTED = 32, /* likes rows sorted by key */
    EVS_SINK_ONCE = 64,   /* apply may be repeated without harm although not TXN */
    EVS_SINK_RANK = 128   /* tells older from newer by a row's rank */
};

struct evs_sink_spec {
    const char *url;
    const struct evs_shape *view;
    const char *id, *plan_hash;
    bool write;     /* false: open read-only, create nothing, not even a file */
    bool fresh;     /* a swap builds the target: a claim that does not resume empties it */
    bool take_over; /* a claim does not ask whether the one before lives: the epoch fences it */
    int64_t timeout_ms;
    const struct evs_client_conf *cluster; /* the source's: for a topic of the same cluster */
    struct evs_stop *stop;                 /* raised: give up waiting */
    void (*waiting)(void *ctx); /* about 4 a second while a request takes long; or NULL */
    void *ctx;
};

struct evs_sink_info {
    char text[160]; /* "PostgreSQL 15.8" */
    bool exists;    /* the target */
    int64_t rows;   /* in the target; -1 unknown */
};

struct evs_sink_batch {
    const struct evs_row *rows;
    size_t n;
    struct evs_ckpt_part *parts; /* what the checkpoint becomes; apply adds the rows it wrote to */
    size_t n_parts;              /* the first one's WRITTEN and DELETED. Never 0 */
};

struct evs_sink_done {
    int64_t written, deleted, left; /* left: the sink held something newer */
};

enum {
    EVS_SINK_ALL_VIEWS =
        1 << EVS_VIEW_LATEST | 1 << EVS_VIEW_LOG | 1 << EVS_VIEW_COUNT | 1 << EVS_VIEW_SUM
};

enum evs_claim {
    EVS_CLAIM_NEW,    /* there was none, or it was done: begin with these partitions */
    EVS_CLAIM_RESUME, /* go on from what the sink has */
    EVS_CLAIM_RESTART /* forget it, empty what count and sum had counted */
};

struct evs_sink;
/* false ends the reading. The row is borrowed for the call. */
typedef bool evs_sink_found(void *ctx, const struct evs_row *row);

/* column: the view's, or -1 for the value. The text is borrowed for the call. */
typedef void evs_sink_spelled(void *ctx, size_t row, int column, const char *text, size_t len);

struct evs_sink_ops {
    const char *name, *help, *url; /* "sqlite"; one line; "sqlite:PATH" */
    const char *schemes;           /* "postgresql:|postgres:" */
    unsigned caps;
    size_t rows_max;   /* most rows it likes in one transaction; 0: no opinion */
    unsigned shared;   /* views (bits 1 << mode) that jobs of several ids may write at once */
    const char *alone; /* why the others may not */
    size_t rows_min;   /* fewer are not worth one while there are more to come; 0: no opinion */
    enum evs_rc (*open)(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                        struct evs_err *err);
    /* Whether this row could ever be stored: EVS_OK or EVS_POISON. After claim, from any thread,
     * changes nothing. NULL: always. */
    enum evs_rc (*check)(struct evs_sink *s, const struct evs_row *row, struct evs_err *err);
    /* Whether these rows would be taken, asked without writing: EVS_OK or EVS_POISON. From then on
     * (n may be 0) check may be called without a claim. NULL: cannot tell more than check. */
    enum evs_rc (*try_rows)(struct evs_sink *s, const struct evs_row *rows, size_t n,
                            struct evs_err *err);
    /* How values would read once stored, where that is not as they are written: a time of another
     * form, a rounded number. What would be refused is not told. NULL: always as written. */
    enum evs_rc (*spell)(struct evs_sink *s, const struct evs_row *rows, size_t n,
                         evs_sink_spelled *told, void *ctx, struct evs_err *err);
    enum evs_rc (*info)(struct evs_sink *s, struct evs_sink_info *ret_i, struct evs_err *err);
    /* Makes what is missing: tables, index, file. NULL: nothing to make. */
    enum evs_rc (*prepare)(struct evs_sink *s, struct evs_err *err);
    enum evs_rc (*load)(struct evs_sink *s, struct evs_ckpt *ret_c, struct evs_err *err);
    /* Takes the job: c holds the partitions to begin with, and afterwards what the sink holds; a
     * claim that resumes adds those of c that the sink does not know. */
    enum evs_rc (*claim)(struct evs_sink *s, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err);
    enum evs_rc (*apply)(struct evs_sink *s, struct evs_sink_batch *b, struct evs_sink_done *ret_d,
                         struct evs_err *err);
    enum evs_rc (*beat)(struct evs_sink *s, struct evs_err *err); /* am I still the one? */
    enum evs_rc (*finish)(struct evs_sink *s, const char *state, struct evs_err *err);
    /* The rows of these keys; keys not found are not called, but where the sink knows of a
     * deletion it may give that, as a deleted row. Without EVS_SINK_READ: NULL. */
    enum evs_rc (*get)(struct evs_sink *s, const struct evs_row *keys, size_t n,
                       evs_sink_found *found, void *ctx, struct evs_err *err);
    enum evs_rc (*scan)(struct evs_sink *s, evs_sink_found *found, void *ctx, struct evs_err *err);
    /* Renames what was built to `target` in one step, the old one to target__old, and sets done. */
    enum evs_rc (*swap)(struct evs_sink *s, const char *target, struct evs_err *err);
    void (*close)(struct evs_sink *s); /* never flushes */
};

struct evs_sink {
    const struct evs_sink_ops *ops;
};

extern const struct evs_sink_ops *const evs_sinks[]; /* NULL-terminated */
/* What this build lacks and why: pairs of name and reason, NULL-terminated. */
extern const char *const evs_sinks_missing[];

/* The sink of a URL: EVS_INVALID names the nearest or says which library is missing. */
enum evs_rc evs_sink_find(const char *url, const struct evs_sink_ops **ret_ops,
                          struct evs_err *err) EVS_MUST_USE;
/* What follows the scheme and its colon. */
const char *evs_sink_rest(const char *url);
/* A copy without user's password: for every text. The caller frees. */
char *evs_sink_mask(const char *url) EVS_MUST_USE;
/* The same with the passwords left out: to keep, and to tell sinks apart by. */
char *evs_sink_plain(const char *url) EVS_MUST_USE;
const char *evs_sink_guarantee(const struct evs_sink_ops *ops); /* "exactly-once", ... */
enum evs_rc evs_sink_open(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                          struct evs_err *err) EVS_MUST_USE;
void evs_sink_close(struct evs_sink *s); /* NULL is fine */

/* For sinks: the words of a refusal. */
enum evs_rc evs_sink_fenced(struct evs_err *err, const char *id);
enum evs_rc evs_sink_alive(struct evs_err *err, const char *id);
/* The beat of a sink whose load tells the epoch: still ours, or EVS_FATAL. */
enum evs_rc evs_sink_beat(struct evs_sink *s, int64_t epoch, const char *id, struct evs_err *err);
/* The checkpoint once this batch is in: now with the batch's partitions and what was done. */
void evs_sink_next(const struct evs_ckpt *now, const struct evs_sink_batch *b,
                   const struct evs_sink_done *d, struct evs_ckpt *ret_next);
/* A name fit to be an identifier: not empty, no NUL, at most max bytes. */
enum evs_rc evs_sink_check_name(const char *what, const char *name, size_t max,
                                struct evs_err *err) EVS_MUST_USE;
/* A column type: words, digits, brackets and commas only. */
enum evs_rc evs_sink_check_type(const char *name, const char *type,
                                struct evs_err *err) EVS_MUST_USE;

#endif
