"""Matching: what belongs together, on what evidence, and what is refused because it is not unique.

`ladder` holds the rules as values, `compile` turns a rung into SQL, `engine` runs the rungs and
subtracts, `groups` words the result, `refusals` gathers what was not unique and `nearest` says
what came closest. Everything here is a pure function of its tables; nothing is stored.
"""
