/* screen.h - a screen is one const struct of functions; the stack, bands and keys are common.
 *
 * A screen in ten lines:
 *  1. src/ui/screens/NAME.c with `const struct evs_screen_ops evs_screen_NAME = {...}`; one line in
 *     ui/Makefile.inc, one row in ui/screens.def (number key, palette word): that is the
 *     registration.
 *  2. State: a struct of yours, state_size bytes of it come zeroed in s->state. Data: snapshots
 *     from slots.
 *  3. enter() looks at s->at (topic, partition, key ...), starts pollers or tasks (ui/task.h) with
 *     evs_ui_wake(s->ui), and must not wait. leave() stops and drops them.
 *  4. refresh() takes newer snapshots, calls evs_table_update, answers true when there is news.
 *  5. A list: evs_table_init in enter, evs_table_draw in draw, and table() returns the focused one:
 *     moving, sorting, filtering, marking, `yy`, & and ! then work by themselves. A text: likewise
 *     evs_pager.
 *  6. draw() draws the body only, from 1x1 on, and changes nothing. Roles, never colours.
 *  7. bands() says what is in breadcrumb and status; use the words of the mock-up.
 *  8. hints[] is the footer, most useful first; can() hides what would do nothing now. What a hint
 *     names must be done by command(), by the focused widget, or by the framework (place() feeds M
 *     K H W L x r).
 *  9. command() gets each action first: EVS_HANDLED, EVS_IGNORED (widget, then framework) or
 *     EVS_CLOSED.
 * 10. The contract test draws every registered screen at every size and presses every footer key.
 *
 * Threads  UI thread only: nothing here may wait for a network or a disk.
 * Owns     the stack owns screens, places and states.   Errors  enter's; shown in the status line.
 * Cost     draw within a frame: O(visible).
 */
#ifndef EVS_UI_SCREEN_H
#define EVS_UI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "ui/commands.h"
#include "ui/place.h"
#include "ui/theme.h"
#include "ui/view.h"

struct evs_ui;
struct evs_table;
struct evs_pager;

struct evs_screen {
    const struct evs_screen_ops *ops;
    struct evs_ui *ui;
    struct evs_place at; /* what it was opened at */
    void *state;         /* zeroed before enter */
    int rows, cols;      /* of the body */
    bool zoom;           /* the focused pane fills the body: `z`, for screens with panes */
};

enum evs_handled {
    EVS_IGNORED,
    EVS_HANDLED,
    EVS_CLOSED /* go back to the screen before */
};

/* One footer entry. word NULL: the command's own text. Ends with a row whose command is
 * EVS_CMD_NONE. */
struct evs_hint {
    enum evs_command command;
    const char *word;
    enum evs_command also; /* shown with it, "[ ]", or EVS_CMD_NONE */
};
#define EVS_HINT(cmd, word)                                                                        \
    {                                                                                              \
        EVS_CMD_##cmd, word, EVS_CMD_NONE                                                          \
    }
#define EVS_HINT2(cmd, other, word)                                                                \
    {                                                                                              \
        EVS_CMD_##cmd, word, EVS_CMD_##other                                                       \
    }
#define EVS_HINTS_END                                                                              \
    {                                                                                              \
        EVS_CMD_NONE, NULL, EVS_CMD_NONE                                                           \
    }

struct evs_meaning {
    const char *word,
        *text; /* for Help: what a mark, tag or word on this screen means; ends with NULL */
};

struct evs_progress {
    bool active;
    const char *what;    /* "search" */
    double share;        /* 0..1; negative: unknown */
    int64_t done, total; /* total 0: unknown */
    double rate;         /* per second; 0: not shown */
    double eta_s;        /* negative: unknown */
    char note[80];       /* "1,204 found" */
};

