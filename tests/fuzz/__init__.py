"""A fuzzer of the readers of users' files: `python -m tests.fuzz --minutes 10`."""
