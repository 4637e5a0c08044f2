import subprocess
import sys

HEAVY = ("faust", "aiokafka", "elasticsearch", "aiohttp", "asyncio", "rich", "kafka", "sqlite3")


def test_the_client_imports_little():
    code = f"import sys, ingest.client;print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
