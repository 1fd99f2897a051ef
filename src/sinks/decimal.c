#include "sinks/decimal.h"

#include <string.h>

enum { SMALL_DIGITS = 18 };

void evs_decimal_zero(struct evs_decimal *v)
{
    v->big = v->neg = false;
    v->scale = v->n = 0;
    v->small = 0;
}

/* The exponent of "1e-5": from the letter on. */
static bool read_exponent(const char *p, size_t n, int *ret_e)
{
    bool neg = n > 1 && p[1] == '-';
    size_t at = n > 1 && (p[1] == '-' || p[1] == '+') ? 2 : 1;
    if (at >= n || n - at > 5)
        return false;
    int e = 0;
    for (; at < n; at++) {
        if (p[at] < '0' || p[at] > '9')
            return false;
        e = e * 10 + (p[at] - '0');
    }
    *ret_e = neg ? -e : e;
    return true;
}

/* Digits, most significant first, into d reversed; then the exponent into the scale. */
static bool finish_big(struct evs_decimal *v, const uint8_t *digits, int n, int scale)
{
    while (n > 1 && digits[0] == 0) { /* leading zeros do not count */
        digits++;
        n--;
    }
    if (scale < 0) {
        if (n - scale > EVS_DECIMAL_DIGITS)
            return n == 1 && digits[0] == 0 ? (evs_decimal_zero(v), true) : false;
        memset(v->d, 0, (size_t)-scale);
    }
    int pad = scale < 0 ? -scale : 0;
    if (n + pad > EVS_DECIMAL_DIGITS || scale > EVS_DECIMAL_DIGITS)
        return false;
    for (int i = 0; i < n; i++)
        v->d[pad + i] = digits[n - 1 - i];
    v->n = n + pad;
    v->scale = scale < 0 ? 0 : scale;
    v->big = true;
    if (v->n <= SMALL_DIGITS) {
        int64_t small = 0;
        for (int i = v->n; i-- > 0;)
            small = small * 10 + v->d[i];
        v->small = v->neg ? -small : small;
        v->big = false;
    }
    return true;
}

bool evs_decimal_read(struct evs_decimal *v, const char *p, size_t n)
{
    uint8_t digits[EVS_DECIMAL_DIGITS];
    int count = 0, scale = 0, e = 0;
    bool point = false;
    size_t at = 0;
    evs_decimal_zero(v);
    v->neg = n && p[0] == '-';
    at += v->neg;
    for (; at < n && (p[at] | 32) != 'e'; at++) {
        if (p[at] == '.' && !point) {
            point = true;
            continue;
        }
        if (p[at] < '0' || p[at] > '9' || count == EVS_DECIMAL_DIGITS)
            return false;
        digits[count++] = (uint8_t)(p[at] - '0');
        scale += point;
    }
    if (!count || (at < n && !read_exponent(p + at, n - at, &e)))
        return false;
    return finish_big(v, digits, count, scale - e);
}

static void to_big(struct evs_decimal *v)
{
    if (v->big)
        return;
    v->neg = v->small < 0;
    uint64_t rest = v->neg ? 0 - (uint64_t)v->small : (uint64_t)v->small;
    v->n = 0;
    do {
        v->d[v->n++] = (uint8_t)(rest % 10);
        rest /= 10;
    } while (rest);
    v->big = true;
}

static bool rescale(struct evs_decimal *v, int scale)
{
    int more = scale - v->scale;
    if (more <= 0)
        return true;
    if (v->n + more > EVS_DECIMAL_DIGITS)
        return false;
    memmove(v->d + more, v->d, (size_t)v->n);
    memset(v->d, 0, (size_t)more);
    v->n += more;
    v->scale = scale;
    return true;
}

static int compare_digits(const struct evs_decimal *a, const struct evs_decimal *b)
{
    int top = a->n > b->n ? a->n : b->n;
    for (int i = top; i-- > 0;) {
        int x = i < a->n ? a->d[i] : 0, y = i < b->n ? b->d[i] : 0;
        if (x != y)
            return x - y;
    }
    return 0;
}

static bool add_digits(struct evs_decimal *to, const struct evs_decimal *v)
{
    int top = to->n > v->n ? to->n : v->n, carry = 0;
    for (int i = 0; i < top || carry; i++) {
        if (i == EVS_DECIMAL_DIGITS)
            return false;
        int x = (i < to->n ? to->d[i] : 0) + (i < v->n ? v->d[i] : 0) + carry;
        to->d[i] = (uint8_t)(x % 10);
        carry = x / 10;
        if (i >= to->n)
            to->n = i + 1;
    }
    return true;
}

/* to = big - less, |big| >= |less| */
static void subtract_digits(struct evs_decimal *to, const struct evs_decimal *big,
                            const struct evs_decimal *less)
{
    int borrow = 0, n = big->n;
    for (int i = 0; i < n; i++) {
        int x = big->d[i] - (i < less->n ? less->d[i] : 0) - borrow;
        borrow = x < 0;
        to->d[i] = (uint8_t)(x + (borrow ? 10 : 0));
    }
    while (n > 1 && to->d[n - 1] == 0)
        n--;
    to->n = n;
}

bool evs_decimal_add(struct evs_decimal *to, const struct evs_decimal *v)
{
    if (!to->big && !v->big && to->scale == v->scale) {
        int64_t sum = to->small + v->small; /* both below 10^18 or sums of them: checked below */
        if (sum < INT64_MAX / 2 && sum > INT64_MIN / 2) {
            to->small = sum;
            return true;
        }
    }
    struct evs_decimal other = *v;
    to_big(to);
    to_big(&other);
    int scale = to->scale > other.scale ? to->scale : other.scale;
    if (!rescale(to, scale) || !rescale(&other, scale))
        return false;
    if (to->neg == other.neg)
        return add_digits(to, &other);
    int order = compare_digits(to, &other);
    if (order >= 0) {
        subtract_digits(to, to, &other);
    } else {
        subtract_digits(to, &other, to);
        to->neg = other.neg;
    }
    if (order == 0)
        to->neg = false;
    return true;
}

void evs_decimal_print(const struct evs_decimal *v, struct evs_buf *out)
{
    struct evs_decimal b = *v;
    to_big(&b);
    while (b.n > 1 && b.n > b.scale + 1 && b.d[b.n - 1] == 0)
        b.n--;
    bool zero = true;
    for (int i = 0; i < b.n; i++)
        zero = zero && b.d[i] == 0;
    if (b.neg && !zero)
        evs_buf_addc(out, '-');
    int top = b.n > b.scale ? b.n : b.scale + 1;
    for (int i = top; i-- > 0;) {
        evs_buf_addc(out, (char)('0' + (i < b.n ? b.d[i] : 0)));
        if (i == b.scale && i > 0)
            evs_buf_addc(out, '.');
    }
}

bool evs_decimal_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct evs_decimal x, y;
    if (!evs_decimal_read(&x, a, a_len) || !evs_decimal_read(&y, b, b_len))
        return false;
    to_big(&x);
    to_big(&y);
    int scale = x.scale > y.scale ? x.scale : y.scale;
    if (!rescale(&x, scale) || !rescale(&y, scale))
        return false;
    return compare_digits(&x, &y) == 0 &&
           (x.neg == y.neg || (compare_digits(&x, &y) == 0 && x.n == 1 && x.d[0] == 0));
}
