"""A phone that lost its network watches again, soon after it is back."""

from __future__ import annotations

from scenarios.durations import written
from scenarios.evidence import Evidence
from scenarios.expectations.judgement import Judgement


def judge(evidence: Evidence, on: str | None, *, within: int) -> Judgement:
    """
    After the end of each outage that touched it, every stream that a phone had before is open.

    Args:
        within: microseconds after the outage's end.
    """
    observed, broken = 0, []
    for phone in evidence.phones(on):
        for outage in evidence.outages(phone.name):
            for watched in phone.diary.watched.values():
                spans = watched.spans_until(evidence.end_us)
                had_it = any(span.from_us < outage.at_us <= span.to_us for span in spans)
                if not had_it or outage.end_us + within > evidence.end_us:
                    continue
                observed += 1
                again = [span.from_us for span in spans if span.from_us >= outage.at_us]
                if not again or again[0] > outage.end_us + within:
                    when = f"after {written(again[0] - outage.end_us)}" if again else "not at all"
                    broken.append(f"{phone.name} watched {watched.key} again {when}")
    return Judgement(observed, broken)
