/* theme.h - roles, and the theme files that give them colours.
 *
 * A row of a theme file is `role = fg, bg, attrs`; `-` is the terminal's own. `inherit = NAME`
 * starts from another theme, unset roles fall back as roles.def says, an unknown role is an error
 * with file and line, `#` is a comment at line start only. The shipped themes are compiled in; a
 * file NAME.theme in the user's themes folder goes before them. Colours are reduced to what the
 * terminal has (evs_theme_reduce).
 *
 * Units    colours: EVS_COLOR_OWN, 0..15 named, EVS_COLOR_RGB | 0xrrggbb.   Threads  UI thread.
 * Owns     everything inline.   Errors  EVS_INVALID as file:line.   Cost  one small file.
 */
#ifndef EVS_UI_THEME_H
#define EVS_UI_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum evs_role {
#define EVS_ROLE(id, name, fallback) EVS_ROLE_##id,
#include "ui/roles.def"
#undef EVS_ROLE
    EVS_ROLE_N
};

enum { EVS_COLOR_OWN = -1, EVS_COLOR_RGB = 0x1000000 };
enum { EVS_ATTR_BOLD = 1, EVS_ATTR_DIM = 2, EVS_ATTR_REVERSE = 4, EVS_ATTR_UNDERLINE = 8 };

struct evs_style {
    int32_t fg, bg;
    uint8_t attrs;
    bool set;
};

enum { EVS_THEME_NAME = 64 };
struct evs_theme {
    char name[EVS_THEME_NAME];
    struct evs_style role[EVS_ROLE_N]; /* resolved: all usable */
};

/* dir: the user's themes folder or NULL. */
enum evs_rc evs_theme_load(const char *name, const char *dir, struct evs_theme *ret_theme,
                           struct evs_err *err) EVS_MUST_USE;
/* Rows of one file into theme, unresolved; origin names it in errors. Loads what it inherits
 * first. */
enum evs_rc evs_theme_parse(const char *text, size_t len, const char *origin, const char *dir,
                            struct evs_theme *theme, struct evs_err *err) EVS_MUST_USE;
void evs_theme_resolve(struct evs_theme *theme); /* fallbacks */
const char *evs_theme_builtin(size_t i);         /* names in the order of `T`; NULL past the end */

const char *evs_role_name(enum evs_role role);
enum evs_role evs_role_find(const char *name, size_t len); /* EVS_ROLE_N when unknown */

/* How many colours the terminal shows. */
enum evs_depth { EVS_DEPTH_MONO, EVS_DEPTH_8, EVS_DEPTH_16, EVS_DEPTH_256, EVS_DEPTH_DIRECT };
/* Replaces every colour by the nearest that the depth has; foreground never equals background. */
void evs_theme_reduce(struct evs_theme *theme, enum evs_depth depth);
/* A cell of `role` in a band or row of `base` (EVS_ROLE_N: none). A cursor or marked row wins over
 * what it sets itself; other bases only lend their background where the role has none. */
struct evs_style evs_theme_style(const struct evs_theme *theme, enum evs_role role,
                                 enum evs_role base);
/* 0xrrggbb of a colour as most terminals show it; own: `own`. */
uint32_t evs_color_rgb(int32_t color, uint32_t own);

#endif
