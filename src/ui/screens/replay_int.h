/* replay_int.h - what the files of the Replay screen share.
 *
 * Threads  UI thread.   Owns  its texts; jobs belong to ui/replays.h.
 */
#ifndef EVS_UI_SCREENS_REPLAY_INT_H
#define EVS_UI_SCREENS_REPLAY_INT_H

#include "core/slot.h"
#include "kafka/range.h"
#include "ui/replays.h"
#include "ui/screen.h"
#include "ui/widgets/prompt.h"

enum replay_field {
    RF_FROM,
    RF_TO,
    RF_PARTITIONS,
    RF_FILTER,
    RF_MODE,
    RF_COLUMNS,
    RF_GROUP,
    RF_VALUE,
    RF_SINK,
    RF_TARGET,
    RF_SWAP,
    RF_ERROR,
    RF_RATE,
    RF_FIELDS
};

enum replay_step { STEP_FORM, STEP_DIFF, STEP_CONFIRM, STEP_RUN, STEP_VERIFY };

struct replay_field_row {
    const char *group, *name, *plan; /* plan: the name in the plan's messages */
    const char *choices;             /* "a|b": cycled by Left and Right; NULL: text */
    const char *hint;
};
extern const struct replay_field_row replay_fields[RF_FIELDS];

struct evs_task;

/* What the brokers said of the window. */
struct replay_window {
    struct evs_snap snap;
    struct evs_ranges *ranges; /* NULL: why not */
    struct evs_err err;
};

struct replay {
    struct evs_ui *ui;
    struct evs_edit edit[RF_FIELDS];
    int at;
    enum replay_step step;
    struct evs_plan plan;
    bool valid;
    struct evs_err problem;
    int wrong; /* the field it is about, -1 none */
    struct evs_ui_replay *diff, *run, *verify;
    size_t top; /* first example shown */
    struct evs_task *asking;
    struct replay_window *window; /* a reference; NULL: not known yet */
    char asked[3 * EVS_EDIT_CAP + 3];
};

void replay_draw(const struct evs_screen *s, struct evs_view *v);
/* The window's offsets (replay_window.c): asks once its texts rest, and takes the answer. */
void replay_window_ask(struct replay *r);
bool replay_window_take(struct replay *r);
void replay_window_forget(struct replay *r);
bool replay_window_says(const struct replay *r, enum replay_field f, char *to, size_t size);
bool replay_window_sum(const struct replay *r, char *to, size_t size);
void replay_bands(const struct evs_screen *s, struct evs_bands *b);

#endif
