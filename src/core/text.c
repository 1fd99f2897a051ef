#include "core/text.h"

#include <stdio.h>
#include <string.h>

#include "core/text_width.h"

enum { MARKS_MAX = 4 };

static bool ascii_only;

void evs_text_set_ascii(bool on)
{
    ascii_only = on;
}

bool evs_text_ascii(void)
{
    return ascii_only;
}

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (cp > r[mid].to)
            lo = mid + 1;
        else if (cp < r[mid].from)
            hi = mid;
        else
            return true;
    }
    return false;
}

int evs_text_decode(const uint8_t *p, size_t n, uint32_t *ret_cp)
{
    uint8_t c = p[0];
    if (c < 0x80) {
        *ret_cp = c;
        return 1;
    }
    int len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || (size_t)len > n)
        return 0;
    uint32_t cp = c & (0x7fu >> len);
    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return 0;
    *ret_cp = cp;
    return len;
}

bool evs_text_is_utf8(const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n) {
        uint64_t word;
        if (n >= 8 && (memcpy(&word, p, 8), !(word & 0x8080808080808080u))) {
            p += 8;
            n -= 8;
            continue;
        }
        uint32_t cp;
        int len = evs_text_decode(p, n, &cp);
        if (!len)
            return false;
        p += len;
        n -= (size_t)len;
    }
    return true;
}

int evs_text_cp_width(uint32_t cp)
{
    if (cp < 0x7f)
        return cp < 0x20 ? -1 : 1;
    if (in_ranges(cp, hostile_ranges, EVS_COUNT(hostile_ranges)))
        return -1;
    if (cp < 0x300)
        return 1;
    if (in_ranges(cp, zero_ranges, EVS_COUNT(zero_ranges)))
        return 0;
    return in_ranges(cp, wide_ranges, EVS_COUNT(wide_ranges)) ? 2 : 1;
}

static size_t escape_byte(uint8_t c, struct evs_text_cell *cell)
{
    static const char digits[] = "0123456789abcdef";
    const char *name = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (name) {
        memcpy(cell->bytes, name, 3);
        cell->len = 2;
    } else {
        char hex[5] = {'\\', 'x', digits[c >> 4], digits[c & 15], '\0'};
        memcpy(cell->bytes, hex, 5);
        cell->len = 4;
    }
    cell->cols = cell->len;
    cell->escaped = true;
    return 1;
}

static size_t escape_cp(uint32_t cp, int len, struct evs_text_cell *cell)
{
    if (cp < 0xa0)
        snprintf(cell->bytes, sizeof(cell->bytes), "\\x%02x", (unsigned)cp);
    else
        snprintf(cell->bytes, sizeof(cell->bytes), "U+%04X", (unsigned)cp);
    cell->len = cell->cols = (uint8_t)strlen(cell->bytes);
    cell->escaped = true;
    return (size_t)len;
}

/* Appends up to MARKS_MAX combining marks to the cell; the rest of a run is one U+FFFD. */
static size_t take_marks(const uint8_t *p, size_t n, struct evs_text_cell *cell)
{
    size_t used = 0;
    for (int marks = 0; used < n; marks++) {
        uint32_t cp;
        int len = evs_text_decode(p + used, n - used, &cp);
        if (!len || evs_text_cp_width(cp) != 0)
            break;
        if (marks < MARKS_MAX) {
            memcpy(cell->bytes + cell->len, p + used, (size_t)len);
            cell->len = (uint8_t)(cell->len + len);
        } else if (marks == MARKS_MAX) {
            memcpy(cell->bytes + cell->len, "\xef\xbf\xbd", 3);
            cell->len = (uint8_t)(cell->len + 3);
            cell->cols++;
            cell->cut = true;
        }
        used += (size_t)len;
    }
    return used;
}

