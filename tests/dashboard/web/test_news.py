"""What an open page asks for by itself: the name of the newest release, no more, and no use of a session."""

import json

from dashboard.site import NEWEST, Site
from dashboard.web import news


def test_the_answer_is_a_name_alone_and_holds_for_some_seconds(tmp_path):
    now = [100.0]
    (route,) = news.make_routes(Site(tmp_path, "public"), lambda: now[0])
    assert route.path == NEWEST
    answer = lambda: json.loads(route.endpoint(None).body)  # noqa: E731
    assert answer() == {"release": ""}
    (tmp_path / "current").write_text("2008-05-001\n", encoding="utf-8")
    assert answer() == {"release": ""}
    now[0] += 6
    assert answer() == {"release": "2008-05-001"}
