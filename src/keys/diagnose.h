/* diagnose.h - why a topic's load is uneven, in words, with evidence and advice.
 *
 * Kinds: hot-key, few-keys, unlucky-hash, null-keys, mixed-partitioners, partition-count-changed,
 * split-keys, byte-skew, mutable-key, balanced. Most severe first. Records are never put to a
 * chi-square test; bad luck is told from a bad placement by throwing the observed weights again
 * (boot.h). What a handful of messages shows is information, never an alarm.
 *
 * Units    shares 0 to 1; records.   Threads  pure.   Owns  the report owns its texts.
 * Errors   none.   Cost  10 to 50 ms (the bootstrap), more for millions of keys.
 */
#ifndef EVS_KEYS_DIAGNOSE_H
#define EVS_KEYS_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/boot.h"
#include "keys/heat.h"
#include "keys/keyset.h"
#include "keys/placement.h"
#include "stats/skew.h"

enum evs_severity { EVS_SEV_INFO, EVS_SEV_WARN, EVS_SEV_CRITICAL };

/* One figure of the evidence; text != NULL is bytes, else integer says how `number` is written. */
struct evs_fact {
    const char *name;
    char *text;
    size_t text_len;
    double number;
    bool integer, null;
};

enum { EVS_FACTS = 12 };

struct evs_finding {
    const char *kind;
    enum evs_severity severity;
    char *text;   /* a sentence or two, already escaped */
    char *advice; /* what to do; NULL: nothing */
    struct evs_fact fact[EVS_FACTS];
    size_t n_facts;
    double weight; /* among findings of one severity */
    bool unjudged; /* nothing could be: neither good nor bad */
};

struct evs_report {
    struct evs_skew messages, bytes, keyed; /* keyed: records with a key only */
    double chi2, p_value; /* of distinct keys per partition; NAN where these are estimates */
    struct evs_placement placement;
    struct evs_boot boot; /* of the keyed records */
    struct evs_finding *finding;
    size_t n;
    struct evs_heat_grid grid; /* time x partition */
    struct evs_heat_pattern *pattern;
    size_t n_patterns;
    const struct evs_key_detail
        *hot[16]; /* the keys that hot-key names; borrowed from the keyset */
    size_t n_hot;
};

/* estimate: the figures come from a sample or from bounded mode, and the words say so. */
struct evs_report *evs_report_new(const struct evs_keyset *ks, int64_t now_ms, bool estimate);
void evs_report_free(struct evs_report *r); /* NULL is fine */
const char *evs_severity_name(enum evs_severity s);

/* What keys look like: "e-mail addresses", "phone numbers", "personal names"; NULL when not. Of n
 * keys with text, *ret_share look like it. */
const char *evs_keys_look(const struct evs_key_detail *keys, size_t n, double *ret_share);

#endif
