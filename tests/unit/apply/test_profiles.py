"""Profiles in a network file."""

import pytest

from demarc.apply.applying import apply
from demarc.apply.parse import Mistaken, parse
from demarc.apply.work import Domains
from support.house import build

PROFILE = """
[[profile]]
tenant = "metro"
name = "home"
suspended = "garden"
garden_download = "512k"
garden_filter = "unpaid"
quota = "500G"
throttle_download = "1M"
hours = ["daily 00:00-24:00"]

[[product]]
network = "metro"
code = "f50"
name = "Fibre 50"
download = "50M"
upload = "25M"
areas = ["north"]
profile = "home"
"""


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def applied(house, text, **how):
    domains = Domains(
        identity=house.identity,
        catalog=house.catalog,
        subscribers=house.subscribers,
        access=house.access,
        aaa=house.aaa,
    )
    async with house.db.system() as tx:
        return await apply(tx, domains, parse(text, {}), **how)


async def test_a_profile_is_made_and_given_to_a_product(house):
    plan = await applied(house, PROFILE)
    assert [change.action for change in plan.changes] == ["create", "update"]
    async with house.as_fno() as tx:
        (kept,) = await house.aaa.profiles(tx, house.fno.id)
        product = await house.catalog.product(tx, house.product.id)
    assert kept.settings["quota"] == 500 * 10**9
    assert kept.settings["garden_download"] == 512_000
    assert product.profile_id == kept.id
    # who buys it now has it from the first log-in on
    service = await house.service()
    async with house.as_isp() as tx:
        assert (await house.aaa.standing(tx, service.id)).profile == "home"


async def test_applied_again_it_changes_nothing(house):
    await applied(house, PROFILE)
    plan = await applied(house, PROFILE)
    assert {change.action for change in plan.changes} == {"unchanged"}


async def test_what_is_changed_is_told(house):
    await applied(house, PROFILE)
    plan = await applied(house, PROFILE.replace('"500G"', '"600G"'), dry_run=True)
    assert [change.action for change in plan.changes] == ["update", "unchanged"]


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('"daily 00:00-24:00"', '"always"', "hours"),
        ('"500G"', '"much"', "no number of octets"),
        ('profile = "home"', 'profile = "gold"', "names gold, which is no profile"),
        ('suspended = "garden"', 'suspended = "perhaps"', "suspended"),
        ("throttle_download", "garden_upload", "throttles, which needs"),
    ],
)
async def test_what_cannot_be_is_told_with_its_line(house, wrong, right, told):
    assert wrong in PROFILE
    with pytest.raises(Mistaken, match=told) as refused:
        await applied(house, PROFILE.replace(wrong, right))
    assert all(mistake.line for mistake in refused.value.mistakes)


async def test_what_the_file_leaves_out_is_named(house):
    await applied(house, PROFILE)
    plan = await applied(house, "", tell_absent=True)
    assert ("profile", "metro/home") in {(one.kind, one.name) for one in plan.absent}
