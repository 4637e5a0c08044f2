"""Events that once broke a target."""

PATHS = (
    # A shape learnt where a container was no object hid what stood in it in the next event.
    (b'{"model":"m","usage":null}', b'{"model":"m","usage":{"prompt_tokens":5}}'),
    (b'{"model":"m","usage":{}}', b'{"model":"m","usage":{"prompt_tokens":5}}'),
    (b'{"model":"m","usageMetadata":"m"}', b'{"model":"m","usageMetadata":{"prompt_tokens":5}}'),
    # A letter of the time's name escaped, and a time as the one inside of an object.
    (
        b'{"@timestamp":"2026-07-01T11:59:58"}',
        b'{"@\\u0074imestamp":"2026-07-01T11:59:58","a":{"@timestamp":"2026-07-01T11:59:58"}}',
    ),
    # The same name in an object and beside it.
    (
        b'{"model":"m","usage.prompt_tokens":null,"usage":{"prompt_tokens":5}}',
        b'{"model":"m","usage.prompt_tokens":7,"usage":{"prompt_tokens":5}}',
    ),
    # A name that stands twice: the fast path leaves it as it is, the general path keeps the last.
    (b'{"model":"m"}', b'{"model":"m","model":"tiered"}'),
)
"""What a shape was learnt from, and the event that was read by it."""
