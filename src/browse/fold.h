/* fold.h - the state of one entity after each of its events, and what a step changed.
 *
 * Rules: `last` the value as it is; `merge` the value as a JSON merge patch; `map` a jq program
 * over {"state","event"} whose result is the new state; `none` no state. A tombstone always leaves
 * no state. An event that cannot be folded (not JSON) leaves the state as it was and says why.
 *
 * Units    none.   Threads  none: owned by its user.   Owns  the state.
 * Errors   EVS_POISON: this event cannot be folded, the state stands.
 * Cost     O(size of value and state) a step; jq about 10 us.
 * Source   RFC 7386 (merge patch), RFC 6901 (pointers in differences).
 */
#ifndef EVS_BROWSE_FOLD_H
#define EVS_BROWSE_FOLD_H

#include "core/err.h"
#include "core/event.h"
#include "core/json.h"

enum evs_fold_rule { EVS_FOLD_LAST, EVS_FOLD_MERGE, EVS_FOLD_MAP, EVS_FOLD_NONE, EVS_FOLD_RULES };
const char *evs_fold_rule_name(enum evs_fold_rule rule); /* "last", "merge", "map", "none" */

struct evs_fold;
/* map: the jq program of EVS_FOLD_MAP, else NULL. */
enum evs_rc evs_fold_new(enum evs_fold_rule rule, const char *map, struct evs_fold **ret_f,
                         struct evs_err *err) EVS_MUST_USE;
void evs_fold_free(struct evs_fold *f); /* NULL is fine */
enum evs_rc evs_fold_step(struct evs_fold *f, struct evs_event *ev,
                          struct evs_err *err) EVS_MUST_USE;
const struct evs_json *evs_fold_state(const struct evs_fold *f); /* NULL: nothing there */
/* Starts over from a state (taken; may be NULL). */
void evs_fold_reset(struct evs_fold *f, struct evs_json *state);

enum evs_change_op { EVS_CHANGE_ADD, EVS_CHANGE_REMOVE, EVS_CHANGE_REPLACE };
struct evs_change {
    enum evs_change_op op;
    char *path;           /* a JSON pointer; "" the whole */
    char *before, *after; /* compact JSON; NULL where there is none */
};
struct evs_changes {
    struct evs_change *list;
    size_t n;
};
/* What leads from before to after (either may be NULL: nothing there). */
void evs_changes_of(const struct evs_json *before, const struct evs_json *after,
                    struct evs_changes *ret_changes);
void evs_changes_done(struct evs_changes *c);
/* "2 chg", "1 new", "3 chg 1 new", "gone", "same"; n is the room in to. */
void evs_changes_word(const struct evs_changes *c, const struct evs_json *after, char *to,
                      size_t n);
const char *evs_change_op_name(enum evs_change_op op); /* "add", "remove", "replace" */

#endif
