/* lag_words.h - how the three lag screens say the same things.
 *
 * Threads  UI thread.   Owns  nothing.   Errors  none.   Cost  small.
 */
#ifndef EVS_UI_SCREENS_LAG_WORDS_H
#define EVS_UI_SCREENS_LAG_WORDS_H

#include "lag/model.h"
#include "lag/poller.h"
#include "ui/screen.h"
#include "ui/theme.h"
#include "ui/widgets/table.h"

enum evs_role lag_role(enum evs_lag_status s);
const char *lag_state(const struct evs_lag_group_row *g); /* "Stable", "?" */
void lag_age_field(const struct evs_lag_time *a, int64_t lag, struct evs_field *f);
void lag_eta_field(const struct evs_lag_eta *eta, struct evs_field *f);
void lag_rate_field(const struct evs_ui *ui, double v, struct evs_field *f);
/* "12 +1,451 open" where the two ends differ. */
void lag_count_field(const struct evs_ui *ui, int64_t lag, int64_t open, bool stable,
                     struct evs_field *f);
/* How TIME LAG of a is known: "read from the record", "between 1 m and 5 m", ... */
void lag_method_words(const struct evs_lag_time *a, char *to, size_t size);
/* "every 5 s · high watermark (i)", or paused, or the error. */
void lag_force_words(const struct evs_lag_poller_state *st, bool stable, char *to, size_t size);
/* The error of the last refresh, when there is one: in the status line, with what is old. */
bool lag_stale_bands(const struct evs_ui *ui, const struct evs_lag_sn *sn,
                     const struct evs_lag_poller_state *st, struct evs_bands *b);
/* p + - i C-r of all lag screens. */
enum evs_handled lag_command(struct evs_ui *ui, enum evs_command c);
/* Whether these would do something: not without a cluster. true for all other commands. */
bool lag_can(struct evs_ui *ui, enum evs_command c);
/* A place that holds what the row's group has not read. */
void lag_place(const struct evs_lag_row *r, const char *group, struct evs_place *to);
uint64_t lag_id(const char *text);

#endif
