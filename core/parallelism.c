/* SPDX-License-Identifier: MIT */
/* See parallelism.h. Context: the monitor's kernel thread. */
#include "parallelism.h"

#include <sched.h>

#include "bound.h"
#include "carrier.h"
#include "event_loop.h"
#include "machine.h"
#include "place.h"
#include "raw.h"
#include "trace.h"

enum {
    CROWDED = 85,    /* percent of a CPU that a carrier gets when others want it, at most */
    FULL = 90,       /* ... when it is all that one carrier can use, at least */
    LONG = 50000,    /* ns of CPU for a dispatch: from there on, spreading costs little beside it, */
    TINY = 2000,     /* and below that perhaps more than all the rest, whoever has the CPUs */
    WORKING = 20,    /* percent of a CPU for each, from which on it may matter which one, */
    FOR_PEERS = 45,  /* and up to which peers may be what has the rest */
    BESIDE = 30,     /* percent of each CPU for hogs: then none is idle */
    SETTLE = 1,      /* windows after a change that do not count, */
    FIND_PLACES = 4, /* as many when carriers have got their CPUs: peers and connections have to find them, */
    MEASURE = 3,     /* and those that do */
};

/* ns from one trial to the next of the same direction, at first and in the end. */
#define PAUSE      INT64_C(250000000)
#define PAUSE_MOST INT64_C(4000000000)

/* Each failure makes it so much longer. Much, where a trial costs much: of tiny turns, of which a processor
 * may do half as many, and of places, which have to be found. (So they have behind a trial of none: that is
 * made every PAUSE_MOST only.) */
enum { LONGER = 2, MUCH_LONGER = 4 };

atomic_uint weft_parallelism = 1;

/* PLACE: each carrier gets a CPU of its own; RELEASE: the kernel chooses again. */
enum direction { PLACE, RELEASE, FEWER, MORE, DIRECTIONS };

static int64_t begun; /* when the window did, ns; 0: there is none */
static uint32_t done; /* by all processors until then */
static unsigned cpus;

/* What the windows since the last change, or the last trial, have shown. */
static int64_t rate;                /* work in a second; 0: not known */
static unsigned windows;            /* of the trial */
static unsigned in_row[DIRECTIONS]; /* windows in a row that speak for a trial */

static struct {
    bool runs;
    enum direction direction;
    int64_t rate; /* before, */
    unsigned active;
    bool placed; /* and what to go back to */
    bool tiny;   /* one of FEWER, because turns were tiny */
} trial;
static struct {
    int64_t pause, not_before;
} next[DIRECTIONS];
static int64_t decided_rate; /* when the last trial ended */
static int64_t kernels_rate; /* when carriers were last where the kernel liked */
static unsigned slower;      /* windows in a row with less than that, in places */

static uint32_t count_work(void)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < weft_processor_count; i++)
        sum += __atomic_load_n(&weft_processors[i].ticks, __ATOMIC_RELAXED) -
               __atomic_load_n(&weft_processors[i].yields, __ATOMIC_RELAXED) +
               __atomic_load_n(&weft_processors[i].found, __ATOMIC_RELAXED);
    return sum;
}

/* Those that did not sleep got less than a CPU each, and one carrier less would leave enough CPUs for all:
 * with a fair kernel a share of `each` percent means that 100 * cpus / each threads want to run. */
static bool crowded(struct weft_shares shares)
{
    unsigned each = shares.awake ? shares.got / shares.awake : 100;
    return each <= CROWDED && 2 * 100 * cpus <= (2 * cpus + 3) * each;
}

/* Only what is short: where a turn takes long, wake-ups and caches cost little beside it. */
static bool is_short(unsigned cpu, int64_t work)
{
    return work * 100 * LONG >= (int64_t)cpu * 1000000000;
}

/* All have a CPU of their own, and such short turns on it that what they share may take longer. */
static bool is_tiny(struct weft_shares shares, int64_t work)
{
    return shares.cpu >= FULL * atomic_load(&weft_parallelism) &&
           work * 100 * TINY >= (int64_t)shares.cpu * 1000000000;
}

/* Whether carriers may be pinned. Who runs the program without a processor most of the time is not to be. */
static bool may_place(void)
{
    return cpus > 1 && cpus == weft_processor_count && !weft_bound_ever() && !weft_event_loops_out();
}

