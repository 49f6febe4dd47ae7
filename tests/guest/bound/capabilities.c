// SPDX-License-Identifier: MIT
// Capabilities belong to a thread: what one drops from its sets, from the bounding set or puts into the
// ambient set, and its securebits, are seen by itself and by the threads that it creates from then on, and
// decide what they may do; all others keep theirs. Needs root, else it is skipped.
#include "bound.h"
#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { KINDS = 8, EACH = 3, CHECKS = 40, LOW_PORT = 7 };

#define BIT(capability) (UINT64_C(1) << (capability))
#define FILES           (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH))
#define NEEDED \
    (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_CHOWN) | BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP))

// All that a thread may see of itself.
struct rights {
    uint64_t effective, permitted, inheritable;
    int bounded, ambient, keeps, securebits; // of CAP_SETFCAP, of CAP_NET_RAW
};

struct worker {
    int kind;
    struct rights rights;
    struct tally tally;
};

static const char *const kinds[KINDS] = {
    "all rights",    "no rights to files",    "no low ports, for good", "no chown",
    "a lower bound", "an ambient capability", "keeps capabilities",     "securebits",
};
static struct rights whole; // main's
static bool low_ports_are_guarded;

// By what a library may take for the id of the thread: 0 or its own.
static long sets(long call, pid_t id, struct rights *rights)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, id};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)rights->effective, (uint32_t)rights->permitted, (uint32_t)rights->inheritable},
        {(uint32_t)(rights->effective >> 32), (uint32_t)(rights->permitted >> 32),
         (uint32_t)(rights->inheritable >> 32)}};
    long result = syscall(call, &header, data);
    rights->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    rights->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    rights->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return result;
}

static struct rights rights_now(pid_t id)
{
    struct rights now;
    memset(&now, 0, sizeof now);
    CHECK_EQUAL(sets(SYS_capget, id, &now), 0);
    now.bounded = prctl(PR_CAPBSET_READ, CAP_SETFCAP, 0, 0, 0);
    now.ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0);
    now.keeps = prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0);
    now.securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    return now;
}

// 0, or the error of taking a port that only some may take. Another program may have it.
static int low_port_error(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(LOW_PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    int error = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    CHECK_EQUAL(close(fd), 0);
    return error == EADDRINUSE ? 0 : error;
}

static int chown_error(void)
{
    return chown("mine", 65534, 65534) == 0 ? 0 : errno;
}

static void look(struct tally *tally, const struct rights *rights)
{
    struct rights now = rights_now(tally->checks % 4 < 2 ? 0 : gettid());
    TALLY(tally, now.effective == rights->effective);
    TALLY(tally, now.permitted == rights->permitted);
    TALLY(tally, now.inheritable == rights->inheritable);
    TALLY(tally, now.bounded == rights->bounded);
    TALLY(tally, now.ambient == rights->ambient);
    TALLY(tally, now.keeps == rights->keeps);
    TALLY(tally, now.securebits == rights->securebits);
    TALLY(tally, open_error("locked") == (rights->effective & FILES ? 0 : EACCES));
    TALLY(tally, chown_error() == (rights->effective & BIT(CAP_CHOWN) ? 0 : EPERM));
    bool may = !low_ports_are_guarded || rights->effective & BIT(CAP_NET_BIND_SERVICE);
    TALLY(tally, low_port_error() == (may ? 0 : EACCES));
}

static void change(int kind, struct rights *rights)
{
    switch (kind) {
    case 1:
        rights->effective &= ~FILES;
        CHECK_EQUAL(sets(SYS_capset, 0, rights), 0);
        break;
    case 2:
        rights->effective &= ~BIT(CAP_NET_BIND_SERVICE);
        rights->permitted &= ~BIT(CAP_NET_BIND_SERVICE);
        CHECK_EQUAL(sets(SYS_capset, gettid(), rights), 0);
        break;
    case 3:
        rights->effective &= ~BIT(CAP_CHOWN);
        CHECK_EQUAL(sets(SYS_capset, gettid(), rights), 0);
        break;
    case 4:
        rights->bounded = 0;
        CHECK_EQUAL(prctl(PR_CAPBSET_DROP, CAP_SETFCAP, 0, 0, 0), 0);
        break;
    case 5:
        rights->inheritable |= BIT(CAP_NET_RAW);
        rights->ambient = 1;
        CHECK_EQUAL(sets(SYS_capset, 0, rights), 0);
        CHECK_EQUAL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), 0);
        break;
    case 6:
        rights->keeps = 1;
        rights->securebits |= SECBIT_KEEP_CAPS;
        CHECK_EQUAL(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
        break;
    case 7:
        rights->securebits |= SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT;
        CHECK_EQUAL(prctl(PR_SET_SECUREBITS, rights->securebits, 0, 0, 0), 0);
        break;
    }
}

static void *inherit(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < CHECKS / 2; i++) {
        look(&worker->tally, &worker->rights);
        wander(2);
    }
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->rights = whole;
    look(&worker->tally, &worker->rights);
    wander(5);
    change(worker->kind, &worker->rights);
    for (int i = 0; i < CHECKS; i++) {
        look(&worker->tally, &worker->rights);
        wander(2);
    }
    struct worker heir = {.rights = worker->rights};
    pthread_t thread = guest_start(inherit, &heir);
    inherit(worker);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    if (worker->kind == 1 || worker->kind == 3) { // what is permitted may be taken again
        worker->rights.effective = whole.effective;
        CHECK_EQUAL(sets(SYS_capset, 0, &worker->rights), 0);
        inherit(worker);
    } else if (worker->kind == 2) {
        struct rights wanted = whole;
        CHECK(sets(SYS_capset, 0, &wanted) < 0 && errno == EPERM);
        inherit(worker);
    }
    return NULL;
}

static void generation(int number, bool all_whole)
{
    struct worker workers[EACH][KINDS];
    pthread_t threads[EACH][KINDS];
    char name[80];
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < EACH; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            workers[i][kind].kind = all_whole ? 0 : kind;
            threads[i][kind] = guest_start(work, &workers[i][kind]);
        }
    }
    for (int i = 0; i < EACH; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            guest_join(threads[i][kind]);
            snprintf(name, sizeof name, "generation %d, worker %d (%s)", number, i * KINDS + kind,
                     kinds[workers[i][kind].kind]);
            tally_print(name, &workers[i][kind].tally);
        }
    }
}

static bool ports_are_guarded(void)
{
    int first = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    if (file && fscanf(file, "%d", &first) != 1)
        first = 0;
    if (file)
        fclose(file);
    return first > LOW_PORT;
}

int main(void)
{
    struct tally tally = {0};
    if (geteuid() != 0) {
        puts("not root");
        return 77;
    }
    whole = rights_now(0);
    if ((whole.effective & NEEDED) != NEEDED || whole.bounded != 1 || whole.ambient != 0 ||
        whole.securebits != 0) {
        puts("a root without the usual capabilities");
        return 77;
    }
    low_ports_are_guarded = ports_are_guarded();
    file_make("locked", "", 0, 0, 0);
    file_make("mine", "", 0, 0, 0600);
    wander_begin();
    generation(1, false);
    generation(2, true);
    look(&tally, &whole);
    tally_print("main", &tally);
    return tally_success();
}
