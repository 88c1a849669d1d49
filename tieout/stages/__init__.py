"""The use cases, one file each, with what they need as arguments.

Airflow's tasks, the command line and the demo all call these and nothing below them. They take
ids and return ids; every one can be run again at any time.
"""