/* Hogs fill the CPUs, so a carrier and its peers do not run at the same time anyway. */
static bool among_hogs(struct weft_shares shares)
{
    return shares.beside >= BESIDE * cpus;
}

/* Little is to be done, and whoever has to do it is not to be kept from an idle CPU. */
static bool is_idle(struct weft_shares shares)
{
    unsigned active = atomic_load(&weft_parallelism);
    return shares.known >= active && 2 * shares.cpu < WORKING * active;
}

/* Whether one processor less might do as well, or one more better, or a CPU for each. */
static bool wants(enum direction direction, struct weft_shares shares, int64_t work)
{
    unsigned active = atomic_load(&weft_parallelism);
    if (direction == PLACE && among_hogs(shares)) /* who makes processors change hands all the time */
        return !weft_placed() && may_place() && is_short(shares.work, work) && shares.work >= WORKING &&
               shares.work <= FULL;
    if (shares.known < active)
        return false;
    if (direction == PLACE)
        return !weft_placed() && may_place() && active == weft_processor_count &&
               is_short(shares.cpu, work) && shares.cpu >= WORKING * active &&
               shares.cpu <= FOR_PEERS * active;
    if (direction == RELEASE)
        return weft_placed();
    if (direction == MORE)
        return active < weft_processor_count && shares.cpu >= FULL * active;
    /* Who did not sleep may need a whole CPU, whatever it got. */
    unsigned needed = shares.cpu - shares.got + 100 * shares.awake;
    return active > 1 && is_short(shares.cpu, work) &&
           (needed <= FULL * (active - 1) || crowded(shares) || is_tiny(shares, work));
}

static void tell(const char *what, int64_t before, int64_t after)
{
    if (!(weft_trace_mask & WEFT_TRACE_SCHED))
        return;
    struct weft_line line = {0};
    weft_trace_begin(&line, NULL);
    weft_line_text(&line, what);
    weft_line_text(&line, " ");
    weft_line_number(&line, atomic_load(&weft_parallelism));
    weft_line_text(&line, weft_placed() ? " placed, work/s " : " work/s ");
    weft_line_number(&line, before);
    weft_line_text(&line, " -> ");
    weft_line_number(&line, after);
    weft_trace_end(&line);
}

/* The windows so far say nothing about those to come. */
static void start_over(void)
{
    rate = 0;
    windows = slower = 0;
    for (int i = 0; i < DIRECTIONS; i++)
        in_row[i] = 0;
}

static void arrange(unsigned active, bool placed)
{
    if (weft_placed() && !placed)
        weft_place_end();
    atomic_store(&weft_parallelism, active);
    if (placed && !weft_placed())
        weft_place_begin();
    start_over();
}

static void trial_begin(enum direction direction, struct weft_shares shares)
{
    unsigned active = atomic_load(&weft_parallelism);
    trial.runs = true;
    trial.direction = direction;
    trial.rate = rate;
    trial.active = active;
    trial.placed = weft_placed();
    trial.tiny = direction == FEWER && is_tiny(shares, rate);
    if (direction == PLACE)
        arrange(among_hogs(shares) ? 1 : active, true);
    else
        arrange(direction == FEWER ? active - 1 : direction == MORE ? active + 1 : active, false);
    tell("parallelism: trial of", trial.rate, 0);
}

/* Whether the last of the processors brought a tenth of what it could. */
static bool worth_one_more(int64_t without, int64_t with)
{
    unsigned active = atomic_load(&weft_parallelism),
             others = active - (active > 1 && trial.direction == MORE);
    return with - without > without / (10 * (int64_t)others);
}

static bool is_better(void)
{
    switch (trial.direction) {
    case PLACE:
    case RELEASE:
        return rate - trial.rate > trial.rate / 20;
    case FEWER:
        return !worth_one_more(rate, trial.rate);
    default:
        return worth_one_more(trial.rate, rate);
    }
}

/* Where turns are tiny, all have settled within the first window. Without that processor a quarter is lost.
 */
static bool is_hopeless(int64_t work)
{
    return trial.tiny && work < trial.rate - trial.rate / 4;
}

static int64_t first_pause(enum direction direction)
{
    return direction == RELEASE ? PAUSE_MOST : PAUSE;
}

