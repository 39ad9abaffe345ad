"""The log-in a new service gets, made of its tenant's pattern."""

from demarc.domains.errors import Invalid


def login(pattern: str, tenant: str, number: int) -> str:
    """Make a log-in of a tenant's pattern.

    Args:
        pattern: a format string with ``{number}`` and perhaps ``{tenant}``.
        tenant: the tenant's slug.
        number: the service's number within the tenant.

    Raises:
        Invalid: the pattern is not one, or two numbers would give the same log-in.
    """
    try:
        made = pattern.format(number=number, tenant=tenant)
        other = pattern.format(number=number + 1, tenant=tenant)
    except (KeyError, IndexError, ValueError, AttributeError) as wrong:
        raise Invalid("login_pattern", f"cannot be used: {wrong}") from wrong
    if made == other:
        raise Invalid("login_pattern", "must contain {number}")
    return made
