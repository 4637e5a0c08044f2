"""Downloads, against a repository of our own that can break off."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.engines.artefacts import Artefact
from ingest.engines.download import download
from ingest.errors import EngineError

CONTENT = bytes(range(256)) * 400
JAR = Artefact(
    name="org.example:thing:jar:1.0",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@dataclass
class Repository:
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    stop_after: int | None = None
    """Bytes after which the connection breaks."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    repository = Repository(files={"/org/example/thing/1.0/thing-1.0.jar": CONTENT})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = repository.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write((content or b"")[: repository.stop_after])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        repository.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield repository
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(repository, tmp_path):
    """Download the jar; gives the path it should be at."""
    scratch, folder = tmp_path / "unfinished", tmp_path / "cache"
    scratch.mkdir()
    folder.mkdir()

    def fetch(progress=lambda text: None):
        download([JAR], repository.url, scratch, folder, progress)
        return folder / "thing-1.0.jar"

    fetch.folder = folder
    return fetch


def test_a_download_arrives_whole_and_readable_by_the_engines_user(fetch):
    path = fetch()
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644


def test_progress_is_told_up_to_the_end(fetch):
    told = []
    fetch(told.append)
    assert told[-1].endswith("0 of 0 MB")
    assert len(told) <= 11


def test_a_download_that_breaks_off_leaves_nothing(fetch, repository):
    repository.stop_after = 1000
    with pytest.raises(EngineError, match=r"cannot download org\.example:thing:jar:1\.0"):
        fetch()
    assert list(fetch.folder.iterdir()) == []


def test_other_content_than_the_pinned_is_refused(fetch, repository):
    repository.files = dict.fromkeys(repository.files, CONTENT[::-1])
    with pytest.raises(EngineError, match="SHA-256 differs"):
        fetch()
    assert list(fetch.folder.iterdir()) == []


def test_a_missing_file_is_an_error_that_says_what_to_do(fetch, repository):
    repository.files = {}
    with pytest.raises(EngineError, match="INGEST_ENGINE_CACHE"):
        fetch()


def test_no_network_is_an_error_that_says_what_to_do(fetch, repository):
    repository.url = "http://127.0.0.1:1"
    with pytest.raises(EngineError, match="check the network"):
        fetch()
