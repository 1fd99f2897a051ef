/* finding.h - how the rules of diagnose.c write their findings: texts and facts. Private to keys/.
 *
 * Threads  none.   Owns  what is added belongs to the report.   Errors  none.
 */
#ifndef EVS_KEYS_FINDING_H
#define EVS_KEYS_FINDING_H

#include "core/buf.h"
#include "core/num.h"
#include "keys/diagnose.h"

struct diag {
    const struct evs_keyset *ks;
    struct evs_report *r;
    int64_t now_ms;
    bool estimate, little;     /* little: too few messages for an alarm */
    double ratio, keys, keyed; /* max / mean of the messages; distinct keys; records with a key */
    struct evs_buf text;
};

/* Valid until the next finding_add. */
struct evs_finding *finding_add(struct diag *d, const char *kind, enum evs_severity severity);
bool finding_has(const struct diag *d, const char *kind);
struct evs_buf *finding_text(struct diag *d);
/* Takes the text written so far and the advice (owned, may be NULL). */
void finding_close(struct diag *d, struct evs_finding *f, char *advice);
/* The key, escaped, cut to cols columns. */
void finding_key(struct evs_buf *to, const struct evs_key_detail *k, size_t cols);

void fact_num(struct evs_finding *f, const char *name, double v); /* NAN writes null */
void fact_int(struct evs_finding *f, const char *name, double v);
void fact_str(struct evs_finding *f, const char *name, const char *s);
void fact_key(struct evs_finding *f, const char *name, const struct evs_key_detail *k);
int placement_index(const struct evs_partitioner *p);

/* Skew, luck and placement, in diagnose_figures.c. */
void evs_report_figures(struct evs_report *r, const struct evs_keyset *ks);

/* The rules about placement, in diagnose_place.c. */
void find_mixed(struct diag *d);
void find_grown(struct diag *d);
void find_split(struct diag *d);

#endif
