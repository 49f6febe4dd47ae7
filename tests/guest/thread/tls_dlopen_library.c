// SPDX-License-Identifier: MIT
// Loaded by tls_dlopen while threads exist. Built twice: with dynamic TLS, and with -ftls-model=initial-exec,
// for which the loader must find room in the static TLS of every thread that already lives.
__thread int library_initialised = 77;
__thread char library_zero[100];

int *library_address(void)
{
    return &library_initialised;
}

char *library_zero_address(void)
{
    return library_zero;
}
