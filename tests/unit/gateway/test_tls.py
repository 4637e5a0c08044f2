"""The HTTP door over TLS: who gets in, and who is not spoken to."""

import ssl
from pathlib import Path

import pytest

from ingest.engines.certificates import Certificates, make_certificates
from ingest.errors import UsageError
from ingest.gateway.sockets import server_tls
from tests.support.door import open_door, parsed

LAST = (
    b"POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 13\r\n\r\n"
    b'{"model":"m"}'
)


class Files:
    """Certificates of one authority, in files."""

    def __init__(self, folder, name):
        made: Certificates = make_certificates()
        self.authority, self.certificate, self.key = (
            str(folder / f"{name}-{part}.pem") for part in ("authority", "certificate", "key")
        )
        for path, text in (
            (self.authority, made.authority),
            (self.certificate, made.server),
            (self.key, made.key),
        ):
            Path(path).write_text(text)

    def client(self, shown=None):
        """Trust this authority, and show a certificate of the other files."""
        context = ssl.create_default_context(cafile=self.authority)
        if shown:
            context.load_cert_chain(shown.certificate, shown.key)
        return context


@pytest.fixture
def ours(tmp_path):
    return Files(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path):
    return Files(tmp_path, "theirs")


async def said(door, context):
    """What a client gets to hear; empty if the connection is closed on it."""
    try:
        reader, writer = await door.connect(ssl=context, server_hostname="localhost")
        writer.write(LAST)
        answer = await reader.read()
    except OSError:
        return b""
    writer.close()
    return answer


async def test_events_come_over_tls(ours):
    async with open_door(tls=server_tls(ours.certificate, ours.key, None)) as door:
        assert parsed(await said(door, ours.client())).status == 202
        assert len(door.published) == 1


async def test_whoever_speaks_plainly_to_a_door_with_tls_gets_nothing_and_the_log_says_so(
    ours, caplog
):
    async with open_door(tls=server_tls(ours.certificate, ours.key, None)) as door:
        assert await door.say(LAST) == b""
        assert door.published == []
        assert door.stats.refused["tls"] == 1
    (told,) = (record.ingest_fields for record in caplog.records if record.msg == "client_refused")
    assert told == {"door": "http", "cause": "TLS with a client failed: HTTP_REQUEST"}


def test_a_door_speaks_nothing_older_than_tls_1_2(ours):
    context = server_tls(ours.certificate, ours.key, None)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_where_client_certificates_are_asked_for_none_but_the_authoritys_opens(ours, theirs):
    context = server_tls(ours.certificate, ours.key, ours.authority)
    async with open_door(tls=context) as door:
        assert await said(door, ours.client()) == b""
        assert await said(door, ours.client(shown=theirs)) == b""
        assert door.published == []
        assert parsed(await said(door, ours.client(shown=ours))).status == 202


@pytest.mark.parametrize("swap", ["key", "certificate", "authority"])
def test_a_file_that_does_not_fit_is_refused_without_its_content(ours, theirs, swap, tmp_path):
    broken = tmp_path / "broken.pem"
    broken.write_text("canary")
    files = {
        "key": (ours.certificate, theirs.key, None),
        "certificate": (str(broken), ours.key, None),
        "authority": (ours.certificate, ours.key, str(broken)),
    }
    with pytest.raises(UsageError, match=r"gateway\.cert_file") as error:
        server_tls(*files[swap])
    assert "canary" not in str(error.value)
