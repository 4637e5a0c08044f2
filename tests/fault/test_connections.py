"""What is between us and the engines drops answers, cuts connections, or lets nothing through."""

import gzip

from tests.fault.harness.proxy import Drop, Pass


def test_t17_documents_whose_answers_are_lost_are_written_again_and_no_more_than_those(world):
    proxy = world.proxy("elasticsearch")
    world.start_worker()
    world.send_these(world.take(4_000, ok=1))
    world.wait_until_done("index")

    def some_bulks(piece):
        return piece.startswith(b"POST /_bulk") and world.random.random() < 0.5

    proxy.set(Drop(some_bulks))
    world.send_these(world.take(8_000, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    proxy.set(Pass())
    bodies = [gzip.decompress(request.partition(b"\r\n\r\n")[2]) for request in proxy.dropped]
    resent = sum(body.count(b'{"index":{') for body in bodies)
    assert world.verify().rewritten == resent > 0
