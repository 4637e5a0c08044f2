"""What every test may rely on, however the session was started."""

import signal

# A shell starts its background jobs with interrupts ignored, and so would be our child processes.
signal.signal(signal.SIGINT, signal.default_int_handler)
