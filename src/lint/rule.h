/* rule.h - the rules of lint: one const struct a rule, one file each, listed in rule.c.
 *
 * A run opens each rule's state for each topic, shows it the sampled records (first the oldest
 * window of every partition, then the newest; all records with --full), and lets it judge. A rule
 * adds findings; it never talks to the cluster, except in `begin`, once a run.
 *
 * Units    records, bytes, epoch ms.   Threads  the run's own.   Owns  a rule owns its state.
 * Errors   none: what cannot be judged is not found; `begin` says why a rule is left out.
 * Cost     O(1) a record and rule, memory bounded by the caps below.
 */
#ifndef EVS_LINT_RULE_H
#define EVS_LINT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/event.h"
#include "core/json.h"
#include "core/jsonw.h"
#include "keys/diagnose.h"

struct evs_client;
struct evs_stop;
struct evs_meta;
struct evs_meta_topic;
struct evs_topic_config;

enum { EVS_LINT_MAP_CAP = 1 << 20 }; /* entries that a rule remembers of one topic */

/* What is known of a topic. */
struct evs_lint_topic {
    const char *name;
    const struct evs_meta *meta; /* all topics */
    const struct evs_meta_topic *self;
    const struct evs_topic_config *config; /* NULL: not known */
    int64_t messages;                      /* high - low */
    int64_t seen;                          /* records shown to the rules */
    bool whole;                            /* that were all */
    double rate;                           /* records a second in the newest window, -1 unknown */
    int64_t now_ms;
    const struct evs_keyset *keys; /* after the records */
    const struct evs_report *report;
};

/* One record. */
struct evs_lint_event {
    struct evs_event *ev;
    const struct evs_json_tree *json; /* NULL: no JSON value */
    const char *kind;                 /* what the record says it is; "" */
    bool older;                       /* from the oldest window */
    bool first;                       /* the first of its partition's window */
};

struct evs_lint_finding {
    const char *rule; /* static */
    enum evs_severity severity;
    char *topic;
    int32_t partition; /* -1: of the topic */
    char *text, *evidence /* a JSON object */, *advice;
};

/* Where findings go: text and advice first, then evidence through the writer, then evs_lint_close.
 * */
struct evs_lint_out {
    const struct evs_lint_topic *topic;
    const char *rule;
    struct evs_lint_finding *list;
    size_t n;
    struct evs_buf evidence;
    struct evs_jsonw w; /* inside the evidence object */
};
/* Opens a finding; text is plain or already escaped. */
struct evs_jsonw *evs_lint_add(struct evs_lint_out *out, enum evs_severity severity,
                               int32_t partition, const char *fmt, ...) EVS_PRINTF(4, 5);
/* Ends it. Advice in at most two sentences. */
void evs_lint_close(struct evs_lint_out *out, const char *fmt, ...) EVS_PRINTF(2, 3);
/* Takes over a finding of the key analysis as it is, if there is one of that kind. */
void evs_lint_from_report(struct evs_lint_out *out, const char *kind);
/* "topic", "partition", "offset" of a record, as an object of this name. */
void evs_lint_place(struct evs_jsonw *w, const char *name, int32_t partition, int64_t offset);

/* The record that a finding's evidence names, if it does: to be opened. */
bool evs_lint_record(const struct evs_lint_finding *f, int32_t *ret_partition, int64_t *ret_offset);
/* "p3 @1,234" for an object of the evidence that is such a place; false when it is none. */
bool evs_lint_place_words(const struct evs_json_tree *t, const struct evs_json_node *node, char *to,
                          size_t size);

struct evs_lint_rule {
    const char *name, *help;
    bool records;  /* needs records */
    bool settings; /* needs the topic's settings; silent about a topic without them */
    /* Once a run; *ret_shared goes to open. NULL: nothing to begin. EVS_EOF: not possible here, the
     * message says why. */
    enum evs_rc (*begin)(struct evs_client *c, struct evs_stop *stop, void **ret_shared,
                         struct evs_err *err);
    void (*end)(void *shared);
    void *(*open)(const struct evs_lint_topic *t, void *shared); /* NULL: no state */
    void (*event)(void *state, const struct evs_lint_event *e);
    void (*judge)(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out);
    void (*close)(void *state);
};

extern const struct evs_lint_rule *const evs_lint_rules[]; /* NULL-terminated */
const struct evs_lint_rule *evs_lint_find(const char *name);

/* The top-level member that looks like an entity's id ("orderId", "customer_id", "sku", ...), not
 * the record's own (eventId, traceId): the i-th; NULL past the end. Sets its name, borrowed,
 * quoted. */
const struct evs_json_node *evs_lint_id(const struct evs_json_tree *t, size_t i);

#endif