/* What a screen says in the bands. All texts may hold any bytes. */
struct evs_bands {
    char crumb[512];              /* after evs_bands_crumb; empty: the screen's title */
    char right[200];              /* in force: window, filter, refresh */
    char tag[16];                 /* status: "exact", "span", "~", "partial 30 %" */
    char left[400];               /* status: meaning of the focused figure */
    char value[200];              /* status, right: its exact value */
    enum evs_role role;           /* of left: STATUS, or WARN, BAD */
    bool live;                    /* rates or ages are on screen: the clock shows seconds */
    int64_t stale_since_ms;       /* data is old since; 0: fresh */
    struct evs_progress progress; /* active: the status line is the bar */
};
/* Joins the parts with the crumb glyph: evs_bands_crumb(b, "Topics", topic). */
#define evs_bands_crumb(b, ...) evs_bands_join(b, (const char *const[]){__VA_ARGS__, NULL})
void evs_bands_join(struct evs_bands *b, const char *const *parts);
/* Status from the focused column: tag, meaning, and the exact value of the cell with the row's name
 * (column name_col; -1: none). What the screen has set stays. */
void evs_bands_table(struct evs_bands *b, const struct evs_table *t, int name_col);
/* snprintf that may cut: bands are cut to the line anyway. */
void evs_bands_say(char *to, size_t size, const char *fmt, ...) EVS_PRINTF(3, 4);

struct evs_screen_ops {
    const char *name, *title; /* name is also the keymap section */
    const char *about;        /* one line for the palette */
    size_t state_size;
    bool reading;     /* the body is read, not marked: Space pages (see pager() too) */
    bool needs_topic; /* without s->at.topic it is not opened */
    bool offline;     /* works without a cluster */
    const struct evs_hint *hints;
    const struct evs_meaning *meanings; /* NULL: none */
    enum evs_rc (*enter)(struct evs_screen *s, struct evs_err *err);
    void (*resize)(struct evs_screen *s, int rows, int cols); /* before first draw, on change */
    bool (*refresh)(struct evs_screen *s);                    /* true: draw me */
    void (*draw)(const struct evs_screen *s, struct evs_view *v);
    void (*leave)(struct evs_screen *s); /* also after a failed enter */
    /* The rest may be NULL. */
    /* "Enter next  F1 help": the footer while letters are text; NULL: the hints. */
    const char *(*footer)(const struct evs_screen *s);
    void (*bands)(const struct evs_screen *s, struct evs_bands *b);
    enum evs_handled (*command)(struct evs_screen *s, enum evs_command c);
    /* Whether c would do something now (footer, palette). */
    bool (*can)(const struct evs_screen *s, enum evs_command c);
    struct evs_table *(*table)(struct evs_screen *s); /* focused, or NULL */
    struct evs_pager *(*pager)(struct evs_screen *s);
    /* Adds what is under the cursor to `to`, which holds s->at. */
    void (*place)(const struct evs_screen *s, struct evs_place *to);
    /* Text of `y` and then k v h o r b; 'y' is the cell, 'a' advice or findings where `y` acts at
     * once. */
    bool (*copy)(const struct evs_screen *s, char what, struct evs_buf *out);
    bool copy_at_once; /* `y` copies 'a' without a second key */
    /* The command that prints this screen, without "eventscope". */
    bool (*command_line)(const struct evs_screen *s, struct evs_buf *out);
    /* JSON lines of the marked or current record, or of all shown. */
    bool (*save)(const struct evs_screen *s, bool all, struct evs_buf *out);
    /* A line of the palette that only this screen knows; true: taken. */
    bool (*line)(struct evs_screen *s, const char *line);
    bool (*stop)(struct evs_screen *s); /* Esc: ends running work; false: nothing ran */
    bool (*sibling)(struct evs_screen *s, int step); /* [ and ]; changes s->at itself */
    bool (*key)(struct evs_screen *s, int key);      /* before the keymap: forms. true: taken */
    bool (*click)(struct evs_screen *s, int row, int col);  /* in the body; true: open */
    bool (*let_go)(struct evs_screen *s, int row, int col); /* the button, likewise: for drags */
};

/* The registry, in the order of the number keys (screens.def). */
extern const struct evs_screen_ops *const evs_screens[];
const struct evs_screen_ops *evs_screen_find(const char *name);
bool evs_screen_known(const char *name);

