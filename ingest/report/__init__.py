"""What was asked, what it cost, what failed: Elasticsearch queries and how to read their answers.

Pure: `query` makes request bodies, `figures` reads answers. Nothing here talks to a cluster.
"""
