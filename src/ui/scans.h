/* scans.h - key scans that Keys, Heat and What-if look at together.
 *
 * A scan is started when a screen first opens a place, is shared by screens at the same place, and
 * ends when the last of them leaves. It resolves the range and reads on a task's thread; what it
 * knows comes as snapshots (keys/scan.h).
 *
 * Threads  UI thread.   Owns  the scans, by reference count.
 * Errors   kept: evs_ui_scan_error.   Cost  two reader threads while it runs.
 */
#ifndef EVS_UI_SCANS_H
#define EVS_UI_SCANS_H

#include <stdbool.h>
#include <stdint.h>

struct evs_place;
struct evs_progress;
struct evs_scan_sn;
struct evs_ui;
struct evs_ui_scan;

/* What it counts; another one reads anew, for all screens at the place. */
enum { EVS_UI_SCAN_FILTER = 1024, EVS_UI_SCAN_LIVE_MS = 5 * 60 * 1000 };
struct evs_ui_scan_how {
    char filter[EVS_UI_SCAN_FILTER]; /* search words (ui/search.h); "" all */
    bool uncommitted;
    bool live; /* goes on at the end, the last EVS_UI_SCAN_LIVE_MS apart, too */
};

/* at->topic is needed; partition, key and the window narrow it. */
struct evs_ui_scan *evs_ui_scan_open(struct evs_ui *ui, const struct evs_place *at);
void evs_ui_scan_close(struct evs_ui_scan *sc); /* NULL is fine */
/* What a screen holds of a scan; zeroed at first. */
struct evs_ui_scan_seen {
    struct evs_scan_sn *sn; /* a reference; NULL before there is one */
    unsigned epoch;
};
/* Takes a newer snapshot. true when there was one, or an error. */
bool evs_ui_scan_take(struct evs_ui_scan *sc, struct evs_ui_scan_seen *seen);
void evs_ui_scan_forget(struct evs_ui_scan_seen *seen);
/* Why it could not start or broke; NULL fine. */
const char *evs_ui_scan_error(const struct evs_ui_scan *sc);
bool evs_ui_scan_running(const struct evs_ui_scan *sc);
/* Esc: stands still with what it knows. false: nothing ran. */
bool evs_ui_scan_stop(struct evs_ui_scan *sc);
/* c: goes on; after a sample, reads all. false: there is nothing more to read. */
bool evs_ui_scan_continue(struct evs_ui_scan *sc);
bool evs_ui_scan_can_continue(const struct evs_ui_scan *sc);
const struct evs_ui_scan_how *evs_ui_scan_how(const struct evs_ui_scan *sc);
void evs_ui_scan_set(struct evs_ui_scan *sc, const struct evs_ui_scan_how *how);
/* Reads again, with details of so many keys. */
void evs_ui_scan_again(struct evs_ui_scan *sc);
void evs_ui_scan_progress(const struct evs_ui_scan *sc, struct evs_progress *p);
/* "all 36 h, read_committed": what is in force. */
void evs_ui_scan_scope(const struct evs_ui_scan *sc, const struct evs_scan_sn *sn, char *to,
                       unsigned size);

#endif
