import getpass
import os

import pytest

from ingest.engines.accounts import Account
from ingest.engines.config import EngineConfig


@pytest.fixture
def own_account():
    """The user who runs the tests, root or not: no other could reach a test's folder."""
    return Account(getpass.getuser(), os.geteuid(), os.getegid())


@pytest.fixture
def config(tmp_path):
    return EngineConfig(data_dir=tmp_path / "engines", cache_dir=tmp_path / "cache")
