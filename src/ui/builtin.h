/* builtin.h - the shipped theme and key files, compiled in.
 *
 * src/ui/builtin.sh writes builtin_data.h from themes/ at build time; the files stay the one
 * source.
 *
 * Threads  any.   Owns  static text.   Errors  false: no such file.   Cost  one copy.
 */
#ifndef EVS_UI_BUILTIN_H
#define EVS_UI_BUILTIN_H

#include <stdbool.h>

struct evs_buf;

/* kind "theme" or "keys", name without the ending; appends the file to out. */
bool evs_builtin_text(const char *kind, const char *name, struct evs_buf *out);

#endif
