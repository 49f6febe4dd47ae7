// SPDX-License-Identifier: MIT
// A thousand functions (-DCALLED), and a library that calls each of them once: each call is bound when it is
// made first.
/* clang-format off */
#define TEN(what, n) \
    what(n##0) what(n##1) what(n##2) what(n##3) what(n##4) what(n##5) what(n##6) what(n##7) what(n##8) what(n##9)
#define HUNDRED(what, n)                                                                            \
    TEN(what, n##0) TEN(what, n##1) TEN(what, n##2) TEN(what, n##3) TEN(what, n##4) TEN(what, n##5) \
    TEN(what, n##6) TEN(what, n##7) TEN(what, n##8) TEN(what, n##9)
#define THOUSAND(what)                                                                              \
    HUNDRED(what, 0) HUNDRED(what, 1) HUNDRED(what, 2) HUNDRED(what, 3) HUNDRED(what, 4)            \
    HUNDRED(what, 5) HUNDRED(what, 6) HUNDRED(what, 7) HUNDRED(what, 8) HUNDRED(what, 9)
/* clang-format on */

#define DECLARATION(n) int called_by_name_##n(void);
#define DEFINITION(n)            \
    int called_by_name_##n(void) \
    {                            \
        return 1;                \
    }
#define CALL(n) +called_by_name_##n()

THOUSAND(DECLARATION)

#ifdef CALLED
THOUSAND(DEFINITION)
#else
int call_all(void);
int call_all(void)
{
    return 0 THOUSAND(CALL);
}
#endif
