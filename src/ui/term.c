#include "ui/term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "core/thread.h"
#include "core/xalloc.h"
#include "ui/keys.h"

static struct {
    SCREEN *screen;
    FILE *in, *out;
    int in_fd, out_fd;
    struct termios saved;
    char restore[256]; /* written as it is on the way out */
    size_t restore_len;
    enum evs_depth depth;
    bool sync, mouse;
    struct evs_surface shown; /* what curses has */
    bool all;                 /* draw every cell */
    const struct evs_wake *wake;
} term;

static atomic_int up, resized, suspended, continued; /* lock-free: signal handlers set them */
static struct sigaction old_actions[NSIG];

static const int fatal_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(term.out_fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

/* Async-signal-safe. */
static void emergency(void)
{
    if (!up)
        return;
    up = 0;
    write_all(term.restore, term.restore_len);
    tcsetattr(term.in_fd, TCSANOW, &term.saved);
}

static void on_fatal(int sig)
{
    emergency();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void on_signal(int sig)
{
    int saved = errno;
    if (sig == SIGWINCH)
        resized = 1;
    else if (sig == SIGTSTP)
        suspended = 1;
    else
        continued = 1;
    evs_wake_notify(term.wake);
    errno = saved;
}

static void set_handler(int sig, void (*handler)(int))
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = handler;
    sigaction(sig, &sa, &old_actions[sig]);
}

static void add_restore(const char *s)
{
    size_t n = s && s != (const char *)-1 ? strlen(s) : 0;
    if (n && term.restore_len + n <= sizeof(term.restore)) {
        memcpy(term.restore + term.restore_len, s, n);
        term.restore_len += n;
    }
}

static bool is_family(const char *name)
{
    static const char *const families[] = {"xterm", "tmux",    "screen", "alacritty", "foot",
                                           "kitty", "wezterm", "rxvt",   "vte",       "st-"};
    for (size_t i = 0; i < EVS_COUNT(families); i++)
        if (!strncmp(name, families[i], strlen(families[i])))
            return true;
    return false;
}

static void compute_restore(void)
{
    term.restore_len = 0;
    if (term.sync)
        add_restore("\033[?2026l");
    const char *name = getenv("TERM");
    if (name && is_family(name))
        add_restore("\033[?1006l\033[?1003l\033[?1002l\033[?1000l");
    add_restore(keypad_local);
    add_restore(exit_attribute_mode);
    add_restore(orig_pair);
    add_restore(cursor_normal);
    add_restore(exit_ca_mode);
    add_restore("\r");
}

static enum evs_depth depth_of(const struct evs_term_opts *opts)
{
    const char *no = getenv("NO_COLOR");
    if (opts->no_color || (no && *no) || !has_colors() || COLORS < 8)
        return EVS_DEPTH_MONO;
    if (COLORS >= 1 << 24)
        return EVS_DEPTH_DIRECT;
    return COLORS >= 256 ? EVS_DEPTH_256 : COLORS >= 16 ? EVS_DEPTH_16 : EVS_DEPTH_8;
}

static enum evs_rc open_files(struct evs_err *err)
{
    term.in_fd = STDIN_FILENO;
    term.out_fd = STDOUT_FILENO;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
        if (tty < 0) {
            evs_fail(err, EVS_INVALID, "the interface needs a terminal");
            return evs_hint(err, "headless: eventscope topics --json (eventscope --help)");
        }
        if (!isatty(STDIN_FILENO))
            term.in_fd = tty;
        if (!isatty(STDOUT_FILENO))
            term.out_fd = tty;
    }
    term.in = fdopen(dup(term.in_fd), "r");
    term.out = fdopen(dup(term.out_fd), "w");
    if (!term.in || !term.out || tcgetattr(term.in_fd, &term.saved))
        return evs_fail_errno(err, errno, "terminal");
    return EVS_OK;
}

static void curses_modes(void)
{
    raw();
    noecho();
    nonl();
    set_escdelay(25);
    typeahead(-1);
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    idlok(stdscr, FALSE);
    leaveok(stdscr, FALSE);
    curs_set(0);
}