static void trial_end(int64_t now)
{
    enum direction direction = trial.direction, opposite = direction ^ 1;
    bool better = is_better();
    int64_t *pause = &next[direction].pause;
    trial.runs = false;
    decided_rate = better ? rate : trial.rate;
    tell(better ? "parallelism: stays" : "parallelism: not", trial.rate, rate);
    if (better) {
        *pause = first_pause(direction);
    } else {
        arrange(trial.active, trial.placed);
        *pause *= direction == PLACE || trial.tiny ? MUCH_LONGER : LONGER;
        *pause = *pause < PAUSE_MOST ? *pause : PAUSE_MOST;
    }
    next[direction].not_before = now + *pause;
    if (better && next[opposite].not_before < now + next[opposite].pause)
        next[opposite].not_before = now + next[opposite].pause;
    if (better && direction == PLACE) {
        next[FEWER].not_before = now + 2 * PAUSE; /* peers are still about to find theirs */
        kernels_rate = trial.rate;
    }
}

/* What was tried was tried with other work. */
static void forget_failures(int64_t now)
{
    for (enum direction i = 0; i < DIRECTIONS; i++) {
        next[i].pause = first_pause(i);
        if (next[i].not_before > now + next[i].pause)
            next[i].not_before = now + next[i].pause;
    }
    decided_rate = rate;
}

void weft_parallelism_decide(int64_t now, struct weft_shares shares, int64_t work)
{
    if (weft_placed() && (!may_place() || is_idle(shares) ||
                          (atomic_load(&weft_parallelism) < weft_processor_count && !among_hogs(shares)))) {
        trial.runs = false;
        arrange(atomic_load(&weft_parallelism), false);
    }
    weft_place_look();
    if (trial.runs) {
        unsigned settle = weft_placed() ? FIND_PLACES : SETTLE;
        windows++;
        if (is_hopeless(work)) {
            rate = work;
            trial_end(now);
            return;
        }
        if (windows <= settle)
            return;
        rate += work / MEASURE;
        if (windows == settle + MEASURE)
            trial_end(now);
        return;
    }
    rate = rate ? (rate + work) / 2 : work;
    slower = weft_placed() && rate < kernels_rate - kernels_rate / 20 ? slower + 1 : 0;
    if (slower == MEASURE) { /* what the trial found was chance, or the work is different by now */
        tell("parallelism: no more places", kernels_rate, rate);
        next[PLACE].not_before = now + PAUSE_MOST;
        arrange(atomic_load(&weft_parallelism), false);
        return;
    }
    if (decided_rate && (rate > 2 * decided_rate || rate < decided_rate / 2))
        forget_failures(now);
    for (enum direction direction = 0; direction < DIRECTIONS; direction++) {
        in_row[direction] = wants(direction, shares, work) ? in_row[direction] + 1 : 0;
        if (in_row[direction] >= MEASURE && now >= next[direction].not_before) {
            trial_begin(direction, shares);
            return;
        }
    }
}

static void window_begin(int64_t now)
{
    begun = now;
    done = count_work();
    weft_shares_begin();
}

static void window_end(int64_t now)
{
    uint32_t work = count_work() - done;
    weft_parallelism_decide(now, weft_shares_end(now - begun), work * INT64_C(1000000000) / (now - begun));
}

void weft_parallelism_look(int64_t now)
{
    if (weft_processor_count == 1 || (begun && now - begun < WEFT_WINDOW))
        return;
    if (begun && now - begun < 2 * WEFT_WINDOW)
        window_end(now);
    else
        start_over(); /* nothing was to be done for a time */
    window_begin(now);
}

void weft_parallelism_reset(void)
{
    uint64_t mask[1024 / 64];
    long bytes = weft_raw3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    cpus = 0;
    for (long i = 0; i < bytes / 8; i++)
        cpus += (unsigned)__builtin_popcountll(mask[i]);
    if (cpus == 0)
        cpus = weft_processor_count;
    begun = 0;
    decided_rate = 0;
    start_over();
    trial.runs = false;
    for (enum direction i = 0; i < DIRECTIONS; i++)
        next[i].pause = first_pause(i), next[i].not_before = 0;
    if (weft_placed())
        weft_place_end();
    atomic_store(&weft_parallelism, weft_processor_count);
}
