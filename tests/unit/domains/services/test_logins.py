import pytest

from demarc.domains.errors import Invalid
from demarc.domains.services.logins import login


def test_a_login_is_made_of_the_tenants_pattern():
    assert login("u{number:06d}", "acme", 42) == "u000042"
    assert login("{tenant}-{number}", "acme", 7) == "acme-7"


@pytest.mark.parametrize("pattern", ["fixed", "{name}", "{number", "{0}", "{number.real.x}"])
def test_a_pattern_that_cannot_give_each_service_its_own_is_refused(pattern):
    with pytest.raises(Invalid, match="login_pattern"):
        login(pattern, "acme", 1)