/* Terminals that ignore keypad mode send the other form of these keys. */
static void define_both_forms(void)
{
    static const struct {
        const char *bytes;
        int key;
    } forms[] = {{"\033[A", KEY_UP},     {"\033OA", KEY_UP},    {"\033[B", KEY_DOWN},
                 {"\033OB", KEY_DOWN},   {"\033[C", KEY_RIGHT}, {"\033OC", KEY_RIGHT},
                 {"\033[D", KEY_LEFT},   {"\033OD", KEY_LEFT},  {"\033[H", KEY_HOME},
                 {"\033OH", KEY_HOME},   {"\033[1~", KEY_HOME}, {"\033[F", KEY_END},
                 {"\033OF", KEY_END},    {"\033[4~", KEY_END},  {"\033[5~", KEY_PPAGE},
                 {"\033[6~", KEY_NPAGE}, {"\033[3~", KEY_DC},   {"\033[Z", KEY_BTAB}};
    for (size_t i = 0; i < EVS_COUNT(forms); i++)
        define_key(forms[i].bytes, forms[i].key);
}

enum evs_rc evs_term_open(const struct evs_term_opts *opts, struct evs_err *err)
{
    const char *name = getenv("TERM");
    memset(&term, 0, sizeof(term));
    term.wake = opts->wake;
    enum evs_rc rc = open_files(err);
    if (rc)
        return rc;
    if (!name || !*name)
        return evs_fail(err, EVS_INVALID, "TERM is not set: the interface needs a terminal");
    term.screen = newterm(NULL, term.out, term.in);
    if (!term.screen || !cursor_address) { /* "dumb" can only write on */
        endwin();
        evs_fail(err, EVS_INVALID, "TERM=%s: this terminal cannot be drawn on", name);
        return evs_hint(err, "headless: eventscope topics (eventscope --help)");
    }
    curses_modes();
    define_both_forms();
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    term.depth = depth_of(opts);
    term.sync = is_family(name);
    compute_restore();
    if (!opts->ascii && !strcmp(name, "linux"))
        evs_glyph_set_ladder(EVS_LADDER_HALF);
    up = 1;
    term.all = true;
    for (size_t i = 0; i < EVS_COUNT(fatal_signals); i++)
        set_handler(fatal_signals[i], on_fatal);
    set_handler(SIGWINCH, on_signal);
    set_handler(SIGTSTP, on_signal);
    set_handler(SIGCONT, on_signal);
    evs_xalloc_on_oom(emergency);
    evs_term_mouse(opts->mouse);
    return EVS_OK;
}

void evs_term_close(void)
{
    if (!term.screen)
        return;
    evs_term_mouse(false);
    evs_term_sync(false);
    endwin();
    fflush(term.out);
    if (up)
        tcsetattr(term.in_fd, TCSANOW, &term.saved);
    up = 0;
    delscreen(term.screen);
    term.screen = NULL;
    for (size_t i = 0; i < EVS_COUNT(fatal_signals); i++)
        sigaction(fatal_signals[i], &old_actions[fatal_signals[i]], NULL);
    sigaction(SIGWINCH, &old_actions[SIGWINCH], NULL);
    sigaction(SIGTSTP, &old_actions[SIGTSTP], NULL);
    sigaction(SIGCONT, &old_actions[SIGCONT], NULL);
    evs_xalloc_on_oom(NULL);
    fclose(term.in);
    fclose(term.out);
    evs_surface_done(&term.shown);
}

int evs_term_fd(void)
{
    return term.in_fd;
}

enum evs_depth evs_term_depth(void)
{
    return term.depth;
}

void evs_term_size(int *ret_rows, int *ret_cols)
{
    getmaxyx(stdscr, *ret_rows, *ret_cols);
}

static bool take(atomic_int *flag)
{
    return atomic_exchange(flag, 0) != 0;
}

bool evs_term_resized(void)
{
    return take(&resized);
}

