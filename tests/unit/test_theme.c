/* test_theme.c - themes: complete, readable, apart; errors name file and line. */
#include <math.h>
#include <string.h>

#include "test.h"
#include "ui/theme.h"

static double channel(uint32_t v)
{
    double c = v / 255.0;
    return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
    return 0.2126 * channel(rgb >> 16 & 255) + 0.7152 * channel(rgb >> 8 & 255) +
           0.0722 * channel(rgb & 255);
}

static double contrast(uint32_t a, uint32_t b)
{
    double la = luminance(a), lb = luminance(b);
    return la > lb ? (la + 0.05) / (lb + 0.05) : (lb + 0.05) / (la + 0.05);
}

static void test_themes_load(void **state)
{
    (void)state;
    size_t n = 0;
    for (; evs_theme_builtin(n); n++) {
        struct evs_theme t;
        struct evs_err err = EVS_ERR_INIT;
        if (evs_theme_load(evs_theme_builtin(n), NULL, &t, &err))
            fail_msg("%s: %s", evs_theme_builtin(n), err.msg);
        for (int r = 0; r < EVS_ROLE_N; r++)
            assert_true(t.role[r].set);
    }
    assert_int_equal(n, 5);
}

/* Text on its background; the terminal's own colours are black and white, or white and black. */
static void test_contrast(void **state)
{
    static const struct {
        const char *name;
        uint32_t fg, bg;
        double text;
    } themes[] = {{"default", 0xe5e5e5, 0x000000, 4.5},
                  {"light", 0x000000, 0xffffff, 4.5},
                  {"contrast", 0xffffff, 0x000000, 7},
                  {"solar", 0x93a1a1, 0x002b36, 4.5}};
    static const enum evs_role drawn[] = {EVS_ROLE_BAR,      EVS_ROLE_BAR_HOT,  EVS_ROLE_SPARK,
                                          EVS_ROLE_PROGRESS, EVS_ROLE_BAR_MEAN, EVS_ROLE_PANE_RULE,
                                          EVS_ROLE_BAR_AFTER};
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(themes); i++) {
        struct evs_theme t;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_theme_load(themes[i].name, NULL, &t, &err), EVS_OK);
        for (int r = 0; r < EVS_ROLE_HEAT_0; r++) {
            double least = themes[i].text;
            for (size_t d = 0; d < EVS_COUNT(drawn); d++)
                if (drawn[d] == (enum evs_role)r)
                    least = r == EVS_ROLE_PANE_RULE ? 1.5 : 3;
            if (!strcmp(themes[i].name, "default") && r == EVS_ROLE_TEXT_DIM)
                least = 4; /* brightblack is the terminal's own */
            bool named = t.role[r].fg >= 0 && t.role[r].fg < 16; /* the terminal's own shade */
            least -= named && least == 7 ? 0.5 : 0;
            double c = contrast(evs_color_rgb(t.role[r].fg, themes[i].fg),
                                evs_color_rgb(t.role[r].bg, themes[i].bg));
            if (c < least)
                fail_msg("%s: %s has a contrast of %.2f", themes[i].name,
                         evs_role_name((enum evs_role)r), c);
        }
    }
}

static void test_heat_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct evs_theme t;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_theme_load(evs_theme_builtin(i), NULL, &t, &err), EVS_OK);
        evs_theme_reduce(&t, EVS_DEPTH_DIRECT);
        for (int r = EVS_ROLE_HEAT_0; r <= EVS_ROLE_HEAT_9; r++)
            assert_true(contrast(evs_color_rgb(t.role[r].fg, 0), evs_color_rgb(t.role[r].bg, 0)) >=
                        3);
    }
}

/* Machado, Oliveira and Fernandes 2009, severity 1: on linear RGB. */
static const double blindness[][3][3] = {
    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
    {{0.152286, 1.052583, -0.204868},
     {0.114503, 0.786281, 0.099216},
     {-0.003882, -0.048116, 1.051998}},
    {{0.367322, 0.860646, -0.227968},
     {0.280085, 0.672501, 0.047413},
     {-0.011820, 0.042940, 0.968881}},
    {{1.255528, -0.076749, -0.178779},
     {-0.078411, 0.930809, 0.147602},
     {0.004733, 0.691367, 0.303900}},
};
static const char *const blind_names[] = {"full sight", "protanopia", "deuteranopia", "tritanopia"};

