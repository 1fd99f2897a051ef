/* print.h - a scan's snapshot as the JSON document of `eventscope keys`, and in words.
 *
 * Threads  pure.   Owns  nothing.   Errors  the buffer's cap.   Cost  O(partitions + keys printed).
 * Source   contract: keys; screens 3.0.
 */
#ifndef EVS_KEYS_PRINT_H
#define EVS_KEYS_PRINT_H

#include <stddef.h>

#include "core/buf.h"
#include "keys/scan.h"

/* top: how many hot keys. */
/* Sentences and figures for people, without the tables; texts are escaped. */
void evs_scan_summary(struct evs_buf *out, const struct evs_scan_sn *sn);

struct evs_jsonw;
/* {"what_if":[...],"what_if_advice"} */
void evs_whatifs_json(struct evs_buf *out, const struct evs_whatifs *all);

struct evs_slices;
/* {"topic","partitions","heat":{...},"lookups","requests","seconds"} */
void evs_slices_json(struct evs_buf *out, const struct evs_slices *s);
void evs_heat_patterns_json(struct evs_jsonw *w, const struct evs_heat_pattern *p, size_t n);
void evs_scan_json(struct evs_buf *out, const struct evs_scan_sn *sn, size_t top);

#endif
