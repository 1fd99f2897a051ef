#include "ui/clip.h"

#include <stdlib.h>
#include <string.h>

enum evs_clip_wrap evs_clip_wrap_env(void)
{
    const char *tmux = getenv("TMUX"), *sty = getenv("STY");
    if (tmux && *tmux)
        return EVS_CLIP_TMUX;
    return sty && *sty ? EVS_CLIP_SCREEN : EVS_CLIP_PLAIN;
}

bool evs_clip_sequence(const void *p, size_t n, enum evs_clip_wrap wrap, struct evs_buf *out)
{
    if (n > EVS_CLIP_MAX)
        return false;
    EVS_AUTO(evs_buf) struct evs_buf plain = EVS_BUF_INIT(2 * EVS_CLIP_MAX);
    evs_buf_adds(&plain, "\033]52;c;");
    evs_buf_base64(&plain, p, n);
    evs_buf_adds(&plain, "\a");
    if (wrap == EVS_CLIP_PLAIN)
        return evs_buf_add(out, plain.data, plain.len);
    if (wrap == EVS_CLIP_TMUX) {
        evs_buf_adds(out, "\033Ptmux;\033");
        evs_buf_add(out, plain.data, plain.len);
        return evs_buf_adds(out, "\033\\");
    }
    for (size_t at = 0; at < plain.len; at += EVS_CLIP_CHUNK) {
        size_t left = plain.len - at;
        evs_buf_adds(out, "\033P");
        evs_buf_add(out, plain.data + at, left < EVS_CLIP_CHUNK ? left : EVS_CLIP_CHUNK);
        evs_buf_adds(out, "\033\\");
    }
    return !out->over;
}
