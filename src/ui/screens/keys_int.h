/* keys_int.h - what keys.c and keys_draw.c share; nobody else includes it.
 *
 * Threads  UI thread.   Owns  the state: tables, a reference to the scan and to its snapshot.
 * Errors   none.
 */
#ifndef EVS_UI_SCREENS_KEYS_INT_H
#define EVS_UI_SCREENS_KEYS_INT_H

#include "keys/scan.h"
#include "ui/scans.h"
#include "ui/screen.h"
#include "ui/widgets/table.h"

struct keys {
    struct evs_ui *ui;
    struct evs_ui_scan *scan;
    struct evs_ui_scan_seen seen;
    struct evs_table parts, hot;
    bool right, bytes; /* focus; unit */
    size_t top;        /* keys shown */
    size_t finding;    /* first finding shown */
    int32_t only;      /* hot keys of this partition; -1 all */
};

double evs_keys_load(const struct keys *k, size_t p);
const struct evs_key_detail *evs_keys_row(const struct keys *k, size_t row);
const struct evs_key_detail *evs_keys_selected(const struct keys *k); /* or NULL */
enum { KEYS_BAR = 2, KEYS_DISTINCT = 4 }; /* columns whose headings tell more than their name */
const char *evs_keys_heading(const void *ctx, int col);
void evs_keys_draw(const struct evs_screen *s, struct evs_view *v);
void evs_keys_bands(const struct evs_screen *s, struct evs_bands *b);
/* keys_scope.c: what is counted. */
void evs_keys_remember(const struct evs_screen *s);
enum evs_handled evs_keys_scope(struct evs_screen *s, enum evs_command c);
void evs_keys_scope_options(const struct keys *k, struct evs_buf *out);
bool evs_keys_recent(const struct keys *k, struct evs_view *v, int row); /* false: not live */
/* A finding as it opens a screen: mark and text; returns rows used. */
int evs_finding_draw(struct evs_view *v, int row, int max_rows, const struct evs_finding *f);

#endif
