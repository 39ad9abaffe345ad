from demarc.domains.access.ports import OltTarget, OltUnreachable, OltUnusable


def test_no_text_of_a_target_shows_its_community() -> None:
    target = OltTarget("192.0.2.1", 161, "s3cret", 2.0)
    assert "s3cret" not in f"{target!r} {target}"
    assert "192.0.2.1" in repr(target)


def test_who_handles_silence_handles_nonsense_too() -> None:
    assert issubclass(OltUnusable, OltUnreachable)
