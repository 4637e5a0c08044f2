"""Elasticsearch with TLS, users and roles, all from files."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from ingest.engines.certificates import Certificates
from ingest.engines.config import Credentials, Login

_CERTIFICATE, _KEY, _AUTHORITY = "server.pem", "server.key", "ca.pem"
_WORKER_ROLE = "ingest_worker"
_ROUNDS = 10_000


def secure_settings() -> dict[str, Any]:
    """The settings added to a plain node's; the files lie beside them."""
    certificate = {"enabled": True, "certificate": _CERTIFICATE, "key": _KEY}
    return {
        "xpack.security.enabled": True,
        "xpack.security.autoconfiguration.enabled": False,
        "xpack.security.enrollment.enabled": False,
        "xpack.security.http.ssl": certificate,
        "xpack.security.transport.ssl": {**certificate, "certificate_authorities": [_AUTHORITY]},
        # The users of the file are all there are.
        "xpack.security.authc.reserved_realm.enabled": False,
        "xpack.security.authc.realms.file.users.order": 0,
    }


def certificate_files(certificates: Certificates) -> dict[str, str]:
    """File names and contents."""
    return {
        _CERTIFICATE: certificates.server,
        _KEY: certificates.key,
        _AUTHORITY: certificates.authority,
    }


def user_files(credentials: Credentials, prefixes: Iterable[str]) -> dict[str, str]:
    """File names and contents: who there is, with which roles, and what these allow.

    The worker's role writes indices whose names begin so, and makes them; nothing more.
    """
    admin, user = credentials.elasticsearch_admin, credentials.elasticsearch_user
    role = {
        "cluster": ["monitor"],
        "indices": [
            {
                "names": [f"{prefix}*" for prefix in prefixes],
                "privileges": ["index", "create_index", "auto_configure", "view_index_metadata"],
            }
        ],
    }
    return {
        "users": "".join(f"{login.username}:{password_hash(login)}\n" for login in (admin, user)),
        "users_roles": f"superuser:{admin.username}\n{_WORKER_ROLE}:{user.username}\n",
        "roles.yml": role_line(_WORKER_ROLE, role),
    }


def role_line(name: str, role: Mapping[str, Any]) -> str:
    """Write a role as the file of roles holds it. Each begins a line; its JSON is YAML, too."""
    return f"{name}: {json.dumps(role)}\n"


def password_hash(login: Login) -> str:
    """Hash a password as the file realm stores it: PBKDF2 with HMAC-SHA-512, 256 bits."""
    salt = secrets.token_bytes(32)
    digest = hashlib.pbkdf2_hmac("sha512", login.password.encode(), salt, _ROUNDS, dklen=32)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"{{PBKDF2}}{_ROUNDS}$" + "$".join(parts)
