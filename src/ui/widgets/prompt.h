/* prompt.h - a line editor: text, cursor, history; used by the status line's prompt, forms and
 * dialogs.
 *
 * Keys: letters, Left Right Home End Backspace Delete, C-a C-e C-w C-u, Up Down (history).
 *
 * Units    bytes of UTF-8; the cursor stands between characters.   Threads  UI thread.
 * Owns     its text; the history is borrowed.   Errors  past EVS_EDIT_CAP nothing is added.
 * Cost     O(length) a key.
 */
#ifndef EVS_UI_WIDGETS_PROMPT_H
#define EVS_UI_WIDGETS_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/history.h"
#include "ui/view.h"

enum { EVS_EDIT_CAP = 2048 };

struct evs_edit {
    char text[EVS_EDIT_CAP];
    size_t len, at;
    struct evs_history *history; /* or NULL */
    size_t back;                 /* lines back in the history; 0: what is typed */
    char kept[EVS_EDIT_CAP];     /* what was typed before going back */
};

void evs_edit_init(struct evs_edit *e, const char *text, struct evs_history *history);
void evs_edit_set(struct evs_edit *e, const char *text); /* cursor at the end */
bool evs_edit_key(struct evs_edit *e, int key);          /* true: the text or cursor changed */
/* Draws the text in [col, col + cols), scrolled so that the cursor shows; places the text
 * cursor. */
void evs_edit_draw(const struct evs_edit *e, struct evs_view *v, int row, int col, int cols,
                   enum evs_role role, bool focused);

#endif
