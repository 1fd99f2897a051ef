/* keys.h - keys, their names, and keymap files.
 *
 * A line of a keymap is `key[, key] = action[, action]` under [global], [reading] (panes that are
 * read: nothing to mark there) or the name of a screen. As many actions as keys are paired; one
 * action takes all keys; `none` frees a key. The default map is compiled in; a user's file is
 * loaded over it. A screen's section goes before [reading], that before [global].
 *
 * Units    a key is a Unicode code point, a control character, or an EVS_KEY_ value.
 * Threads  UI thread.   Owns  its rows.   Errors  EVS_INVALID as file:line.   Cost  linear in rows
 * (~120).
 */
#ifndef EVS_UI_KEYS_H
#define EVS_UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "ui/commands.h"

enum {
    EVS_KEY_TAB = 9,
    EVS_KEY_ENTER = 13,
    EVS_KEY_ESC = 27,
    EVS_KEY_BACKSPACE = 127,
    EVS_KEY_UP = 0x110000, /* past Unicode */
    EVS_KEY_DOWN,
    EVS_KEY_LEFT,
    EVS_KEY_RIGHT,
    EVS_KEY_PGUP,
    EVS_KEY_PGDN,
    EVS_KEY_HOME,
    EVS_KEY_END,
    EVS_KEY_BACKTAB,
    EVS_KEY_DELETE,
    EVS_KEY_INSERT,
    EVS_KEY_F1,
    EVS_KEY_F12 = EVS_KEY_F1 + 11,
    EVS_KEY_MOUSE,
    EVS_KEY_RESIZE
};
#define EVS_KEY_CTRL(c) ((c)&0x1f)

enum { EVS_KEY_NAME = 16, EVS_KEY_SECTION = 24 };

struct evs_key_row {
    char section[EVS_KEY_SECTION];
    int key;
    enum evs_command command; /* EVS_CMD_NONE: freed */
};

struct evs_keymap {
    struct evs_key_row *rows;
    size_t n, alloc;
};

void evs_keymap_init(struct evs_keymap *km); /* with the default keys */
void evs_keymap_done(struct evs_keymap *km);
/* A file over what is there. known_section: says whether a section's name is a screen; NULL:
 * any. */
enum evs_rc evs_keymap_parse(struct evs_keymap *km, const char *text, size_t len,
                             const char *origin, bool (*known_section)(const char *name),
                             struct evs_err *err) EVS_MUST_USE;
/* section: the screen's name; reading: the focused pane is read. EVS_CMD_NONE when unbound. */
enum evs_command evs_keymap_find(const struct evs_keymap *km, const char *section, bool reading,
                                 int key);
/* Keys that do cmd there, in file order; returns how many were written. */
size_t evs_keymap_keys(const struct evs_keymap *km, const char *section, bool reading,
                       enum evs_command cmd, int *keys, size_t max);

/* "Enter", "C-r", "Space", "x"; to holds EVS_KEY_NAME. Returns to. */
char *evs_key_name(int key, char *to);
int evs_key_parse(const char *name, size_t len); /* -1: no such key */

#endif
