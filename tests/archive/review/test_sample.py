"""The team's living training sample: what is in it, in which order, and what leaves it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.finding.searching import Query
from softphone.archive.review.sample import SampleFilter, SampleQuery, SampleRow, counts, living, page, waiting
from softphone.archive.review.session import mark_reviewed, open_review
from softphone.archive.schema.tables import wraps
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import Viewer
from softphone.domain.changes import Discard, DropWraps
from softphone.domain.policy import Team
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from tests.archive import many
from tests.archive.review.calls import ANNA, JONAS, reviewable
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, MemoryKeys, Scene
from tests.archive.test_searching import BIG, plans, watched

ALL = SampleQuery(("salg", "support"), (), SampleFilter.ALL)


def found(desk: Scene, query: SampleQuery = ALL, now: datetime = AT) -> list[str]:
    return [row.recording for row in page(desk.archive, query, now).rows]


def test_a_row_tells_all_that_a_team_lead_needs_and_no_number_and_is_found_by_words_days_and_review(
    desk: Scene,
) -> None:
    first = reviewable(desk, DOCUMENTATION, TRAINING, keep="P7D")
    with closing(open_review(desk.archive, first, "lead-1", lambda: AT)) as reviewing:
        for at in (0, 800):
            reviewing.comment(at, "Fin åbning.")
    (row,) = page(desk.archive, ALL, AT).rows
    assert row == SampleRow(
        first, ANNA, "salg", AT, 0.0, "Europe/Copenhagen", date(2027, 2, 25), reviewed_at=None, comments=2
    )
    second = reviewable(desk, agent=JONAS, of="support", at=AT + timedelta(days=1))
    mark_reviewed(desk.archive, first, "lead-1", AT)
    now, asked = AT + timedelta(days=1), partial(SampleQuery, ALL.lines, ())
    (row,) = page(desk.archive, asked(SampleFilter.REVIEWED), now).rows
    assert (row.recording, row.reviewed_at, row.expires_on) == (first, AT, date(2026, 12, 2))
    of_all = partial(asked, SampleFilter.ALL)
    assert found(desk, of_all(search=" JONAS"), now) == found(desk, of_all(search="supp"), now) == [second]
    assert found(desk, of_all(search="100 %' OR 1"), now) == []
    assert found(desk, of_all(since=now), now) == found(desk, asked(), now) == [second]
    assert found(desk, of_all(until=now), now) == [first]
    assert counts(desk.archive, ALL, now) == {SampleFilter.WAITING: 1, SampleFilter.REVIEWED: 1, SampleFilter.ALL: 2}
    assert counts(desk.archive, SampleQuery(ALL.lines, (JONAS,)), now)[SampleFilter.ALL] == 1


def test_a_team_s_calls_are_those_of_its_agents_or_lines_or_of_both_where_it_names_both(desk: Scene) -> None:
    anna, jonas = reviewable(desk), reviewable(desk, agent=JONAS, at=AT + timedelta(hours=1))
    other = reviewable(desk, of="support", at=AT + timedelta(hours=2))
    old = reviewable(desk, agent=None, at=AT + timedelta(hours=3))
    of_all = SampleFilter.ALL
    assert found(desk, SampleQuery((), (ANNA,), of_all)) == [other, anna]
    assert found(desk, SampleQuery(("salg",), (), of_all)) == [old, jonas, anna]
    assert found(desk, SampleQuery(("salg",), (ANNA,), of_all)) == [old, anna]
    assert found(desk, SampleQuery((), (), of_all)) == []


Ending = Callable[[Scene, str], None]


def by_opt_out(desk: Scene, recording: str) -> None:
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), recording=recording)


def by_discarding(desk: Scene, recording: str) -> None:
    desk.commit(Discard(recording, "withdrawn"), recording=recording)


@pytest.mark.rule("G38")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("way", [by_opt_out, by_discarding, None])
def test_what_may_no_longer_be_heard_for_training_is_in_no_list_and_no_count(desk: Scene, way: Ending | None) -> None:
    recording, stays = reviewable(desk, DOCUMENTATION, TRAINING), reviewable(desk)
    if way is not None:
        way(desk, recording)
    left = {stays} if way else {recording, stays}
    assert set(found(desk)) == living(desk.archive, [recording, stays, "no-such"], AT) == left
    assert counts(desk.archive, ALL, AT)[SampleFilter.ALL] == len(left)
    assert sum(one.count for one in waiting(desk.archive, ALL, AT)) == len(left)


@pytest.mark.rule("G36")
def test_its_last_day_ends_with_the_day_of_its_call_s_own_time_zone(desk: Scene) -> None:
    recording = reviewable(desk)
    midnight = datetime(2027, 2, 24, 23, tzinfo=UTC)  # in Copenhagen
    before = midnight - timedelta(seconds=1)
    assert found(desk, now=before) == [recording]
    assert living(desk.archive, [recording], before) == {recording}
    (last,) = waiting(desk.archive, ALL, before)
    assert (last.expires_on, last.days, last.count) == (date(2027, 2, 25), 1, 1)
    assert found(desk, now=midnight) == []
    assert living(desk.archive, [recording], midnight) == set()
    assert waiting(desk.archive, ALL, midnight) == []


def test_its_pages_follow_each_other_without_gap_or_double_while_more_is_recorded(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "SAMPLE", 0.5)
    many.fill(desk.archive, 300, zones=("Europe/Copenhagen", "America/Godthab", "Pacific/Auckland"))
    query, now = SampleQuery(many.LINES, (), SampleFilter.ALL), many.END
    whole = page(desk.archive, query, now, limit=1000)
    assert whole.next is None
    assert len(whole.rows) == counts(desk.archive, query, now)[SampleFilter.ALL] > 25
    order = [(row.opened_at, row.recording) for row in whole.rows]
    assert order == sorted(order, reverse=True)
    got = page(desk.archive, query, now, limit=7)
    rows = [*got.rows]
    reviewable(desk, at=AT + timedelta(minutes=1))
    while got.next is not None:
        got = page(desk.archive, query, now, got.next, limit=7)
        rows += got.rows
    assert tuple(rows) == whole.rows


# --- in a large archive ------------------------------------------------------------------------------

NOW = many.END
QUERIES = {
    "a line": SampleQuery(("salg",), ()),
    "lines": SampleQuery(many.LINES, (), SampleFilter.ALL),
    "few agents": SampleQuery((), many.AGENTS[:4]),
    "nobody": SampleQuery((), ("nobody@example.dk",)),
    "agents of lines": SampleQuery(("salg", "booking"), many.AGENTS[:9]),
    "search": SampleQuery(many.LINES, (), search="agent07"),
    "reviewed": SampleQuery(many.LINES, (), SampleFilter.REVIEWED),
    "no team": SampleQuery((), ()),
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Documentation alone, samples that live, and three times as many that have expired."""
    made = Archive.create(tmp_path_factory.mktemp("large") / "archive", MemoryKeys())
    many.fill(made, 4_000)
    with made.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE recordings SET agent = NULL WHERE rowid % 11 = 0")
    yield made
    made.close()


