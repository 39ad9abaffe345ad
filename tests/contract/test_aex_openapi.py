"""The API against its own description: whatever schemathesis makes of the document."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from demarc.northbound.aex.openapi import document
from support.aex_server import Served, serve

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def served(postgres, template, tmp_path_factory) -> Iterator[Served]:
    with (
        postgres.database(template) as conninfo,
        serve(conninfo, tmp_path_factory.mktemp("keys")) as running,
    ):
        yield running


# What a schema cannot say: which addresses, numbers and references are real, that one of two
# parameters is needed, that one day may not lie before another.
UNSAID = ("/details", "/services/{service_id}/radius/usage")


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(case, served):
    # what is there, so that more than 404 is answered
    for name in ("service_id", "customer_id", "premise_id", "product_id"):
        if name in (case.path_parameters or {}):
            case.path_parameters[name] = getattr(served, name)
    if isinstance(case.body, dict) and case.meta.generation.mode.is_positive:
        for name in ("customer_id", "premise_id", "product_id", "area_id"):
            if isinstance(case.body.get(name), str) and len(case.body[name]) % 2:
                case.body[name] = getattr(served, name)
    side = "fno" if case.path.startswith("/fno") else "isp"
    case.call_and_validate(
        base_url=served.url,
        headers={"Authorization": f"Bearer {served.tokens[side]}"},
        excluded_checks=[positive_data_acceptance]
        if case.operation.body or case.path in UNSAID
        else [],
    )
