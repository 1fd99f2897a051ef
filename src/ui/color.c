/* color.c - theme colours reduced to what the terminal has, and put together cell by cell. */
#include <string.h>

#include "ui/theme.h"

/* The named colours as xterm shows them. */
static const uint32_t named_rgb[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
                                       0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                       0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};

uint32_t evs_color_rgb(int32_t color, uint32_t own)
{
    if (color == EVS_COLOR_OWN)
        return own;
    return color & EVS_COLOR_RGB ? (uint32_t)color & 0xffffff : named_rgb[color & 15];
}

static int distance(uint32_t a, uint32_t b)
{
    int sum = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int d = (int)(a >> shift & 255) - (int)(b >> shift & 255);
        sum += d * d;
    }
    return sum;
}

static int32_t nearest_named(uint32_t rgb, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (distance(rgb, named_rgb[i]) < distance(rgb, named_rgb[best]))
            best = i;
    return best;
}

static uint32_t palette_rgb(int i)
{
    static const uint32_t step[6] = {0, 95, 135, 175, 215, 255};
    if (i >= 232) {
        uint32_t v = 8 + 10 * (uint32_t)(i - 232);
        return v << 16 | v << 8 | v;
    }
    i -= 16;
    return step[i / 36] << 16 | step[i / 6 % 6] << 8 | step[i % 6];
}

/* 16..255 only: the first 16 are the user's to change. The result is the palette's own number. */
static int32_t nearest_256(uint32_t rgb)
{
    int best = 16;
    for (int i = 17; i < 256; i++)
        if (distance(rgb, palette_rgb(i)) < distance(rgb, palette_rgb(best)))
            best = i;
    return best;
}

static int32_t reduce(int32_t color, enum evs_depth depth)
{
    if (color == EVS_COLOR_OWN || depth == EVS_DEPTH_MONO)
        return EVS_COLOR_OWN;
    if (depth == EVS_DEPTH_DIRECT)
        return EVS_COLOR_RGB | (int32_t)evs_color_rgb(color, 0);
    if (!(color & EVS_COLOR_RGB))
        return depth == EVS_DEPTH_8 ? color & 7 : color;
    uint32_t rgb = evs_color_rgb(color, 0);
    return depth == EVS_DEPTH_256 ? nearest_256(rgb)
                                  : nearest_named(rgb, depth == EVS_DEPTH_16 ? 16 : 8);
}

/* At 16 colours and below the verdicts have fixed names, and heat is drawn by its characters. */
static void few_colors(struct evs_theme *theme, enum evs_depth depth)
{
    static const struct {
        enum evs_role role;
        int32_t color;
    } fixed[] = {{EVS_ROLE_OK, 14},       {EVS_ROLE_INFO, 15},   {EVS_ROLE_WARN, 11},
                 {EVS_ROLE_BAD, 9},       {EVS_ROLE_LAG_OK, 14}, {EVS_ROLE_LAG_INFO, 15},
                 {EVS_ROLE_LAG_WARN, 11}, {EVS_ROLE_LAG_BAD, 9}, {EVS_ROLE_PROMPT_OK, 14},
                 {EVS_ROLE_PROMPT_BAD, 9}};
    for (size_t i = 0; i < EVS_COUNT(fixed); i++) {
        struct evs_style *st = &theme->role[fixed[i].role];
        bool light = theme->role[EVS_ROLE_STATUS].bg == 15 || theme->role[EVS_ROLE_STATUS].bg == 7;
        st->fg = light || depth == EVS_DEPTH_8 ? fixed[i].color & 7 : fixed[i].color;
        st->attrs |= depth == EVS_DEPTH_8 && !light ? EVS_ATTR_BOLD : 0;
    }
    for (int i = EVS_ROLE_HEAT_0; i <= EVS_ROLE_HEAT_9; i++)
        theme->role[i] = (struct evs_style){EVS_COLOR_OWN, EVS_COLOR_OWN, 0, true};
}

/* With eight colours dark greys become black, which nobody sees on a black terminal: text is dim
 * instead, the cursor's row reversed. */
static void keep_visible(struct evs_theme *theme)
{
    for (int i = 0; i < EVS_ROLE_N; i++) {
        struct evs_style *st = &theme->role[i];
        bool dark = st->fg == 0 && (st->bg == EVS_COLOR_OWN || st->bg == 0);
        if (dark) {
            st->fg = st->bg == 0 ? 7 : EVS_COLOR_OWN;
            st->attrs |= EVS_ATTR_DIM;
        }
    }
    struct evs_style *cursor = &theme->role[EVS_ROLE_ROW_CURSOR];
    if (cursor->bg == 0)
        *cursor = (struct evs_style){EVS_COLOR_OWN, EVS_COLOR_OWN,
                                     (uint8_t)(cursor->attrs | EVS_ATTR_REVERSE), true};
}

static void heat_text(struct evs_style *st)
{
    if (st->bg == EVS_COLOR_OWN || st->fg != EVS_COLOR_OWN)
        return;
    uint32_t rgb = evs_color_rgb(st->bg, 0);
    uint32_t light = 299 * (rgb >> 16) + 587 * (rgb >> 8 & 255) + 114 * (rgb & 255);
    st->fg = EVS_COLOR_RGB | (light > 115000 ? 0x000000 : 0xffffff);
}

void evs_theme_reduce(struct evs_theme *theme, enum evs_depth depth)
{
    for (int i = EVS_ROLE_HEAT_0; i <= EVS_ROLE_HEAT_9; i++)
        heat_text(&theme->role[i]);
    for (int i = 0; i < EVS_ROLE_N; i++) {
        theme->role[i].fg = reduce(theme->role[i].fg, depth);
        theme->role[i].bg = reduce(theme->role[i].bg, depth);
    }
    if (depth == EVS_DEPTH_16 || depth == EVS_DEPTH_8)
        few_colors(theme, depth);
    if (depth == EVS_DEPTH_8)
        keep_visible(theme);
}

struct evs_style evs_theme_style(const struct evs_theme *theme, enum evs_role role,
                                 enum evs_role base)
{
    struct evs_style st = theme->role[role];
    if (base == EVS_ROLE_N)
        return st;
    const struct evs_style *b = &theme->role[base];
    bool wins =
        base == EVS_ROLE_ROW_CURSOR || base == EVS_ROLE_ROW_IDLE || base == EVS_ROLE_ROW_MARK;
    if (wins && b->fg != EVS_COLOR_OWN && (base == EVS_ROLE_ROW_CURSOR || role == EVS_ROLE_TEXT))
        st.fg = b->fg;
    bool own_bg = st.bg != EVS_COLOR_OWN && st.bg != theme->role[EVS_ROLE_TEXT].bg;
    if (b->bg != EVS_COLOR_OWN && (!own_bg || base == EVS_ROLE_ROW_CURSOR))
        st.bg = b->bg;
    st.attrs |= b->attrs;
    if (st.fg == st.bg && st.fg != EVS_COLOR_OWN)
        st.fg = b->fg != st.bg && b->fg != EVS_COLOR_OWN ? b->fg : st.bg == 0 || st.bg == 8 ? 7 : 0;
    return st;
}
