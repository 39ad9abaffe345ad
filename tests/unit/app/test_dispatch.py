import pytest

from demarc.app.dispatch import Dispatcher, owner


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/healthz", "health"),
        ("/readyz", "health"),
        ("/services", "aex"),
        ("/services/3f/device/status/live", "aex"),
        ("/docs/aex/openapi.json", "aex"),
        ("/docs/flashman/openapi.json", "flashman"),
        ("/api/v3/device/mac/02:00:5E:10:00:01/", "flashman"),
        ("/api/v2/device/command/02:00:5E:10:00:01/upstatus", "flashman"),
        ("/api/v2/health", "flashman"),
        ("/anything/else", "aex"),
        ("/", "aex"),
        # a prefix is of whole segments
        ("/healthzzz", "aex"),
    ],
)
def test_every_path_belongs_to_one_app(path, whose):
    assert owner(path) == whose


def test_the_longest_prefix_wins():
    assert owner("/a/b/c", {"/a": "one", "/a/b": "two"}) == "two"
    assert owner("/a/x", {"/a": "one", "/a/b": "two"}) == "one"


async def test_a_request_reaches_its_app_unchanged():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)

    scope = {"type": "http", "path": "/healthz", "query_string": b"x=1"}
    await Dispatcher({"health": app})(scope, None, None)
    assert seen == [scope]
