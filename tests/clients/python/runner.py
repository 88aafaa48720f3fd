"""Runs plain functions and prints one line for each: the name is the sentence it proves."""

import asyncio
import inspect
import signal
import sys
import traceback

SECONDS_PER_TEST = 30

_tests = []


def test(function):
    _tests.append(function)
    return function


def run():
    """Runs every test; returns the exit code."""
    signal.signal(signal.SIGALRM, _too_slow)
    return max([_line(function) for function in _tests], default=1)


def _line(function):
    sentence = function.__name__.replace("_", " ")
    name = f"python {function.__module__}: {sentence}"
    signal.alarm(SECONDS_PER_TEST)
    try:
        result = function()
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except Exception:
        print(f"FAILED {name}")
        print("".join("    " + line for line in traceback.format_exc().splitlines(keepends=True)))
        return 1
    else:
        print(f"ok {name}")
        return 0
    finally:
        signal.alarm(0)
        sys.stdout.flush()


def _too_slow(_signal, _frame):
    raise TimeoutError(f"took more than {SECONDS_PER_TEST} s")
