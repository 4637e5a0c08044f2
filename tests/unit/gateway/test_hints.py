from ingest.gateway.hints import REPEAT_S, Hints


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def fields(caplog):
    return [record.ingest_fields for record in caplog.records]


def test_the_same_is_told_once_a_minute_with_how_many_were_not(caplog):
    clock = Clock()
    hints = Hints(clock)
    for _ in range(3):
        hints.refused("tcp", "a")
    clock.now = REPEAT_S
    hints.refused("tcp", "a")
    assert fields(caplog) == [
        {"door": "tcp", "cause": "a"},
        {"door": "tcp", "cause": "a", "suppressed": 2},
    ]


def test_other_causes_and_doors_are_told_at_once(caplog):
    hints = Hints(Clock())
    for door, cause in (("tcp", "a"), ("tcp", "b"), ("beats", "a")):
        hints.refused(door, cause)
    assert len(fields(caplog)) == 3


def test_what_is_to_be_told_once_is_never_told_again(caplog):
    clock = Clock()
    hints = Hints(clock)
    hints.fieldless("tcp", "a")
    clock.now = 10 * REPEAT_S
    hints.fieldless("tcp", "a")
    assert len(fields(caplog)) == 1
