import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from compose import users


@pytest.fixture
def cluster():
    """A server that is busy at first, takes everything afterwards, and notes what it took."""
    busy = [503]

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = busy.pop() if busy else 200
            if status == 200:
                self.server.taken.append((self.command, self.path, json.loads(body)))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(b"{}")

        do_PUT = do_POST = answer  # noqa: N815 - names that http.server looks for

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch, cluster):
    monkeypatch.setattr(users, "PAUSE_S", 0)
    values = {
        "INGEST_ELASTICSEARCH_URL": f"http://127.0.0.1:{cluster.server_port}",
        "INGEST_ELASTICSEARCH_USERNAME": "elastic",
        "INGEST_ELASTICSEARCH_PASSWORD": "first",
        "WRITER_PASSWORD": 'sec"ond',
        "KIBANA_PASSWORD": "third",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


async def test_a_cluster_that_is_still_starting_gets_everything_in_the_end(cluster):
    await users.main()
    assert [(method, path) for method, path, _ in cluster.taken] == [
        ("PUT", "/_security/role/ingest_writer"),
        ("PUT", "/_security/role/ingest_setup"),
        ("PUT", "/_security/role/ingest_retain"),
        ("PUT", "/_security/role/ingest_reader"),
        ("PUT", "/_security/user/ingest_writer"),
        ("POST", "/_security/user/kibana_system/_password"),
    ]
    *_, user, kibana = [body for _, _, body in cluster.taken]
    assert user == {"password": 'sec"ond', "roles": ["ingest_writer"]}
    assert kibana == {"password": "third"}


def test_the_writer_may_write_the_daily_indices_and_nothing_else():
    role = users.roles(["llm-requests", "holysheep-logs"])["ingest_writer"]
    assert role == {
        "cluster": ["monitor"],
        "indices": [
            {
                "names": ["llm-requests-*", "holysheep-logs-*"],
                "privileges": ["index", "create_index", "auto_configure", "view_index_metadata"],
            }
        ],
    }


def test_no_role_reaches_beyond_the_daily_indices_and_their_alias():
    for role in users.roles(["llm-requests"]).values():
        names = {name for indices in role["indices"] for name in indices["names"]}
        assert names <= {"llm-requests-*", "llm-requests"}
        assert "all" not in role["cluster"]
