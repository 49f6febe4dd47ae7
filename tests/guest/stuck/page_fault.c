// SPDX-License-Identifier: MIT
// Threads read pages that are not there yet, and somebody else must provide them (userfaultfd): stuck
// without any call; a hundred others go on.
#include "stuck.h"
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef UFFD_USER_MODE_ONLY // Linux 5.11
#define UFFD_USER_MODE_ONLY 1
#endif

static int faults;
static char *pages;
static size_t page_size;

static char *page(int index)
{
    return pages + (size_t)index * page_size;
}

static void prepare(int threads)
{
    CHECK(madvise(pages, (size_t)threads * page_size, MADV_DONTNEED) == 0);
}

static void block(int index)
{
    CHECK_EQUAL(*(volatile char *)page(index), 'a' + index);
}

static void release(int threads)
{
    static char contents[1 << 16];
    for (int i = 0; i < threads; i++) {
        memset(contents, 'a' + i, page_size);
        struct uffdio_copy copy = {.dst = (uintptr_t)page(i), .src = (uintptr_t)contents, .len = page_size};
        CHECK(ioctl(faults, UFFDIO_COPY, &copy) == 0);
    }
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (faults < 0) {
        puts("the kernel gives no userfaultfd");
        return 77;
    }
    struct uffdio_api api = {.api = UFFD_API};
    CHECK(ioctl(faults, UFFDIO_API, &api) == 0);
    pages = mmap(NULL, STUCK_FEW * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    struct uffdio_register range = {.range = {(uintptr_t)pages, STUCK_FEW * page_size},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    CHECK(ioctl(faults, UFFDIO_REGISTER, &range) == 0);
    return stuck_run(&kind);
}