/* --- services for screens (app.c) ----------------------------------------------------------- */
struct evs_client;
struct evs_wake;

struct evs_client *evs_ui_client(struct evs_ui *ui);   /* NULL before there is a cluster */
const struct evs_wake *evs_ui_wake(struct evs_ui *ui); /* for slots, queues, pollers and tasks */
const struct evs_ui_opts *evs_ui_options(const struct evs_ui *ui);
int64_t evs_ui_now_ms(const struct evs_ui *ui); /* wall clock of this frame */
bool evs_ui_locked(const struct evs_ui *ui);    /* no write at all: profile or demo */

/* Opens a screen on top of this one; what cannot be opened is told in the status line. */
void evs_ui_open(struct evs_ui *ui, const char *screen, const struct evs_place *at);
void evs_ui_back(struct evs_ui *ui);
/* Status line until the next key. */
void evs_ui_say(struct evs_ui *ui, enum evs_role role, const char *fmt, ...) EVS_PRINTF(3, 4);
void evs_ui_fail(struct evs_ui *ui, const struct evs_err *err);
/* To the clipboard by OSC 52; says how much, or that it is too big. */
void evs_ui_copy(struct evs_ui *ui, const void *p, size_t n);
/* "1 job 62 %": the header's right, "" none. */
void evs_ui_set_jobs(struct evs_ui *ui, const char *text);
/* Asked by q on Topics and C-c: text of a question, or NULL to quit at once. */
void evs_ui_set_quit_question(struct evs_ui *ui, const char *text);

/* Numbers and times as `e` and `t` want them; to holds EVS_NUM_LEN. v < 0: unknown, a dash. */
const char *evs_ui_num(const struct evs_ui *ui, char *to, int64_t v);
const char *evs_ui_bytes(const struct evs_ui *ui, char *to, int64_t v);
const char *evs_ui_rate(const struct evs_ui *ui, char *to, double per_second);
const char *evs_ui_time(const struct evs_ui *ui, char *to, int64_t ts_ms);
/* Likewise; the clock without milliseconds, where they say nothing. */
const char *evs_ui_moment(const struct evs_ui *ui, char *to, int64_t ts_ms);
bool evs_ui_exact(const struct evs_ui *ui);

/* --- prompt in the status line (widgets/prompt.h has the editor) ---------------------------- */
enum { EVS_PROMPT_SAY = 160 };
struct evs_prompt_spec {
    const char *label;   /* "/", "@", "save to" */
    const char *initial; /* NULL: empty */
    const char *history; /* name of its history; NULL: none */
    const char *hints;   /* footer while it is open; NULL: "Enter accept  Esc cancel" */
    /* After each change; answers text for the right end; false: drawn as wrong. May be NULL. */
    bool (*changed)(void *ctx, const char *text, char say[EVS_PROMPT_SAY]);
    /* What is known of text by now, asked each frame where changed() said nothing. May be NULL. */
    bool (*resolved)(void *ctx, const char *text, char say[EVS_PROMPT_SAY]);
    bool (*done)(void *ctx, const char *text); /* Enter; false keeps it open */
    void (*cancelled)(void *ctx);              /* may be NULL */
    /* The i-th completion of text (a whole new text), NULL past the end. May be NULL. */
    const char *(*complete)(void *ctx, const char *text, size_t i);
    void *ctx; /* usually the screen: the prompt closes with it */
};
void evs_ui_prompt(struct evs_ui *ui, const struct evs_prompt_spec *spec);
/* A question answered with one key: y, anything else is no. */
void evs_ui_ask(struct evs_ui *ui, const char *question, void (*yes)(void *ctx), void *ctx);

/* The dialog that writes: title, right, up to 6 lines; Enter works once `type_this` is typed. */
struct evs_confirm {
    char title[160], right[60];
    char line[6][200];
    char type_this[256];
    void (*confirmed)(void *ctx);
    void *ctx;
};
void evs_ui_confirm(struct evs_ui *ui, const struct evs_confirm *what);

#endif
