"""Every error this project raises on purpose.

IngestError                 what is wrong, where, what to do: printed without a traceback
├── UsageError              wrong arguments or configuration: nothing was started, exit 2
├── EngineError             a local engine cannot be fetched, started or stopped, exit 1
├── Unavailable             a broker or cluster does not answer: wait and try again
├── Refused                 a broker or cluster answered no: the operator acts, then it goes on
│   └── Unauthorized        ... because of who we are or may do
└── Fatal                   going on would break the promise of delivery: the process ends
"""


class IngestError(Exception):
    """Base of all; `exit_code` is what a command that meets it returns."""

    exit_code = 1


class UsageError(IngestError):
    """The user's arguments or configuration are wrong; nothing was started."""

    exit_code = 2


class EngineError(IngestError):
    """A local Kafka or Elasticsearch cannot be fetched, started or stopped."""


class Unavailable(IngestError):
    """The other side does not answer now; the same call may succeed later."""


class Refused(IngestError):
    """The other side answered no, and will until somebody changes something."""


class Unauthorized(Refused):
    """User, password, key or permission is not accepted."""


class Fatal(IngestError):
    """The process cannot go on without risking a record; it ends and is restarted."""

    exit_code = 75
