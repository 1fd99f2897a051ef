/* glyph.h - the three glyph ladders: eighth (UTF-8), half (consoles without eighths), ascii.
 *
 * Threads  UI thread; set once at start.   Owns  static text.   Errors  none.   Cost  a table
 * look-up.
 */
#ifndef EVS_UI_GLYPH_H
#define EVS_UI_GLYPH_H

enum evs_ladder { EVS_LADDER_EIGHTH, EVS_LADDER_HALF, EVS_LADDER_ASCII };

enum evs_glyph {
    EVS_G_CURSOR,    /* ► > */
    EVS_G_RULE,      /* ─ - */
    EVS_G_SPLIT,     /* │ | */
    EVS_G_CRUMB,     /* › > */
    EVS_G_ARROW,     /* → -> */
    EVS_G_OK,        /* √ ok */
    EVS_G_NO,        /* × x */
    EVS_G_UP,        /* ● * */
    EVS_G_WAIT,      /* ◌ o */
    EVS_G_DOWN,      /* ○ - */
    EVS_G_ALERT,     /* ▲ !! */
    EVS_G_BAR,       /* █ # */
    EVS_G_HOT,       /* ▓ % */
    EVS_G_TICK,      /* ┊ : */
    EVS_G_MORE,      /* … ... */
    EVS_G_NONE,      /* – - : unknown */
    EVS_G_SORT_DOWN, /* ▼ v */
    EVS_G_SORT_UP,   /* ▲ ^ */
    EVS_G_TIMES,     /* × x */
    EVS_G_LE,        /* ≤ <= */
    EVS_G_CORNER_TL, /* ┌ + */
    EVS_G_CORNER_TR, /* ┐ + */
    EVS_G_CORNER_BL, /* └ + */
    EVS_G_CORNER_BR, /* ┘ + */
    EVS_G_BOX,       /* █ _ : the text cursor where none can be shown */
    EVS_G_DOT,       /* · - */
    EVS_G_MINUS,     /* − - */
    EVS_G_PLUSMINUS, /* ± +- */
    EVS_G_N
};

void evs_glyph_set_ladder(enum evs_ladder l);
enum evs_ladder evs_glyph_ladder(void);
const char *evs_glyph(enum evs_glyph g);
/* Steps of a bar's last cell, eighths filled 1..7 (0: ""). */
const char *evs_glyph_eighth(int eighths);
/* A sparkline step for a share 0..1 of the highest; negative: unknown, a blank. */
const char *evs_glyph_spark(double share);
/* The character of heat level 0..9. */
const char *evs_glyph_heat(int level);

#endif
