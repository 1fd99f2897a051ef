#include "ui/glyph.h"

#include <stddef.h>

static enum evs_ladder ladder;

static const char *const glyphs[EVS_G_N][3] = {
    [EVS_G_CURSOR] = {"►", "►", ">"},    [EVS_G_RULE] = {"─", "─", "-"},
    [EVS_G_SPLIT] = {"│", "│", "|"},     [EVS_G_CRUMB] = {"›", "›", ">"},
    [EVS_G_ARROW] = {"→", "→", "->"},    [EVS_G_OK] = {"√", "√", "ok"},
    [EVS_G_NO] = {"×", "×", "x"},        [EVS_G_UP] = {"●", "●", "*"},
    [EVS_G_WAIT] = {"◌", "o", "o"},      [EVS_G_DOWN] = {"○", "○", "-"},
    [EVS_G_ALERT] = {"▲", "▲", "!!"},    [EVS_G_BAR] = {"█", "█", "#"},
    [EVS_G_HOT] = {"▓", "▒", "%"},       [EVS_G_TICK] = {"┊", "│", ":"},
    [EVS_G_MORE] = {"…", "…", "..."},    [EVS_G_NONE] = {"–", "–", "-"},
    [EVS_G_SORT_DOWN] = {"▼", "▼", "v"}, [EVS_G_SORT_UP] = {"▲", "▲", "^"},
    [EVS_G_TIMES] = {"×", "×", "x"},     [EVS_G_LE] = {"≤", "≤", "<="},
    [EVS_G_CORNER_TL] = {"┌", "┌", "+"}, [EVS_G_CORNER_TR] = {"┐", "┐", "+"},
    [EVS_G_CORNER_BL] = {"└", "└", "+"}, [EVS_G_CORNER_BR] = {"┘", "┘", "+"},
    [EVS_G_BOX] = {"█", "█", "_"},       [EVS_G_DOT] = {"·", "·", "-"},
    [EVS_G_MINUS] = {"−", "-", "-"},     [EVS_G_PLUSMINUS] = {"±", "±", "+-"},
};

void evs_glyph_set_ladder(enum evs_ladder l)
{
    ladder = l;
}

enum evs_ladder evs_glyph_ladder(void)
{
    return ladder;
}

const char *evs_glyph(enum evs_glyph g)
{
    return glyphs[g][ladder];
}

const char *evs_glyph_eighth(int eighths)
{
    static const char *const steps[8] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (eighths <= 0 || eighths > 7)
        return "";
    if (ladder == EVS_LADDER_EIGHTH)
        return steps[eighths];
    if (ladder == EVS_LADDER_HALF)
        return eighths >= 3 ? "▌" : "";
    return eighths >= 4 ? "#" : "";
}

const char *evs_glyph_spark(double share)
{
    static const char *const eighth[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const half[] = {"_", "▄", "█"};
    static const char *const ascii[] = {"_", ".", "-", "=", "+", "*", "#", "@"};
    if (!(share >= 0))
        return " ";
    int n = ladder == EVS_LADDER_HALF ? 3 : 8;
    int i = (int)(share * n);
    if (i >= n)
        i = n - 1;
    if (i == 0 && share > 0) /* above zero is above the lowest step */
        i = 1;
    return ladder == EVS_LADDER_EIGHTH ? eighth[i] : ladder == EVS_LADDER_HALF ? half[i] : ascii[i];
}

const char *evs_glyph_heat(int level)
{
    static const char *const steps[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
    return steps[level < 0 ? 0 : level > 9 ? 9 : level];
}
