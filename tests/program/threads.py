# SPDX-License-Identifier: MIT
"""What CPython's threading, queue and subprocess promise, each with 70 threads where that means something.

Prints one line for each promise, with numbers that do not depend on the order in which threads ran.
"""
import os
import queue
import random
import subprocess
import sys
import threading
import time

THREADS = 70


def run(function, count=THREADS):
    """Calls function(number) in `count` threads at once; the results in the order of the numbers."""
    results = [None] * count

    def call(number):
        results[number] = function(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def queue_passes_everything_once():
    """35 producers, 35 consumers, a queue that is always full."""
    jobs, items = queue.Queue(maxsize=3), 200
    half = THREADS // 2

    def role(number):
        if number < half:
            for item in range(items):
                jobs.put(number * items + item)
            jobs.put(None)
            return 0
        total = 0
        while (item := jobs.get()) is not None:
            total += item
        return total

    total = sum(run(role))
    return total, total == sum(range(half * items)), jobs.empty()


def local_data_is_each_threads_own():
    data = threading.local()
    together = threading.Barrier(THREADS)

    def use(number):
        data.value = number
        for step in range(20):
            data.value += step
            if step % 10 == 0:
                together.wait()
            time.sleep(0)
        return data.value - number

    return set(run(use)), hasattr(data, "value")


def condition_hands_a_turn_round():
    condition, rounds, turns = threading.Condition(), 10, [0]
    order = []

    def take(number):
        for turn in range(rounds):
            with condition:
                condition.wait_for(lambda: turns[0] == turn * THREADS + number)
                order.append(number)
                turns[0] += 1
                condition.notify_all()

    run(take)
    return len(order), order == list(range(THREADS)) * rounds


def event_wakes_all_and_times_out():
    event = threading.Event()
    early = event.wait(0.01)
    waiting = threading.Semaphore(0)

    def wait(number):
        if number == 0:
            for _ in range(THREADS - 1):
                waiting.acquire()
            event.set()
            return True
        waiting.release()
        return event.wait(20)

    return early, sum(run(wait))


def semaphore_limits_how_many():
    gate, lock = threading.BoundedSemaphore(5), threading.Lock()
    inside, most = [0], [0]

    def enter(_):
        for _ in range(10):
            with gate:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.0002)
                with lock:
                    inside[0] -= 1

    run(enter)
    return inside[0], most[0] <= 5


def lock_with_a_time_limit():
    lock = threading.Lock()
    with lock:
        return sum(run(lambda number: lock.acquire(timeout=0.02))), lock.locked()


def lock_that_may_be_taken_again():
    lock, count = threading.RLock(), [0]

    def add(_):
        for _ in range(100):
            with lock, lock, lock:
                seen = count[0]
                count[0] = seen + 1

    run(add)
    return count[0]


def pipes_between_threads():
    """A ring of pipes; a number goes round and every thread adds its own."""
    pipes = [os.pipe() for _ in range(THREADS)]

    def forward(number):
        for _ in range(20):
            value = int(os.read(pipes[number][0], 20))
            os.write(pipes[(number + 1) % THREADS][1], b"%d" % (value + number))

    os.write(pipes[0][1], b"0")
    run(forward)
    value = int(os.read(pipes[0][0], 20))
    for pipe in pipes:
        os.close(pipe[0])
        os.close(pipe[1])
    return value


def children_of_threads():
    def start(number):
        done = subprocess.run(["/bin/sh", "-c", "read word; echo $word $1; exit $1", "sh", str(number)],
                              input=f"child-{number}\n", stdout=subprocess.PIPE, text=True, timeout=30)
        return done.stdout, done.returncode

    results = run(start, 20)
    return results == [(f"child-{number} {number}\n", number) for number in range(20)]


def child_with_threads_of_its_own():
    code = ("import threading; t = [threading.Thread(target=print, args=('hello',)) for _ in range(3)];"
            "[(x.start(), x.join()) for x in t]")
    return [subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=30).stdout
            for _ in range(2)]


def exceptions_end_only_their_thread():
    seen, lock = [], threading.Lock()

    def hook(arguments):
        with lock:
            seen.append(arguments.exc_type.__name__)

    before, threading.excepthook = threading.excepthook, hook

    def divide(number):
        return 1 // (number % 2)

    try:
        results = run(divide)
    finally:
        threading.excepthook = before
    return len(seen), set(seen), results.count(1)


def timers_in_order():
    order = queue.Queue()
    delays = [0.3, 0.1, 0.2]
    timers = [threading.Timer(delay, order.put, (delay,)) for delay in delays]
    for timer in timers:
        timer.start()
    cancelled = threading.Timer(0.15, order.put, (0,))
    cancelled.start()
    cancelled.cancel()
    for timer in timers:
        timer.join()
    return [order.get() for _ in range(3)], order.empty()


def identities_differ():
    together = threading.Barrier(THREADS)

    def identify(_):
        together.wait()
        return threading.get_ident(), threading.get_native_id()

    pairs = run(identify)
    return len({pair[0] for pair in pairs}), len({pair[1] for pair in pairs})


def computing_beside_waiting():
    """Half compute, half sleep and sort."""
    def work(number):
        data = list(range(500))
        generator = random.Random(number)
        for _ in range(10):
            generator.shuffle(data)
            if number % 2:
                time.sleep(0.001)
            data.sort()
        return sum(data)

    return set(run(work))


for test in (queue_passes_everything_once, local_data_is_each_threads_own, condition_hands_a_turn_round,
             event_wakes_all_and_times_out, semaphore_limits_how_many, lock_with_a_time_limit,
             lock_that_may_be_taken_again, pipes_between_threads, children_of_threads,
             child_with_threads_of_its_own, exceptions_end_only_their_thread, timers_in_order,
             identities_differ, computing_beside_waiting):
    print(test.__name__, test(), flush=True)
print("threads left:", threading.active_count() - 1)
