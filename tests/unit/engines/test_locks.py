import subprocess
import threading

import pytest

from ingest.engines.locks import exclusive
from ingest.errors import EngineError


def test_a_second_holder_waits_and_says_so(tmp_path):
    order, told = [], threading.Event()

    def second():
        with exclusive(tmp_path / "lock", lambda text: told.set()):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(tmp_path / "lock", print):
        thread.start()
        assert told.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_free_lock_is_taken_in_silence(tmp_path, capsys):
    for _ in range(2):
        with exclusive(tmp_path / "lock", print):
            pass
    assert capsys.readouterr().out == ""


def test_a_program_started_meanwhile_does_not_keep_it(tmp_path, capsys):
    with exclusive(tmp_path / "lock", print):
        program = subprocess.Popen(["sleep", "60"], close_fds=False)
    with exclusive(tmp_path / "lock", print):
        program.kill()
        program.wait()
    assert capsys.readouterr().out == ""


def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EngineError, match="another user"), exclusive(tmp_path / "lock", print):
        pass
    assert not (tmp_path / "elsewhere").exists()