size_t evs_text_next(const uint8_t *p, size_t n, struct evs_text_cell *cell)
{
    cell->escaped = cell->cut = false;
    cell->len = cell->cols = 0;
    uint32_t cp;
    int len = evs_text_decode(p, n, &cp);
    if (!len || cp < 0x20 || cp == 0x7f)
        return escape_byte(p[0], cell);
    int width = evs_text_cp_width(cp);
    if (width < 0)
        return escape_cp(cp, len, cell);
    size_t used = (size_t)len;
    if (width == 0) { /* a mark without a base gets a blank one, so that it joins nothing of ours */
        cell->bytes[0] = ' ';
        cell->len = cell->cols = 1;
        return take_marks(p, n, cell);
    }
    memcpy(cell->bytes, p, used);
    cell->len = (uint8_t)used;
    cell->cols = (uint8_t)width;
    if (n > used && p[used] >= 0x80)
        used += take_marks(p + used, n - used, cell);
    cell->bytes[cell->len] = '\0';
    return used;
}

void evs_text_escape(struct evs_buf *out, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n) {
        size_t plain = 0; /* runs of printable ASCII in one go */
        while (plain < n && p[plain] >= 0x20 && p[plain] < 0x7f)
            plain++;
        if (plain && plain < n && p[plain] >= 0x80)
            plain--; /* a mark may belong to the last one */
        if (plain) {
            evs_buf_add(out, p, plain);
            p += plain;
            n -= plain;
            continue;
        }
        struct evs_text_cell cell;
        size_t used = evs_text_next(p, n, &cell);
        evs_buf_add(out, cell.bytes, cell.len);
        p += used;
        n -= used;
    }
}

size_t evs_text_width(const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t cols = 0;
    while (n) {
        struct evs_text_cell cell;
        size_t used = evs_text_next(p, n, &cell);
        cols += cell.cols;
        p += used;
        n -= used;
    }
    return cols;
}

/* Columns of at most `most`; sets the bytes of p they cover. */
static size_t head_cols(const uint8_t *p, size_t n, size_t most, size_t *ret_bytes)
{
    size_t cols = 0, at = 0;
    while (at < n) {
        struct evs_text_cell cell;
        size_t used = evs_text_next(p + at, n - at, &cell);
        if (cols + cell.cols > most)
            break;
        cols += cell.cols;
        at += used;
    }
    *ret_bytes = at;
    return cols;
}

static size_t add_tail(struct evs_buf *out, const uint8_t *p, size_t n, size_t total, size_t most)
{
    size_t at = 0;
    while (at < n && total > most) {
        struct evs_text_cell cell;
        at += evs_text_next(p + at, n - at, &cell);
        total -= cell.cols;
    }
    evs_text_escape(out, p + at, n - at);
    return total;
}

size_t evs_text_fit(struct evs_buf *out, const void *data, size_t n, size_t cols, enum evs_cut cut)
{
    const uint8_t *p = data;
    size_t bytes;
    size_t used = head_cols(p, n, cols, &bytes);
    if (bytes == n) {
        evs_text_escape(out, p, n);
        return used;
    }
    const char *dots = ascii_only ? "..." : "\xe2\x80\xa6";
    size_t dot_cols = ascii_only ? 3 : 1;
    if (cols <= dot_cols) {
        evs_buf_adds(out, cols == dot_cols ? dots : "");
        return cols == dot_cols ? cols : 0;
    }
    size_t room = cols - dot_cols;
    size_t tail = cut == EVS_CUT_MIDDLE ? room / 2 : 0;
    used = head_cols(p, n, room - tail, &bytes);
    evs_text_escape(out, p, bytes);
    evs_buf_adds(out, dots);
    used += dot_cols;
    if (tail) {
        size_t total = evs_text_width(p + bytes, n - bytes);
        used += add_tail(out, p + bytes, n - bytes, total, tail);
    }
    return used;
}

void evs_text_word(struct evs_buf *out, const char *text)
{
    if (*text && !strpbrk(text, " \"")) {
        evs_buf_adds(out, text);
        return;
    }
    evs_buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            evs_buf_addc(out, '\\');
        evs_buf_addc(out, *text);
    }
    evs_buf_addc(out, '"');
}
