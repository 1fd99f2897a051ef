/* app.h - the interface without a terminal: stack, keys, prompt, frame. Private to src/ui.
 *
 * loop.c gives it keys, sizes and time and shows its surface; tests do the same without a terminal.
 *
 * Threads  UI thread.   Owns  screens, surface, theme, keymap.   Errors  those of ui.h.
 * Cost     a frame: O(cells).
 */
#ifndef EVS_UI_APP_H
#define EVS_UI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "ui/data.h"
#include "ui/history.h"
#include "ui/keys.h"
#include "ui/screen.h"
#include "ui/ui.h"
#include "ui/widgets/prompt.h"

enum { EVS_STACK_MAX = 32, EVS_MIN_ROWS = 5, EVS_MIN_COLS = 20 };

enum evs_time_mode { EVS_TIME_CLOCK, EVS_TIME_ISO, EVS_TIME_AGE, EVS_TIME_EPOCH, EVS_TIME_N };

/* What grows up from the status line and takes the keys: prompt, palette, search, dialog. */
struct evs_overlay {
    int (*rows)(const struct evs_overlay *o, int max); /* above the status line */
    void (*draw)(const struct evs_overlay *o, struct evs_view *above, struct evs_view *status);
    bool (*key)(struct evs_overlay *o, int key); /* false: close */
    void (*close)(struct evs_overlay *o);        /* frees it */
    const char *hints;
    bool floats; /* over the body, which stays visible around it */
    struct evs_ui *ui;
};

struct evs_task;
struct evs_ui {
    const struct evs_ui_opts *opts;
    struct evs_client *client;
    struct evs_wake wake;
    struct evs_data data;
    struct evs_surface surface;
    struct evs_theme theme; /* as loaded, not reduced */
    struct evs_keymap keys;
    struct evs_screen *stack[EVS_STACK_MAX];
    int n_stack;
    const struct evs_screen_ops *last_ops;
    struct evs_place last_at;
    struct evs_overlay *overlay;
    struct evs_histories histories;
    char said[400];
    enum evs_role said_role;
    char jobs[48];
    char quit_question[160];
    int pending; /* 'y' after copy, '?' a question waits */
    void (*ask_yes)(void *ctx);
    void *ask_ctx;
    uint64_t errors_seen; /* of the log: a new one shows once */
    enum evs_time_mode time_mode;
    bool exact, mouse, demo;
    bool switched;           /* to another cluster than the one it was started on */
    struct evs_task *saving; /* a file on its way to the disk, or NULL */
    bool quit, suspend, repaint, theme_changed;
    bool news; /* a frame is due */
    int64_t now_ms;
    struct evs_buf clipboard; /* an OSC 52 sequence waiting to be sent */
    char *spawn, *spawn_file; /* a program waiting to be run by the loop */
    struct evs_buf spawn_input;
};

enum evs_rc evs_app_init(struct evs_ui *ui, const struct evs_ui_opts *opts,
                         struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_app_start(struct evs_ui *ui,
                          struct evs_err *err) EVS_MUST_USE; /* the first screen */
/* false: a dropped task still runs and may use ui->wake: leave ui allocated. */
bool evs_app_done(struct evs_ui *ui);
void evs_app_resize(struct evs_ui *ui, int rows, int cols);
void evs_app_fit(struct evs_ui *ui); /* tells the top screen its size */
void evs_app_key(struct evs_ui *ui, int key);
void evs_app_click(struct evs_ui *ui, int row, int col,
                   int wheel); /* wheel -1 up, 1 down, 0 click */
void evs_app_let_go(struct evs_ui *ui, int row, int col); /* the button, after a click */
void evs_app_command(struct evs_ui *ui, enum evs_command c);
/* Takes news; true when a frame is due. */
bool evs_app_refresh(struct evs_ui *ui);
const struct evs_surface *evs_app_frame(struct evs_ui *ui);
bool evs_app_live(const struct evs_ui *ui); /* seconds tick on screen */
/* Loads a theme by name; says what is wrong in the status line. */
bool evs_app_theme(struct evs_ui *ui, const char *name);
/* A word of the palette: command, screen, setting, topic; false: unknown, told. */
bool evs_app_run(struct evs_ui *ui, const char *line);

/* Whether a footer or palette entry would do something now (dispatch.c). */
bool evs_app_can(const struct evs_ui *ui, enum evs_command c);
bool evs_app_reading(const struct evs_ui *ui);
void evs_app_overlay(struct evs_ui *ui, struct evs_overlay *o);
void evs_app_close_overlay(struct evs_ui *ui);
void evs_app_palette(struct evs_ui *ui);        /* palette.c */
bool evs_app_save(struct evs_ui *ui, bool all); /* save.c: asks for the file */
/* Writes text (taken) to a new file, on a thread of its own; how it went is said then. */
void evs_app_write(struct evs_ui *ui, const char *path, struct evs_buf *text);
bool evs_app_written(struct evs_ui *ui);                /* each frame; true: something was said */
void evs_app_dump(struct evs_ui *ui, const char *path); /* the screen as text */
/* A line of the palette that is neither command, screen nor topic; false: not one either. */
bool evs_app_setting(struct evs_ui *ui, const char *line);
/* First run's choice: the cluster comes up in place of it. */
void evs_app_connect(struct evs_ui *ui, enum evs_ui_connect how, const char *text);
bool evs_app_edit(struct evs_ui *ui); /* the configuration in $EDITOR */
/* Runs a program on the terminal between two frames; input is written to its stdin (NULL: none). */
void evs_app_spawn(struct evs_ui *ui, const char *program, const char *file, const char *input,
                   size_t input_len);

/* Stack (screen.c). */
enum evs_rc evs_stack_push(struct evs_ui *ui, const struct evs_screen_ops *ops,
                           const struct evs_place *at, struct evs_err *err) EVS_MUST_USE;
void evs_stack_pop(struct evs_ui *ui);
struct evs_screen *evs_stack_top(const struct evs_ui *ui);
const struct evs_screen_ops *evs_screen_numbered(int number);

/* Bands (bands.c). Where the body is in a frame of this size. */
struct evs_frame {
    int header, crumb, body, body_rows, status, footer; /* rows; -1: not there */
    bool compact;                                       /* below 40x10 */
};
void evs_frame_of(int rows, int cols, struct evs_frame *ret_f);
void evs_bands_draw(struct evs_ui *ui, const struct evs_frame *f, struct evs_view *all);
/* What a click on the footer or breadcrumb means. */
enum evs_command evs_footer_at(const struct evs_ui *ui, int col);

#endif
