"""The commands, one module each.

A module has `register(subparsers)`, which adds its parser, and `run(args, settings)`, which returns
the exit code. It imports Kafka, Elasticsearch and the like inside of its functions.
"""
