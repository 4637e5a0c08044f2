"""The gateway: what clients send over HTTP, TCP and Beats goes to the raw topic.

An acknowledgement means that Kafka has confirmed every event it speaks of. Doors take events from
clients, the sink hands them to Kafka, and one budget of bytes bounds what is on its way.
"""
