"""The tracker against the plain statement of its promise, over random histories."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.core import RawRecord
from ingest.pipeline.batch import Batch
from ingest.pipeline.tracker import Tracker

PARTITIONS = [("raw", 0), ("raw", 1)]


class Deliveries(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.tracker = Tracker()
        self.fetched = {place: [] for place in PARTITIONS}
        self.finished = set()
        self.next_offset = dict.fromkeys(PARTITIONS, 0)
        self.confirmed = {}
        self.begin()

    def begin(self):
        self.closed = False
        self.ends = {}
        self.hole = dict.fromkeys(PARTITIONS)
        for place in PARTITIONS:
            self.tracker.reach(place, self.next_offset[place])

    def may_commit(self, place):
        """The end of the leading run of finished batches, None if there is none."""
        end = self.hole[place]
        for batch in self.fetched[place]:
            if batch not in self.finished:
                break
            end = self.ends[batch]
        return end

    @rule(
        place=st.sampled_from(PARTITIONS),
        gaps=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    )
    def fetch(self, place, gaps):
        records = []
        for gap in gaps:
            offset = self.next_offset[place] + gap
            records.append(RawRecord(b"", *place, offset))
            self.next_offset[place] = offset + 1
        batch = Batch(*place, records, 0.0)
        self.fetched[place].append(batch)
        self.ends[batch] = batch.next_offset
        self.tracker.add(batch)

    @precondition(lambda self: not self.closed)
    @rule(place=st.sampled_from(PARTITIONS), width=st.integers(0, 3))
    def pass_a_hole(self, place, width):
        """Reading goes on over offsets that hold no record for us."""
        self.next_offset[place] += width
        self.tracker.reach(place, self.next_offset[place])
        if width and self.fetched[place]:
            self.ends[self.fetched[place][-1]] = self.next_offset[place]
        elif width:
            self.hole[place] = self.next_offset[place]

    @precondition(lambda self: self.tracker.open())
    @rule(data=st.data())
    def finish(self, data):
        batch = data.draw(st.sampled_from(self.tracker.open()))
        self.finished.add(batch)
        self.tracker.finish(batch)

    @rule()
    def commit(self):
        offsets = self.tracker.watermarks(PARTITIONS)
        self.tracker.confirm(offsets)
        for place, offset in offsets.items():
            assert offset > self.confirmed.get(place, 0)
            self.confirmed[place] = offset

    @rule(data=st.data(), place=st.sampled_from(PARTITIONS))
    def close(self, data, place):
        """A rebalance begins: what is not worked on yet is fetched again later."""
        self.closed = True
        open_ = self.tracker.open()
        started = data.draw(st.sets(st.sampled_from(open_))) if open_ else set()
        self.tracker.forget_unstarted(started)
        for batches in self.fetched.values():
            keep = [b for b in batches if not b.gone]
            assert all(batch.gone for batch in batches[len(keep) :])
            assert all(b in self.finished or b in started for b in keep)
            batches[:] = keep

    @rule()
    def lose_everything(self):
        batches = [batch for queue in self.fetched.values() for batch in queue]
        self.tracker.clear()
        for batch in batches:
            assert batch.gone or batch in self.finished
            self.tracker.finish(batch)
        self.fetched = {place: [] for place in PARTITIONS}
        self.begin()

    @invariant()
    def exactly_the_finished_prefix_is_committable(self):
        watermarks = self.tracker.watermarks(PARTITIONS)
        for place in PARTITIONS:
            end = self.may_commit(place)
            expected = None if end == self.confirmed.get(place) else end
            assert watermarks.get(place) == expected


Deliveries.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDeliveries = Deliveries.TestCase
