/* term.h - the terminal: start, keys, painting, and its restoration on every way out.
 *
 * Restoring is a byte string computed at start and written with write(2), so it works from handlers
 * of SIGSEGV, SIGABRT and their like, and from the out-of-memory hook. The terminal is stdin and
 * stdout when they are terminals, else /dev/tty. Flow control is off, C-c and C-z are keys.
 *
 * Threads  UI thread; the emergency path from any.   Owns  curses and the saved modes.
 * Errors   EVS_INVALID: no terminal, or one that curses cannot drive.
 * Cost     paint: only cells that changed reach curses.
 */
#ifndef EVS_UI_TERM_H
#define EVS_UI_TERM_H

#include <stdbool.h>

#include "core/err.h"
#include "ui/theme.h"
#include "ui/view.h"

struct evs_wake;

struct evs_term_opts {
    bool no_color, ascii, mouse;
    const struct evs_wake *wake; /* notified by SIGWINCH, SIGTSTP, SIGCONT */
};
enum evs_rc evs_term_open(const struct evs_term_opts *opts, struct evs_err *err) EVS_MUST_USE;
void evs_term_close(void);
int evs_term_fd(void);
enum evs_depth evs_term_depth(void);
void evs_term_size(int *ret_rows, int *ret_cols);

struct evs_term_mouse {
    int row, col, wheel; /* wheel -1 up, 1 down, 0 the button */
    bool down, up;       /* the button was pressed, let go; both when curses took them together */
};
/* The next key that is there, 0 when none; EVS_KEY_MOUSE fills ret_mouse. */
int evs_term_key(struct evs_term_mouse *ret_mouse);
bool evs_term_resized(void);   /* since the last call */
bool evs_term_suspended(void); /* SIGTSTP came: stop when the screen is down */
bool evs_term_continued(void); /* SIGCONT came */
/* The new size is taken over by curses; the next paint draws everything. */
void evs_term_take_size(void);
void evs_term_suspend(bool by_key); /* back to the shell; returns after SIGCONT */
void evs_term_leave(void);          /* for a child program; evs_term_enter afterwards */
void evs_term_enter(void);
void evs_term_mouse(bool on);
void evs_term_repaint(void); /* the next paint draws everything */
bool evs_term_writable(void);
/* Brings the cells that changed into curses; true: the loop is to call doupdate(). theme is reduced
 * to depth. */
bool evs_term_paint(const struct evs_surface *s, const struct evs_theme *theme);
void evs_term_sync(bool begin);                  /* synchronized output around doupdate */
void evs_term_send(const char *bytes, size_t n); /* a complete escape sequence */

#endif