bool evs_term_suspended(void)
{
    return take(&suspended);
}

bool evs_term_continued(void)
{
    return take(&continued);
}

static const struct {
    int curses, key;
} key_table[] = {{KEY_UP, EVS_KEY_UP},         {KEY_DOWN, EVS_KEY_DOWN},
                 {KEY_LEFT, EVS_KEY_LEFT},     {KEY_RIGHT, EVS_KEY_RIGHT},
                 {KEY_PPAGE, EVS_KEY_PGUP},    {KEY_NPAGE, EVS_KEY_PGDN},
                 {KEY_HOME, EVS_KEY_HOME},     {KEY_END, EVS_KEY_END},
                 {KEY_BTAB, EVS_KEY_BACKTAB},  {KEY_DC, EVS_KEY_DELETE},
                 {KEY_IC, EVS_KEY_INSERT},     {KEY_ENTER, EVS_KEY_ENTER},
                 {KEY_RESIZE, EVS_KEY_RESIZE}, {KEY_BACKSPACE, EVS_KEY_BACKSPACE}};

/* Events of the mouse that are not given out yet, the newest first. */
static MEVENT mouse[8];
static size_t n_mouse;

/* Curses gives one KEY_MOUSE for all events that came in one packet, and these from the newest. */
static bool take_mouse(void)
{
    MEVENT m;
    while (getmouse(&m) == OK)
        if (n_mouse < EVS_COUNT(mouse))
            mouse[n_mouse++] = m;
    return n_mouse > 0;
}

static int next_mouse(struct evs_term_mouse *ret_mouse)
{
    const MEVENT *m = &mouse[--n_mouse];
    *ret_mouse = (struct evs_term_mouse){
        .row = m->y,
        .col = m->x,
        .down = m->bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED),
        .up = m->bstate & (BUTTON1_RELEASED | BUTTON1_CLICKED),
        .wheel = m->bstate & BUTTON4_PRESSED   ? -1
                 : m->bstate & BUTTON5_PRESSED ? 1
                                               : 0,
    };
    return ret_mouse->down || ret_mouse->up || ret_mouse->wheel ? EVS_KEY_MOUSE : -1;
}

static int from_curses(int code, struct evs_term_mouse *ret_mouse)
{
    for (size_t i = 0; i < EVS_COUNT(key_table); i++)
        if (key_table[i].curses == code)
            return key_table[i].key;
    if (code >= KEY_F(1) && code <= KEY_F(12))
        return EVS_KEY_F1 + code - KEY_F(1);
    return code == KEY_MOUSE && take_mouse() ? next_mouse(ret_mouse) : -1;
}

int evs_term_key(struct evs_term_mouse *ret_mouse)
{
    for (;;) {
        wint_t wc;
        while (n_mouse)
            if (next_mouse(ret_mouse) == EVS_KEY_MOUSE)
                return EVS_KEY_MOUSE;
        int rc = get_wch(&wc);
        if (rc == ERR)
            return 0;
        int key = rc == KEY_CODE_YES ? from_curses((int)wc, ret_mouse) : (int)wc;
        if (key == '\n')
            key = EVS_KEY_ENTER;
        if (key == '\b')
            key = EVS_KEY_BACKSPACE;
        if (key > 0)
            return key;
    }
}

void evs_term_take_size(void)
{
    endwin();
    refresh();
    curs_set(0);
    term.all = true;
}

void evs_term_leave(void)
{
    evs_term_sync(false);
    if (term.mouse)
        mousemask(0, NULL);
    endwin();
    fflush(term.out);
    up = 0;
}

void evs_term_enter(void)
{
    up = 1;
    refresh();
    curs_set(0);
    if (term.mouse)
        evs_term_mouse(true);
    evs_term_repaint();
}

void evs_term_suspend(bool by_key)
{
    evs_term_leave();
    if (by_key) { /* the whole job, as the shell would do it */
        set_handler(SIGTSTP, SIG_DFL);
        kill(0, SIGTSTP);
        set_handler(SIGTSTP, on_signal);
    } else {
        raise(SIGSTOP);
    }
    evs_term_enter();
    (void)evs_term_continued();
    resized = 1;
}