def team_of(query: SampleQuery) -> Team:
    return Team.model_construct(id="t", lines=query.lines, agents=query.agents, leads=("lead",))


@pytest.mark.parametrize("name", QUERIES)
def test_a_page_is_what_the_list_gives_a_lead_and_reads_by_indexes_nothing_that_is_older(
    large: Archive, name: str
) -> None:
    query = QUERIES[name]
    if not query.search and query.shown is not SampleFilter.REVIEWED:
        with large.catalog.reading() as connection:
            mine = select(wraps.c.key_id).where(wraps.c.role == KeyRole.TRAINING.value).distinct()
            keys = tuple(connection.execute(mine).scalars())
        viewer = Viewer(frozenset({Role.LEAD}), {KeyRole.TRAINING: keys}, (team_of(query),))
        leads = [
            row.recording
            for row in large.list(NOW)
            if KeyRole.TRAINING in row.opens_for and viewer.leads(row.line, row.agent)
        ]
        whole = replace(query, shown=SampleFilter.ALL)
        assert [row.recording for row in page(large, whole, NOW, limit=1_000).rows] == leads
        assert counts(large, whole, NOW)[SampleFilter.ALL] == len(leads)
        if leads:
            found = LocalArchive(large, viewer, lambda: NOW).find.page(Query(), limit=1_000).rows
            assert [row.recording for row in found] == leads
        assert bool(leads) is (name not in ("nobody", "no team"))
    with watched(large) as seen:
        page(large, query, NOW, limit=20)
    scans = {told for told in plans(large, seen) if told.startswith("SCAN") and told.split()[1] in BIG}
    assert scans <= {
        "SCAN purposes USING COVERING INDEX ix_purposes_training_period",
        "SCAN purposes USING COVERING INDEX ix_purposes_training",
        "SCAN purposes USING INDEX ix_purposes_training",
    }
    with watched(large) as seen:
        page(large, query, NOW, f"{(NOW - timedelta(days=96)).isoformat()} ~", limit=20)
    assert seen.hundreds < 40  # of four thousand, a walk through all of them is some hundreds
