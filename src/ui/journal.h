/* journal.h - scans and searches of this session, for Jobs: what ran, how far it came.
 *
 * Whoever runs one begins an entry and says what became of it; entries are kept by number, the
 * oldest go first.
 *
 * Units    share 0..1; records per second; epoch milliseconds.   Threads  UI thread.
 * Owns     its entries.   Errors  none.   Cost  O(EVS_JOURNAL).
 */
#ifndef EVS_UI_JOURNAL_H
#define EVS_UI_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/place.h"

enum { EVS_JOURNAL = 64 };

struct evs_journal_entry {
    uint64_t number;
    char id[32];        /* "keys-3" */
    const char *kind;   /* "scan", "search" */
    const char *screen; /* shows it */
    const char *state;  /* "running", "partial", "done", "failed" */
    struct evs_place at;
    double share, rate; /* rate 0: not known */
    int64_t started_ms;
};

/* Answers the entry's number. screen and kind are literals. */
uint64_t evs_journal_begin(const char *kind, const char *screen, const struct evs_place *at,
                           int64_t now_ms);
/* share < 0: as it was. An entry that is gone is nothing. */
void evs_journal_say(uint64_t number, const char *state, double share, double rate);
/* Its screen was left: what still ran is partial. */
void evs_journal_left(uint64_t number);
size_t evs_journal_count(void);
const struct evs_journal_entry *evs_journal_at(size_t i); /* newest first */
bool evs_journal_running(const struct evs_journal_entry *e);

#endif
