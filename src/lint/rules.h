/* rules.h - the rules themselves, for rule.c.
 *
 * Threads, ownership, errors: rule.h.
 */
#ifndef EVS_LINT_RULES_H
#define EVS_LINT_RULES_H

#include "lint/rule.h"

extern const struct evs_lint_rule evs_lint_mutable_key, evs_lint_split_key,
    evs_lint_mixed_partitioners, evs_lint_global_order, evs_lint_no_key, evs_lint_hot_key,
    evs_lint_topic_name, evs_lint_timestamp, evs_lint_duplicate, evs_lint_auto_commit,
    evs_lint_schema_drift, evs_lint_oversized, evs_lint_tombstone, evs_lint_replication;

#endif
