# SPDX-License-Identifier: MIT
"""A client of many threads, as a user of Python would write it: each takes names from a queue and fetches them.

usage: fetch.py URL THREADS FETCHES NAME...

Fetches the NAMEs in turn, FETCHES in all, and prints one line for each: its number, its name and its sha256.
"""
import hashlib
import queue
import sys
import threading
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def work(url, jobs, results):
    while True:
        try:
            number, name = jobs.get_nowait()
        except queue.Empty:
            return
        try:
            with opener.open(url + name, timeout=30) as answer:
                found = hashlib.sha256(answer.read()).hexdigest()
        except OSError as error:
            found = f"failed: {error}"
        results[number] = f"{number} {name} {found}"


def main(url, threads, fetches, *names):
    jobs = queue.Queue()
    for number in range(int(fetches)):
        jobs.put((number, names[number % len(names)]))
    results = [None] * int(fetches)
    workers = [threading.Thread(target=work, args=(url, jobs, results)) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("\n".join(map(str, results)))


main(*sys.argv[1:])
