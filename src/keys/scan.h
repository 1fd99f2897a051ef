/* scan.h - reads ranges of a topic into key tables and publishes what they say.
 *
 * Each reader worker owns one table. A thread of the scan asks for a snapshot now and then: the
 * workers hand their tables over a queue, it builds the key set and the report, and hands them
 * back. The last snapshot is made when all has been read, or when the scan was stopped; then it is
 * what was known.
 *
 * Units    records, bytes, ms.
 * Threads  start, stop, wait and free from one thread; the slot from any.
 * Owns     client and ranges are borrowed until free; the filter is cloned.
 * Errors   those of kafka/reader.h; a partition that cannot be read is named in the snapshot and
 *          the rest
 *          goes on.
 * Cost     memory: opts.memory for tables and analyses, besides the reader's queues.
 */
#ifndef EVS_KEYS_SCAN_H
#define EVS_KEYS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slot.h"
#include "keys/diagnose.h"
#include "keys/keyset.h"
#include "keys/whatif.h"

struct evs_client;
struct evs_fields_advice;
struct evs_filter;
struct evs_ranges;
struct evs_windows_part;

struct evs_scan_opts {
    size_t memory_bytes;        /* 0: EVS_SCAN_MEMORY */
    size_t details;             /* keys with details */
    int64_t limit;              /* stop after so many kept records; 0: none */
    int64_t snapshot_ms;        /* between snapshots; 0: only the last */
    double sample;              /* fraction to read in windows; 0 or 1: all */
    int workers;                /* 0: the reader's choice */
    double target;              /* of the what-if; 0: EVS_WHATIF_TARGET */
    const char *const *what_if; /* extra strategies, borrowed until free */
    size_t n_what_if;
    int64_t window_ms;               /* also count what is younger than this on its own; 0: not */
    bool fields;                     /* judge the fields of JSON values as keys */
    const struct evs_filter *filter; /* NULL keeps all */
};
#define EVS_SCAN_SAMPLE 400000 /* records that a quick sample reads */
#define EVS_SCAN_MEMORY ((size_t)256 << 20)

enum evs_scan_state { EVS_SCAN_RUNNING, EVS_SCAN_DONE, EVS_SCAN_STOPPED };

struct evs_scan_sn {
    struct evs_snap snap;
    char *topic;
    enum evs_scan_state state;
    bool sample;    /* from windows, with intervals */
    bool complete;  /* every record of the ranges was seen */
    double covered; /* share of the ranges' offsets passed */
    int64_t span, elapsed_us, now_ms;
    int32_t wanted, troubled;         /* partitions in the ranges; of them not read to the end */
    bool *asked;                      /* per partition: among the ranges */
    char **error;                     /* per partition, NULL where fine */
    size_t memory_bytes;              /* the cap */
    struct evs_windows_part *windows; /* of a sample, per partition; else NULL */
    double distinct;                  /* estimate of all distinct keys of a sample */
    struct evs_keyset *ks;
    struct evs_report *report;
    struct evs_keyset *recent; /* of the last window_ms (at least half, by rotation); NULL: none */
    struct evs_report *recent_report;
    struct evs_fields_advice *fields; /* NULL: not asked for, or still running */
    struct evs_whatifs *what_if;      /* NULL while running */
};

struct evs_scan;
enum evs_rc evs_scan_start(struct evs_client *c, const struct evs_ranges *ranges,
                           const struct evs_scan_opts *opts, struct evs_slot *slot,
                           struct evs_scan **ret_scan, struct evs_err *err) EVS_MUST_USE;
/* Stands still, or goes on: a snapshot in state EVS_SCAN_STOPPED says what is known. Any thread. */
void evs_scan_pause(struct evs_scan *s, bool on);
void evs_scan_stop(struct evs_scan *s); /* returns at once; the last snapshot follows */
/* EVS_EOF when the last snapshot was published, EVS_AGAIN after wait_ms, else why the scan failed.
 * */
enum evs_rc evs_scan_wait(struct evs_scan *s, int64_t wait_ms, struct evs_err *err) EVS_MUST_USE;
void evs_scan_free(struct evs_scan *s); /* stops it; NULL is fine */

struct evs_scan_progress {
    int64_t records, bytes, passed, span;
    int64_t elapsed_us;
};
void evs_scan_progress(const struct evs_scan *s, struct evs_scan_progress *ret_p);

#endif