static double lab_f(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

static void seen_as_lab(uint32_t rgb, const double m[3][3], double lab[3])
{
    double in[3] = {channel(rgb >> 16 & 255), channel(rgb >> 8 & 255), channel(rgb & 255)}, out[3];
    for (int i = 0; i < 3; i++)
        out[i] = fmin(1, fmax(0, m[i][0] * in[0] + m[i][1] * in[1] + m[i][2] * in[2]));
    double x = (0.4124 * out[0] + 0.3576 * out[1] + 0.1805 * out[2]) / 0.9505;
    double y = 0.2126 * out[0] + 0.7152 * out[1] + 0.0722 * out[2];
    double z = (0.0193 * out[0] + 0.1192 * out[1] + 0.9505 * out[2]) / 1.089;
    lab[0] = 116 * lab_f(y) - 16;
    lab[1] = 500 * (lab_f(x) - lab_f(y));
    lab[2] = 200 * (lab_f(y) - lab_f(z));
}

static double difference(uint32_t a, uint32_t b, int kind)
{
    double x[3], y[3], sum = 0;
    seen_as_lab(a, blindness[kind], x);
    seen_as_lab(b, blindness[kind], y);
    for (int i = 0; i < 3; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

/* A difference of 2.3 can just be seen side by side; verdicts stand apart. */
static void test_verdicts_without_red_green_or_blue(void **state)
{
    static const enum evs_role verdicts[] = {EVS_ROLE_OK, EVS_ROLE_INFO, EVS_ROLE_WARN,
                                             EVS_ROLE_BAD};
    enum { LEAST = 8 };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct evs_theme t;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_theme_load(evs_theme_builtin(i), NULL, &t, &err), EVS_OK);
        uint32_t own = !strcmp(t.name, "light") ? 0x000000 : 0xe5e5e5;
        for (size_t k = 0; k < EVS_COUNT(blindness); k++)
            for (size_t a = 0; a < EVS_COUNT(verdicts); a++)
                for (size_t b = a + 1; b < EVS_COUNT(verdicts); b++) {
                    double d = difference(evs_color_rgb(t.role[verdicts[a]].fg, own),
                                          evs_color_rgb(t.role[verdicts[b]].fg, own), (int)k);
                    if (d < LEAST)
                        fail_msg("%s, %s: %s and %s differ by %.1f only", t.name, blind_names[k],
                                 evs_role_name(verdicts[a]), evs_role_name(verdicts[b]), d);
                }
    }
}

static enum evs_rc parse_theme(const char *text, struct evs_theme *t, struct evs_err *err)
{
    memset(t, 0, sizeof(*t));
    return evs_theme_parse(text, strlen(text), "x.theme", NULL, t, err);
}

static void test_theme_errors(void **state)
{
    struct evs_theme t;
    struct evs_err err = EVS_ERR_INIT;
    (void)state;
    assert_int_equal(parse_theme("# c\nlag.worse = red, -, -\n", &t, &err), EVS_INVALID);
    assert_string_equal(err.msg, "x.theme:2: unknown role 'lag.worse'");
    assert_int_equal(parse_theme("ok = rod, -, -\n", &t, &err), EVS_INVALID);
    assert_non_null(strstr(err.msg, "x.theme:1: 'rod' is no colour"));
    assert_int_equal(parse_theme("ok = red, -\n", &t, &err), EVS_INVALID);
    assert_int_equal(parse_theme("ok = red, -, blink\n", &t, &err), EVS_INVALID);
    assert_int_equal(parse_theme("inherit = nope\n", &t, &err), EVS_INVALID);
    assert_int_equal(parse_theme("bar = #FFAA00, -, bold+underline\n", &t, &err), EVS_OK);
    assert_int_equal(t.role[EVS_ROLE_BAR].fg, EVS_COLOR_RGB | 0xffaa00);
    assert_int_equal(t.role[EVS_ROLE_BAR].attrs, EVS_ATTR_BOLD | EVS_ATTR_UNDERLINE);
    evs_theme_resolve(&t); /* bar.hot falls back to bar */
    assert_int_equal(t.role[EVS_ROLE_BAR_HOT].fg, EVS_COLOR_RGB | 0xffaa00);
    assert_int_equal(evs_theme_load("defualt", NULL, &t, &err), EVS_INVALID);
    assert_non_null(strstr(err.hint, "default"));
}

static void test_few_colors_stay_readable(void **state)
{
    (void)state;
    for (int depth = EVS_DEPTH_MONO; depth <= EVS_DEPTH_DIRECT; depth++)
        for (size_t i = 0; evs_theme_builtin(i); i++) {
            struct evs_theme t;
            struct evs_err err = EVS_ERR_INIT;
            assert_int_equal(evs_theme_load(evs_theme_builtin(i), NULL, &t, &err), EVS_OK);
            evs_theme_reduce(&t, (enum evs_depth)depth);
            for (int r = 0; r < EVS_ROLE_N; r++)
                for (int b = 0; b <= EVS_ROLE_N; b++) {
                    bool bands = b == EVS_ROLE_N || b == EVS_ROLE_ROW_CURSOR ||
                                 b == EVS_ROLE_HEADER || b == EVS_ROLE_STATUS ||
                                 b == EVS_ROLE_PROMPT;
                    struct evs_style st = evs_theme_style(&t, (enum evs_role)r, (enum evs_role)b);
                    if (bands && st.fg == st.bg && st.fg != EVS_COLOR_OWN && r < EVS_ROLE_HEAT_0)
                        fail_msg("%s at depth %d: %s on %s cannot be seen", evs_theme_builtin(i),
                                 depth, evs_role_name((enum evs_role)r),
                                 b < EVS_ROLE_N ? evs_role_name((enum evs_role)b) : "nothing");
                }
        }
}

/* A terminal's own background is often black, and eight colours have no grey but it. */
static void test_eight_colors_without_black_text(void **state)
{
    (void)state;
    for (size_t i = 0; evs_theme_builtin(i); i++) {
        struct evs_theme t;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_theme_load(evs_theme_builtin(i), NULL, &t, &err), EVS_OK);
        evs_theme_reduce(&t, EVS_DEPTH_8);
        for (int r = 0; r < EVS_ROLE_HEAT_0; r++)
            if (t.role[r].fg == 0 && t.role[r].bg <= 0)
                fail_msg("%s: %s is black", evs_theme_builtin(i), evs_role_name((enum evs_role)r));
        struct evs_style row = evs_theme_style(&t, EVS_ROLE_TEXT, EVS_ROLE_ROW_CURSOR);
        assert_true(row.bg > 0 || row.attrs & EVS_ATTR_REVERSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eight_colors_without_black_text),
        cmocka_unit_test(test_themes_load),
        cmocka_unit_test(test_contrast),
        cmocka_unit_test(test_heat_text),
        cmocka_unit_test(test_verdicts_without_red_green_or_blue),
        cmocka_unit_test(test_theme_errors),
        cmocka_unit_test(test_few_colors_stay_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