void evs_term_mouse(bool on)
{
    term.mouse = on;
    mouseinterval(0);
    mousemask(on ? BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_RELEASED | BUTTON4_PRESSED |
                       BUTTON5_PRESSED
                 : 0,
              NULL);
}

void evs_term_repaint(void)
{
    term.all = true;
    clearok(curscr, TRUE);
}

bool evs_term_writable(void)
{
    return poll(&(struct pollfd){.fd = term.out_fd, .events = POLLOUT}, 1, 0) != 0;
}

void evs_term_sync(bool begin)
{
    fflush(term.out);
    if (term.sync)
        write_all(begin ? "\033[?2026h" : "\033[?2026l", 8);
}

void evs_term_send(const char *bytes, size_t n)
{
    fflush(term.out);
    write_all(bytes, n);
}

/* --- painting ------------------------------------------------------------------------------- */

static attr_t curses_attrs(unsigned attrs)
{
    return (attrs & EVS_ATTR_BOLD ? A_BOLD : 0) | (attrs & EVS_ATTR_DIM ? A_DIM : 0) |
           (attrs & EVS_ATTR_REVERSE ? A_REVERSE : 0) |
           (attrs & EVS_ATTR_UNDERLINE ? A_UNDERLINE : 0);
}

static int curses_color(int32_t color)
{
    return color == EVS_COLOR_OWN ? -1 : color & 0xffffff;
}

static void paint_cell(int row, int col, const struct evs_cell *c, const struct evs_theme *theme)
{
    struct evs_style st = evs_theme_style(theme, c->role, c->base);
    bool mono = term.depth == EVS_DEPTH_MONO;
    int pair = mono ? 0 : alloc_pair(curses_color(st.fg), curses_color(st.bg));
    wchar_t text[CCHARW_MAX + 1];
    size_t n = 0, at = 0;
    while (at < c->len && n < CCHARW_MAX) {
        uint32_t cp;
        int len = evs_text_decode((const uint8_t *)c->bytes + at, c->len - at, &cp);
        if (len <= 0)
            break;
        text[n++] = (wchar_t)cp;
        at += (size_t)len;
    }
    text[n] = L'\0';
    cchar_t cell;
    if (!n || setcchar(&cell, text, curses_attrs(st.attrs), 0, pair > 0 ? &pair : NULL) == ERR)
        return;
    mvadd_wch(row, col, &cell);
}

static bool same(const struct evs_cell *a, const struct evs_cell *b)
{
    return a->len == b->len && a->cols == b->cols && a->role == b->role && a->base == b->base &&
           !memcmp(a->bytes, b->bytes, a->len);
}

bool evs_term_paint(const struct evs_surface *s, const struct evs_theme *theme)
{
    if (term.shown.rows != s->rows || term.shown.cols != s->cols) {
        evs_surface_resize(&term.shown, s->rows, s->cols);
        term.all = true;
    }
    bool news = term.all || s->cursor_row != term.shown.cursor_row ||
                s->cursor_col != term.shown.cursor_col;
    for (int row = 0; row < s->rows; row++)
        for (int col = 0; col < s->cols; col++) {
            const struct evs_cell *c = evs_surface_at(s, row, col);
            if (!c->cols || (!term.all && same(c, evs_surface_at(&term.shown, row, col))))
                continue;
            paint_cell(row, col, c, theme);
            news = true;
        }
    if (!news)
        return false;
    memcpy(term.shown.cells, s->cells, (size_t)s->rows * (size_t)s->cols * sizeof(*s->cells));
    term.all = false;
    curs_set(s->cursor_row >= 0);
    if (s->cursor_row >= 0)
        move(s->cursor_row, s->cursor_col);
    term.shown.cursor_row = s->cursor_row;
    term.shown.cursor_col = s->cursor_col;
    wnoutrefresh(stdscr);
    return true;
}
