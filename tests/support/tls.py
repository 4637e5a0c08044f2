"""Certificates in files, and a client's side of TLS that uses them."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from ingest.engines.certificates import make_certificates


@dataclass(frozen=True)
class TlsFiles:
    """An authority, and a certificate of it that servers and clients may show."""

    authority: Path
    certificate: Path
    key: Path

    def client(self, *, known: bool) -> ssl.SSLContext:
        """Make a client's context; `known`: it shows the certificate."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if known:
            context.load_cert_chain(self.certificate, self.key)
        return context


def tls_files(folder: Path) -> TlsFiles:
    """Write new ones."""
    made = make_certificates()
    files = TlsFiles(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    files.authority.write_text(made.authority)
    files.certificate.write_text(made.server)
    files.key.write_text(made.key)
    return files
