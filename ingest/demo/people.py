"""Who asks and how fast the answer comes: the part of the demo that is made up, by a seeded rule.

A crowd of users works in sessions. Each user has one service and one model; each request of the
trace goes on with one of a few open sessions, and now and then a session ends and a user begins
the next one. Latency is what the tokens take at the model's speed, with a random factor.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

import msgspec

USERS = 60
OPEN_SESSIONS = 12
CHANCE_OF_NEW_SESSION = 0.04
SPREAD = 0.35
"""Standard deviation of the logarithm of the factor on the latency."""


class Model(msgspec.Struct, frozen=True):
    """A model, how many of the users have it, and how fast it is in the demo."""

    name: str
    share: float
    base_ms: float
    input_token_ms: float
    output_token_ms: float


class Service(msgspec.Struct, frozen=True):
    """An application and how many of the users have it."""

    name: str
    share: float


class Session(msgspec.Struct, frozen=True):
    """Requests of one user that belong together."""

    id: str
    user: str
    service: str
    model: Model


MODELS = (
    Model("gpt-4.1", 0.40, base_ms=350, input_token_ms=0.09, output_token_ms=14),
    Model("claude-sonnet-4-5", 0.25, base_ms=500, input_token_ms=0.12, output_token_ms=18),
    Model("gemini-2.5-flash", 0.20, base_ms=220, input_token_ms=0.04, output_token_ms=6),
    Model("deepseek-v3.2", 0.15, base_ms=600, input_token_ms=0.15, output_token_ms=30),
)
SERVICES = (
    Service("code-completion", 0.45),
    Service("code-review", 0.20),
    Service("ide-chat", 0.20),
    # Priced by the shipped book of that gateway, not by the list prices.
    Service("holysheep-ai", 0.15),
)


class Crowd:
    """The users and their open sessions; every draw comes from the one random source."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._began = 0
        self._users = [
            (f"user-{number:02}", _pick(random, SERVICES).name, _pick(random, MODELS))
            for number in range(1, USERS + 1)
        ]
        self._open = [self._begin() for _ in range(OPEN_SESSIONS)]

    def session(self) -> Session:
        """Choose the session of the next request."""
        place = int(self._random.random() * OPEN_SESSIONS)
        if self._random.random() < CHANCE_OF_NEW_SESSION:
            self._open[place] = self._begin()
        return self._open[place]

    def _begin(self) -> Session:
        self._began += 1
        user, service, model = self._users[int(self._random.random() * USERS)]
        return Session(f"session-{self._began:04}", user, service, model)


def latency_ms(random: Random, model: Model, input_tokens: int, output_tokens: int) -> float:
    """How long the model takes, ms, 2 decimals."""
    tokens_ms = input_tokens * model.input_token_ms + output_tokens * model.output_token_ms
    return round((model.base_ms + tokens_ms) * math.exp(random.gauss(0, SPREAD)), 2)


_Choice = TypeVar("_Choice", Model, Service)


def _pick(random: Random, choices: Sequence[_Choice]) -> _Choice:
    return random.choices(choices, weights=[choice.share for choice in choices])[0]
