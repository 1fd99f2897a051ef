/* clip.h - copying by OSC 52, through tmux and screen.
 *
 * Threads  any.   Owns  nothing.   Errors  false: more than EVS_CLIP_MAX bytes (74,994: what base64
 * leaves of the 100,000 that terminals take).   Cost  O(bytes).   Source  xterm control sequences,
 * OSC 52.
 */
#ifndef EVS_UI_CLIP_H
#define EVS_UI_CLIP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

enum { EVS_CLIP_MAX = 74994, EVS_CLIP_CHUNK = 252 };

enum evs_clip_wrap {
    EVS_CLIP_PLAIN,
    EVS_CLIP_TMUX,  /* DCS tmux; with doubled escapes */
    EVS_CLIP_SCREEN /* DCS strings of at most EVS_CLIP_CHUNK bytes */
};
enum evs_clip_wrap evs_clip_wrap_env(void); /* by TMUX, STY and TERM */
/* The bytes for the terminal that put p on the clipboard. */
bool evs_clip_sequence(const void *p, size_t n, enum evs_clip_wrap wrap, struct evs_buf *out);

#endif
